//! Whole messages over tokio's streams: a codec for `tokio_util::codec::Framed`.

use std::{fmt, io};

use bytes::BytesMut;

use crate::close::CloseCode;
use crate::config::Config;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Assembler, Message};
use crate::side::{Client, MaskSource, Server, Side};

/// Decodes and encodes whole [`Message`]s for [`tokio_util::codec::Framed`].
///
/// A message that lies in one frame is a view of the codec's read buffer, as of an [`Assembler`]; the limits are those
/// of the assembler's [`Config`].
///
/// What it does *not* do: a codec has no say in when something is written, so nothing is answered. Pings and close
/// frames come out as messages; the caller sends the pong, the close frame, and, behind a fault, the close frame with
/// [`CodecError::close_code`], as here. [`Connection::messages`](crate::Connection::messages) does these by itself, for
/// who drives the stream.
///
/// ```
/// use tokio_util::codec::{Decoder, Encoder};
/// use websocket_wire::{Close, Codec, Message};
///
/// /// What an endpoint answers.
/// fn answer(message: Result<Message, websocket_wire::CodecError>) -> Option<Message> {
///     match message {
///         Ok(Message::Ping(payload)) => Some(Message::Pong(payload)),
///         Ok(Message::Close(close)) => Some(Message::Close(close)), // and then the stream is dropped
///         Ok(_) => None,
///         Err(fault) => fault.close_code().map(|code| Message::Close(Some(Close { code, reason: "".into() }))),
///     }
/// }
///
/// let (mut codec, mut out) = (Codec::server(), bytes::BytesMut::new());
/// let mut input = bytes::BytesMut::from(&b"\x89\x81\0\0\0\0p\x83\x80"[..]);
/// for _ in 0..2 {
///     if let Some(answer) = answer(codec.decode(&mut input).map(Option::unwrap)) {
///         codec.encode(answer, &mut out)?;
///     }
/// }
/// assert_eq!(&out[..], b"\x8A\x01p\x88\x02\x03\xEA");
/// # Ok::<(), websocket_wire::CodecError>(())
/// ```
#[derive(Debug)]
pub struct Codec<S> {
    assembler: Assembler,
    encoder: Encoder<S>,
}

impl Codec<Server> {
    /// Returns the strict codec of a server.
    ///
    /// ```
    /// # use websocket_wire::Codec;
    /// assert_eq!(Codec::server().assembler().error(), None);
    /// ```
    #[must_use]
    pub fn server() -> Self {
        Self::new(Assembler::new(Config::server()), Encoder::server())
    }
}

impl<M: MaskSource> Codec<Client<M>> {
    /// Returns the strict codec of a client, which takes a fresh key for every frame from `masks`.
    ///
    /// ```
    /// # use tokio_util::codec::Encoder;
    /// # use websocket_wire::{Codec, MaskingKey, Message};
    /// let (mut codec, mut out) = (Codec::client(|| MaskingKey::new([0, 0, 0, 1])), bytes::BytesMut::new());
    /// codec.encode(Message::Text("hi".into()), &mut out)?;
    /// assert_eq!(&out[..], b"\x81\x82\0\0\0\x01hi");
    /// # Ok::<(), websocket_wire::CodecError>(())
    /// ```
    #[must_use]
    pub fn client(masks: M) -> Self {
        Self::new(Assembler::new(Config::client()), Encoder::client(masks))
    }
}

impl<S: Side> Codec<S> {
    /// Returns the codec of these two halves, for limits of the caller's own, and for extensions of what is received.
    /// What is sent goes through none of them, which permessage-deflate allows; [`Encoder::message_with`] sends through
    /// some.
    ///
    /// ```
    /// # use websocket_wire::{Assembler, Codec, Config, Encoder, Limits};
    /// let limits = Limits { message_len: 4096, ..Limits::DEFAULT };
    /// let codec = Codec::new(Assembler::new(Config::server().limits(limits)), Encoder::server());
    /// # assert_eq!(codec.assembler().error(), None);
    /// ```
    #[must_use]
    pub const fn new(assembler: Assembler, encoder: Encoder<S>) -> Self {
        Self { assembler, encoder }
    }

    /// Returns the receiving half, to ask for its state.
    ///
    /// ```
    /// # use websocket_wire::Codec;
    /// assert!(Codec::server().assembler().decoder().is_idle());
    /// ```
    #[must_use]
    pub const fn assembler(&self) -> &Assembler {
        &self.assembler
    }
}

impl<S: Side> tokio_util::codec::Decoder for Codec<S> {
    type Item = Message;
    type Error = CodecError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Message>, CodecError> {
        Ok(self.assembler.next_message(input)?)
    }

    /// Takes the end of the stream: [`CodecError::Lost`] where no close frame has come before it.
    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<Message>, CodecError> {
        match self.decode(input)? {
            None if !self.assembler.decoder().is_closed() => Err(CodecError::Lost),
            message => Ok(message),
        }
    }
}

impl<S: Side> tokio_util::codec::Encoder<Message> for Codec<S> {
    type Error = CodecError;

    fn encode(&mut self, message: Message, out: &mut BytesMut) -> Result<(), CodecError> {
        Ok(self.encoder.message_to(&message, out)?)
    }
}

/// What can go wrong on a stream of messages. It holds an `io::Error`, so it is not `Copy` as the others are.
#[derive(Debug)]
#[non_exhaustive]
pub enum CodecError {
    /// The stream failed.
    Io(io::Error),
    /// The peer broke a rule.
    Decode(DecodeError),
    /// The caller may not send this.
    Encode(EncodeError),
    /// The stream ended without a close frame: 1006 is to be reported (§7.1.5).
    Lost,
}

impl CodecError {
    /// Returns the code of the close frame to send, where the fault was the peer's.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CodecError, DecodeError};
    /// assert_eq!(CodecError::from(DecodeError::InvalidUtf8).close_code(), Some(CloseCode::INVALID_PAYLOAD));
    /// assert_eq!(CodecError::Lost.close_code(), None);
    /// ```
    #[must_use]
    pub const fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Decode(error) => Some(error.close_code()),
            _ => None,
        }
    }
}

impl From<io::Error> for CodecError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DecodeError> for CodecError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<EncodeError> for CodecError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Decode(error) => error.fmt(f),
            Self::Encode(error) => error.fmt(f),
            Self::Lost => f.write_str("the stream ended without a close frame"),
        }
    }
}

impl core::error::Error for CodecError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Decode(error) => Some(error),
            Self::Encode(error) => Some(error),
            Self::Lost => None,
        }
    }
}
