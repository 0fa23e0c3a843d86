//! What can be wrong with a handshake: the peer's fault and the caller's misuse, apart.

use core::fmt;

/// A rule of the opening handshake that the *peer* broke; see [`BuildError`] for the caller's own mistakes.
///
/// A server answers with [`status`](Self::status), most easily through [`Refusal`](super::server::Refusal); a client
/// closes the connection.
///
/// ```
/// use websocket_wire::handshake::{HandshakeError, server};
///
/// let error = server::Request::parse(b"POST / HTTP/1.1\r\n\r\n").unwrap_err();
/// assert_eq!(error, HandshakeError::Method);
/// assert_eq!(error.status(), 405);
/// assert_eq!(error.to_string(), "the request method is not GET");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The head does not end within [`HeadLimits::bytes`](super::HeadLimits) (RFC 6585 §5).
    HeadTooLarge,
    /// The head has more lines than [`HeadLimits::headers`](super::HeadLimits) allows (RFC 6585 §5).
    TooManyHeaders,
    /// The head is not HTTP/1.1: a start line or a header line that the grammar of RFC 9112 does not have.
    Malformed,
    /// The method is not `GET` (RFC 6455 §4.2.1 item 1).
    Method,
    /// The version is not HTTP/1.1 or a later HTTP/1 (RFC 6455 §4.2.1 item 1).
    HttpVersion,
    /// The request target is neither a path nor an absolute http or https URI with one (RFC 6455 §4.2.1 item 1).
    Target,
    /// `Host` is absent, repeated, or no authority (RFC 6455 §4.2.1 item 2, RFC 9112 §3.2).
    Host,
    /// The request announces a body, so that frames would not follow the head (RFC 9112 §6.3).
    Body,
    /// `Upgrade` does not list `websocket`, or is not `websocket` in a response (RFC 6455 §4.2.1 item 3, section
    /// 4.1).
    Upgrade,
    /// `Connection` does not list `Upgrade` (RFC 6455 §4.2.1 item 4, §4.1).
    Connection,
    /// `Sec-WebSocket-Key` is absent, repeated, or not the base64 text of 16 bytes (RFC 6455 §4.2.1 item 5).
    Key,
    /// `Sec-WebSocket-Version` is absent, repeated, or not `13` (RFC 6455 §4.2.1 item 6); see
    /// [`Policy::allow_version_8`](super::server::Policy::allow_version_8).
    Version,
    /// `Origin` is repeated or not text (RFC 6454 §7.3).
    Origin,
    /// `Sec-WebSocket-Protocol` is not a list of distinct tokens, or not one token in a response (RFC 6455 section
    /// 11.3.4).
    Subprotocol,
    /// `Sec-WebSocket-Extensions` breaks its grammar, or is repeated in a response (RFC 6455 §9.1 and §11.3.2).
    Extensions,
    /// `Sec-WebSocket-Accept` is absent, repeated, or not the answer to the key (RFC 6455 §4.1 item 4).
    Accept,
    /// The server chose a subprotocol that was not offered (RFC 6455 §4.1 item 6).
    SubprotocolNotOffered,
    /// The server chose an extension that was not offered (RFC 6455 §4.1 item 5).
    ExtensionNotOffered,
}

impl HandshakeError {
    /// Returns the HTTP status code that a server refuses the request with: 400, 405, 426 or 431.
    ///
    /// 426 says that the resource speaks only WebSocket version 13 (RFC 6455 §4.4). The wrong version of HTTP is 400,
    /// as RFC 6455 §4.2.1 suggests, and not 505, which is about the major version (RFC 9110 §15.6.6) that HTTP/1.0
    /// shares with 1.1. An error that only a response can have is 400; nobody sends it.
    ///
    /// ```
    /// # use websocket_wire::handshake::HandshakeError;
    /// assert_eq!(HandshakeError::Key.status(), 400);
    /// assert_eq!(HandshakeError::Version.status(), 426);
    /// ```
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::HeadTooLarge | Self::TooManyHeaders => 431,
            Self::Method => 405,
            Self::Upgrade | Self::Version => 426,
            _ => 400,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeadTooLarge => "the HTTP head is larger than the limit",
            Self::TooManyHeaders => "the HTTP head has more headers than the limit",
            Self::Malformed => "the HTTP head is malformed",
            Self::Method => "the request method is not GET",
            Self::HttpVersion => "the HTTP version is not 1.1",
            Self::Target => "the request target is not a path or an absolute URI",
            Self::Host => "the Host header is missing, repeated or invalid",
            Self::Body => "the request announces a body",
            Self::Upgrade => "the Upgrade header does not name websocket",
            Self::Connection => "the Connection header does not list Upgrade",
            Self::Key => "the Sec-WebSocket-Key header is missing, repeated or invalid",
            Self::Version => "the Sec-WebSocket-Version header is not 13",
            Self::Origin => "the Origin header is repeated or invalid",
            Self::Subprotocol => "the Sec-WebSocket-Protocol header is malformed",
            Self::Extensions => "the Sec-WebSocket-Extensions header is malformed",
            Self::Accept => "the Sec-WebSocket-Accept header does not answer the key",
            Self::SubprotocolNotOffered => "the server chose a subprotocol that was not offered",
            Self::ExtensionNotOffered => "the server chose an extension that was not offered",
        })
    }
}

impl core::error::Error for HandshakeError {}

/// A request or a response that the *caller* asked for and that must not be sent; nothing was written.
///
/// ```
/// use websocket_wire::handshake::{BuildError, server::Refusal};
///
/// let refusal = Refusal::new(404).headers(&[("X", "a\r\nSet-Cookie: b")]);
/// assert_eq!(refusal.encode(&mut [0; 256]), Err(BuildError::HeaderValue));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The output buffer is too small.
    BufferTooSmall {
        /// The exact length in bytes of what was to be written.
        needed: usize,
    },
    /// A header name is not a token (RFC 9110 §5.1).
    HeaderName,
    /// A header value holds CR, LF, NUL or another control character (RFC 9110 §5.5).
    HeaderValue,
    /// A header is one that the handshake itself writes, or one that would announce a body.
    ReservedHeader,
    /// A subprotocol is not a token, or is offered twice (RFC 6455 §4.1 item 10).
    Subprotocol,
    /// An extension breaks the grammar of RFC 6455 §9.1.
    Extensions,
    /// The subprotocol to answer with was not offered by the client (RFC 6455 §4.2.2 item 4).
    SubprotocolNotOffered,
    /// The extension to answer with was not offered by the client (RFC 6455 §4.2.2 item 4).
    ExtensionNotOffered,
    /// The status code of a refusal is not 200 to 599.
    Status,
    /// A name, a target or the number of headers is beyond what the types of the `http` crate can hold.
    #[cfg(feature = "http")]
    Http,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BufferTooSmall { needed } => {
                return write!(f, "the buffer is too small: {needed} bytes are needed");
            }
            Self::HeaderName => "the header name is not a token",
            Self::HeaderValue => "the header value holds a control character",
            Self::ReservedHeader => "the header belongs to the handshake",
            Self::Subprotocol => "the subprotocol is not a token or is offered twice",
            Self::Extensions => "the extension is malformed",
            Self::SubprotocolNotOffered => "the subprotocol was not offered",
            Self::ExtensionNotOffered => "the extension was not offered",
            Self::Status => "the status code of a refusal is not 200 to 599",
            #[cfg(feature = "http")]
            Self::Http => "the types of the http crate cannot hold the message",
        })
    }
}

impl core::error::Error for BuildError {}

/// A text that is no WebSocket URI (RFC 6455 §3).
///
/// ```
/// use websocket_wire::handshake::{Uri, UriError};
///
/// assert_eq!(Uri::parse("ws://host/#part"), Err(UriError::Fragment));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum UriError {
    /// The scheme is not `ws` or `wss`, or no `://` follows it.
    Scheme,
    /// The host is empty, has a character that no host has, or is no IPv6 address in its brackets (RFC 3986 section
    /// 3.2.2).
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The authority holds a user name or a password, which a WebSocket URI does not have.
    UserInfo,
    /// The path or the query holds a blank, a control or another character that must be percent-encoded.
    Character,
    /// The URI has a fragment: "Fragment identifiers are meaningless [...] and MUST NOT be used".
    Fragment,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the scheme is not ws:// or wss://",
            Self::Host => "the host is empty or invalid",
            Self::Port => "the port is not a number from 1 to 65535",
            Self::UserInfo => "the URI holds a user name or a password",
            Self::Character => "the path or query holds a character that must be percent-encoded",
            Self::Fragment => "the URI has a fragment",
        })
    }
}

impl core::error::Error for UriError {}
