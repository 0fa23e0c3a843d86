//! Header values that are lists: tokens (RFC 9110 §5.6.1) and extensions (RFC 6455 §9.1).

use super::head::{Headers, Rest, is_name, is_token, trim};
use super::{BuildError, HandshakeError};
use crate::extension::params::{skip_empty, take_extension};
use crate::utf8;

/// How many elements of `Sec-WebSocket-Protocol` are read; a longer list is refused, because each is compared with all.
const MAX_SUBPROTOCOLS: usize = 64;

/// The header of which the lines are one list.
const SUBPROTOCOLS: &str = "Sec-WebSocket-Protocol";

/// Iterates over the elements of a comma-separated value, blanks around them and empty ones left out.
#[derive(Clone)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        skip_empty(&mut self.0);
        let end = self.0.iter().position(|&b| b == b',').unwrap_or(self.0.len());
        let (element, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        if element.is_empty() { None } else { Some(trim(element)) }
    }
}

/// Whether the list `value` has `token`, ASCII case ignored.
pub(crate) fn has_token(value: &[u8], token: &str) -> bool {
    Elements(value).any(|element| is_name(element, token))
}

/// Iterates over the elements of all headers that offer subprotocols.
#[derive(Clone)]
struct Offered<'a> {
    headers: Rest<'a>,
    line: Elements<'a>,
}

impl<'a> Offered<'a> {
    fn of(headers: Headers<'a>) -> Self {
        Self { headers: headers.raw(), line: Elements(b"") }
    }
}

impl<'a> Iterator for Offered<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(element) = self.line.next() {
                return Some(element);
            }
            let (_, value) = self.headers.find(|(name, _)| is_name(name, SUBPROTOCOLS))?;
            self.line = Elements(value);
        }
    }
}

/// Iterates over the offered subprotocols over all their headers; elements that are not text are left out.
pub(crate) fn subprotocols<'a>(headers: Headers<'a>) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
    Offered::of(headers).filter_map(utf8::text)
}

/// Checks a client's `Sec-WebSocket-Protocol` headers.
///
/// RFC 6455 §4.1 item 10: "The elements that comprise this value MUST be non-empty strings with characters in
/// the range U+0021 to U+007E not including separator characters [...] and MUST all be unique strings."
pub(crate) fn check_subprotocols(headers: Headers<'_>) -> Result<(), HandshakeError> {
    let mut count = 0;
    for value in headers.get_all(SUBPROTOCOLS) {
        let first = count;
        for element in Elements(value) {
            let is_new = || Offered::of(headers).position(|other| other == element) == Some(count);
            if count == MAX_SUBPROTOCOLS || !is_token(element) || !is_new() {
                return Err(HandshakeError::Subprotocol);
            }
            count += 1;
        }
        if count == first {
            return Err(HandshakeError::Subprotocol);
        }
    }
    Ok(())
}

/// Checks an extension list that the caller wants to send and, where `offered` is there, that it holds nothing else.
pub(crate) fn check_own_extensions(value: &str, offered: Option<Headers<'_>>) -> Result<(), BuildError> {
    if !Extensions::is_list(value.as_bytes()) {
        return Err(BuildError::Extensions);
    }
    let offers = |name| match offered {
        Some(headers) => headers.get_all("Sec-WebSocket-Extensions").any(|offer| Extensions::has(offer, name)),
        None => true,
    };
    if Extensions(value.as_bytes()).all(|name| name.is_ok_and(offers)) {
        Ok(())
    } else {
        Err(BuildError::ExtensionNotOffered)
    }
}

/// Iterates over the names of an extension list and checks its grammar on the way, in one pass. After an error there is
/// no more.
#[derive(Clone)]
pub(crate) struct Extensions<'a>(pub(crate) &'a [u8]);

impl<'a> Extensions<'a> {
    /// Whether `value` is a list of at least one extension.
    pub(crate) fn is_list(value: &[u8]) -> bool {
        Extensions(value).try_fold(false, |_, name| name.is_ok().then_some(true)) == Some(true)
    }

    /// Whether the list `value` has an extension of this name.
    pub(crate) fn has(value: &[u8], name: &[u8]) -> bool {
        Extensions(value).any(|offered| offered == Ok(name))
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<&'a [u8], HandshakeError>;

    fn next(&mut self) -> Option<Self::Item> {
        skip_empty(&mut self.0);
        if self.0.is_empty() {
            return None;
        }
        let extension = take_extension(&mut self.0);
        let name = extension.map(|extension| extension.name().as_bytes()).ok_or(HandshakeError::Extensions);
        if name.is_err() {
            self.0 = b"";
        }
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn names(value: &[u8]) -> Option<Vec<&[u8]>> {
        Extensions(value).collect::<Result<_, _>>().ok()
    }

    #[test]
    fn tokens_are_found_whatever_the_case_and_the_blanks() {
        for value in [&b"Upgrade"[..], b"keep-alive, uPGRADE", b",,\tupgrade ,x", b"foo/2,upgrade"] {
            assert!(has_token(value, "Upgrade"), "{}", value.escape_ascii());
        }
        for value in [&b""[..], b",", b"upgraded", b"up grade", b"upgrade/2", b"upgrade;q=1"] {
            assert!(!has_token(value, "Upgrade"), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn extensions_of_the_grammar() {
        let one: [&[u8]; 7] =
            [b"x", b" x ; a", b"x;a=1;b", b"x; a = 1 ; b = \"2\" ", b"x; a=\"\\1\\2\"", b",, x ,\t,", b"x; a; a"];
        for value in one {
            assert_eq!(names(value), Some(std::vec![&b"x"[..]]), "{}", value.escape_ascii());
        }
        assert_eq!(names(b"x; a=\"1\", y,x"), Some(std::vec![&b"x"[..], b"y", b"x"]));
    }

    #[test]
    fn extensions_outside_the_grammar() {
        let refused: [&[u8]; 15] = [
            b"x;",
            b"x; ;a",
            b"x; a=",
            b"x; =1",
            b"x; a=1 2",
            b"x y",
            b"=x",
            b";a",
            b"x; a=\"\"",
            b"x; a=\"1, 2\"",
            b"x; a=\"1",
            b"x; a=\"\\",
            b"x; a=\"1\"2",
            b"x, y;",
            b"x\xe9",
        ];
        for value in refused {
            assert_eq!(names(value), None, "{}", value.escape_ascii());
            assert!(!Extensions::is_list(value));
        }
        assert!(!Extensions::is_list(b"") && !Extensions::is_list(b" ,"));
    }

    #[test]
    fn nothing_comes_after_a_wrong_extension() {
        let mut names = Extensions(b"x=, y");
        assert_eq!(names.next(), Some(Err(HandshakeError::Extensions)));
        assert_eq!(names.next(), None);
    }

    #[test]
    fn subprotocols_must_be_distinct_tokens() {
        let check = |pairs: &[(&str, &[u8])]| check_subprotocols(Headers::from(pairs));
        let name = "Sec-WebSocket-Protocol";
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[(name, b"a, ,A"), (name, b"b")]), Ok(()));
        for value in [&b""[..], b",", b"a b", b"a/b", b"a,b,a", b"\"a\"", b"\xc3\xa9"] {
            let refused = check(&[(name, value)]);
            assert_eq!(refused, Err(HandshakeError::Subprotocol), "{}", value.escape_ascii());
        }
        assert_eq!(check(&[(name, b"a"), (name, b"a")]), Err(HandshakeError::Subprotocol));
    }

    #[test]
    fn as_many_subprotocols_as_the_limit_pass_and_one_more_does_not() {
        let list = |count: usize| (0..count).map(|i| std::format!("p{i},")).collect::<std::string::String>();
        for (count, expected) in [(64, Ok(())), (65, Err(HandshakeError::Subprotocol))] {
            let value = list(count);
            let pairs = [("sec-websocket-protocol", value.as_bytes())];
            assert_eq!(check_subprotocols(Headers::from(&pairs)), expected);
        }
    }
}
