//! Responses of any bytes: a prefix is incomplete or has the verdict of the whole, and nothing is accepted that RFC 6455
//! section 4.1 refuses.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use support::Cuts;
use support::http::Head;
use websocket_wire::Status;
use websocket_wire::handshake::client::{Outcome, Request};
use websocket_wire::handshake::{HandshakeError, Key, Uri};

fuzz_target!(|input: (Cuts, &[u8])| {
    let (cuts, bytes) = input;
    let request = Request::new(Uri::parse("ws://h").unwrap(), Key::new(*b"the sample nonce"));
    let request = request.subprotocols(&["chat", "superchat"]).extensions(&["permessage-deflate; x=1", "x-one"]);
    let verdict = |buf: &[u8]| -> Result<Status<String>, HandshakeError> {
        request.parse_response(buf).map(|status| status.map(|outcome| format!("{outcome:?}")))
    };
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
    if let Ok(Status::Complete { value: Outcome::Upgraded(_), consumed }) = request.parse_response(bytes) {
        let mut rest = &bytes[..consumed];
        let head = loop {
            let head = Head::read(rest);
            if head.start[1] == "101" {
                break head;
            }
            assert!(head.start[1].starts_with('1'), "only interim responses come first");
            let end = rest.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 2);
            let crlf = rest.windows(3).position(|three| three == b"\n\r\n").map(|at| at + 3);
            rest = &rest[end.into_iter().chain(crlf).min().expect("a blank line")..];
        };
        check(&head);
    }
});

/// Reads the list of section 4.1 word by word.
fn check(head: &Head) {
    assert!(head.start[0].starts_with("HTTP/1.") && head.start[0] != "HTTP/1.0");
    let [upgrade] = head.values("upgrade")[..] else { panic!("one Upgrade") };
    assert!(upgrade.eq_ignore_ascii_case("websocket"));
    assert!(head.has_token("connection", "upgrade"));
    assert_eq!(head.values("sec-websocket-accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
    let protocols = head.values("sec-websocket-protocol");
    assert!(protocols.len() <= 1 && protocols.iter().all(|chosen| ["chat", "superchat"].contains(chosen)));
    for extension in head.list("sec-websocket-extensions") {
        let name = extension.split(';').next().unwrap_or("").trim_matches([' ', '\t']);
        assert!(["permessage-deflate", "x-one"].contains(&name), "{name}");
    }
}
