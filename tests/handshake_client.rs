//! The client's side of the opening handshake: what is sent, what is believed and what is not (RFC 6455 §4.1).
#![cfg(feature = "handshake")]

use websocket_wire::handshake::client::{self, Outcome};
use websocket_wire::handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, server};

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\r\n";

/// `head` with one line replaced, `""` for no line.
fn replace_line(head: &str, name: &str, lines: &str) -> String {
    let start = head.find(name).expect("the line is there");
    let end = start + head[start..].find("\r\n").expect("the line ends") + 2;
    format!("{}{lines}{}", &head[..start], &head[end..])
}

fn client<'a>() -> client::Request<'a> {
    let uri = Uri::parse("ws://server.example.com/chat").expect("a URI");
    client::Request::new(uri, Key::new(*b"the sample nonce")).subprotocols(&["chat", "superchat"])
}

fn answer(text: &str) -> Result<Outcome<'_>, HandshakeError> {
    let status = client().extensions(&["x-a; b=1, x-c"]).parse_response(text.as_bytes())?;
    Ok(status.complete().expect("a whole head").0)
}

fn encoded(request: &client::Request<'_>) -> String {
    let mut out = vec![0xA5; request.encoded_len().expect("a valid request")];
    let len = request.encode(&mut out).expect("a buffer of the right length");
    assert_eq!(len, out.len());
    String::from_utf8(out).expect("text")
}

#[test]
fn the_request_of_the_client_is_written_whole() {
    let uri = Uri::parse("wss://[::1]:9001?x=1").unwrap();
    let request = client::Request::new(uri, Key::new(*b"the sample nonce"))
        .origin("https://example.com")
        .subprotocols(&["a", "b"])
        .extensions(&["x; y=1", "z"])
        .headers(&[("Cookie", "c=d"), ("Cookie", "e=\u{e9}")]);
    assert_eq!(
        encoded(&request),
        "GET /?x=1 HTTP/1.1\r\nHost: [::1]:9001\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Origin: https://example.com\r\nSec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: x; y=1, z\r\n\
         Cookie: c=d\r\nCookie: e=\u{e9}\r\n\r\n"
    );
}

#[test]
fn requests_that_must_not_be_sent_are_refused() {
    let request = client();
    let cases = [
        (request.subprotocols(&["a", "b", "a"]), BuildError::Subprotocol),
        (request.subprotocols(&[""]), BuildError::Subprotocol),
        (request.subprotocols(&["a, b"]), BuildError::Subprotocol),
        (request.subprotocols(&["a\r\nX: y"]), BuildError::Subprotocol),
        (request.extensions(&["a", ""]), BuildError::Extensions),
        (request.extensions(&["a; b=\"c"]), BuildError::Extensions),
        (request.origin("a\r\nX: y"), BuildError::HeaderValue),
        (request.headers(&[("A:", "b")]), BuildError::HeaderName),
        (request.headers(&[("A", "b\r")]), BuildError::HeaderValue),
        (request.headers(&[("HOST", "h")]), BuildError::ReservedHeader),
        (request.headers(&[("origin", "h")]), BuildError::ReservedHeader),
        (request.headers(&[("Sec-WebSocket-Key", "h")]), BuildError::ReservedHeader),
        (request.headers(&[("transfer-encoding", "chunked")]), BuildError::ReservedHeader),
    ];
    for (request, error) in cases {
        assert_eq!(request.encode(&mut [0; 512]), Err(error), "{request:?}");
    }
}

#[test]
fn responses_are_refused_for_the_rule_they_break() {
    use HandshakeError as E;
    const ACCEPT: &str = "Sec-WebSocket-Accept";
    const PROTOCOL: &str = "Sec-WebSocket-Protocol";
    let good = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let twice = good.repeat(2);
    let cases = [
        ("HTTP", "HTTP/1.0 101 Switching Protocols\r\n", E::HttpVersion),
        ("HTTP", "HTTP/1.1 1O1 Switching Protocols\r\n", E::Malformed),
        ("HTTP", "HTTP/1.1  101\r\n", E::Malformed),
        ("HTTP", "HTTP/1.1 1010\r\n", E::Malformed),
        ("HTTP", "HTTP/1.1\r\n", E::Malformed),
        ("HTTP", "HTTP/1.1 101 a\0\r\n", E::Malformed),
        ("Upgrade", "", E::Upgrade),
        ("Upgrade", "Upgrade: h2c\r\n", E::Upgrade),
        ("Upgrade", "Upgrade: websocket, h2c\r\n", E::Upgrade),
        ("Upgrade", "Upgrade: websocket\r\nUpgrade: h2c\r\n", E::Upgrade),
        ("Connection", "", E::Connection),
        ("Connection", "Connection: close\r\n", E::Connection),
        (ACCEPT, "", E::Accept),
        (ACCEPT, "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", E::Accept),
        (ACCEPT, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n", E::Accept),
        (ACCEPT, &twice, E::Accept),
        (PROTOCOL, "Sec-WebSocket-Protocol: Chat\r\n", E::SubprotocolNotOffered),
        (PROTOCOL, "Sec-WebSocket-Protocol: chat, superchat\r\n", E::Subprotocol),
        (PROTOCOL, "Sec-WebSocket-Protocol:\r\n", E::Subprotocol),
        (PROTOCOL, "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n", E::Subprotocol),
        (PROTOCOL, "Sec-WebSocket-Extensions: b\r\n", E::ExtensionNotOffered),
        (PROTOCOL, "Sec-WebSocket-Extensions: x-a, x-d\r\n", E::ExtensionNotOffered),
        (PROTOCOL, "Sec-WebSocket-Extensions: x-a;\r\n", E::Extensions),
        (PROTOCOL, "Sec-WebSocket-Extensions: x-a\r\nSec-WebSocket-Extensions: x-c\r\n", E::Extensions),
    ];
    for (name, lines, error) in cases {
        let text = replace_line(RESPONSE, name, lines);
        assert_eq!(answer(&text).map(|_| ()), Err(error), "{lines:?} for {name}");
    }
}

#[test]
fn responses_are_accepted_however_they_are_written() {
    let cases = [
        ("HTTP", "HTTP/1.1 101\r\n"),
        ("Upgrade", "upgrade: WebSocket\r\n"),
        ("Connection", "connection: keep-alive, UPGRADE\r\n"),
        ("Sec-WebSocket-Protocol", ""),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions: x-c; d, x-a\r\n"),
    ];
    for (name, lines) in cases {
        let text = replace_line(RESPONSE, name, lines);
        assert!(matches!(answer(&text), Ok(Outcome::Upgraded(_))), "{lines:?} for {name}");
    }
}

#[test]
fn another_status_is_an_outcome_with_its_headers() {
    let text = "HTTP/1.0 302 Found\r\nLocation: wss://h/\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n";
    let Ok(Outcome::Refused(refusal)) = answer(text) else { panic!("not refused") };
    assert_eq!((refusal.status(), refusal.header("location")), (302, Some(&b"wss://h/"[..])));
    assert_eq!(refusal.headers().filter(|(name, _)| *name == "Set-Cookie").count(), 2);
}

#[test]
fn interim_responses_are_passed_over_within_the_limit() {
    let text = format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\n{RESPONSE}");
    assert!(matches!(answer(&text), Ok(Outcome::Upgraded(_))));
    let whole = |bytes| client().parse_response_with(text.as_bytes(), HeadLimits { bytes, headers: 9 }).map(|_| ());
    assert_eq!(whole(text.len()), Ok(()));
    assert_eq!(whole(text.len() - 1), Err(HandshakeError::HeadTooLarge));
    assert_eq!(whole(20), Err(HandshakeError::HeadTooLarge));
}

#[test]
fn both_roles_agree() {
    let uri = Uri::parse("ws://example.com:8080/a?b").unwrap();
    let request = client::Request::new(uri, Key::new([9; 16])).subprotocols(&["p"]).extensions(&["x; y"]);
    let sent = encoded(&request.origin("o"));
    let (received, _) = server::Request::parse(sent.as_bytes()).unwrap().complete().unwrap();
    assert_eq!((received.path(), received.host(), received.origin()), ("/a?b", "example.com:8080", Some("o")));
    let mut out = [0; 256];
    let len = received.accept().subprotocol("p").extensions("x; y=1").encode(&mut out).unwrap();
    let (outcome, consumed) = request.parse_response(&out[..len]).unwrap().complete().unwrap();
    let Outcome::Upgraded(response) = outcome else { panic!("refused") };
    assert_eq!((response.subprotocol(), response.extensions(), consumed), (Some("p"), Some(&b"x; y=1"[..]), len));
    let other = client::Request::new(uri, Key::new([8; 16]));
    assert_eq!(other.parse_response(&out[..len]).unwrap_err(), HandshakeError::Accept);
}
