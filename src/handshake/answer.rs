//! The server's answers: the 101 that opens the connection, and the refusal (RFC 6455 §4.2.2).

use core::fmt;

use super::head::Headers;
use super::list::{check_own_extensions, subprotocols};
use super::policy::Policy;
use super::writer::{Names, WriteHead, Writer, check_headers};
use super::{AcceptKey, BuildError, HandshakeError, Key};

/// The names that [`Accept`] writes itself or that only a request has.
const RESERVED: [&str; 6] = [
    "Upgrade",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
];

/// The `101 Switching Protocols` to be sent, from [`Request::accept`](super::server::Request::accept).
///
/// ```
/// # use websocket_wire::handshake::{BuildError, server::Request};
/// # let headers = [("host", &b"h"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
/// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
/// #     ("sec-websocket-protocol", b"chat")];
/// # let request = Request::from_parts("GET", "/", (1, 1), &headers).unwrap();
/// let accept = request.accept().subprotocol("chat").headers(&[("Server", "example")]);
/// let mut out = [0; 256];
/// let len = accept.encode(&mut out)?;
/// assert_eq!(
///     core::str::from_utf8(&out[..len]).unwrap(),
///     "HTTP/1.1 101 Switching Protocols\r\n\
///      Upgrade: websocket\r\n\
///      Connection: Upgrade\r\n\
///      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///      Sec-WebSocket-Protocol: chat\r\n\
///      Server: example\r\n\r\n"
/// );
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct Accept<'a> {
    key: Key,
    offered: Headers<'a>,
    subprotocol: Option<&'a str>,
    extensions: Option<&'a str>,
    headers: &'a [(&'a str, &'a str)],
}

impl<'a> Accept<'a> {
    pub(crate) fn new(key: Key, offered: Headers<'a>) -> Self {
        Self { key, offered, subprotocol: None, extensions: None, headers: &[] }
    }

    /// Chooses one of the offered subprotocols; takes an `Option` too.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Request};
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert!(request.accept().subprotocol("v2").encoded_len().is_ok());
    /// assert!(request.accept().subprotocol(None).encoded_len().is_ok());
    /// let unknown = request.accept().subprotocol("v3").encoded_len();
    /// assert_eq!(unknown, Err(BuildError::SubprotocolNotOffered));
    /// ```
    pub fn subprotocol(mut self, name: impl Into<Option<&'a str>>) -> Self {
        self.subprotocol = name.into();
        self
    }

    /// Sets the value of `Sec-WebSocket-Extensions`: one or more offered extensions with the parameters agreed on.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Request};
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// let accept = request.accept().extensions("permessage-deflate; client_no_context_takeover");
    /// assert!(accept.encoded_len().is_ok());
    /// assert_eq!(request.accept().extensions("x").encoded_len(), Err(BuildError::ExtensionNotOffered));
    /// ```
    pub fn extensions(mut self, value: impl Into<Option<&'a str>>) -> Self {
        self.extensions = value.into();
        self
    }

    /// Sets the further headers, written in this order.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Request};
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// let split = request.accept().headers(&[("Set-Cookie", "a=b\r\nX: y")]);
    /// assert_eq!(split.encoded_len(), Err(BuildError::HeaderValue));
    /// ```
    pub fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Returns the length of the response in bytes.
    ///
    /// # Errors
    ///
    /// [`BuildError`], as [`Accept::encode`], but never for the buffer.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Request};
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// let accept = request.accept();
    /// assert_eq!(accept.encoded_len(), accept.encode(&mut [0; 256]));
    /// ```
    pub fn encoded_len(&self) -> Result<usize, BuildError> {
        WriteHead::encoded_len(self)
    }

    /// Writes the response to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when a header or the choice must not be sent, or `out` is too small; `out` is then unchanged.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Request};
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// let mut out = [0; 16];
    /// assert_eq!(request.accept().encode(&mut out), Err(BuildError::BufferTooSmall { needed: 129 }));
    /// assert_eq!(out, [0; 16]);
    /// ```
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, BuildError> {
        WriteHead::encode(self, out)
    }
}

impl WriteHead for Accept<'_> {
    fn check(&self) -> Result<(), BuildError> {
        // "The value chosen MUST be derived from the client's handshake".
        if let Some(chosen) = self.subprotocol
            && !subprotocols(self.offered).any(|offered| offered == chosen)
        {
            return Err(BuildError::SubprotocolNotOffered);
        }
        if let Some(value) = self.extensions {
            check_own_extensions(value, Some(self.offered))?;
        }
        check_headers(self.headers, &RESERVED)
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.put(
            b"HTTP/1.1 101 Switching Protocols\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Accept: ",
        );
        // Hashed once: of what is only counted the length is known.
        if w.measures() {
            w.skip(AcceptKey::LEN);
        } else {
            w.put(&self.key.accept().0);
        }
        w.put(b"\r\n");
        if let Some(subprotocol) = self.subprotocol {
            w.header("Sec-WebSocket-Protocol", subprotocol);
        }
        if let Some(extensions) = self.extensions {
            w.header("Sec-WebSocket-Extensions", extensions);
        }
        w.headers(self.headers);
        w.put(b"\r\n");
    }
}

/// A response without a body that refuses the request and says that the connection closes.
///
/// 405 comes with `Allow: GET`, 426 with `Upgrade: websocket` and `Sec-WebSocket-Version: 13`; see
/// [`policy`](Self::policy) for a server that admits version 8 too.
///
/// ```
/// use websocket_wire::handshake::{HandshakeError, server::Refusal};
///
/// let mut out = [0; 256];
/// let len = Refusal::from(HandshakeError::Version).encode(&mut out)?;
/// assert_eq!(
///     core::str::from_utf8(&out[..len]).unwrap(),
///     "HTTP/1.1 426 Upgrade Required\r\n\
///      Upgrade: websocket\r\n\
///      Sec-WebSocket-Version: 13\r\n\
///      Connection: Upgrade, close\r\n\
///      Content-Length: 0\r\n\r\n"
/// );
/// # Ok::<(), websocket_wire::handshake::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Refusal<'a> {
    status: u16,
    /// Those of the protocol that a 426 names.
    versions: &'static str,
    headers: &'a [(&'a str, &'a str)],
}

impl<'a> Refusal<'a> {
    /// Refuses with `status`, 200 to 599, for a reason of the application's own.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Refusal;
    /// let refusal = Refusal::new(401).headers(&[("WWW-Authenticate", "Basic realm=\"chat\"")]);
    /// assert_eq!(refusal.encode(&mut [0; 256]), Ok(105));
    /// ```
    pub const fn new(status: u16) -> Self {
        Self { status, versions: "13", headers: &[] }
    }

    /// Sets what the request was judged by: a 426 then names the versions that it admits, 13 alone unless called.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::{Policy, Refusal, Request}};
    /// let policy = Policy::new().allow_version_8();
    /// let headers = [("host", &b"h"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    ///     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"7")];
    /// let error = Request::from_parts_with("GET", "/", (1, 1), &headers, policy).unwrap_err();
    /// let mut out = [0; 256];
    /// let len = Refusal::from(error).policy(policy).encode(&mut out)?;
    /// let text = core::str::from_utf8(&out[..len]).unwrap();
    /// assert!(text.contains("\r\nSec-WebSocket-Version: 13, 8\r\n"));
    /// # Ok::<(), BuildError>(())
    /// ```
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.versions = policy.versions();
        self
    }

    /// Sets the further headers, written in this order.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Refusal};
    /// let moved = Refusal::new(308).headers(&[("Location", "/new")]);
    /// assert!(moved.encoded_len().is_ok());
    /// ```
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Returns the status code.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Refusal};
    /// assert_eq!(Refusal::new(403).status(), 403);
    /// ```
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the length of the response in bytes.
    ///
    /// # Errors
    ///
    /// [`BuildError`], as [`Refusal::encode`], but never for the buffer.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Refusal};
    /// assert_eq!(Refusal::new(403).encoded_len(), Ok(64));
    /// assert_eq!(Refusal::new(101).encoded_len(), Err(BuildError::Status));
    /// ```
    pub fn encoded_len(&self) -> Result<usize, BuildError> {
        WriteHead::encoded_len(self)
    }

    /// Writes the response to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when the status or a header must not be sent, or `out` is too small; `out` is then unchanged.
    ///
    /// ```
    /// # use websocket_wire::handshake::{BuildError, server::Refusal};
    /// let mut out = [0; 64];
    /// assert_eq!(Refusal::new(403).encode(&mut out), Ok(64));
    /// assert_eq!(&out, b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    /// ```
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, BuildError> {
        WriteHead::encode(self, out)
    }
}

impl WriteHead for Refusal<'_> {
    fn check(&self) -> Result<(), BuildError> {
        if !(200..=599).contains(&self.status) {
            return Err(BuildError::Status);
        }
        let reserved: &[&str] = match self.status {
            405 => &["Allow"],
            426 => &["Upgrade", "Sec-WebSocket-Version"],
            _ => &[],
        };
        check_headers(self.headers, reserved)
    }

    fn write(&self, w: &mut Writer<'_>) {
        let digits = [self.status / 100, self.status / 10 % 10, self.status % 10].map(|digit| b'0' + digit as u8);
        w.put(b"HTTP/1.1 ");
        w.put(&digits);
        w.put(b" ");
        w.put(reason(self.status).as_bytes());
        w.put(b"\r\n");
        match self.status {
            // RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
            405 => w.header("Allow", "GET"),
            // RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response"; §7.8: "A sender of
            // Upgrade MUST also send an "Upgrade" connection option"; RFC 6455 §4.2.2 asks for "a
            // |Sec-WebSocket-Version| header field indicating the version(s) the server is capable of understanding".
            426 => {
                w.header("Upgrade", "websocket");
                w.header("Sec-WebSocket-Version", self.versions);
            }
            _ => {}
        }
        w.header("Connection", if self.status == 426 { "Upgrade, close" } else { "close" });
        // RFC 9110 §8.6 forbids the header in a 204; a 304 would describe what a GET brings.
        if !matches!(self.status, 204 | 304) {
            w.header("Content-Length", "0");
        }
        w.headers(self.headers);
        w.put(b"\r\n");
    }
}

impl From<HandshakeError> for Refusal<'_> {
    fn from(error: HandshakeError) -> Self {
        Self::new(error.status())
    }
}

/// Names the codes that an upgrade is usually refused with; the phrase may be empty (RFC 9112 §4).
fn reason(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

impl fmt::Debug for Accept<'_> {
    /// Shows the names of the headers; no values, which may be passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accept").field("headers", &Names(self.headers)).finish_non_exhaustive()
    }
}

impl fmt::Debug for Refusal<'_> {
    /// Shows the status and the names of the headers; no values, which may be passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal").field("status", &self.status).field("headers", &Names(self.headers)).finish()
    }
}
