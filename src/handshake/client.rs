//! The client's side: the request written, the server's answer read and checked (RFC 6455 §4.1).

use core::fmt;

use super::head::{Head, HeadLimits, Headers, is_header_value, is_token, is_upgradable};
use super::list::{Extensions, check_own_extensions};
use super::response::{Fields, split_status_line};
use super::writer::{Names, WriteHead, Writer, check_headers};
use super::{BuildError, HandshakeError, Key, Uri};
use crate::status::Status;
use crate::utf8;

pub use super::response::{Outcome, Refusal, Response};

/// The names that [`Request`] writes itself or that only a response has.
const RESERVED: [&str; 8] = [
    "Host",
    "Upgrade",
    "Origin",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
];

/// The client's opening handshake: what is asked for, and what the answer is measured against.
///
/// ```
/// use websocket_wire::{Status, handshake::{Key, Uri, client::{Outcome, Request}}};
///
/// let key = Key::new(*b"the sample nonce"); // 16 fresh random bytes for each connection
/// let request = Request::new(Uri::parse("ws://localhost:9001/chat").unwrap(), key).subprotocols(&["chat"]);
/// let mut out = [0; 256];
/// let len = request.encode(&mut out).unwrap();
/// assert!(out[..len].starts_with(b"GET /chat HTTP/1.1\r\nHost: localhost:9001\r\n"));
///
/// let received = b"HTTP/1.1 101 Switching Protocols\r\n\
///     Upgrade: websocket\r\n\
///     Connection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///     Sec-WebSocket-Protocol: chat\r\n\r\n\x89\x00";
/// let Status::Complete { value, consumed } = request.parse_response(received)? else { panic!("more is to be read") };
/// let Outcome::Upgraded(response) = value else { panic!("refused") };
/// assert_eq!(response.subprotocol(), Some("chat"));
/// assert_eq!(&received[consumed..], b"\x89\x00");
/// # Ok::<(), websocket_wire::handshake::HandshakeError>(())
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct Request<'a> {
    uri: Uri<'a>,
    key: Key,
    origin: Option<&'a str>,
    subprotocols: &'a [&'a str],
    extensions: &'a [&'a str],
    headers: &'a [(&'a str, &'a str)],
}

impl<'a> Request<'a> {
    /// Asks for `uri` with `key`, which must be a fresh random one for each connection (RFC 6455 §4.1 item 7).
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// let request = Request::new(uri, Key::new([1; 16]));
    /// assert_eq!(request.encoded_len(), Ok(148));
    /// ```
    pub const fn new(uri: Uri<'a>, key: Key) -> Self {
        Self { uri, key, origin: None, subprotocols: &[], extensions: &[], headers: &[] }
    }

    /// Sets `Origin`, which a client that is no browser may leave out.
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// let mut out = [0; 256];
    /// let len = request.origin("https://example.com").encode(&mut out).unwrap();
    /// assert!(out[..len].ends_with(b"\r\nOrigin: https://example.com\r\n\r\n"));
    /// ```
    pub const fn origin(mut self, origin: &'a str) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Offers subprotocols, the preferred one first.
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// assert!(request.subprotocols(&["v2", "v1"]).encoded_len().is_ok());
    /// let twice = request.subprotocols(&["v1", "v1"]);
    /// assert_eq!(twice.encoded_len(), Err(BuildError::Subprotocol));
    /// ```
    pub const fn subprotocols(mut self, names: &'a [&'a str]) -> Self {
        self.subprotocols = names;
        self
    }

    /// Offers extensions with their parameters, such as `permessage-deflate; client_max_window_bits`.
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// assert!(request.extensions(&["permessage-deflate"]).encoded_len().is_ok());
    /// assert_eq!(request.extensions(&["x; ="]).encoded_len(), Err(BuildError::Extensions));
    /// ```
    pub const fn extensions(mut self, offers: &'a [&'a str]) -> Self {
        self.extensions = offers;
        self
    }

    /// Sets the further headers, such as `Cookie` or `Authorization`, written in this order.
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// assert!(request.headers(&[("Cookie", "a=b")]).encoded_len().is_ok());
    /// let own = request.headers(&[("host", "elsewhere")]);
    /// assert_eq!(own.encoded_len(), Err(BuildError::ReservedHeader));
    /// ```
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Returns the length of the request in bytes.
    ///
    /// # Errors
    ///
    /// [`BuildError`], as [`Request::encode`], but never for the buffer.
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// assert_eq!(request.encoded_len(), request.encode(&mut [0; 256]));
    /// ```
    pub fn encoded_len(&self) -> Result<usize, BuildError> {
        WriteHead::encoded_len(self)
    }

    /// Writes the request to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when a header or an offer must not be sent, or `out` is too small; `out` is then unchanged.
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// let needed = request.encoded_len().unwrap();
    /// let error = request.encode(&mut [0; 16]).unwrap_err();
    /// assert_eq!(error, BuildError::BufferTooSmall { needed });
    /// ```
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, BuildError> {
        WriteHead::encode(self, out)
    }

    /// Parses and checks the response at the front of `buf`, within the default [`HeadLimits`].
    ///
    /// While the head is not whole, `Partial` comes back; the caller reads more and passes the same bytes again with
    /// the new ones behind them. Interim responses, 1xx other than 101, are passed over; `consumed` counts them. What
    /// follows at `consumed` is the first frame, or the body of a refusal.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first rule found broken; the client then closes the connection.
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// let status = request.parse_response(b"HTTP/1.1 101 Switching Protocols\r\n").unwrap();
    /// assert!(matches!(status, Status::Partial { needed: 1 }));
    /// assert_eq!(request.parse_response(b"SSH-2.0").unwrap_err(), HandshakeError::Malformed);
    /// ```
    pub fn parse_response<'b>(&self, buf: &'b [u8]) -> Result<Status<Outcome<'b>>, HandshakeError> {
        self.parse_response_with(buf, HeadLimits::default())
    }

    /// Does what [`Request::parse_response`] does, within `limits`; `bytes` holds for interim responses and the last
    /// together.
    ///
    /// # Errors
    ///
    /// As [`Request::parse_response`].
    ///
    /// ```
    /// # use websocket_wire::{Status, handshake::{BuildError, HandshakeError, HeadLimits, Key, Uri, client::Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new([0; 16]));
    /// let limits = HeadLimits { bytes: 12, headers: 4 };
    /// let error = request.parse_response_with(b"HTTP/1.1 101 ", limits).unwrap_err();
    /// assert_eq!(error, HandshakeError::HeadTooLarge);
    /// ```
    pub fn parse_response_with<'b>(
        &self,
        buf: &'b [u8],
        limits: HeadLimits,
    ) -> Result<Status<Outcome<'b>>, HandshakeError> {
        let mut skipped = 0;
        loop {
            let left = HeadLimits { bytes: limits.bytes.saturating_sub(skipped), ..limits };
            let (head, end) = match Head::parse(&buf[skipped..], left, |b| b == b'H')? {
                Status::Complete { value, consumed } => (value, skipped + consumed),
                Status::Partial { needed } => return Ok(Status::Partial { needed }),
            };
            let (version, status) = split_status_line(head.start_line)?;
            // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior to a
            // final response, even if the client does not expect one."
            if matches!(status, 100 | 102..=199) {
                skipped = end;
                continue;
            }
            let value = self.check_response(status, version, head.headers)?;
            return Ok(Status::Complete { value, consumed: end });
        }
    }

    /// Checks a response that an HTTP library has parsed; `version` is `(1, 1)` for HTTP/1.1.
    ///
    /// The same rules hold as for [`Request::parse_response`].
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first rule found broken.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
    /// let request = Request::new(Uri::parse("ws://localhost").unwrap(), Key::new(*b"the sample nonce"));
    /// let headers = [
    ///     ("upgrade", &b"websocket"[..]),
    ///     ("connection", b"upgrade"),
    ///     ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    /// ];
    /// let outcome = request.response_from_parts(101, (1, 1), &headers).unwrap();
    /// assert!(matches!(outcome, Outcome::Upgraded(_)));
    /// ```
    pub fn response_from_parts<'b>(
        &self,
        status: u16,
        version: (u8, u8),
        headers: &'b [(&'b str, &'b [u8])],
    ) -> Result<Outcome<'b>, HandshakeError> {
        self.check_response(status, version, headers.into())
    }

    /// Applies the list of RFC 6455 §4.1 on the server's response; all entries end here.
    pub(crate) fn check_response<'b>(
        &self,
        status: u16,
        version: (u8, u8),
        headers: Headers<'b>,
    ) -> Result<Outcome<'b>, HandshakeError> {
        // "If the status code received from the server is not 101, the client handles the response per HTTP
        // [RFC2616] procedures."
        if status != 101 {
            return Ok(Outcome::Refused(Refusal::new(status, headers)));
        }
        if !is_upgradable(version) {
            return Err(HandshakeError::HttpVersion);
        }
        let fields = Fields::collect(headers)?;
        // "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not
        // an ASCII case-insensitive match for the value "websocket", the client MUST _Fail the WebSocket Connection_."
        if !fields.upgrade.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) {
            return Err(HandshakeError::Upgrade);
        }
        if !fields.connection {
            return Err(HandshakeError::Connection);
        }
        if fields.accept != Some(self.key.accept().as_bytes()) {
            return Err(HandshakeError::Accept);
        }
        self.check_extensions(fields.extensions)?;
        let subprotocol = self.check_subprotocol(fields.subprotocol)?;
        Ok(Outcome::Upgraded(Response::new(subprotocol, fields.extensions, headers)))
    }

    /// "If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates the use of
    /// an extension that was not present in the client's handshake [...], the client MUST _Fail the WebSocket
    /// Connection_."
    fn check_extensions(&self, value: Option<&[u8]>) -> Result<(), HandshakeError> {
        let Some(value) = value else { return Ok(()) };
        if !Extensions::is_list(value) {
            return Err(HandshakeError::Extensions);
        }
        let offers = |name| self.extensions.iter().any(|offer| Extensions::has(offer.as_bytes(), name));
        if Extensions(value).all(|name| name.is_ok_and(offers)) {
            Ok(())
        } else {
            Err(HandshakeError::ExtensionNotOffered)
        }
    }

    /// "If the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates the use of a
    /// subprotocol that was not present in the client's handshake [...], the client MUST _Fail the WebSocket
    /// Connection_."
    fn check_subprotocol<'b>(&self, value: Option<&'b [u8]>) -> Result<Option<&'b str>, HandshakeError> {
        let Some(value) = value else { return Ok(None) };
        let chosen = utf8::text(value).ok_or(HandshakeError::Subprotocol)?;
        match (is_token(value), self.subprotocols.contains(&chosen)) {
            (false, _) => Err(HandshakeError::Subprotocol),
            (true, false) => Err(HandshakeError::SubprotocolNotOffered),
            (true, true) => Ok(Some(chosen)),
        }
    }
}

impl WriteHead for Request<'_> {
    fn check(&self) -> Result<(), BuildError> {
        // "The elements that comprise this value MUST be non-empty strings [...] and MUST all be unique strings."
        for (i, name) in self.subprotocols.iter().enumerate() {
            if !is_token(name.as_bytes()) || self.subprotocols[..i].contains(name) {
                return Err(BuildError::Subprotocol);
            }
        }
        for offer in self.extensions {
            check_own_extensions(offer, None)?;
        }
        if !is_header_value(self.origin.unwrap_or("").as_bytes()) {
            return Err(BuildError::HeaderValue);
        }
        check_headers(self.headers, &RESERVED)
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.put(b"GET ");
        w.put(self.uri.path().as_bytes());
        if let Some(query) = self.uri.query() {
            w.put(b"?");
            w.put(query.as_bytes());
        }
        w.put(b" HTTP/1.1\r\n");
        w.header("Host", self.uri.authority());
        w.header("Upgrade", "websocket");
        w.header("Connection", "Upgrade");
        w.header("Sec-WebSocket-Key", self.key.as_str());
        w.header("Sec-WebSocket-Version", "13");
        w.list("Origin", self.origin.as_slice());
        w.list("Sec-WebSocket-Protocol", self.subprotocols);
        w.list("Sec-WebSocket-Extensions", self.extensions);
        w.headers(self.headers);
        w.put(b"\r\n");
    }
}

impl fmt::Debug for Request<'_> {
    /// Shows whom it asks and the names of the headers; no query and no values, which may be passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("authority", &self.uri.authority())
            .field("path", &self.uri.path())
            .field("headers", &Names(self.headers))
            .finish_non_exhaustive()
    }
}
