//! The server's side: the client's request read and checked (RFC 6455 §4.2.1 and §4.2.2).

use core::fmt;

use super::head::{
    Head, HeaderIter, Headers, is_name, is_token, is_token_byte, is_upgradable, parse_version, set_once, split_once,
};
use super::list::{Extensions, check_subprotocols, has_token, subprotocols};
use super::uri::{is_authority, split_before, split_scheme};
use super::{HandshakeError, Key};
use crate::status::Status;
use crate::utf8;

pub use super::answer::{Accept, Refusal};
pub use super::policy::Policy;

/// A client's opening handshake that keeps every rule of RFC 6455 §4.2.1; a view of the caller's bytes.
///
/// ```
/// use websocket_wire::{Status, handshake::server::Request};
///
/// let received = b"GET /chat?room=1 HTTP/1.1\r\n\
///     Host: server.example.com\r\n\
///     Upgrade: websocket\r\n\
///     Connection: keep-alive, Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
///     Sec-WebSocket-Protocol: chat, superchat\r\n\
///     Sec-WebSocket-Version: 13\r\n\r\n\x81\x80";
/// let Status::Complete { value: request, consumed } = Request::parse(received)? else { panic!("more is to be read") };
/// assert_eq!(request.path(), "/chat?room=1");
/// assert_eq!(&received[consumed..], b"\x81\x80");
///
/// let mut out = [0; 256];
/// let len = request.accept().subprotocol("chat").encode(&mut out).unwrap();
/// assert!(out[..len].starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
/// # Ok::<(), websocket_wire::handshake::HandshakeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Request<'a> {
    path: &'a str,
    host: &'a str,
    origin: Option<&'a str>,
    key: Key,
    version: u8,
    headers: Headers<'a>,
}

impl<'a> Request<'a> {
    /// Parses and checks the request at the front of `buf`, within the default
    /// [`HeadLimits`](super::HeadLimits).
    ///
    /// While the head is not whole, `Partial` comes back; the caller reads more and passes the same bytes again with
    /// the new ones behind them. The first frame begins at `consumed`. What `Origin`, `Host` and the cookies say is for
    /// the application to judge, and the parameters of extensions are for the extension.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first rule found broken; [`Refusal`] turns it into a response.
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::server::Request};
    /// assert!(matches!(Request::parse(b"GET / HTTP/1.1\r\n").unwrap(), Status::Partial { needed: 1 }));
    /// ```
    pub fn parse(buf: &'a [u8]) -> Result<Status<Self>, HandshakeError> {
        Self::parse_with(buf, Policy::new())
    }

    /// Does what [`Request::parse`] does, within a [`Policy`] or [`HeadLimits`](super::HeadLimits).
    ///
    /// # Errors
    ///
    /// As [`Request::parse`].
    ///
    /// ```
    /// # use websocket_wire::handshake::{HandshakeError, HeadLimits, server::Request};
    /// let limits = HeadLimits { bytes: 4096, headers: 1 };
    /// let error = Request::parse_with(b"GET / HTTP/1.1\r\nA: b\r\nC: d\r\n", limits).unwrap_err();
    /// assert_eq!(error, HandshakeError::TooManyHeaders);
    /// ```
    pub fn parse_with(buf: &'a [u8], policy: impl Into<Policy>) -> Result<Status<Self>, HandshakeError> {
        let policy = policy.into();
        match Head::parse(buf, policy.head_limits(), is_token_byte)? {
            Status::Partial { needed } => Ok(Status::Partial { needed }),
            Status::Complete { value: head, consumed } => {
                let value = Self::check(RequestLine::parse(head.start_line)?, head.headers, policy)?;
                Ok(Status::Complete { value, consumed })
            }
        }
    }

    /// Checks a request that an HTTP library has parsed; `version` is `(1, 1)` for HTTP/1.1.
    ///
    /// The same rules hold as for [`Request::parse`]; that names and values are well-formed is left to the library.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first rule found broken.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// let headers = [
    ///     ("host", &b"localhost"[..]),
    ///     ("upgrade", b"websocket"),
    ///     ("connection", b"Upgrade"),
    ///     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ///     ("sec-websocket-version", b"13"),
    /// ];
    /// let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert_eq!(request.host(), "localhost");
    /// ```
    pub fn from_parts(
        method: &str,
        target: &'a str,
        version: (u8, u8),
        headers: &'a [(&'a str, &'a [u8])],
    ) -> Result<Self, HandshakeError> {
        Self::from_parts_with(method, target, version, headers, Policy::new())
    }

    /// Does what [`Request::from_parts`] does, with the versions that `policy` admits; its limits do not matter here.
    ///
    /// # Errors
    ///
    /// As [`Request::from_parts`].
    ///
    /// See [`Policy::allow_version_8`] for an example.
    pub fn from_parts_with(
        method: &str,
        target: &'a str,
        version: (u8, u8),
        headers: &'a [(&'a str, &'a [u8])],
        policy: Policy,
    ) -> Result<Self, HandshakeError> {
        let line = RequestLine { method: method.as_bytes(), target: Target::parse(target), version };
        Self::check(line, headers.into(), policy)
    }

    /// Starts the answer that opens the connection; see [`Accept`].
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert!(request.accept().encode(&mut [0; 256]).is_ok());
    /// ```
    pub fn accept(&self) -> Accept<'a> {
        Accept::new(self.key, self.headers)
    }

    /// Returns the resource name: path and query, also of a target in absolute form (RFC 6455 §3).
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert_eq!(request.path(), "/chat");
    /// ```
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// Returns the value of `Host`: a host, and a port where it is not the default one. A target in absolute form, as a
    /// proxy may send it, has its own and overrides the header (RFC 9112 §3.2.2).
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert_eq!(request.host(), "example.com");
    /// ```
    #[must_use]
    pub fn host(&self) -> &'a str {
        self.host
    }

    /// Returns the value of `Origin`, which browsers always send and other clients may leave out or invent.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert_eq!(request.origin(), Some("https://example.com"));
    /// ```
    #[must_use]
    pub fn origin(&self) -> Option<&'a str> {
        self.origin
    }

    /// Returns the client's key.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert_eq!(request.key().as_str(), "dGhlIHNhbXBsZSBub25jZQ==");
    /// ```
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the version of the protocol: 13, or 8 where [`Policy::allow_version_8`] admits it.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert_eq!(request.version(), 13);
    /// ```
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// Returns the offered subprotocols, the one that the client likes best first.
    ///
    /// To let the client's order decide, take the first one that the server supports, as here; see
    /// [`Request::choose_subprotocol`] for the server's order.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// let chosen = request.subprotocols().find(|name| ["v2", "v1"].contains(name));
    /// assert_eq!(chosen, Some("v1"));
    /// ```
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        subprotocols(self.headers)
    }

    /// Returns the first of `supported` that the client offers, so that the server's order decides.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert!(request.subprotocols().eq(["v1", "v2"]));
    /// assert_eq!(request.choose_subprotocol(&["v3", "v2", "v1"]), Some("v2"));
    /// ```
    #[must_use]
    pub fn choose_subprotocol<'s>(&self, supported: &[&'s str]) -> Option<&'s str> {
        supported.iter().copied().find(|&name| self.subprotocols().any(|offered| offered == name))
    }

    /// Returns the values of the `Sec-WebSocket-Extensions` headers, well-formed lists, in order.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert!(request.extensions().eq([b"permessage-deflate"]));
    /// ```
    pub fn extensions(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.headers.get_all("Sec-WebSocket-Extensions")
    }

    /// Returns the first value of the header `name`, ASCII case ignored.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert_eq!(request.header("Host"), Some(&b"example.com"[..]));
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.get(name)
    }

    /// Iterates over all headers in the order of the wire.
    ///
    /// ```
    /// # use websocket_wire::handshake::server::Request;
    /// # let headers = [("host", &b"example.com"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com"), ("sec-websocket-protocol", b"v1, v2"),
    /// #     ("sec-websocket-extensions", b"permessage-deflate")];
    /// # let request = Request::from_parts("GET", "/chat", (1, 1), &headers).unwrap();
    /// assert_eq!(request.headers().next(), Some(("host", &b"example.com"[..])));
    /// ```
    #[must_use]
    pub fn headers(&self) -> HeaderIter<'a> {
        self.headers.into_iter()
    }

    /// Applies RFC 6455 §4.2.1; all entries end here.
    pub(crate) fn check(
        line: RequestLine<'_, 'a>,
        headers: Headers<'a>,
        policy: Policy,
    ) -> Result<Self, HandshakeError> {
        // "An HTTP/1.1 or higher GET request, including a "Request-URI""
        ensure(line.method == b"GET", HandshakeError::Method)?;
        ensure(is_upgradable(line.version), HandshakeError::HttpVersion)?;
        let target = line.target.ok_or(HandshakeError::Target)?;
        let fields = Fields::collect(headers)?;
        let host = fields.host.and_then(utf8::text).ok_or(HandshakeError::Host)?;
        // RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message
        // that lacks a Host header field and to any request message that contains more than one Host header field line
        // or a Host header field with an invalid field value."
        ensure(is_authority(host), HandshakeError::Host)?;
        // "An |Upgrade| header field containing the value "websocket", treated as an ASCII case-insensitive value."
        ensure(fields.upgrade, HandshakeError::Upgrade)?;
        // "A |Connection| header field that includes the token "Upgrade", treated as an ASCII case-insensitive value."
        ensure(fields.connection, HandshakeError::Connection)?;
        let version = policy.version(fields.version).ok_or(HandshakeError::Version)?;
        let key = Key::check(fields.key.ok_or(HandshakeError::Key)?)?;
        let origin = if version == 8 { draft_origin(headers)?.or(fields.origin) } else { fields.origin };
        let origin = origin.map(|origin| utf8::text(origin).ok_or(HandshakeError::Origin)).transpose()?;
        if fields.subprotocols {
            check_subprotocols(headers)?;
        }
        // RFC 9112 §3.2.2: "When an origin server receives a request with an absolute-form of request-target, the
        // origin server MUST ignore the received Host header field (if any) and instead use the host information of
        // the request-target."
        let host = target.authority.unwrap_or(host);
        Ok(Self { path: target.path, host, origin, key: Key(*key), version, headers })
    }
}

/// Returns the one `Sec-WebSocket-Origin`, which stands for `Origin` in version 8.
fn draft_origin(headers: Headers<'_>) -> Result<Option<&[u8]>, HandshakeError> {
    let mut values = headers.get_all("Sec-WebSocket-Origin");
    let origin = values.next();
    ensure(values.next().is_none(), HandshakeError::Origin)?;
    Ok(origin)
}

/// The headers that decide, found in one pass.
#[derive(Default)]
struct Fields<'a> {
    host: Option<&'a [u8]>,
    origin: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    subprotocols: bool,
    upgrade: bool,
    connection: bool,
}

impl<'a> Fields<'a> {
    fn collect(headers: Headers<'a>) -> Result<Self, HandshakeError> {
        let mut fields = Self::default();
        for (name, value) in headers.raw() {
            fields.add(name, value)?;
        }
        Ok(fields)
    }

    fn add(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), HandshakeError> {
        let is = |known: &str| is_name(name, known);
        if is("Host") {
            set_once(&mut self.host, value, HandshakeError::Host)?;
        } else if is("Origin") {
            // RFC 6454 §7.3: "The user agent MUST NOT include more than one Origin header field".
            set_once(&mut self.origin, value, HandshakeError::Origin)?;
        } else if is("Sec-WebSocket-Key") {
            // §11.3.1: "The |Sec-WebSocket-Key| header field MUST NOT appear more than once in an HTTP request."
            set_once(&mut self.key, value, HandshakeError::Key)?;
        } else if is("Sec-WebSocket-Version") {
            // §11.3.5: "The |Sec-WebSocket-Version| header field MUST NOT appear more than once in an HTTP
            // request."
            set_once(&mut self.version, value, HandshakeError::Version)?;
        } else if is("Upgrade") {
            self.upgrade |= has_token(value, "websocket");
        } else if is("Connection") {
            self.connection |= has_token(value, "Upgrade");
        } else if is("Sec-WebSocket-Protocol") {
            self.subprotocols = true;
        } else if is("Sec-WebSocket-Extensions") {
            // §9.1: "If a value is received [...] that does not conform to the ABNF below, the recipient of such
            // malformed data MUST immediately _Fail the WebSocket Connection_."
            ensure(Extensions::is_list(value), HandshakeError::Extensions)?;
        } else if is("Transfer-Encoding") || (is("Content-Length") && value != b"0") {
            // RFC 9112 §6.3: such a header says that a body follows the head; taking it for frames would let
            // whoever wrote the body write frames.
            return Err(HandshakeError::Body);
        }
        Ok(())
    }
}

fn ensure(kept: bool, broken: HandshakeError) -> Result<(), HandshakeError> {
    if kept { Ok(()) } else { Err(broken) }
}

/// `method SP request-target SP HTTP-version` (RFC 9112 §3).
pub(crate) struct RequestLine<'m, 'a> {
    pub(crate) method: &'m [u8],
    pub(crate) target: Option<Target<'a>>,
    pub(crate) version: (u8, u8),
}

impl<'a> RequestLine<'a, 'a> {
    fn parse(line: &'a [u8]) -> Result<Self, HandshakeError> {
        let (method, rest) = split_once(line, b' ').ok_or(HandshakeError::Malformed)?;
        let (target, version) = split_once(rest, b' ').ok_or(HandshakeError::Malformed)?;
        let version = parse_version(version)?;
        ensure(is_token(method), HandshakeError::Malformed)?;
        let target = utf8::text(target).and_then(Target::parse);
        Ok(Self { method, target, version })
    }
}

/// What a request asks for: the resource name and, in absolute form, whose it is.
pub(crate) struct Target<'a> {
    authority: Option<&'a str>,
    path: &'a str,
}

impl<'a> Target<'a> {
    /// Parses a target: "a "Request-URI" [...] that should be interpreted as a /resource name/ defined in Section 3 (or
    /// an absolute HTTP/HTTPS URI containing the /resource name/)". A query right behind the authority is refused: it
    /// would want a `/` in front, and this is a view.
    fn parse(text: &'a str) -> Option<Self> {
        let (origin, path) = if text.starts_with('/') {
            (None, text)
        } else {
            let (scheme, rest) = split_scheme(text)?;
            // An authority with a question mark or a hash, behind which a path could not begin, is none.
            let (authority, path) = split_before(rest, b'/');
            (Some((scheme, authority)), if path.is_empty() { "/" } else { path })
        };
        Self::from_parts(origin, path)
    }

    /// Takes scheme, authority and resource name apart; `None` where one of them is none.
    ///
    /// A path may hold visible characters that RFC 3986 wants escaped, because browsers send some of them as they are.
    pub(crate) fn from_parts(origin: Option<(&str, &'a str)>, path: &'a str) -> Option<Self> {
        let is_path = path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
        let is_origin = |(scheme, authority): (&str, &str)| {
            let is_http = is_name(scheme.as_bytes(), "http") || is_name(scheme.as_bytes(), "https");
            is_http && is_authority(authority)
        };
        let authority = origin.map(|(_, authority)| authority);
        (is_path && origin.is_none_or(is_origin)).then_some(Self { authority, path })
    }
}

impl fmt::Debug for Request<'_> {
    /// Shows what it asks for and the names of the headers; no query and no values, which may be passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split_once('?').map_or(self.path, |(path, _)| path);
        f.debug_struct("Request").field("path", &path).field("headers", &self.headers).finish_non_exhaustive()
    }
}
