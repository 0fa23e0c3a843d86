//! Requests of any bytes: a prefix is incomplete or has the verdict of the whole, nothing is accepted that RFC 6455
//! section 4.2.1 refuses, and every verdict can be answered.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use support::Cuts;
use support::http::Head;
use websocket_wire::Status;
use websocket_wire::handshake::{HandshakeError, HeadLimits, server};

fuzz_target!(|input: (Cuts, &[u8])| {
    let (cuts, bytes) = input;
    let whole = verdict(bytes);
    for cut in cuts.of(bytes.len()).into_iter().rev().take(64) {
        match (verdict(&bytes[..cut]), &whole) {
            (Ok(Status::Partial { needed }), Ok(Status::Complete { consumed, .. })) => {
                assert!((1..=consumed - cut).contains(&needed));
            }
            (Ok(Status::Partial { needed }), _) => assert!(needed > 0),
            (prefix, whole) => assert_eq!(prefix, *whole),
        }
    }
    match server::Request::parse(bytes) {
        Ok(Status::Complete { value: request, consumed }) => {
            check(&Head::read(&bytes[..consumed]));
            check_split(&request, &bytes[..consumed]);
            let chosen = request.subprotocols().next();
            let len = request.accept().subprotocol(chosen).encode(&mut [0; 16 << 10]).unwrap();
            assert_eq!(request.accept().subprotocol(chosen).encoded_len(), Ok(len));
        }
        Ok(Status::Partial { .. }) => {}
        Err(error) => assert!(server::Refusal::from(error).encode(&mut [0; 512]).is_ok()),
    }
});

/// What an outcome can be told by; views have no equality.
fn verdict(buf: &[u8]) -> Result<Status<String>, HandshakeError> {
    server::Request::parse(buf).map(|status| status.map(|request| format!("{request:?}")))
}

/// Compares the headers with those of another parser, which has not heard of HTTP/1.2.
fn check_split(request: &server::Request, head: &[u8]) {
    let mut headers = [httparse::EMPTY_HEADER; HeadLimits::MAX_HEADERS];
    let mut theirs = httparse::Request::new(&mut headers);
    match theirs.parse(head) {
        Err(httparse::Error::Version) => {}
        verdict => {
            assert_eq!(verdict, Ok(httparse::Status::Complete(head.len())));
            assert!(request.headers().eq(theirs.headers.iter().map(|header| (header.name, header.value))));
        }
    }
}

/// Reads section 4.2.1 word by word.
fn check(head: &Head) {
    let [method, _, version] = &head.start[..] else { panic!("{:?}", head.start) };
    assert_eq!(method, "GET");
    assert!(version.starts_with("HTTP/1.") && version.len() == 8 && version != "HTTP/1.0");
    assert_eq!(head.values("host").len(), 1);
    assert!(head.has_token("upgrade", "websocket"));
    assert!(head.has_token("connection", "upgrade"));
    assert_eq!(head.values("sec-websocket-version"), ["13"]);
    let [key] = head.values("sec-websocket-key")[..] else { panic!("one key") };
    assert!(
        key.len() == 24 && key.ends_with("==") && key[..21].chars().all(|c| c.is_alphanumeric() || "+/".contains(c))
    );
    assert!("AQgw".contains(&key[21..22]), "128 bits, and four that are 0");
    assert!(head.values("origin").len() <= 1);
    assert!(head.values("transfer-encoding").is_empty());
    assert!(head.values("content-length").iter().all(|len| *len == "0"));
    let protocols = head.list("sec-websocket-protocol");
    assert!(protocols.iter().all(|name| name.chars().all(support::http::is_token)));
    assert!((1..protocols.len()).all(|i| !protocols[..i].contains(&protocols[i])));
}
