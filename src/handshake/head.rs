//! The head of an HTTP/1.1 message: start line and headers (RFC 9112 §2 to §5).
//!
//! A head is looked for, then checked, then read where it lies: headers are split anew whenever someone asks, so there
//! is no array of them, no heap and no count fixed at compile time. The search costs one `memchr` a line and gives up
//! after as many lines as [`HeadLimits`] allows, so a head that arrives byte by byte costs no more than the reads that
//! bring it.

use core::fmt;

use memchr::memchr;

use super::HandshakeError;
#[cfg(feature = "http")]
use super::http_types::MapIter;
pub(crate) use crate::extension::params::{is_token, is_token_byte, token_len};
use crate::simd;
use crate::status::Status;
use crate::utf8;

/// How large a head may be before it is refused; the default is 16 384 bytes and 64 headers.
///
/// A caller whose buffer is smaller than `bytes` sets `bytes` to its length: a full buffer without the end of the head
/// is then an error, not a wait for bytes that have no room.
///
/// ```
/// use websocket_wire::handshake::{HandshakeError, HeadLimits, server};
///
/// let limits = HeadLimits { bytes: 8, ..HeadLimits::default() };
/// let error = server::Request::parse_with(b"GET /chat", limits).unwrap_err();
/// assert_eq!(error, HandshakeError::HeadTooLarge);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HeadLimits {
    /// The greatest length of the whole head in bytes, the blank line included.
    pub bytes: usize,
    /// The greatest number of header lines, together with blank lines in front of the start line; more than
    /// [`MAX_HEADERS`](Self::MAX_HEADERS) is taken for that.
    pub headers: usize,
}

impl HeadLimits {
    /// The highest limit of header lines, and the default.
    pub const MAX_HEADERS: usize = 64;
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { bytes: 16 * 1024, headers: Self::MAX_HEADERS }
    }
}

/// The headers of a head, in the order of the wire: names and values are views of the caller's bytes.
///
/// ```
/// use websocket_wire::handshake::Headers;
///
/// let pairs = [("Via", &b"a"[..]), ("Cookie", b"c=d"), ("via", b"b")];
/// let headers = Headers::from(&pairs);
/// assert_eq!(headers.get("cookie"), Some(&b"c=d"[..]));
/// assert!(headers.get_all("Via").eq([b"a", b"b"]));
/// assert_eq!(headers.into_iter().count(), 3);
/// ```
#[derive(Clone, Copy)]
pub struct Headers<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    /// Checked header lines, without the blank line.
    Lines(&'a [u8]),
    Pairs(&'a [(&'a str, &'a [u8])]),
    #[cfg(feature = "http")]
    Map(&'a http::HeaderMap),
}

impl<'a> Headers<'a> {
    /// Returns the first value of the header `name`, ASCII case ignored, without the blanks around it.
    ///
    /// ```
    /// # use websocket_wire::handshake::Headers;
    /// assert_eq!(Headers::from(&[("Host", &b"h"[..])]).get("HOST"), Some(&b"h"[..]));
    /// ```
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// Returns every value of the header `name` in order, ASCII case ignored.
    ///
    /// ```
    /// # use websocket_wire::handshake::Headers;
    /// assert_eq!(Headers::from(&[("Host", &b"h"[..])]).get_all("Origin").count(), 0);
    /// ```
    pub fn get_all<'n>(self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a, 'n> {
        let same = move |(n, value): (&[u8], _)| is_name(n, name).then_some(value);
        self.raw().filter_map(same)
    }

    /// Iterates over names, as bytes, and values.
    pub(crate) fn raw(self) -> Rest<'a> {
        match self.0 {
            Source::Lines(lines) => Rest::Lines(lines),
            Source::Pairs(pairs) => Rest::Pairs(pairs),
            #[cfg(feature = "http")]
            Source::Map(map) => Rest::Map(MapIter::new(map)),
        }
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = HeaderIter<'a>;

    fn into_iter(self) -> HeaderIter<'a> {
        HeaderIter(self.raw())
    }
}

impl<'a> From<&'a [(&'a str, &'a [u8])]> for Headers<'a> {
    fn from(pairs: &'a [(&'a str, &'a [u8])]) -> Self {
        Self(Source::Pairs(pairs))
    }
}

impl<'a, const N: usize> From<&'a [(&'a str, &'a [u8]); N]> for Headers<'a> {
    fn from(pairs: &'a [(&'a str, &'a [u8]); N]) -> Self {
        Self(Source::Pairs(pairs))
    }
}

/// The headers come in the order of the map, which need not be that of the wire; those of one name stay in order.
#[cfg(feature = "http")]
impl<'a> From<&'a http::HeaderMap> for Headers<'a> {
    fn from(map: &'a http::HeaderMap) -> Self {
        Self(Source::Map(map))
    }
}

/// Shows the names only: values may be cookies or passwords.
impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.into_iter().fmt(f)
    }
}

/// Iterates over [`Headers`]: the name as it was written, and the value without the blanks around it.
///
/// ```
/// # use websocket_wire::handshake::Headers;
/// let pairs = [("Via", &b"a"[..]), ("Host", b"h")];
/// assert_eq!(Headers::from(&pairs).into_iter().last(), Some(("Host", &b"h"[..])));
/// ```
#[derive(Clone)]
pub struct HeaderIter<'a>(Rest<'a>);

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.0.next()?;
        Some((utf8::text(name)?, value))
    }
}

/// What is still to come of a [`Source`]. Names are bytes here: to compare them nobody asks whether they are text.
#[derive(Clone)]
pub(crate) enum Rest<'a> {
    Lines(&'a [u8]),
    Pairs(&'a [(&'a str, &'a [u8])]),
    #[cfg(feature = "http")]
    Map(MapIter<'a>),
}

impl<'a> Iterator for Rest<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines(lines) => split_once(next_line(lines)?, b':').map(|(name, value)| (name, trim(value))),
            Self::Pairs(pairs) => pairs.split_off_first().map(|(name, value)| (name.as_bytes(), *value)),
            #[cfg(feature = "http")]
            Self::Map(map) => map.next().map(|(name, value)| (name.as_bytes(), value)),
        }
    }
}

impl fmt::Debug for HeaderIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone().map(|(name, _)| name)).finish()
    }
}

/// A whole head whose header lines have been checked and whose start line has not.
pub(crate) struct Head<'a> {
    pub(crate) start_line: &'a [u8],
    pub(crate) headers: Headers<'a>,
}

impl<'a> Head<'a> {
    /// Finds the head at the front of `buf`; `may_start` says which bytes a start line can begin with, so that a peer
    /// that speaks another protocol is refused at its first byte.
    pub(crate) fn parse(
        buf: &'a [u8],
        limits: HeadLimits,
        may_start: fn(u8) -> bool,
    ) -> Result<Status<Self>, HandshakeError> {
        if buf.first().is_some_and(|&b| b != b'\r' && b != b'\n' && !may_start(b)) {
            return Err(HandshakeError::Malformed);
        }
        let window = &buf[..buf.len().min(limits.bytes)];
        let (mut rest, mut count, mut start) = (window, 0, None);
        while let Some(line) = next_line(&mut rest) {
            // RFC 9112 §2.2: "a server [...] SHOULD ignore at least one empty line (CRLF) received prior to the
            // request-line".
            match start {
                Some((start_line, lines)) if line.is_empty() => {
                    let headers = Headers(Source::Lines(check_headers(lines)?));
                    let consumed = window.len() - rest.len();
                    return Ok(Status::Complete { value: Self { start_line, headers }, consumed });
                }
                None if !line.is_empty() => start = Some((line, rest)),
                _ => {}
            }
            if count > limits.headers.min(HeadLimits::MAX_HEADERS) {
                return Err(HandshakeError::TooManyHeaders);
            }
            count += 1;
        }
        if buf.len() >= limits.bytes {
            return Err(HandshakeError::HeadTooLarge);
        }
        // One more line end closes the head if a line has just ended, otherwise two do.
        let line_ended = buf.ends_with(b"\n") || buf.ends_with(b"\n\r");
        Ok(Status::Partial { needed: if line_ended { 1 } else { 2 } })
    }

    /// Splits a whole head that this crate has written.
    #[cfg(feature = "http")]
    pub(crate) fn written(head: &'a [u8]) -> Self {
        let mut lines = head.strip_suffix(b"\r\n").unwrap_or(head);
        let start_line = next_line(&mut lines).unwrap_or_default();
        Self { start_line, headers: Headers(Source::Lines(lines)) }
    }
}

/// Parses `HTTP/1.1` into `(1, 1)` (RFC 9112 §2.3).
pub(crate) fn parse_version(text: &[u8]) -> Result<(u8, u8), HandshakeError> {
    match text.strip_prefix(b"HTTP/") {
        Some([major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9']) => Ok((major - b'0', minor - b'0')),
        _ => Err(HandshakeError::Malformed),
    }
}

/// Whether an upgrade may take place in `version`.
///
/// RFC 9110 §7.8: "A server that receives an Upgrade header field in an HTTP/1.0 request MUST ignore that Upgrade
/// header field"; from HTTP/2 on there is no such header.
pub(crate) fn is_upgradable(version: (u8, u8)) -> bool {
    version.0 == 1 && version.1 >= 1
}

/// Whether a header has the name `known`, ASCII case ignored (RFC 9110 §5.1); for other words of that kind too.
///
/// Each head is asked for a dozen names: where vectors compare one at once that is inlined, elsewhere it is a call.
#[inline(always)]
pub(crate) fn is_name(name: &[u8], known: &str) -> bool {
    if simd::VECTORS { name.eq_ignore_ascii_case(known.as_bytes()) } else { is_name_byte_by_byte(name, known) }
}

#[inline(never)]
fn is_name_byte_by_byte(name: &[u8], known: &str) -> bool {
    name.eq_ignore_ascii_case(known.as_bytes())
}

/// Stores the value of a header that must not be repeated.
pub(crate) fn set_once<'a>(
    place: &mut Option<&'a [u8]>,
    value: &'a [u8],
    repeated: HandshakeError,
) -> Result<(), HandshakeError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(repeated),
    }
}

/// Whether `value` has none of the control characters that RFC 9110 §5.5 forbids: "Field values containing CR, LF, or
/// NUL characters are invalid and dangerous".
///
/// Where there are vectors it looks at all of them whatever the first is, because a loop that may leave early is not
/// vectorized.
pub(crate) fn is_header_value(value: &[u8]) -> bool {
    let is_control = |b: &u8| (*b < b' ') & (*b != b'\t') | (*b == 0x7f);
    if simd::VECTORS {
        !value.iter().fold(false, |found, b| found | is_control(b))
    } else {
        !value.iter().any(is_control)
    }
}

/// Removes the blanks around `value` (OWS of RFC 9110 §5.6.3).
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Cuts a line off the front of `lines`, without its line end.
///
/// RFC 9112 §2.2: "a recipient MAY recognize a single LF as a line terminator and ignore any preceding CR".
fn next_line<'a>(lines: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (line, rest) = split_once(lines, b'\n')?;
    *lines = rest;
    match line {
        [line @ .., b'\r'] => Some(line),
        line => Some(line),
    }
}

/// Returns the index of the first `wanted`. On small machines, which have no vectors, `memchr` were 200 bytes of code.
#[inline(always)]
pub(super) fn find(wanted: u8, bytes: &[u8]) -> Option<usize> {
    if simd::VECTORS || usize::BITS > 32 { memchr(wanted, bytes) } else { find_byte_by_byte(wanted, bytes) }
}

#[inline(never)]
fn find_byte_by_byte(wanted: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == wanted)
}

/// Checks the header lines in front of the first blank line and returns them.
///
/// In a folded line, which RFC 9112 §5.2 asks a server to refuse, and with a blank in front of the colon (§5.1), the
/// name is no token.
fn check_headers(lines: &[u8]) -> Result<&[u8], HandshakeError> {
    let mut rest = lines;
    while !matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..]) {
        match rest.split_at_checked(token_len(rest)) {
            Some(([_, ..], [b':', tail @ ..])) => rest = tail,
            _ => return Err(HandshakeError::Malformed),
        }
        if !next_line(&mut rest).is_some_and(is_header_value) {
            return Err(HandshakeError::Malformed);
        }
    }
    lines.get(..lines.len() - rest.len()).ok_or(HandshakeError::Malformed)
}

/// Splits `text` at the first `end`, which is in neither part.
pub(super) fn split_once(text: &[u8], end: u8) -> Option<(&[u8], &[u8])> {
    let (head, tail) = text.split_at_checked(find(end, text)?)?;
    Some((head, tail.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::vec::Vec;

    fn parse(text: &[u8]) -> Result<Status<Head<'_>>, HandshakeError> {
        Head::parse(text, HeadLimits::default(), is_token_byte)
    }

    fn parsed(text: &[u8]) -> (Vec<(&str, &[u8])>, usize) {
        let (head, consumed) = parse(text).unwrap().complete().unwrap();
        (head.headers.into_iter().collect(), consumed)
    }

    fn needed(text: &[u8]) -> Option<usize> {
        match parse(text) {
            Ok(Status::Partial { needed }) => Some(needed),
            _ => None,
        }
    }

    #[test]
    fn line_ends_may_be_lf_or_crlf_and_empty_lines_may_come_first() {
        let expected: (Vec<(&str, &[u8])>, _) = (std::vec![("A", b"b c"), ("D", b"")], 20);
        assert_eq!(parsed(b"\r\n\nX\r\nA: \tb c \nD:\n\r\nrest"), expected);
    }

    #[test]
    fn the_missing_bytes_are_the_line_ends_that_must_still_come() {
        for (text, missing) in [(&b""[..], 2), (b"X", 2), (b"X\r\n", 1), (b"X\n\r", 1), (b"X\nA: b", 2)] {
            assert_eq!(needed(text), Some(missing), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn lines_that_are_no_headers_are_refused() {
        let refused: [&[u8]; 12] = [
            b"X\n: b\n\n",
            b"X\nA\n\n",
            b"X\nA : b\n\n",
            b"X\n A: b\n\n",
            b"X\nA: b\n folded\n\n",
            b"X\nA: b\n\tfolded: c\n\n",
            b"X\nA: b\rc\n\n",
            b"X\nA: b\r\r\n\n",
            b"X\nA: \0\n\n",
            b"X\nA: \x7f\n\n",
            b"X\nA\xc3\xa9: b\n\n",
            b"X\nA(: b\n\n",
        ];
        for text in refused {
            assert!(matches!(parse(text), Err(HandshakeError::Malformed)), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn another_protocol_is_refused_at_its_first_byte() {
        assert!(matches!(parse(b"\x16"), Err(HandshakeError::Malformed)));
    }

    #[test]
    fn a_head_of_exactly_the_limits_passes_and_one_more_does_not() {
        let text = b"X\nA: b\nC: d\n\n";
        let within = |bytes, headers| Head::parse(text, HeadLimits { bytes, headers }, is_token_byte).map(drop);
        assert_eq!(within(text.len(), 2), Ok(()));
        assert_eq!(within(text.len() - 1, 2), Err(HandshakeError::HeadTooLarge));
        assert_eq!(within(text.len(), 1), Err(HandshakeError::TooManyHeaders));
    }

    #[test]
    fn a_limit_of_more_lines_than_the_highest_is_taken_for_that() {
        for limit in [HeadLimits::MAX_HEADERS, HeadLimits::MAX_HEADERS + 1, usize::MAX] {
            for (blank, headers, expected) in [
                (0, 64, Ok(())),
                (0, 65, Err(HandshakeError::TooManyHeaders)),
                (1, 63, Ok(())),
                (1, 64, Err(HandshakeError::TooManyHeaders)),
            ] {
                let text = [&b"\r\n".repeat(blank)[..], b"X\r\n", &b"a:b\r\n".repeat(headers), b"\r\n"].concat();
                let limits = HeadLimits { headers: limit, ..HeadLimits::default() };
                assert_eq!(Head::parse(&text, limits, is_token_byte).map(drop), expected, "{limit} {blank} {headers}");
            }
        }
    }

    #[test]
    fn a_buffer_as_long_as_the_limit_without_an_end_is_refused_at_once() {
        let parse =
            |text| Head::parse(text, HeadLimits { bytes: 4, headers: 9 }, is_token_byte).map(|status| status.map(drop));
        assert_eq!(parse(b"X\nA"), Ok(Status::Partial { needed: 2 }));
        assert_eq!(parse(b"X\nA:"), Err(HandshakeError::HeadTooLarge));
    }

    #[test]
    fn blank_lines_without_end_are_refused() {
        assert!(matches!(parse(&b"\n".repeat(66)), Err(HandshakeError::TooManyHeaders)));
    }

    #[test]
    fn debug_shows_no_values() {
        let (head, _) = parse(b"X\nCookie: secret\n\n").unwrap().complete().unwrap();
        assert_eq!(format!("{:?}", head.headers), "[\"Cookie\"]");
    }
}
