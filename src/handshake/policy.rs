//! What a server admits: how large a request may be, and which versions of the protocol.

use super::HeadLimits;

/// What [`Request::parse_with`](super::server::Request::parse_with) admits; the default is what
/// [`Request::parse`](super::server::Request::parse) does.
///
/// ```
/// use websocket_wire::handshake::{HandshakeError, HeadLimits, server::{Policy, Request}};
///
/// let policy = Policy::new().limits(HeadLimits { bytes: 8, headers: 4 });
/// assert_eq!(Request::parse_with(b"GET /chat", policy).unwrap_err(), HandshakeError::HeadTooLarge);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[must_use]
pub struct Policy {
    limits: HeadLimits,
    version_8: bool,
}

impl Policy {
    /// Admits version 13 within the default [`HeadLimits`].
    ///
    /// ```
    /// # use websocket_wire::handshake::{HeadLimits, server::Policy};
    /// assert_eq!(Policy::new(), Policy::from(HeadLimits::default()));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how large the head of the request may be.
    ///
    /// ```
    /// # use websocket_wire::handshake::{HandshakeError, HeadLimits, server::{Policy, Request}};
    /// let policy = Policy::new().limits(HeadLimits { bytes: 4096, headers: 1 });
    /// let error = Request::parse_with(b"GET / HTTP/1.1\r\nA: b\r\nC: d\r\n", policy).unwrap_err();
    /// assert_eq!(error, HandshakeError::TooManyHeaders);
    /// ```
    pub const fn limits(mut self, limits: HeadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Admits `Sec-WebSocket-Version: 8` besides 13.
    ///
    /// Version 8 is the one of the last drafts before RFC 6455: browsers of 2011 and some devices speak it. Its frames
    /// are those of the RFC; in the handshake its clients write `Sec-WebSocket-Origin` for `Origin`. A refusal names it
    /// where it is [told](super::server::Refusal::policy) the policy.
    ///
    /// ```
    /// # use websocket_wire::handshake::{HandshakeError, server::{Policy, Request}};
    /// let headers = [("host", &b"h"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    ///     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"8"),
    ///     ("sec-websocket-origin", b"http://example.com")];
    /// let refused = Request::from_parts("GET", "/", (1, 1), &headers).unwrap_err();
    /// assert_eq!(refused, HandshakeError::Version);
    ///
    /// let policy = Policy::new().allow_version_8();
    /// let request = Request::from_parts_with("GET", "/", (1, 1), &headers, policy).unwrap();
    /// assert_eq!((request.version(), request.origin()), (8, Some("http://example.com")));
    /// ```
    pub const fn allow_version_8(mut self) -> Self {
        self.version_8 = true;
        self
    }

    pub(crate) const fn head_limits(self) -> HeadLimits {
        self.limits
    }

    /// Returns the versions that are admitted, as a header lists them: the one to be preferred first.
    pub(crate) const fn versions(self) -> &'static str {
        if self.version_8 { "13, 8" } else { "13" }
    }

    /// Returns the version that `value` names if it is admitted.
    pub(crate) fn version(self, value: Option<&[u8]>) -> Option<u8> {
        match value? {
            // RFC 6455 §4.2.1: "A |Sec-WebSocket-Version| header field, with a value of 13."
            b"13" => Some(13),
            b"8" if self.version_8 => Some(8),
            _ => None,
        }
    }
}

/// The default, within other limits.
impl From<HeadLimits> for Policy {
    fn from(limits: HeadLimits) -> Self {
        Self { limits, ..Self::default() }
    }
}
