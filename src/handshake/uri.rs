//! `ws:` and `wss:` URIs (RFC 6455 §3).

use super::UriError;
use super::address::is_ipv6;
use super::head::find;

/// A WebSocket URI: views of the caller's text, nothing decoded.
///
/// ```
/// use websocket_wire::handshake::Uri;
///
/// let uri = Uri::parse("ws://[::1]:9001/chat?x=1").unwrap();
/// assert!(!uri.is_secure());
/// assert_eq!(uri.host(), "::1");
/// assert_eq!(uri.port(), 9001);
/// assert_eq!(uri.authority(), "[::1]:9001");
/// assert_eq!(uri.path(), "/chat");
/// assert_eq!(uri.query(), Some("x=1"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Uri<'a> {
    secure: bool,
    authority: Authority<'a>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Parses `text`: `ws://host[:port][/path][?query]`, or the same with `wss`.
    ///
    /// # Errors
    ///
    /// [`UriError`] says which part RFC 6455 §3 or RFC 3986 does not allow.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Uri, UriError};
    /// assert_eq!(Uri::parse("WSS://example.com").unwrap().port(), 443);
    /// assert_eq!(Uri::parse("http://example.com"), Err(UriError::Scheme));
    /// ```
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        let (scheme, rest) = split_scheme(text).ok_or(UriError::Scheme)?;
        // "ws" and "wss" are the schemes; RFC 3986 §3.1: "schemes are case-insensitive".
        let secure = scheme.eq_ignore_ascii_case("wss");
        if !secure && !scheme.eq_ignore_ascii_case("ws") {
            return Err(UriError::Scheme);
        }
        let (authority, resource) = split_authority(rest);
        Self::from_parts(secure, authority, resource)
    }

    /// Takes the parts: `authority` is `host` or `host:port`, `resource` is path and query and may be empty.
    ///
    /// # Errors
    ///
    /// [`UriError`], as [`Uri::parse`]; [`UriError::Character`] also when a path does not begin with `/`.
    ///
    /// ```
    /// # use websocket_wire::handshake::Uri;
    /// let uri = Uri::from_parts(true, "example.com", "/chat").unwrap();
    /// assert_eq!(uri, Uri::parse("wss://example.com/chat").unwrap());
    /// ```
    pub fn from_parts(secure: bool, authority: &'a str, resource: &'a str) -> Result<Self, UriError> {
        let authority = Authority::parse(authority, if secure { 443 } else { 80 })?;
        // "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on these URIs."
        if has(resource, b'#') {
            return Err(UriError::Fragment);
        }
        let (path, query) = split_before(resource, b'?');
        let query = query.strip_prefix('?').unwrap_or(query);
        let rooted = path.is_empty() || path.starts_with('/');
        if !rooted || !is_encoded(path, b"/:@") || !is_encoded(query, b"/:@?") {
            return Err(UriError::Character);
        }
        // The resource name is: ""/" if the path component is empty", the path, ""?" if the query component is
        // non-empty", the query.
        let path = if path.is_empty() { "/" } else { path };
        let query = (!query.is_empty()).then_some(query);
        Ok(Self { secure, authority, path, query })
    }

    /// Returns whether the scheme is `wss`, so that the connection runs over TLS.
    ///
    /// ```
    /// # use websocket_wire::handshake::Uri;
    /// assert!(Uri::parse("wss://h").unwrap().is_secure());
    /// ```
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns the host to connect to, an IPv6 address without its brackets.
    ///
    /// ```
    /// # use websocket_wire::handshake::Uri;
    /// assert_eq!(Uri::parse("ws://[2001:db8::7]/").unwrap().host(), "2001:db8::7");
    /// ```
    #[must_use]
    pub const fn host(&self) -> &'a str {
        self.authority.host
    }

    /// Returns the port, 1 to 65535: 80 for `ws` and 443 for `wss` where the URI names none.
    ///
    /// ```
    /// # use websocket_wire::handshake::Uri;
    /// assert_eq!(Uri::parse("ws://h/").unwrap().port(), 80);
    /// ```
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.authority.port
    }

    /// Returns the value of the `Host` header: the host, brackets included, and the port unless it is the default.
    ///
    /// ```
    /// # use websocket_wire::handshake::Uri;
    /// assert_eq!(Uri::parse("ws://h:80/").unwrap().authority(), "h");
    /// assert_eq!(Uri::parse("ws://h:443/").unwrap().authority(), "h:443");
    /// ```
    #[must_use]
    pub const fn authority(&self) -> &'a str {
        self.authority.text
    }

    /// Returns the path, never empty, still percent-encoded.
    ///
    /// ```
    /// # use websocket_wire::handshake::Uri;
    /// assert_eq!(Uri::parse("ws://h?q").unwrap().path(), "/");
    /// ```
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// Returns what follows the first `?`, or `None` where there is nothing.
    ///
    /// ```
    /// # use websocket_wire::handshake::Uri;
    /// assert_eq!(Uri::parse("ws://h/?a=1?b").unwrap().query(), Some("a=1?b"));
    /// assert_eq!(Uri::parse("ws://h/?").unwrap().query(), None);
    /// ```
    #[must_use]
    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }
}

/// `host[:port]` as a URI or a `Host` header has it (RFC 3986 §3.2, RFC 9110 §7.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Authority<'a> {
    text: &'a str,
    host: &'a str,
    port: u16,
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str, default_port: u16) -> Result<Self, UriError> {
        if has(text, b'@') {
            return Err(UriError::UserInfo);
        }
        let (host, after, port) = split_port(text)?;
        let port = port.unwrap_or(default_port);
        let text = if port == default_port { text.strip_suffix(after).unwrap_or(text) } else { text };
        Ok(Self { text, host, port })
    }
}

/// Tells whether `text` is an authority, without user information. A call, that takes nothing apart for its caller.
#[inline(never)]
pub(super) fn is_authority(text: &str) -> bool {
    split_port(text).is_ok()
}

/// Returns the host, what follows it, and the port in that. An at sign is an error like any other.
fn split_port(text: &str) -> Result<(&str, &str, Option<u16>), UriError> {
    let (host, after, is_host) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = split_before(rest, b']');
            (address, after.strip_prefix(']').ok_or(UriError::Host)?, is_ipv6(address.as_bytes()))
        }
        None => {
            let (name, after) = split_before(text, b':');
            (name, after, !name.is_empty() && is_encoded(name, b""))
        }
    };
    if !is_host {
        return Err(UriError::Host);
    }
    let port = match after.strip_prefix(':') {
        None if !after.is_empty() => return Err(UriError::Host),
        None | Some("") => None,
        Some(digits) => Some(parse_port(digits)?),
    };
    Ok((host, after, port))
}

fn parse_port(digits: &str) -> Result<u16, UriError> {
    let append = |port: u32, digit: u8| match digit {
        b'0'..=b'9' => Some(10 * port + u32::from(digit - b'0')).filter(|&port| port < 1 << 16),
        _ => None,
    };
    digits.bytes().try_fold(0, append).filter(|&port| port != 0).map(|port| port as u16).ok_or(UriError::Port)
}

/// Whether `text` has only unreserved characters, sub-delimiters, whole percent escapes and those of `more` (RFC 3986).
fn is_encoded(text: &str, more: &[u8]) -> bool {
    let is_plain = |b: u8| is_unreserved_or_delimiter(b) || more.contains(&b);
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return true,
            [b'%', a, b, rest @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest,
            [b, rest @ ..] if is_plain(*b) => rest,
            _ => return false,
        }
    }
}

fn is_unreserved_or_delimiter(b: u8) -> bool {
    let is_mark = matches!(b, b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&'..=b',' | b';' | b'=');
    is_mark || b.is_ascii_alphanumeric()
}

// The searches of `str` would be 1.4 KiB of a Cortex-M3's flash: they look for strings of any length.

/// Splits off what stands before the first `://`, if that is there.
pub(super) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = split_before(text, b':');
    Some((scheme, rest.strip_prefix("://")?))
}

/// Splits off the authority, which ends at the first `/`, `?` or `#` (RFC 3986 §3.2).
fn split_authority(text: &str) -> (&str, &str) {
    split_at(text, text.bytes().position(|b| matches!(b, b'/' | b'?' | b'#')))
}

/// Splits `text` before the first `end`, an ASCII character.
pub(super) fn split_before(text: &str, end: u8) -> (&str, &str) {
    split_at(text, find(end, text.as_bytes()))
}

fn split_at(text: &str, end: Option<usize>) -> (&str, &str) {
    match text.split_at_checked(end.unwrap_or(text.len())) {
        Some(parts) => parts,
        None => (text, ""),
    }
}

fn has(text: &str, wanted: u8) -> bool {
    find(wanted, text.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_valid_uris() {
        let expected = [
            ("ws://h", false, "h", 80, "h", "/", None),
            ("wss://h", true, "h", 443, "h", "/", None),
            ("Ws://h:81", false, "h", 81, "h:81", "/", None),
            ("wss://h:80/", true, "h", 80, "h:80", "/", None),
            ("wss://h:443/", true, "h", 443, "h", "/", None),
            ("ws://h:/p", false, "h", 80, "h", "/p", None),
            ("ws://h?", false, "h", 80, "h", "/", None),
            ("ws://h?x=://y/", false, "h", 80, "h", "/", Some("x=://y/")),
            ("ws://[::1]", false, "::1", 80, "[::1]", "/", None),
            ("ws://[::1]:80/a", false, "::1", 80, "[::1]", "/a", None),
            ("ws://127.0.0.1:65535//a", false, "127.0.0.1", 65535, "127.0.0.1:65535", "//a", None),
            ("ws://a%20b/%C3%A9?%25", false, "a%20b", 80, "a%20b", "/%C3%A9", Some("%25")),
        ];
        for (text, secure, host, port, authority, path, query) in expected {
            let uri = Uri::parse(text).unwrap();
            assert_eq!((uri.is_secure(), uri.host(), uri.port()), (secure, host, port), "{text}");
            assert_eq!((uri.authority(), uri.path(), uri.query()), (authority, path, query), "{text}");
        }
    }

    #[test]
    fn what_is_no_websocket_uri_is_refused() {
        let expected = [
            ("", UriError::Scheme),
            ("h", UriError::Scheme),
            ("ws:h", UriError::Scheme),
            ("wsss://h", UriError::Scheme),
            ("https://h", UriError::Scheme),
            ("ws://", UriError::Host),
            ("ws:///p", UriError::Host),
            ("ws://:80", UriError::Host),
            ("ws://a b", UriError::Host),
            ("ws://h\u{e9}", UriError::Host),
            ("ws://a%2", UriError::Host),
            ("ws://[::1", UriError::Host),
            ("ws://[::1]x", UriError::Host),
            ("ws://[::g]", UriError::Host),
            ("ws://[]", UriError::Host),
            ("ws://[1.2.3.4]", UriError::Host),
            ("ws://h:0", UriError::Port),
            ("ws://h:65536", UriError::Port),
            ("ws://h:+80", UriError::Port),
            ("ws://h:80:80", UriError::Port),
            ("ws://::1", UriError::Host),
            ("ws://u@h", UriError::UserInfo),
            ("ws://u:p@h:80/", UriError::UserInfo),
            ("ws://h/ ", UriError::Character),
            ("ws://h/\r\nX: y", UriError::Character),
            ("ws://h/%zz", UriError::Character),
            ("ws://h/?\u{e9}", UriError::Character),
            ("ws://h#", UriError::Fragment),
            ("ws://h/?q#f", UriError::Fragment),
        ];
        for (text, error) in expected {
            assert_eq!(Uri::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_relative_path_is_refused() {
        assert_eq!(Uri::from_parts(false, "h", "chat"), Err(UriError::Character));
    }
}
