//! The opening handshake: read, judged and answered (RFC 6455 §4.2).

use std::fmt;
use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use websocket_wire::Status;
use websocket_wire::extension::deflate::{Agreement, Offer};
use websocket_wire::extension::params::List;
use websocket_wire::handshake::{BuildError, HandshakeError, server};

use crate::options::Options;

/// What the handshake has led to.
pub(crate) struct Accepted {
    /// What has come behind the request: the first frames, perhaps.
    pub(crate) input: BytesMut,
    /// What permessage-deflate is to do, where it was agreed on.
    pub(crate) deflate: Option<Agreement>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum Refused {
    Io(io::Error),
    Request(HandshakeError),
    Origin(Option<String>),
    /// The stream ended within the request.
    Cut,
    Answer(BuildError),
}

/// Reads the request and answers it, also where the answer is no.
pub(crate) async fn accept(stream: &mut TcpStream, options: &Options) -> Result<Accepted, Refused> {
    let mut input = BytesMut::with_capacity(4096);
    loop {
        match server::Request::parse(&input) {
            Ok(Status::Complete { value: request, consumed }) => {
                if !is_allowed(request.origin(), &options.origins) {
                    let origin = request.origin().map(str::to_owned);
                    refuse(stream, server::Refusal::new(403)).await?;
                    return Err(Refused::Origin(origin));
                }
                let deflate = agreement(&request, options)?;
                let extensions = deflate.as_ref().map(Agreement::to_string);
                let protocols: Vec<&str> = options.protocols.iter().map(String::as_str).collect();
                let subprotocol = request.choose_subprotocol(&protocols);
                let answer = request.accept().subprotocol(subprotocol).extensions(extensions.as_deref());
                let mut out = vec![0; answer.encoded_len()?];
                answer.encode(&mut out)?;
                stream.write_all(&out).await?;
                input.advance(consumed);
                return Ok(Accepted { input, deflate });
            }
            Ok(Status::Partial { .. }) => {}
            Err(error) => {
                refuse(stream, error.into()).await?;
                return Err(Refused::Request(error));
            }
        }
        // The limit of the head, 16 KiB unless said otherwise, bounds this.
        if stream.read_buf(&mut input).await? == 0 {
            return Err(Refused::Cut);
        }
    }
}

/// "Servers that are not intended to process input from any web page but only for certain sites SHOULD verify the |Origin|
/// field is an origin they expect." (§10.2)
fn is_allowed(origin: Option<&str>, origins: &[String]) -> bool {
    origins.is_empty()
        || origin.is_some_and(|origin| origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)))
}

/// Chooses from the client's offers of permessage-deflate.
fn agreement(request: &server::Request<'_>, options: &Options) -> Result<Option<Agreement>, Refused> {
    if !options.is_deflate {
        return Ok(None);
    }
    // What is sent to all is compressed once, so no message may refer to the one before it.
    let offer = Offer { server_no_context_takeover: options.is_broadcast, ..Offer::DEFAULT };
    let offers = List::new(request.extensions());
    let agreement = offer.accept(offers).map_err(|_| Refused::Request(HandshakeError::Extensions))?;
    // And with the full window; who cannot have that gets it uncompressed.
    Ok(agreement
        .filter(|agreement| !options.is_broadcast || agreement.server_max_window_bits.is_none_or(|bits| bits == 15)))
}

async fn refuse(stream: &mut TcpStream, refusal: server::Refusal<'_>) -> Result<(), Refused> {
    let mut out = vec![0; refusal.encoded_len()?];
    refusal.encode(&mut out)?;
    Ok(stream.write_all(&out).await?)
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<BuildError> for Refused {
    fn from(error: BuildError) -> Self {
        Self::Answer(error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the connection failed within the handshake: {error}"),
            Self::Request(error) => write!(f, "refused with {}: {error}", error.status()),
            Self::Origin(Some(origin)) => write!(f, "refused with 403: the origin {origin:?} is not allowed"),
            Self::Origin(None) => f.write_str("refused with 403: the request names no origin"),
            Self::Cut => f.write_str("the connection ended within the handshake"),
            Self::Answer(error) => write!(f, "the handshake cannot be answered: {error}"),
        }
    }
}
