//! The server's side of the opening handshake: what is accepted, what is refused and how (RFC 6455 §4.2).
#![cfg(feature = "handshake")]

use websocket_wire::Status;
use websocket_wire::handshake::client::{self, Outcome};
use websocket_wire::handshake::server::{self, Refusal};
use websocket_wire::handshake::{BuildError, HandshakeError, Key, Uri, accept_key};

const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\r\n";

fn parse(text: &str) -> Result<(server::Request<'_>, usize), HandshakeError> {
    server::Request::parse(text.as_bytes()).map(|status| status.complete().expect("a whole head"))
}

fn refused(text: &str) -> HandshakeError {
    parse(text).expect_err(text)
}

/// The sample request with one line replaced, `""` for no line.
fn with(name: &str, lines: &str) -> String {
    replace_line(REQUEST, name, lines)
}

fn replace_line(head: &str, name: &str, lines: &str) -> String {
    let start = head.find(name).expect("the line is there");
    let end = start + head[start..].find("\r\n").expect("the line ends") + 2;
    format!("{}{lines}{}", &head[..start], &head[end..])
}

fn client<'a>() -> client::Request<'a> {
    let uri = Uri::parse("ws://server.example.com/chat").expect("a URI");
    client::Request::new(uri, Key::new(*b"the sample nonce")).subprotocols(&["chat", "superchat"])
}

fn refusal(refusal: Refusal<'_>) -> String {
    let mut out = vec![0xA5; refusal.encoded_len().expect("a valid refusal")];
    refusal.encode(&mut out).expect("a buffer of the right length");
    String::from_utf8(out).expect("text")
}

#[test]
fn sample_of_the_rfc() {
    assert_eq!(&*accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let (request, consumed) = parse(REQUEST).unwrap();
    assert_eq!(consumed, REQUEST.len());
    assert_eq!((request.path(), request.host()), ("/chat", "server.example.com"));
    assert_eq!(request.origin(), Some("http://example.com"));
    assert!(request.subprotocols().eq(["chat", "superchat"]));
    let mut out = [0xA5; 200];
    let len = request.accept().subprotocol("chat").encode(&mut out).unwrap();
    assert_eq!(core::str::from_utf8(&out[..len]), Ok(RESPONSE));
    assert!(out[len..].iter().all(|&b| b == 0xA5));
}

#[test]
fn requests_are_refused_for_the_rule_they_break() {
    use HandshakeError as E;
    const VERSION: &str = "Sec-WebSocket-Version";
    const KEY: &str = "Sec-WebSocket-Key";
    let cases = [
        ("GET", "POST /chat HTTP/1.1\r\n", E::Method, 405),
        ("GET", "get /chat HTTP/1.1\r\n", E::Method, 405),
        ("GET", "GET /chat HTTP/1.0\r\n", E::HttpVersion, 400),
        ("GET", "GET /chat HTTP/2.0\r\n", E::HttpVersion, 400),
        ("GET", "GET /chat HTTP/3.1\r\n", E::HttpVersion, 400),
        ("GET", "GET /chat HTTP/1.1x\r\n", E::Malformed, 400),
        ("GET", "GET /chat http/1.1\r\n", E::Malformed, 400),
        ("GET", "GET  /chat HTTP/1.1\r\n", E::Malformed, 400),
        ("GET", "GET /chat HTTP/1.1 \r\n", E::Malformed, 400),
        ("GET", "GET /chat\r\n", E::Malformed, 400),
        ("GET", "G(T /chat HTTP/1.1\r\n", E::Malformed, 400),
        ("GET", "GET chat HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET * HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET /chat#a HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET /ch\u{e9}t HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET ftp://h/ HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET http://h?a=/ HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET ws://h/ HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET http:///chat HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET http://u:p@h/ HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET http://h:0/ HTTP/1.1\r\n", E::Target, 400),
        ("GET", "GET http://[::1/ HTTP/1.1\r\n", E::Target, 400),
        ("Host", "", E::Host, 400),
        ("Host", "Host:\r\n", E::Host, 400),
        ("Host", "Host: a\r\nhost: a\r\n", E::Host, 400),
        ("Host", "Host: a b\r\n", E::Host, 400),
        ("Host", "Host: u@a\r\n", E::Host, 400),
        ("Host", "Host: a/b\r\n", E::Host, 400),
        ("Host", "Host: \u{e9}\r\n", E::Host, 400),
        ("Upgrade", "", E::Upgrade, 426),
        ("Upgrade", "Upgrade: websockets, foo/2\r\n", E::Upgrade, 426),
        ("Connection", "", E::Connection, 400),
        ("Connection", "Connection: keep-alive\r\n", E::Connection, 400),
        (KEY, "", E::Key, 400),
        (KEY, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", E::Key, 400),
        (KEY, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZS4=\r\n", E::Key, 400),
        (VERSION, "", E::Version, 426),
        (VERSION, "Sec-WebSocket-Version: 8\r\n", E::Version, 426),
        (VERSION, "Sec-WebSocket-Version: 013\r\n", E::Version, 426),
        (VERSION, "Sec-WebSocket-Version: 13, 8\r\n", E::Version, 426),
        (VERSION, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n", E::Version, 426),
        ("Origin", "Origin: a\r\norigin: b\r\n", E::Origin, 400),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: a, a\r\n", E::Subprotocol, 400),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol:\r\n", E::Subprotocol, 400),
        (VERSION, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: a;\r\n", E::Extensions, 400),
        ("Origin", "Content-Length: 1\r\n", E::Body, 400),
        ("Origin", "Transfer-Encoding: chunked\r\n", E::Body, 400),
        ("Origin", "Origin : a\r\n", E::Malformed, 400),
        ("Origin", "Origin: a\r\n b\r\n", E::Malformed, 400),
        ("Origin", "Origin: a\0\r\n", E::Malformed, 400),
    ];
    for (name, lines, error, status) in cases {
        assert_eq!(refused(&with(name, lines)), error, "{lines:?} for {name}");
        assert_eq!(error.status(), status, "{error:?}");
    }
}

#[test]
fn a_repeated_key_is_refused_even_if_it_is_the_same() {
    let line = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert_eq!(refused(&with("Sec-WebSocket-Key", &line.repeat(2))), HandshakeError::Key);
}

#[test]
fn requests_are_accepted_however_they_are_written() {
    let cases = [
        ("GET", "GET / HTTP/1.2\r\n"),
        ("GET", "\r\nGET //a?b=%20 HTTP/1.1\r\n"),
        ("Host", "hOST:[::1]:9001\r\n"),
        ("Host", "Host: a:80\t \r\n"),
        ("Upgrade", "UPGRADE: foo/2, ,WebSocket\r\n"),
        ("Upgrade", "Upgrade: foo/2\r\nUpgrade: websocket\r\n"),
        ("Upgrade", "Upgrade: websocket\r\nUpgrade: foo/2\r\n"),
        ("Connection", "Connection: upgrade\r\nConnection: keep-alive\r\n"),
        ("Connection", "Connection: keep-alive\r\nConnection:\tx ,\tupgrade,\r\n"),
        ("Origin", "Content-Length: 0\r\n"),
        ("Origin", "Origin: null\n"),
        ("Origin", "X:\r\nY: \u{e9}\t:\r\n"),
        ("Sec-WebSocket-Key", "sec-websocket-key:   dGhlIHNhbXBsZSBub25jZQ==   \r\n"),
    ];
    for (name, lines) in cases {
        assert!(parse(&with(name, lines)).is_ok(), "{lines:?} for {name}");
    }
}

#[test]
fn the_path_is_the_resource_name_of_any_form_of_target() {
    let cases =
        [("/", "/"), ("/a?b=c/d?e", "/a?b=c/d?e"), ("http://h/a?b", "/a?b"), ("HTTPS://h:1/", "/"), ("https://h", "/")];
    for (target, path) in cases {
        let request = with("GET", &format!("GET {target} HTTP/1.1\r\n"));
        assert_eq!(parse(&request).unwrap().0.path(), path);
    }
}

#[test]
fn bytes_behind_the_head_are_handed_back() {
    let request = format!("{REQUEST}\r\nleft");
    assert_eq!(&request[parse(&request).unwrap().1..], "\r\nleft");
    let response = format!("{RESPONSE}\r\nleft");
    let status = client().parse_response(response.as_bytes()).unwrap();
    assert_eq!(&response[status.complete().unwrap().1..], "\r\nleft");
}

#[test]
fn every_prefix_is_partial_and_needs_no_more_than_is_missing() {
    let prefixes = |text: &'static str| (0..text.len()).map(|end| &text.as_bytes()[..end]);
    for prefix in prefixes(REQUEST) {
        let Ok(Status::Partial { needed }) = server::Request::parse(prefix) else {
            panic!("{}", prefix.escape_ascii())
        };
        assert!((1..=REQUEST.len() - prefix.len()).contains(&needed));
    }
    for prefix in prefixes(RESPONSE) {
        let Ok(Status::Partial { needed }) = client().parse_response(prefix) else {
            panic!("{}", prefix.escape_ascii())
        };
        assert!((1..=RESPONSE.len() - prefix.len()).contains(&needed));
    }
}

#[test]
fn parsed_headers_are_checked_like_bytes() {
    let pairs = |text: &'static str| -> Vec<(&str, &[u8])> {
        let lines = text.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.map(|(name, value)| (name, value.as_bytes())).collect()
    };
    let headers = pairs(REQUEST);
    let request = server::Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    assert_eq!(request.key().as_str(), "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(request.headers().count(), 7);
    let parts = |method, target, version, headers| server::Request::from_parts(method, target, version, headers);
    assert_eq!(parts("PUT", "/", (1, 1), &headers).unwrap_err(), HandshakeError::Method);
    assert_eq!(parts("GET", "x", (1, 1), &headers).unwrap_err(), HandshakeError::Target);
    assert_eq!(parts("GET", "/", (2, 0), &headers).unwrap_err(), HandshakeError::HttpVersion);
    assert_eq!(parts("GET", "/", (1, 1), &headers[1..]).unwrap_err(), HandshakeError::Host);
    let headers = pairs(RESPONSE);
    let outcome = client().response_from_parts(101, (1, 1), &headers).unwrap();
    assert!(matches!(outcome, Outcome::Upgraded(response) if response.subprotocol() == Some("chat")));
    let error = client().response_from_parts(101, (1, 0), &headers).unwrap_err();
    assert_eq!(error, HandshakeError::HttpVersion);
}

#[test]
fn the_subprotocol_is_chosen_by_either_order() {
    let (request, _) = parse(REQUEST).unwrap();
    let supported = ["other", "superchat", "chat"];
    assert_eq!(request.choose_subprotocol(&supported), Some("superchat"));
    assert_eq!(request.subprotocols().find(|name| supported.contains(name)), Some("chat"));
    assert_eq!(request.choose_subprotocol(&["Chat"]), None);
}

#[test]
fn answers_that_must_not_be_sent_are_refused() {
    let text = with("Origin", "Sec-WebSocket-Extensions: a; b, c\r\nSec-WebSocket-Extensions: d\r\n");
    let (request, _) = parse(&text).unwrap();
    let accept = request.accept();
    assert!(accept.extensions("d, a; x=\"1\"").encoded_len().is_ok());
    let cases = [
        (accept.subprotocol("Chat"), BuildError::SubprotocolNotOffered),
        (accept.subprotocol("chat, superchat"), BuildError::SubprotocolNotOffered),
        (accept.subprotocol("chat\r\nX: y"), BuildError::SubprotocolNotOffered),
        (accept.extensions("b"), BuildError::ExtensionNotOffered),
        (accept.extensions("a, e"), BuildError::ExtensionNotOffered),
        (accept.extensions("a\r\nX: y"), BuildError::Extensions),
        (accept.extensions(""), BuildError::Extensions),
        (accept.headers(&[("A b", "c")]), BuildError::HeaderName),
        (accept.headers(&[("", "c")]), BuildError::HeaderName),
        (accept.headers(&[("A\r\nB", "c")]), BuildError::HeaderName),
        (accept.headers(&[("A", "b"), ("A", "b\r\nC: d")]), BuildError::HeaderValue),
        (accept.headers(&[("A", "b\nc")]), BuildError::HeaderValue),
        (accept.headers(&[("A", "b\0")]), BuildError::HeaderValue),
        (accept.headers(&[("sec-websocket-accept", "x")]), BuildError::ReservedHeader),
        (accept.headers(&[("CONNECTION", "close")]), BuildError::ReservedHeader),
        (accept.headers(&[("Content-Length", "1")]), BuildError::ReservedHeader),
    ];
    for (accept, error) in cases {
        let mut out = [0xA5; 512];
        assert_eq!(accept.encode(&mut out), Err(error), "{accept:?}");
        assert_eq!(out, [0xA5; 512]);
    }
}

#[test]
fn a_buffer_that_is_one_byte_too_small_stays_as_it_was() {
    let (request, _) = parse(REQUEST).unwrap();
    let accept = request.accept().subprotocol("chat");
    let mut out = [0xA5; RESPONSE.len()];
    let short = accept.encode(&mut out[1..]);
    assert_eq!(short, Err(BuildError::BufferTooSmall { needed: RESPONSE.len() }));
    assert_eq!(out, [0xA5; RESPONSE.len()]);
    assert_eq!(accept.encode(&mut out), Ok(RESPONSE.len()));
}

#[test]
fn refusals_say_what_their_status_requires() {
    let end = "Connection: close\r\nContent-Length: 0\r\n\r\n";
    let upgrade =
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade, close\r\nContent-Length: 0\r\n\r\n";
    let cases = [
        (HandshakeError::Method, format!("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n{end}")),
        (HandshakeError::Key, format!("HTTP/1.1 400 Bad Request\r\n{end}")),
        (HandshakeError::Upgrade, format!("HTTP/1.1 426 Upgrade Required\r\n{upgrade}")),
        (HandshakeError::HttpVersion, format!("HTTP/1.1 400 Bad Request\r\n{end}")),
        (HandshakeError::HeadTooLarge, format!("HTTP/1.1 431 Request Header Fields Too Large\r\n{end}")),
    ];
    for (error, expected) in cases {
        assert_eq!(refusal(error.into()), expected);
    }
    assert_eq!(
        refusal(Refusal::new(418).headers(&[("A", "b")])),
        "HTTP/1.1 418 \r\nConnection: close\r\nContent-Length: 0\r\nA: b\r\n\r\n"
    );
    assert_eq!(refusal(Refusal::new(204)), "HTTP/1.1 204 \r\nConnection: close\r\n\r\n");
}

#[test]
fn refusals_that_must_not_be_sent_are_refused() {
    for status in [0, 101, 199, 600, u16::MAX] {
        assert_eq!(Refusal::new(status).encoded_len(), Err(BuildError::Status));
    }
    let own = Refusal::new(426).headers(&[("upgrade", "h2c")]);
    assert_eq!(own.encoded_len(), Err(BuildError::ReservedHeader));
    assert!(Refusal::new(400).headers(&[("upgrade", "h2c")]).encoded_len().is_ok());
}

#[test]
fn junk_of_64_kib_is_refused() {
    use HandshakeError as E;
    let fill = |start: &str, unit: &str| start.chars().chain(unit.chars().cycle()).take(65_536).collect::<String>();
    let cases = [
        (fill("", "\0"), E::Malformed),
        (fill("", "x"), E::HeadTooLarge),
        (fill("", "\r\n"), E::TooManyHeaders),
        (fill("GET / HTTP/1.1\r\n", "a:b\r\n"), E::TooManyHeaders),
        (fill("GET / HTTP/1.1\r\nSec-WebSocket-Protocol: ", "a, "), E::HeadTooLarge),
        (fill("GET / HTTP/1.1\r\nSec-WebSocket-Extensions: a; b=\"", "\\c"), E::HeadTooLarge),
    ];
    for (junk, error) in cases {
        assert_eq!(server::Request::parse(junk.as_bytes()).unwrap_err(), error);
    }
}

/// What is logged by `{:?}` names headers and tells no value, nor a query.
#[test]
fn debug_shows_no_value() {
    let secret = |shown: String, names: &[&str]| {
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(names.iter().all(|name| shown.contains(name)), "{shown}");
    };
    let text = REQUEST.replace("/chat ", "/chat?token=hunter2 ").replace("Origin", "Cookie: hunter2\r\nOrigin");
    let (request, _) = parse(&text).unwrap();
    secret(format!("{request:?}"), &["/chat", "Cookie", "Origin"]);

    let cookie = [("Set-Cookie", "hunter2")];
    secret(format!("{:?}", request.accept().headers(&cookie)), &["Set-Cookie"]);
    secret(format!("{:?}", Refusal::new(401).headers(&cookie)), &["401", "Set-Cookie"]);

    let uri = Uri::parse("ws://localhost/chat?token=hunter2").unwrap();
    let headers = [("Authorization", "hunter2")];
    let request =
        client::Request::new(uri, Key::new(*b"the sample nonce")).subprotocols(&["hunter2"]).headers(&headers);
    secret(format!("{request:?}"), &["localhost", "/chat", "Authorization"]);

    let received = RESPONSE.replace("Upgrade: w", "Set-Cookie: hunter2\r\nUpgrade: w");
    let request = client::Request::new(uri, Key::new(*b"the sample nonce")).subprotocols(&["chat"]);
    let outcome = request.parse_response(received.as_bytes()).unwrap().complete().unwrap().0;
    secret(format!("{outcome:?}"), &["Set-Cookie"]);
}
