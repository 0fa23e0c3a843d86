//! The classes of faults that handshake parsers have had: each is refused, in linear time, and nothing panics.
#![cfg(feature = "handshake")]

use std::time::{Duration, Instant};

use websocket_wire::Status;
use websocket_wire::handshake::client::{self, Outcome};
use websocket_wire::handshake::{BuildError, HandshakeError as E, HeadLimits, Key, Uri, server};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Far above what any head within the limits takes, and far below what a quadratic parser would.
const PATIENCE: Duration = Duration::from_secs(20);

type Pairs<'a> = Vec<(&'a str, &'a [u8])>;

fn client<'a>() -> client::Request<'a> {
    client::Request::new(Uri::parse("ws://h").expect("a URI"), Key::new(*b"the sample nonce"))
}

fn request(bytes: &[u8]) -> Result<Status<()>, E> {
    server::Request::parse(bytes).map(|status| status.map(drop))
}

fn response(bytes: &[u8]) -> Result<Status<()>, E> {
    client().parse_response(bytes).map(|status| status.map(drop))
}

/// `head` with `lines` behind the start line.
fn insert(head: &str, lines: &[u8]) -> Vec<u8> {
    let start = head.find('\n').expect("a start line") + 1;
    [&head.as_bytes()[..start], lines, &head.as_bytes()[start..]].concat()
}

fn pairs<'a>(head: &'a str, more: &[(&'a str, &'a [u8])]) -> Pairs<'a> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| (name, value.as_bytes())).chain(more.iter().copied()).collect()
}

fn from_parts(more: &[(&'static str, &[u8])]) -> Result<(), E> {
    let headers: Vec<(&str, &[u8])> = pairs(REQUEST, &[]).into_iter().chain(more.iter().copied()).collect();
    server::Request::from_parts("GET", "/", (1, 1), &headers).map(drop)
}

fn in_time<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    assert!(start.elapsed() < PATIENCE, "{what} took {:?}", start.elapsed());
    result
}

#[test]
fn a_zero_byte_anywhere_keeps_the_handshake_from_passing() {
    for at in 0..REQUEST.len() {
        let mut text = REQUEST.as_bytes().to_vec();
        text[at] = 0;
        assert!(!matches!(request(&text), Ok(Status::Complete { .. })), "at {at}");
    }
    for at in 0..RESPONSE.len() {
        let mut text = RESPONSE.as_bytes().to_vec();
        text[at] = 0;
        assert!(!matches!(response(&text), Ok(Status::Complete { .. })), "at {at}");
    }
}

#[test]
fn header_lines_that_two_parsers_could_read_differently_are_refused_by_both_roles() {
    let lines: [&[u8]; 16] = [
        b"X: a\r\n folded\r\n",
        b"X: a\r\n\tfolded\r\n",
        b" X: a\r\n",
        b"\tX: a\r\n",
        b"X : a\r\n",
        b"X\t: a\r\n",
        b"X: a\rY: b\r\n",
        b"X: a\r\r\n",
        b"X\r: a\r\n",
        b"X\r\n",
        b": a\r\n",
        b"X Y: a\r\n",
        b"X\xc3\xa9: a\r\n",
        b"X: a\x0bb\r\n",
        b"X: a\x7f\r\n",
        b"\x00: a\r\n",
    ];
    for line in lines {
        assert_eq!(request(&insert(REQUEST, line)), Err(E::Malformed), "{}", line.escape_ascii());
        assert_eq!(response(&insert(RESPONSE, line)), Err(E::Malformed), "{}", line.escape_ascii());
    }
}

#[test]
fn a_bare_line_feed_ends_a_line_as_rfc_9112_allows() {
    assert!(matches!(request(REQUEST.replace("\r\n", "\n").as_bytes()), Ok(Status::Complete { .. })));
    assert!(matches!(response(RESPONSE.replace("\r\n", "\n").as_bytes()), Ok(Status::Complete { .. })));
}

#[test]
fn a_request_that_announces_a_body_is_refused_so_that_nobody_smuggles_frames() {
    let lines: [&[u8]; 10] = [
        b"Content-Length: 5\r\n",
        b"Content-Length: 00\r\n",
        b"Content-Length: +0\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0, 0\r\n",
        b"Content-Length: 0\r\nContent-Length: 6\r\n",
        b"content-length:\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Content-Length: 0\r\nTRANSFER-ENCODING: x\r\n",
    ];
    for line in lines {
        assert_eq!(request(&insert(REQUEST, line)), Err(E::Body), "{}", line.escape_ascii());
    }
    assert!(request(&insert(REQUEST, b"Content-Length: 0\r\n")).is_ok());
}

#[test]
fn a_header_may_hold_any_text_but_those_that_decide_may_not() {
    let lines: [(&[u8], _); 7] = [
        (b"X: \xe9\xff\x80\r\n", Ok(())),
        (b"Cookie: \xf0\x9f\x98\x80\r\n", Ok(())),
        (b"Origin: \xff\r\n", Err(E::Origin)),
        (b"Host: \xff\r\n", Err(E::Host)),
        (b"Sec-WebSocket-Protocol: \xff\r\n", Err(E::Subprotocol)),
        (b"Sec-WebSocket-Extensions: \xff\r\n", Err(E::Extensions)),
        (b"Sec-WebSocket-Extensions: a; b=\"\xff\"\r\n", Err(E::Extensions)),
    ];
    for (line, expected) in lines {
        let head = if line.starts_with(b"Host") { REQUEST.replace("Host: h\r\n", "") } else { REQUEST.into() };
        assert_eq!(request(&insert(&head, line)).map(drop), expected, "{}", line.escape_ascii());
    }
}

#[test]
fn keys_of_every_length_are_refused_but_the_right_one() {
    let long = [&b"dGhlIHNhbXBsZSBub25jZQ=="[..], &[b'A'; 70_000]].concat();
    for len in (0..64).chain([255, 256, 4096, 65_536, 70_000]).filter(|&len| len != 24) {
        assert_eq!(Key::parse(&long[..len]), Err(E::Key), "{len}");
    }
    for at in 0..24 {
        let mut key = long[..24].to_vec();
        key[at] = 0;
        assert_eq!(Key::parse(&key), Err(E::Key), "{at}");
    }
}

#[test]
fn a_list_of_extensions_is_read_in_linear_time() {
    let cases = [
        ("a; b=\"", "\\c", "", false),
        ("a; b=\"", "\\c", "\\", false),
        ("a; b=\"", "\\c", "\"", true),
        ("a; b=\"", "\\\\", "\"", false),
        ("a; b=\"", "c", "", false),
        ("a; b=\"", "c", "\"", true),
        ("a", "; b=\"c\"", "", true),
        ("a", "; ", "", false),
        ("", "\"", "", false),
        ("a; b", "=", "", false),
        ("", "a,", "", true),
        ("", ",", "a", true),
        ("a", " ,\t", "", true),
        ("a", ";b", "", true),
        ("", "a", "", true),
    ];
    for (start, unit, end, is_list) in cases {
        let value = [start, &unit.repeat((1 << 18) / unit.len()), end].concat();
        let name = format!("{start}{unit}{unit}..{end}");
        let verdict = in_time(&name, || from_parts(&[("Sec-WebSocket-Extensions", value.as_bytes())]));
        assert_eq!(verdict, if is_list { Ok(()) } else { Err(E::Extensions) }, "{name}");
        let headers = pairs(RESPONSE, &[("Sec-WebSocket-Extensions", value.as_bytes())]);
        let client = client().extensions(&["a"]);
        let verdict = in_time(&name, || client.response_from_parts(101, (1, 1), &headers).map(drop));
        assert_eq!(verdict == Err(E::Extensions), !is_list, "{name}");
    }
}

#[test]
fn lists_of_other_headers_are_read_in_linear_time() {
    let blanks = [b' '; 1 << 18];
    let commas = [b','; 1 << 18];
    let names = "a,b,".repeat(1 << 16);
    let many: Pairs = (0..1 << 14).map(|_| ("Sec-WebSocket-Protocol", &b"a"[..])).collect();
    let empty: Pairs = (0..1 << 14).map(|_| ("Sec-WebSocket-Extensions", &b"a"[..])).collect();
    in_time("blanks", || {
        assert_eq!(from_parts(&[("Sec-WebSocket-Protocol", &blanks)]), Err(E::Subprotocol));
        assert_eq!(from_parts(&[("Connection", &blanks), ("Upgrade", &blanks)]), Ok(()));
    });
    in_time("commas", || {
        assert_eq!(from_parts(&[("Sec-WebSocket-Protocol", &commas)]), Err(E::Subprotocol));
        assert_eq!(from_parts(&[("Connection", &commas), ("Upgrade", &commas)]), Ok(()));
    });
    in_time("names", || assert_eq!(from_parts(&[("Sec-WebSocket-Protocol", names.as_bytes())]), Err(E::Subprotocol)));
    in_time("headers", || assert_eq!(from_parts(&many), Err(E::Subprotocol)));
    in_time("extensions", || assert_eq!(from_parts(&empty), Ok(())));
}

#[test]
fn an_answer_is_checked_against_a_long_offer_in_linear_time() {
    let offer = "a; b=1, ".repeat(1 << 14) + "z";
    let headers: Pairs = pairs(REQUEST, &[("Sec-WebSocket-Extensions", offer.as_bytes())]);
    let request = server::Request::from_parts("GET", "/", (1, 1), &headers).unwrap();
    in_time("the answer", || {
        assert!(request.accept().extensions("z").encoded_len().is_ok());
        assert_eq!(request.accept().extensions("y").encoded_len(), Err(BuildError::ExtensionNotOffered));
    });
}

#[test]
fn a_head_beyond_the_limits_is_refused_however_large_they_are() {
    let limits = HeadLimits { bytes: usize::MAX, headers: usize::MAX };
    let head = insert(REQUEST, &b"X: y\r\n".repeat(1 << 16));
    let verdict = in_time("headers", || server::Request::parse_with(&head, limits).map(drop));
    assert_eq!(verdict, Err(E::TooManyHeaders));
    let head = insert(REQUEST, &[&b"X: "[..], &[b'y'; 1 << 20], b"\r\n"].concat());
    let parsed = in_time("a value", || server::Request::parse_with(&head, limits).map(|status| status.map(drop)));
    assert_eq!(parsed, Ok(Status::Complete { value: (), consumed: head.len() }));
    assert_eq!(request(&head), Err(E::HeadTooLarge));
    let interim = "HTTP/1.1 100 \r\n\r\n".repeat(1 << 14);
    let verdict = in_time("interim responses", || client().parse_response(interim.as_bytes()).map(drop));
    assert_eq!(verdict, Err(E::HeadTooLarge));
}

#[test]
fn a_head_that_comes_byte_by_byte_has_the_same_verdict_at_each() {
    let limits = HeadLimits { bytes: 4096, headers: 64 };
    let head = insert(REQUEST, &[&b"X: "[..], &[b'y'; 3000], b"\r\n"].concat());
    for end in 0..head.len() {
        let status = server::Request::parse_with(&head[..end], limits).expect("a prefix of a request");
        assert!(matches!(status, Status::Partial { needed: 1 | 2 }), "{end}");
    }
    assert!(matches!(server::Request::parse_with(&head, limits), Ok(Status::Complete { .. })));
}

#[test]
fn an_absolute_target_names_the_host_whatever_the_header_says() {
    let text = REQUEST.replace("GET /chat", "GET http://other.example:81/chat?x");
    let (request, _) = server::Request::parse(text.as_bytes()).unwrap().complete().unwrap();
    assert_eq!((request.host(), request.path()), ("other.example:81", "/chat?x"));
    assert_eq!(request.header("Host"), Some(&b"h"[..]));
    let text = text.replace("Host: h\r\n", "");
    assert_eq!(server::Request::parse(text.as_bytes()).unwrap_err(), E::Host);
}

#[test]
fn version_8_is_refused_until_it_is_admitted() {
    let policy = server::Policy::new().allow_version_8();
    let text = REQUEST.replace("Version: 13", "Version: 8\r\nSec-WebSocket-Origin: http://a");
    assert_eq!(request(text.as_bytes()), Err(E::Version));
    let (request, _) = server::Request::parse_with(text.as_bytes(), policy).unwrap().complete().unwrap();
    assert_eq!((request.version(), request.origin()), (8, Some("http://a")));
    let (plain, _) = server::Request::parse_with(REQUEST.as_bytes(), policy).unwrap().complete().unwrap();
    assert_eq!((plain.version(), plain.origin()), (13, None));
    let refused = [
        ("Version: 7", E::Version),
        ("Version: 0", E::Version),
        ("Version: 08", E::Version),
        ("Version: 8, 13", E::Version),
        ("Version: 8\r\nSec-WebSocket-Version: 13", E::Version),
        ("Version: 8\r\nSec-WebSocket-Origin: a\r\nSec-WebSocket-Origin: a", E::Origin),
        ("Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", E::Key),
    ];
    for (lines, error) in refused {
        let text = REQUEST.replace("Version: 13", lines);
        let verdict = server::Request::parse_with(text.as_bytes(), policy).map(drop);
        assert_eq!(verdict, Err(error), "{lines:?}");
    }
}

#[test]
fn a_server_that_admits_version_8_says_so_when_it_refuses() {
    let admits_8 = server::Policy::new().allow_version_8();
    for (policy, versions) in [(server::Policy::new(), "13"), (admits_8, "13, 8")] {
        for error in [E::Version, E::Upgrade] {
            let mut out = [0; 256];
            let len = server::Refusal::from(error).policy(policy).encode(&mut out).unwrap();
            let text = str::from_utf8(&out[..len]).unwrap();
            let line = format!("\r\nSec-WebSocket-Version: {versions}\r\n");
            assert_eq!((text.matches("Sec-WebSocket-Version").count(), text.contains(&line)), (1, true), "{text}");
        }
    }
}

#[test]
fn what_is_no_upgrade_is_an_outcome_with_its_headers_and_the_body_left_over() {
    let text = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 2\r\n\r\nno";
    let (outcome, consumed) = client().parse_response(text).unwrap().complete().unwrap();
    let Outcome::Refused(refusal) = outcome else { panic!("upgraded") };
    assert_eq!((refusal.status(), &text[consumed..]), (401, &b"no"[..]));
    assert_eq!(refusal.header("www-authenticate"), Some(&b"Basic realm=\"a\""[..]));
}
