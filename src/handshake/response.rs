//! What a server answered: views for the client (RFC 6455 §4.1).

use super::HandshakeError;
use super::head::{HeaderIter, Headers, is_header_value, is_name, parse_version, set_once};
use super::list::has_token;

/// What a whole, well-formed response means.
///
/// ```
/// use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
///
/// let request = Request::new(Uri::parse("ws://localhost").unwrap(), Key::new([0; 16]));
/// let outcome = request.response_from_parts(503, (1, 1), &[]).unwrap();
/// assert!(matches!(outcome, Outcome::Refused(refusal) if refusal.status() == 503));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'b> {
    /// The connection is open.
    Upgraded(Response<'b>),
    /// The server answered with another status than 101: a redirect, a demand for credentials, an error.
    Refused(Refusal<'b>),
}

/// A `101 Switching Protocols` that keeps every rule of RFC 6455 §4.1; a view of the caller's bytes.
///
/// See [`Request`](super::client::Request) for an example.
#[derive(Clone, Copy, Debug)]
pub struct Response<'b> {
    subprotocol: Option<&'b str>,
    extensions: Option<&'b [u8]>,
    headers: Headers<'b>,
}

impl<'b> Response<'b> {
    pub(crate) fn new(subprotocol: Option<&'b str>, extensions: Option<&'b [u8]>, headers: Headers<'b>) -> Self {
        Self { subprotocol, extensions, headers }
    }

    /// Returns the subprotocol that the server chose, one of those offered, or `None` where it chose none.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new(*b"the sample nonce"));
    /// # let request = request.subprotocols(&["chat"]).extensions(&["x-one"]);
    /// # let headers = [("upgrade", &b"websocket"[..]), ("connection", b"upgrade"), ("server", b"s"),
    /// #     ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    /// #     ("sec-websocket-protocol", b"chat"), ("sec-websocket-extensions", b"x-one; a=1")];
    /// # let outcome = request.response_from_parts(101, (1, 1), &headers).unwrap();
    /// # let Outcome::Upgraded(response) = outcome else { panic!() };
    /// assert_eq!(response.subprotocol(), Some("chat"));
    /// ```
    #[must_use]
    pub const fn subprotocol(&self) -> Option<&'b str> {
        self.subprotocol
    }

    /// Returns the value of `Sec-WebSocket-Extensions`: a well-formed list of extensions that were offered by name.
    ///
    /// Whether the parameters suit the offer is for the extension to say.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new(*b"the sample nonce"));
    /// # let request = request.subprotocols(&["chat"]).extensions(&["x-one"]);
    /// # let headers = [("upgrade", &b"websocket"[..]), ("connection", b"upgrade"), ("server", b"s"),
    /// #     ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    /// #     ("sec-websocket-protocol", b"chat"), ("sec-websocket-extensions", b"x-one; a=1")];
    /// # let outcome = request.response_from_parts(101, (1, 1), &headers).unwrap();
    /// # let Outcome::Upgraded(response) = outcome else { panic!() };
    /// assert_eq!(response.extensions(), Some(&b"x-one; a=1"[..]));
    /// ```
    #[must_use]
    pub const fn extensions(&self) -> Option<&'b [u8]> {
        self.extensions
    }

    /// Returns the first value of the header `name`, ASCII case ignored.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new(*b"the sample nonce"));
    /// # let request = request.subprotocols(&["chat"]).extensions(&["x-one"]);
    /// # let headers = [("upgrade", &b"websocket"[..]), ("connection", b"upgrade"), ("server", b"s"),
    /// #     ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    /// #     ("sec-websocket-protocol", b"chat"), ("sec-websocket-extensions", b"x-one; a=1")];
    /// # let outcome = request.response_from_parts(101, (1, 1), &headers).unwrap();
    /// # let Outcome::Upgraded(response) = outcome else { panic!() };
    /// assert_eq!(response.header("Server"), Some(&b"s"[..]));
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'b [u8]> {
        self.headers.get(name)
    }

    /// Iterates over all headers in the order of the wire.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
    /// # let uri = Uri::parse("ws://localhost").unwrap();
    /// # let request = Request::new(uri, Key::new(*b"the sample nonce"));
    /// # let request = request.subprotocols(&["chat"]).extensions(&["x-one"]);
    /// # let headers = [("upgrade", &b"websocket"[..]), ("connection", b"upgrade"), ("server", b"s"),
    /// #     ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    /// #     ("sec-websocket-protocol", b"chat"), ("sec-websocket-extensions", b"x-one; a=1")];
    /// # let outcome = request.response_from_parts(101, (1, 1), &headers).unwrap();
    /// # let Outcome::Upgraded(response) = outcome else { panic!() };
    /// assert_eq!(response.headers().count(), 6);
    /// ```
    #[must_use]
    pub fn headers(&self) -> HeaderIter<'b> {
        self.headers.into_iter()
    }
}

/// A response that does not open the connection.
///
/// ```
/// # use websocket_wire::{Status, handshake::{Key, Uri, client::{Outcome, Request}}};
/// # let request = Request::new(Uri::parse("ws://localhost").unwrap(), Key::new([0; 16]));
/// let received = b"HTTP/1.1 302 Found\r\nLocation: wss://example.com/\r\n\r\n";
/// let (outcome, _) = request.parse_response(received).unwrap().complete().unwrap();
/// let Outcome::Refused(refusal) = outcome else { panic!("upgraded") };
/// assert_eq!(refusal.status(), 302);
/// assert_eq!(refusal.header("Location"), Some(&b"wss://example.com/"[..]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'b> {
    status: u16,
    headers: Headers<'b>,
}

impl<'b> Refusal<'b> {
    pub(crate) fn new(status: u16, headers: Headers<'b>) -> Self {
        Self { status, headers }
    }

    /// Returns the status code, any number of three digits but 101.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
    /// # let request = Request::new(Uri::parse("ws://localhost").unwrap(), Key::new([0; 16]));
    /// # let headers = [("www-authenticate", &b"Basic"[..])];
    /// # let outcome = request.response_from_parts(401, (1, 1), &headers).unwrap();
    /// # let Outcome::Refused(refusal) = outcome else { panic!() };
    /// assert_eq!(refusal.status(), 401);
    /// ```
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the first value of the header `name`, ASCII case ignored.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
    /// # let request = Request::new(Uri::parse("ws://localhost").unwrap(), Key::new([0; 16]));
    /// # let headers = [("www-authenticate", &b"Basic"[..])];
    /// # let outcome = request.response_from_parts(401, (1, 1), &headers).unwrap();
    /// # let Outcome::Refused(refusal) = outcome else { panic!() };
    /// assert_eq!(refusal.header("WWW-Authenticate"), Some(&b"Basic"[..]));
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'b [u8]> {
        self.headers.get(name)
    }

    /// Iterates over all headers in the order of the wire.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, Uri, client::{Outcome, Request}};
    /// # let request = Request::new(Uri::parse("ws://localhost").unwrap(), Key::new([0; 16]));
    /// # let headers = [("www-authenticate", &b"Basic"[..])];
    /// # let outcome = request.response_from_parts(401, (1, 1), &headers).unwrap();
    /// # let Outcome::Refused(refusal) = outcome else { panic!() };
    /// assert_eq!(refusal.headers().count(), 1);
    /// ```
    #[must_use]
    pub fn headers(&self) -> HeaderIter<'b> {
        self.headers.into_iter()
    }
}

/// The headers that decide, found in one pass.
#[derive(Default)]
pub(crate) struct Fields<'b> {
    pub(crate) upgrade: Option<&'b [u8]>,
    pub(crate) connection: bool,
    pub(crate) accept: Option<&'b [u8]>,
    pub(crate) subprotocol: Option<&'b [u8]>,
    pub(crate) extensions: Option<&'b [u8]>,
}

impl<'b> Fields<'b> {
    pub(crate) fn collect(headers: Headers<'b>) -> Result<Self, HandshakeError> {
        let mut fields = Self::default();
        for (name, value) in headers.raw() {
            fields.add(name, value)?;
        }
        Ok(fields)
    }

    /// §11.3.2 to §11.3.4: these headers "MUST NOT appear more than once in an HTTP response".
    fn add(&mut self, name: &[u8], value: &'b [u8]) -> Result<(), HandshakeError> {
        let is = |known: &str| is_name(name, known);
        if is("Upgrade") {
            set_once(&mut self.upgrade, value, HandshakeError::Upgrade)?;
        } else if is("Connection") {
            self.connection |= has_token(value, "Upgrade");
        } else if is("Sec-WebSocket-Accept") {
            set_once(&mut self.accept, value, HandshakeError::Accept)?;
        } else if is("Sec-WebSocket-Protocol") {
            set_once(&mut self.subprotocol, value, HandshakeError::Subprotocol)?;
        } else if is("Sec-WebSocket-Extensions") {
            set_once(&mut self.extensions, value, HandshakeError::Extensions)?;
        }
        Ok(())
    }
}

/// Splits `HTTP-version SP status-code [SP reason-phrase]` (RFC 9112 §4); many servers leave out the last blank.
pub(crate) fn split_status_line(line: &[u8]) -> Result<((u8, u8), u16), HandshakeError> {
    let (version, rest) = line.split_at_checked(8).ok_or(HandshakeError::Malformed)?;
    let version = parse_version(version)?;
    match rest {
        [b' ', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', reason @ ..]
            if matches!(reason, [] | [b' ', ..]) && is_header_value(reason) =>
        {
            let digit = |c: &u8| u16::from(c - b'0');
            Ok((version, 100 * digit(a) + 10 * digit(b) + digit(c)))
        }
        _ => Err(HandshakeError::Malformed),
    }
}
