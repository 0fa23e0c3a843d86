//! Bytes, parsed pairs and the `http` crate's types: each way into the handshake has the same verdict, and it is the one
//! that the parts of the message were chosen for.
#![cfg(feature = "handshake")]

use proptest::prelude::*;
use websocket_wire::handshake::client::{self, Outcome};
use websocket_wire::handshake::{Key, Uri, server};

type Variant = (&'static str, bool);

/// Start line and header lines of a request; `true` where RFC 6455 §4.2.1 allows them.
const REQUEST: [&[Variant]; 9] = [
    &[
        ("GET /chat?a=b HTTP/1.1", true),
        ("GET http://h/ HTTP/1.1", true),
        ("GET / HTTP/1.1", true),
        ("GET ws://h/ HTTP/1.1", false),
        ("GET http://u@h/ HTTP/1.1", false),
        ("POST / HTTP/1.1", false),
        ("GET / HTTP/1.0", false),
        ("OPTIONS * HTTP/1.1", false),
    ],
    &[("Host: h", true), ("host: [::1]:81", true), ("", false), ("Host: a\nHost: a", false), ("Host: u@h", false)],
    &[
        ("Upgrade: websocket", true),
        ("UPGRADE: h2c, WebSocket", true),
        ("Upgrade: x\nUpgrade: websocket", true),
        ("Upgrade: websocket/13", false),
        ("", false),
    ],
    &[
        ("Connection: Upgrade", true),
        ("connection: keep-alive,\tupgrade", true),
        ("Connection: close\nConnection: Upgrade", true),
        ("Connection: keep-alive", false),
        ("", false),
    ],
    &[
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", true),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZS4=", false),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== x", false),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", false),
        ("Sec-WebSocket-Key:", false),
    ],
    &[
        ("Sec-WebSocket-Version: 13", true),
        ("Sec-WebSocket-Version: 8", false),
        ("Sec-WebSocket-Version: 14", false),
        ("Sec-WebSocket-Version: 13\nSec-WebSocket-Version: 13", false),
        ("", false),
    ],
    &[("", true), ("Origin: null", true), ("Origin: a\nOrigin: a", false)],
    &[
        ("", true),
        ("Sec-WebSocket-Protocol: a, b\nSec-WebSocket-Protocol: c", true),
        ("Sec-WebSocket-Protocol: a\nSec-WebSocket-Protocol: a", false),
        ("Sec-WebSocket-Protocol: a b", false),
    ],
    &[
        ("", true),
        ("Sec-WebSocket-Extensions: x; a=\"1\", y\nSec-WebSocket-Extensions: z", true),
        ("Sec-WebSocket-Extensions: x; a=\"1", false),
        ("Content-Length: 0", true),
        ("Content-Length: 2", false),
        ("Transfer-Encoding: chunked", false),
    ],
];

/// The same for a response to a client that offers the subprotocol `a` and the extension `x` (§4.1).
const RESPONSE: [&[Variant]; 6] = [
    &[("HTTP/1.1 101 Switching Protocols", true), ("HTTP/1.1 101", true), ("HTTP/1.0 101 No", false)],
    &[
        ("Upgrade: WebSocket", true),
        ("", false),
        ("Upgrade: websocket, h2c", false),
        ("Upgrade: websocket\nUpgrade: websocket", false),
    ],
    &[("Connection: x, upgrade", true), ("", false), ("Connection: close", false)],
    &[
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", true),
        ("Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", false),
        ("", false),
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\nSec-WebSocket-Accept: x", false),
    ],
    &[
        ("", true),
        ("Sec-WebSocket-Protocol: a", true),
        ("Sec-WebSocket-Protocol: b", false),
        ("Sec-WebSocket-Protocol: A", false),
        ("Sec-WebSocket-Protocol: a\nSec-WebSocket-Protocol: a", false),
    ],
    &[
        ("", true),
        ("Sec-WebSocket-Extensions: x; b=1", true),
        ("Sec-WebSocket-Extensions: y", false),
        ("Sec-WebSocket-Extensions: x, y", false),
        ("Sec-WebSocket-Extensions: x;", false),
        ("Sec-WebSocket-Extensions: x\nSec-WebSocket-Extensions: x", false),
    ],
];

/// The lines of a message and whether all of them are allowed; header lines come in any order.
fn message(parts: &'static [&'static [Variant]]) -> impl Strategy<Value = (Vec<&'static str>, bool)> {
    // Mostly the first, allowed variant: otherwise hardly any message would pass.
    let one = |variants: &'static [Variant]| prop_oneof![4 => Just(variants[0]), 1 => prop::sample::select(variants)];
    let chosen: Vec<_> = parts.iter().map(|variants| one(variants)).collect();
    (chosen, any::<prop::sample::Index>()).prop_map(|(mut chosen, first)| {
        let allowed = chosen.iter().all(|(_, allowed)| *allowed);
        let headers = &mut chosen[1..];
        headers.rotate_left(first.index(headers.len()));
        (chosen.iter().flat_map(|(lines, _)| lines.lines()).collect(), allowed)
    })
}

fn pairs<'a>(headers: &[&'a str]) -> Vec<(&'a str, &'a [u8])> {
    let split = |line: &&'a str| line.split_once(':').expect("a header");
    headers.iter().map(split).map(|(name, value)| (name, value.trim().as_bytes())).collect()
}

fn bytes(lines: &[&str]) -> Vec<u8> {
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

fn client<'a>() -> client::Request<'a> {
    let uri = Uri::parse("ws://h").expect("a URI");
    client::Request::new(uri, Key::new(*b"the sample nonce")).subprotocols(&["a"]).extensions(&["x"])
}

fn is_upgraded<E>(outcome: &Result<Outcome<'_>, E>) -> bool {
    matches!(outcome, Ok(Outcome::Upgraded(_)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_request_passes_exactly_when_all_its_parts_are_allowed((lines, allowed) in message(&REQUEST)) {
        let text = bytes(&lines);
        let parsed = server::Request::parse(&text).map(|status| status.complete().expect("a whole head").0);
        prop_assert_eq!(parsed.is_ok(), allowed, "{:?} {:?}", lines, parsed);
        let words: Vec<&str> = lines[0].split(' ').collect();
        let version = (1, if words[2].ends_with('1') { 1 } else { 0 });
        let headers = pairs(&lines[1..]);
        let checked = server::Request::from_parts(words[0], words[1], version, &headers);
        prop_assert_eq!(checked.map(drop), parsed.map(drop));
    }

    #[test]
    fn a_response_passes_exactly_when_all_its_parts_are_allowed((lines, allowed) in message(&RESPONSE)) {
        let text = bytes(&lines);
        let client = client();
        let parsed = client.parse_response(&text).map(|status| status.complete().expect("a whole head").0);
        prop_assert_eq!(is_upgraded(&parsed), allowed, "{:?} {:?}", lines, parsed);
        let version = (1, if lines[0].starts_with("HTTP/1.1") { 1 } else { 0 });
        let headers = pairs(&lines[1..]);
        let checked = client.response_from_parts(101, version, &headers);
        prop_assert_eq!(checked.map(drop), parsed.map(drop));
    }
}

#[cfg(feature = "http")]
mod http_types {
    use super::*;
    use http::{HeaderMap, HeaderName, HeaderValue, Version};
    use websocket_wire::handshake::{BuildError, HandshakeError};

    fn version(text: &str) -> Version {
        if text.ends_with('1') { Version::HTTP_11 } else { Version::HTTP_10 }
    }

    fn map(headers: &[&str]) -> HeaderMap {
        let header = |(name, value): (&str, &[u8])| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            (name, HeaderValue::from_bytes(value).expect("a value"))
        };
        let mut map = HeaderMap::new();
        for (name, value) in pairs(headers).into_iter().map(header) {
            map.append(name, value);
        }
        map
    }

    fn request(lines: &[&str]) -> http::Request<()> {
        let words: Vec<&str> = lines[0].split(' ').collect();
        let mut request = http::Request::new(());
        *request.method_mut() = words[0].parse().expect("a method");
        *request.uri_mut() = words[1].parse().expect("a target");
        *request.version_mut() = version(words[2]);
        *request.headers_mut() = map(&lines[1..]);
        request
    }

    fn response(lines: &[&str]) -> http::Response<()> {
        let mut response = http::Response::new(());
        *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
        *response.version_mut() = version(&lines[0][..8]);
        *response.headers_mut() = map(&lines[1..]);
        response
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn a_request_has_the_verdict_of_its_bytes((lines, allowed) in message(&REQUEST)) {
            let request = request(&lines);
            let checked = server::Request::from_http(&request);
            prop_assert_eq!(checked.is_ok(), allowed, "{:?} {:?}", lines, checked);
            if let Ok(checked) = checked {
                let text = bytes(&lines);
                let (parsed, _) = server::Request::parse(&text).unwrap().complete().unwrap();
                prop_assert_eq!((checked.path(), checked.host()), (parsed.path(), parsed.host()));
                prop_assert_eq!((checked.origin(), checked.key()), (parsed.origin(), parsed.key()));
                prop_assert!(checked.subprotocols().eq(parsed.subprotocols()));
                prop_assert!(checked.extensions().eq(parsed.extensions()));
                prop_assert_eq!(checked.headers().count(), parsed.headers().count());
            }
        }

        #[test]
        fn a_response_has_the_verdict_of_its_bytes((lines, allowed) in message(&RESPONSE)) {
            let response = response(&lines);
            prop_assert_eq!(is_upgraded(&client().response_from_http(&response)), allowed, "{:?}", lines);
        }
    }

    #[test]
    fn both_roles_agree_without_a_byte() {
        let client = client().origin("http://o").headers(&[("Cookie", "a=b"), ("Cookie", "c=d")]);
        let sent = client.to_http().unwrap();
        assert_eq!((sent.method(), sent.version()), (&http::Method::GET, Version::HTTP_11));
        let received = server::Request::from_http(&sent).unwrap();
        assert_eq!((received.path(), received.host(), received.origin()), ("/", "h", Some("http://o")));
        assert_eq!(received.headers().filter(|(name, _)| *name == "cookie").count(), 2);
        let answer = received.accept().subprotocol("a").extensions("x; y").headers(&[("Set-Cookie", "e")]);
        let answer = answer.to_http().unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["set-cookie"]), (101, &HeaderValue::from_static("e")));
        let Ok(Outcome::Upgraded(response)) = client.response_from_http(&answer) else { panic!("refused") };
        assert_eq!((response.subprotocol(), response.extensions()), (Some("a"), Some(&b"x; y"[..])));
    }

    #[test]
    fn what_must_not_be_sent_is_refused_before_it_is_converted() {
        let client = client().headers(&[("A", "b\r\nC: d")]);
        assert_eq!(client.to_http().unwrap_err(), BuildError::HeaderValue);
        let refusal = server::Refusal::new(403).headers(&[("Content-Length", "1")]);
        assert_eq!(refusal.to_http().unwrap_err(), BuildError::ReservedHeader);
        let path = "/".repeat(70_000);
        let uri = Uri::from_parts(false, "h", &path).unwrap();
        assert_eq!(client::Request::new(uri, Key::new([0; 16])).to_http().unwrap_err(), BuildError::Http);
    }

    #[test]
    fn http_2_has_no_upgrade() {
        let mut request = request(&["GET / HTTP/1.1", "Host: h"]);
        *request.version_mut() = Version::HTTP_2;
        assert_eq!(server::Request::from_http(&request).unwrap_err(), HandshakeError::HttpVersion);
    }
}
