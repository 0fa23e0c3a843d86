//! `Sec-WebSocket-Extensions` of any bytes, held to a parser that splits and trims; and what permessage-deflate makes of
//! it as a server and as a client.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_wire::extension::deflate::Offer;
use websocket_wire::extension::params::{List, ListLimits};

const ANY: ListLimits = ListLimits { len: usize::MAX, extensions: usize::MAX, params: usize::MAX };

/// A name, and parameters with or without a value.
type Extension = (String, Vec<(String, Option<String>)>);

fuzz_target!(|input: ([u8; 3], &[u8])| {
    let ([flags, server_bits, client_bits], header) = input;
    let lines = || header.split(|byte| *byte == b'\n');
    let expected: Vec<_> = naive(lines()).collect();
    let end = expected.iter().position(Option::is_none).map_or(expected.len(), |fault| fault + 1);
    let read: Vec<_> = List::new(lines()).limits(ANY).map(|extension| Some(owned(&extension.ok()?))).collect();
    assert_eq!(read, expected[..end], "nothing comes behind a fault");

    let written = read.iter().flatten().map(to_string).collect::<Vec<_>>().join(", ");
    let again: Vec<_> =
        List::new([written.as_bytes()]).limits(ANY).map(|extension| owned(&extension.unwrap())).collect();
    assert!(again.iter().eq(read.iter().flatten()));

    let offer = Offer {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: 9 + server_bits % 7,
        client_max_window_bits: 9 + client_bits % 7,
    };
    if let Ok(Some(agreement)) = offer.accept(List::new(lines())) {
        let answer = agreement.to_string();
        assert!(List::new([answer.as_bytes()]).all(|extension| extension.is_ok()));
        assert!(agreement.server_max_window_bits.unwrap_or(15) <= offer.server_max_window_bits);
        assert!(agreement.client_max_window_bits.unwrap_or(15) <= offer.client_max_window_bits);
    }
    if let Ok(Some(agreement)) = offer.accept_response(List::new(lines())) {
        assert!(agreement.server_max_window_bits.unwrap_or(15) <= offer.server_max_window_bits);
        assert!(agreement.client_max_window_bits.unwrap_or(15) <= offer.client_max_window_bits);
        assert!(agreement.server_no_context_takeover || !offer.server_no_context_takeover);
    }
});

fn owned(extension: &websocket_wire::extension::params::Extension<'_>) -> Extension {
    let value = |value: websocket_wire::extension::params::Value<'_>| value.bytes().map(char::from).collect();
    let params = extension.params().map(|param| (param.name().to_owned(), param.value().map(value)));
    (extension.name().to_owned(), params.collect())
}

fn to_string((name, params): &Extension) -> String {
    let param = |(name, value): &(String, Option<String>)| match value {
        Some(value) => format!("; {name}=\"{value}\""),
        None => format!("; {name}"),
    };
    format!("{name}{}", params.iter().map(param).collect::<String>())
}

/// A list is split at its commas and an extension at its semicolons: neither can stand in a value, not even in quotes,
/// because "the value after quoted-string unescaping MUST conform to the 'token' ABNF" (RFC 6455 section 9.1).
fn naive<'a>(lines: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Option<Extension>> {
    let elements = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(|element| element.trim_ascii_blanks());
    elements.filter(|element| !element.is_empty()).map(|element| {
        let mut parts = element.split(|byte| *byte == b';').map(Blanks::trim_ascii_blanks);
        let name = token(parts.next()?)?;
        Some((name, parts.map(param).collect::<Option<_>>()?))
    })
}

fn param(part: &[u8]) -> Option<(String, Option<String>)> {
    let Some(equals) = part.iter().position(|byte| *byte == b'=') else {
        return Some((token(part)?, None));
    };
    let (name, value) = (part[..equals].trim_ascii_blanks(), part[equals + 1..].trim_ascii_blanks());
    let value = match value {
        [b'"', quoted @ .., b'"'] => token(&unescape(quoted)?)?,
        _ => token(value)?,
    };
    Some((token(name)?, Some(value)))
}

fn unescape(mut quoted: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        match quoted {
            [] => return Some(out),
            [b'\\', byte, rest @ ..] => (out, quoted) = ([&out[..], &[*byte]].concat(), rest),
            [b'\\'] | [b'"', ..] => return None,
            [byte, rest @ ..] => (out, quoted) = ([&out[..], &[*byte]].concat(), rest),
        }
    }
}

fn token(bytes: &[u8]) -> Option<String> {
    let is_token = |byte: &u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(byte);
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    (!text.is_empty() && bytes.iter().all(is_token)).then_some(text)
}

trait Blanks {
    fn trim_ascii_blanks(&self) -> &Self;
}

impl Blanks for [u8] {
    fn trim_ascii_blanks(&self) -> &Self {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let start = self.iter().position(|byte| !is_blank(byte)).unwrap_or(self.len());
        let end = self.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
        &self[start..end]
    }
}
