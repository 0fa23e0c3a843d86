//! The same handshake from and to the types of the `http` crate.

use std::vec;
use std::vec::Vec;

use http::header::{HeaderMap, HeaderName, HeaderValue, Iter};
use http::{Response, Version};

use super::answer::Accept;
use super::head::{Head, Headers, trim};
use super::response::{Outcome, split_status_line};
use super::server::{Policy, RequestLine, Target};
use super::writer::WriteHead;
use super::{BuildError, HandshakeError, client, server};

impl<'a> server::Request<'a> {
    /// Checks a request that an HTTP library has parsed into a [`http::Request`]; the body is left alone.
    ///
    /// The same rules hold as for [`Request::parse`](server::Request::parse).
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first rule found broken; [`Refusal::to_http`](server::Refusal::to_http) answers it.
    ///
    /// ```
    /// use websocket_wire::handshake::server;
    ///
    /// let received = http::Request::get("/chat")
    ///     .header("host", "example.com")
    ///     .header("upgrade", "websocket")
    ///     .header("connection", "Upgrade")
    ///     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .header("sec-websocket-version", "13")
    ///     .body(())?;
    /// let response = server::Request::from_http(&received)?.accept().to_http()?;
    /// assert_eq!(response.status(), 101);
    /// assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_http<B>(request: &'a http::Request<B>) -> Result<Self, HandshakeError> {
        Self::from_http_with(request, Policy::new())
    }

    /// Does what [`Request::from_http`](server::Request::from_http) does, with the versions that `policy` admits; its
    /// limits do not matter here.
    ///
    /// # Errors
    ///
    /// As [`Request::from_http`](server::Request::from_http).
    ///
    /// ```
    /// use websocket_wire::handshake::{HandshakeError, server::{Policy, Request}};
    ///
    /// let plain = http::Request::get("/").body(()).unwrap();
    /// let error = Request::from_http_with(&plain, Policy::new().allow_version_8()).unwrap_err();
    /// assert_eq!(error, HandshakeError::Host);
    /// ```
    pub fn from_http_with<B>(request: &'a http::Request<B>, policy: Policy) -> Result<Self, HandshakeError> {
        let uri = request.uri();
        let origin = uri.scheme_str().zip(uri.authority().map(|authority| authority.as_str()));
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let line = RequestLine {
            method: request.method().as_str().as_bytes(),
            target: Target::from_parts(origin, path),
            version: digits(request.version()),
        };
        Self::check(line, request.headers().into(), policy)
    }
}

impl Accept<'_> {
    /// Returns the response as the `http` crate has it, without a body.
    ///
    /// # Errors
    ///
    /// [`BuildError`], as [`Accept::encode`], but never for the buffer; [`BuildError::Http`].
    ///
    /// See [`Request::from_http`](server::Request::from_http) for an example.
    pub fn to_http(&self) -> Result<Response<()>, BuildError> {
        response(self)
    }
}

impl server::Refusal<'_> {
    /// Returns the response as the `http` crate has it, without a body.
    ///
    /// # Errors
    ///
    /// [`BuildError`], as [`Refusal::encode`](server::Refusal::encode), but never for the buffer; [`BuildError::Http`].
    ///
    /// ```
    /// use websocket_wire::handshake::{HandshakeError, server::Refusal};
    ///
    /// let response = Refusal::from(HandshakeError::Version).to_http()?;
    /// assert_eq!(response.status(), 426);
    /// assert_eq!(response.headers()["sec-websocket-version"], "13");
    /// # Ok::<(), websocket_wire::handshake::BuildError>(())
    /// ```
    pub fn to_http(&self) -> Result<Response<()>, BuildError> {
        response(self)
    }
}

impl client::Request<'_> {
    /// Returns the request as the `http` crate has it, without a body: the target is a path, `Host` is a header.
    ///
    /// # Errors
    ///
    /// [`BuildError`], as [`Request::encode`](client::Request::encode), but never for the buffer; [`BuildError::Http`].
    ///
    /// ```
    /// use websocket_wire::handshake::{BuildError, Key, Uri, client::Request};
    ///
    /// let request = Request::new(Uri::parse("ws://localhost:9001/chat?x=1").unwrap(), Key::new([0; 16]));
    /// let sent = request.to_http()?;
    /// assert_eq!((sent.uri().path(), sent.uri().query()), ("/chat", Some("x=1")));
    /// assert_eq!(sent.headers()["host"], "localhost:9001");
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn to_http(&self) -> Result<http::Request<()>, BuildError> {
        let text = encoded(self)?;
        let head = Head::written(&text);
        let target = head.start_line.split(|&b| b == b' ').nth(1).unwrap_or_default();
        let mut request = http::Request::new(());
        *request.uri_mut() = http::Uri::try_from(target).map_err(|_| BuildError::Http)?;
        *request.headers_mut() = header_map(head.headers)?;
        Ok(request)
    }

    /// Checks a response that an HTTP library has parsed into a [`http::Response`]; the body is left alone.
    ///
    /// The same rules hold as for [`Request::parse_response`](client::Request::parse_response).
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first rule found broken.
    ///
    /// ```
    /// use websocket_wire::handshake::{HandshakeError, Key, Uri, client::{Outcome, Request}};
    ///
    /// let request = Request::new(Uri::parse("ws://localhost").unwrap(), Key::new(*b"the sample nonce"));
    /// let received = http::Response::builder().status(401).header("www-authenticate", "Basic").body(()).unwrap();
    /// let Outcome::Refused(refusal) = request.response_from_http(&received)? else { panic!("upgraded") };
    /// assert_eq!(refusal.header("WWW-Authenticate"), Some(&b"Basic"[..]));
    /// # Ok::<(), HandshakeError>(())
    /// ```
    pub fn response_from_http<'b, B>(&self, response: &'b http::Response<B>) -> Result<Outcome<'b>, HandshakeError> {
        self.check_response(response.status().as_u16(), digits(response.version()), response.headers().into())
    }
}

/// Iterates over a header map. A clone counts its way to where it was, because the map's own iterator is not `Clone`.
pub(crate) struct MapIter<'a> {
    map: &'a HeaderMap,
    rest: Iter<'a, HeaderValue>,
    taken: usize,
}

impl<'a> MapIter<'a> {
    pub(crate) fn new(map: &'a HeaderMap) -> Self {
        Self { map, rest: map.iter(), taken: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<(&'a str, &'a [u8])> {
        let (name, value) = self.rest.next()?;
        self.taken += 1;
        Some((name.as_str(), trim(value.as_bytes())))
    }
}

impl Clone for MapIter<'_> {
    fn clone(&self) -> Self {
        let mut clone = Self::new(self.map);
        for _ in 0..self.taken {
            clone.next();
        }
        clone
    }
}

fn encoded(message: &impl WriteHead) -> Result<Vec<u8>, BuildError> {
    let mut text = vec![0; message.encoded_len()?];
    message.encode(&mut text)?;
    Ok(text)
}

fn response(message: &impl WriteHead) -> Result<Response<()>, BuildError> {
    let text = encoded(message)?;
    let head = Head::written(&text);
    let (_, status) = split_status_line(head.start_line).map_err(|_| BuildError::Http)?;
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(status).map_err(|_| BuildError::Http)?;
    *response.headers_mut() = header_map(head.headers)?;
    Ok(response)
}

fn header_map(headers: Headers<'_>) -> Result<HeaderMap, BuildError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| BuildError::Http)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| BuildError::Http)?;
        map.try_append(name, value).map_err(|_| BuildError::Http)?;
    }
    Ok(map)
}

fn digits(version: Version) -> (u8, u8) {
    match version {
        Version::HTTP_09 => (0, 9),
        Version::HTTP_10 => (1, 0),
        Version::HTTP_11 => (1, 1),
        Version::HTTP_2 => (2, 0),
        _ => (3, 0),
    }
}
