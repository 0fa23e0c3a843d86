//! The I/O that the codec leaves to its caller: blocking TCP, with the opening handshake in front.

#[cfg_attr(not(feature = "deflate"), path = "no_deflate.rs")]
mod deflate;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use bytes::{Buf, BytesMut};
use websocket_wire::handshake::{BuildError, HandshakeError, Key, Uri, client, client::Outcome, server};
use websocket_wire::{
    Assembler, Client, Close, Config, DecodeError, EncodeError, Encoder, Extensions, Header, MaskingKey, Message, Role,
    Server, Side, Status,
};

/// How much is asked for at once, in bytes: what is read stays in the first-level cache until it has been decoded.
const READ: usize = 16 << 10;

/// Why a connection, or the program, ended.
#[derive(Debug)]
pub(crate) enum Fault {
    Io(io::Error),
    Handshake(String),
    Protocol(DecodeError),
    Misuse(EncodeError),
    /// The peer sent a close frame before all was done.
    ClosedEarly(Option<Close>),
    Lost,
    Silent,
    Differs(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the connection failed: {error}"),
            Self::Handshake(what) => write!(f, "the handshake failed: {what}"),
            Self::Protocol(error) => write!(f, "the peer broke the protocol ({}): {error}", error.close_code()),
            Self::Misuse(error) => write!(f, "this message cannot be sent: {error}"),
            Self::ClosedEarly(Some(close)) => {
                write!(f, "the peer closed the connection: {} {:?}", close.code.0, close.reason)
            }
            Self::ClosedEarly(None) => f.write_str("the peer closed the connection: none"),
            Self::Lost => f.write_str("the peer dropped the connection without a close frame"),
            Self::Silent => f.write_str("the peer has not answered in time"),
            Self::Differs(what) => write!(f, "what came back is not what was sent: {what}"),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Protocol(error)
    }
}

impl From<EncodeError> for Fault {
    fn from(error: EncodeError) -> Self {
        Self::Misuse(error)
    }
}

impl From<BuildError> for Fault {
    fn from(error: BuildError) -> Self {
        Self::Handshake(error.to_string())
    }
}

impl From<HandshakeError> for Fault {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error.to_string())
    }
}

/// The sending end of a connection.
pub(crate) struct Peer<S> {
    stream: TcpStream,
    encoder: Encoder<S>,
    extensions: Extensions,
    out: Vec<u8>,
}

impl<S: Side> Peer<S> {
    fn new(stream: TcpStream, encoder: Encoder<S>, extensions: Extensions) -> Self {
        Self { stream, encoder: encoder.claims(extensions.claims()), extensions, out: Vec::new() }
    }

    pub(crate) fn send(&mut self, message: &Message) -> Result<(), Fault> {
        self.out.clear();
        self.encoder.message_with(&mut self.extensions, message, &mut self.out)?;
        Ok(self.stream.write_all(&self.out)?)
    }

    pub(crate) fn send_frame(&mut self, header: Header, payload: &[u8]) -> Result<(), Fault> {
        let wire = self.encode(header, payload)?;
        self.write(&wire)
    }

    pub(crate) fn encode(&mut self, header: Header, payload: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut wire = Vec::with_capacity(Header::MAX_LEN + payload.len());
        let (header, payload) = self.extensions.encode(header, payload, &mut self.out)?;
        self.encoder.encode_to(header, payload, &mut wire)?;
        Ok(wire)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        Ok(self.stream.write_all(bytes)?)
    }
}

/// The receiving end of a connection.
pub(crate) struct Receiver {
    stream: TcpStream,
    assembler: Assembler,
    input: BytesMut,
}

impl Receiver {
    /// Waits for the next message; `None` is the end of the stream.
    pub(crate) fn receive(&mut self) -> Result<Option<Message>, Fault> {
        loop {
            if let Some(message) = self.assembler.next_message(&mut self.input)? {
                return Ok(Some(message));
            }
            if read_more(&mut self.stream, &mut self.input)? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Answers the opening handshake; returns both ends and the path that was asked for.
pub(crate) fn accept(mut stream: TcpStream) -> Result<(Peer<Server>, Receiver, String), Fault> {
    stream.set_nodelay(true)?;
    let (mut input, mut out) = (BytesMut::new(), [0; 1024]);
    loop {
        match server::Request::parse(&input) {
            Ok(Status::Complete { value: request, consumed }) => {
                let path = request.path().to_owned();
                let (answer, agreement) = deflate::answer(request.extensions())?.unzip();
                let len = request.accept().extensions(answer.as_deref()).encode(&mut out)?;
                stream.write_all(&out[..len])?;
                input.advance(consumed);
                let extensions = || deflate::extensions(Role::Server, agreement);
                let assembler = Assembler::with_extensions(Config::server(), extensions());
                let receiver = Receiver { stream: stream.try_clone()?, assembler, input };
                return Ok((Peer::new(stream, Encoder::server(), extensions()), receiver, path));
            }
            Ok(Status::Partial { .. }) => {}
            Err(error) => {
                let len = server::Refusal::from(error).encode(&mut out)?;
                stream.write_all(&out[..len])?;
                return Err(error.into());
            }
        }
        if read_more(&mut stream, &mut input)? == 0 {
            return Err(Fault::Lost);
        }
    }
}

/// Connects to `url` and makes the opening handshake. `params` are those of permessage-deflate, where it is offered.
pub(crate) fn connect<M: FnMut() -> MaskingKey>(
    url: &str,
    params: Option<&str>,
    masks: M,
) -> Result<(Peer<Client<M>>, Receiver), Fault> {
    let uri = Uri::parse(url).map_err(|error| Fault::Handshake(error.to_string()))?;
    if uri.is_secure() {
        return Err(Fault::Handshake("this example has no TLS: the URL must begin with ws://".into()));
    }
    let host = uri.host().trim_start_matches('[').trim_end_matches(']');
    let mut stream = TcpStream::connect((host, uri.port()))?;
    stream.set_nodelay(true)?;
    let offer = params.map(deflate::offer).transpose()?;
    let text = offer.map(|offer| offer.to_string());
    let offers: Vec<&str> = text.as_deref().into_iter().collect();
    let request = client::Request::new(uri, Key::new(random())).extensions(&offers);
    let (mut input, mut out) = (BytesMut::new(), vec![0; request.encoded_len()?]);
    request.encode(&mut out)?;
    stream.write_all(&out)?;
    loop {
        if let Status::Complete { value, consumed } = request.parse_response(&input)? {
            let response = match value {
                Outcome::Upgraded(response) => response,
                Outcome::Refused(refusal) => {
                    return Err(Fault::Handshake(format!("the server answered with status {}", refusal.status())));
                }
            };
            let agreement = deflate::agreed(offer.as_ref(), response.extensions())?;
            if let Some(answer) = response.extensions() {
                println!("agreed on {}", answer.escape_ascii());
            }
            input.advance(consumed);
            let extensions = || deflate::extensions(Role::Client, agreement);
            let assembler = Assembler::with_extensions(Config::client(), extensions());
            let receiver = Receiver { stream: stream.try_clone()?, assembler, input };
            return Ok((Peer::new(stream, Encoder::client(masks), extensions()), receiver));
        }
        if read_more(&mut stream, &mut input)? == 0 {
            return Err(Fault::Lost);
        }
    }
}

/// Returns unpredictable bytes of the operating system's.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}

/// Reads once to the end of `input`; returns how many bytes came, 0 at the end of the stream.
fn read_more(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<usize> {
    let len = input.len();
    input.resize(len + READ, 0);
    let result = stream.read(&mut input[len..]);
    input.truncate(len + result.as_ref().map_or(0, |read| *read));
    result
}
