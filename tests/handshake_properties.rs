//! Properties of the opening handshake on any input, with a naive server and `httparse` as oracles.
#![cfg(feature = "handshake")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use websocket_wire::Status;
use websocket_wire::handshake::{HandshakeError, Key, Uri, client, server};

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: h2c, websocket\r\n\
    Connection: keep-alive, Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The rarer forms: an absolute target, extensions with parameters, a body of nothing.
const RARE_REQUEST: &[u8] = b"GET http://[::1]:81/ HTTP/1.1\r\n\
    Host: server.example.com:80\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Extensions: a; b=\"c\\d\" ; e, f\r\n\
    Sec-WebSocket-Extensions: a;b=1\r\n\
    Content-Length: 0\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn client<'a>() -> client::Request<'a> {
    client::Request::new(Uri::parse("ws://h").expect("a URI"), Key::new(*b"the sample nonce"))
}

/// What an outcome can be told by; views have no equality.
fn verdict(buf: &[u8]) -> Result<Status<String>, HandshakeError> {
    server::Request::parse(buf).map(|status| status.map(|request| format!("{request:?}")))
}

/// Bytes that separate or end something, and two that do not.
fn telling_byte() -> impl Strategy<Value = u8> {
    prop::sample::select(&b"\r\n \t:,;=/\"\\\0\x7f\xe9@#?%[].Aa13"[..])
}

/// A valid head with up to four bytes changed, inserted or removed, and up to two lines removed, repeated or moved.
fn mutated(head: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let lines = prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..3);
    let bytes = prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), telling_byte()), 0..5);
    (lines, bytes).prop_map(move |(line_edits, byte_edits)| {
        let mut lines: Vec<&[u8]> = head.split_inclusive(|&b| b == b'\n').collect();
        for (edit, from, to) in line_edits {
            let line = lines.remove(from.index(lines.len()));
            for _ in 0..edit {
                lines.insert(to.index(lines.len() + 1), line);
            }
        }
        let mut text = lines.concat();
        for (edit, at, byte) in byte_edits {
            let at = at.index(text.len());
            match edit {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                _ => drop(text.remove(at)),
            }
        }
        text
    })
}

/// Reads §4.2.1 word by word, with owned strings and another parser; `None` where that parser has no opinion.
fn naive_server_accepts(text: &[u8]) -> Option<bool> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(text) {
        // It has not heard of HTTP/1.2, and refuses what does not end earlier than the end.
        Err(httparse::Error::Version) => return None,
        Err(_) => return Some(false),
        Ok(httparse::Status::Partial) => return Some(false),
        Ok(httparse::Status::Complete(_)) => {}
    }
    let values = |name: &str| -> Vec<Vec<u8>> {
        let named = request.headers.iter().filter(|header| header.name.to_lowercase() == name);
        named.map(|header| header.value.to_vec()).collect()
    };
    let list = |name: &str| -> Vec<String> {
        let joined = values(name).join(&b","[..]);
        let joined = joined.iter().map(|&b| char::from(b)).collect::<String>();
        joined.split(',').map(|e| e.trim_matches([' ', '\t']).to_string()).filter(|e| !e.is_empty()).collect()
    };
    let one = |name: &str| String::from_utf8(<[Vec<u8>; 1]>::try_from(values(name)).ok()?.concat()).ok();
    let protocols = list("sec-websocket-protocol");
    let accepted = request.method == Some("GET")
        && request.version == Some(1)
        && naive_target(request.path?)
        && one("host").is_some_and(|host| naive_authority(&host))
        && list("upgrade").iter().any(|token| token.to_lowercase() == "websocket")
        && list("connection").iter().any(|token| token.to_lowercase() == "upgrade")
        && one("sec-websocket-key").is_some_and(|key| is_nonce(&key))
        && one("sec-websocket-version").as_deref() == Some("13")
        && (values("origin").is_empty() || one("origin").is_some())
        && protocols.iter().all(|name| is_token(name))
        && protocols.iter().collect::<BTreeSet<_>>().len() == protocols.len()
        && values("sec-websocket-protocol").iter().all(|v| v.iter().any(|b| !b", \t".contains(b)))
        && values("sec-websocket-extensions").iter().all(|v| naive_extensions(v))
        && values("transfer-encoding").is_empty()
        && values("content-length").iter().all(|v| v == b"0");
    Some(accepted)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?={}".contains(c))
}

fn naive_authority(text: &str) -> bool {
    !text.contains(['/', '?', '#']) && Uri::parse(&format!("ws://{text}")).is_ok()
}

/// A path, or an absolute http or https URI with one.
fn naive_target(target: &str) -> bool {
    let is_path = |path: &str| path.starts_with('/') && path.is_ascii() && !path.contains('#');
    let lower = target.to_lowercase();
    match ["http://", "https://"].iter().find(|scheme| lower.starts_with(*scheme)) {
        None => is_path(target),
        Some(scheme) => {
            let rest = &target[scheme.len()..];
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            naive_authority(&rest[..end]) && (end == rest.len() || is_path(&rest[end..]))
        }
    }
}

/// Reads the grammar of §9.1 by cutting the text up; each character stands for a byte.
fn naive_extensions(value: &[u8]) -> bool {
    let text: String = value.iter().map(|&b| char::from(b)).collect();
    let Some(elements) = split_unquoted(&text, ',') else { return false };
    let elements: Vec<&str> = elements.iter().map(|element| blank_trimmed(element)).filter(|e| !e.is_empty()).collect();
    !elements.is_empty() && elements.iter().all(|element| naive_extension(element))
}

fn naive_extension(text: &str) -> bool {
    let parts = split_unquoted(text, ';').expect("closed quotes");
    let is_param = |part: &String| match part.split_once('=') {
        None => is_token(blank_trimmed(part)),
        Some((name, value)) => is_token(blank_trimmed(name)) && naive_value(blank_trimmed(value)),
    };
    is_token(blank_trimmed(&parts[0])) && parts[1..].iter().all(is_param)
}

/// A token, or one in quotes with any of its characters behind a backslash.
fn naive_value(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"') else { return is_token(text) };
    let (mut plain, mut chars) = (String::new(), inner.chars());
    loop {
        match chars.next() {
            Some('"') => return chars.next().is_none() && is_token(&plain),
            Some('\\') => plain.extend(chars.next()),
            Some(other) => plain.push(other),
            None => return false,
        }
    }
}

/// Splits at `separator` outside of quotes; `None` where a quote stays open.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<String>> {
    let (mut pieces, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in text.chars() {
        if c == separator && !quoted {
            pieces.push(String::new());
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && quoted && !escaped;
        pieces.last_mut().expect("a piece").push(c);
    }
    (!quoted).then_some(pieces)
}

fn blank_trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_nonce(key: &str) -> bool {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_answered_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,60}") {
        let _ = server::Request::parse(&bytes);
        let _ = client().parse_response(&bytes);
        let _ = Key::parse(&bytes);
        let _ = Uri::parse(&text);
        let _ = Uri::from_parts(false, &text, &text);
    }

    #[test]
    fn a_mutated_request_is_accepted_exactly_when_the_naive_server_accepts_it(
        text in prop_oneof![mutated(REQUEST), mutated(RARE_REQUEST)]
    ) {
        let accepted = matches!(server::Request::parse(&text), Ok(Status::Complete { .. }));
        if let Some(expected) = naive_server_accepts(&text) {
            prop_assert_eq!(accepted, expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn extensions_are_accepted_exactly_when_the_naive_grammar_has_them(value in "[a\"\\\\;=, b]{0,12}") {
        let start = REQUEST.strip_suffix(b"\r\n").expect("a blank line");
        let text = [start, b"Sec-WebSocket-Extensions: ", value.as_bytes(), b"\r\n\r\n"].concat();
        prop_assert_eq!(server::Request::parse(&text).is_ok(), naive_extensions(value.as_bytes()), "{}", value);
    }

    #[test]
    fn a_mutated_response_never_panics_and_never_forges_the_proof(text in mutated(RESPONSE)) {
        use client::Outcome::Upgraded;
        let status = client().parse_response(&text);
        if let Ok(Status::Complete { value: Upgraded(response), consumed }) = status {
            prop_assert_eq!(response.header("sec-websocket-accept"), Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
            prop_assert!(text[..consumed].ends_with(b"\n\r\n") || text[..consumed].ends_with(b"\n\n"));
        }
    }

    #[test]
    fn a_prefix_is_partial_or_has_the_verdict_of_the_whole(text in mutated(REQUEST), cut: prop::sample::Index) {
        let prefix = &text[..cut.index(text.len() + 1)];
        match verdict(prefix) {
            Ok(Status::Partial { needed }) => {
                if let Ok(Status::Complete { consumed, .. }) = verdict(&text) {
                    prop_assert!((1..=consumed - prefix.len()).contains(&needed));
                }
            }
            whole => prop_assert_eq!(whole, verdict(&text)),
        }
    }

    #[test]
    fn headers_are_split_as_httparse_splits_them(
        lines in "([a-zA-Z!~-]{1,3}:[ \t]{0,2}[a-z \t:\u{e9}]{0,4}\r?\n){0,5}", noise in "[a:\r\n \t\0(]{0,3}"
    ) {
        let start = REQUEST.strip_suffix(b"\r\n").expect("a blank line");
        let text = [start, lines.as_bytes(), noise.as_bytes(), b"\r\n\r\nrest"].concat();
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut expected = httparse::Request::new(&mut headers);
        match (server::Request::parse(&text), expected.parse(&text)) {
            (Ok(Status::Complete { value, consumed }), Ok(httparse::Status::Complete(length))) => {
                prop_assert_eq!(consumed, length);
                prop_assert!(value.headers().eq(expected.headers.iter().map(|header| (header.name, header.value))));
            }
            (Err(HandshakeError::Malformed), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{ours:?} {theirs:?} {}", text.escape_ascii()),
        }
    }
}
