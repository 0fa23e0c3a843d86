//! Whole messages, owned.

use bytes::{BufMut, Bytes};

use super::Text;
use crate::close::{CloseCode, CloseFrame};
use crate::encoder::Encoder;
use crate::error::EncodeError;
use crate::header::Header;
use crate::opcode::Opcode;
use crate::rsv::Rsv;
use crate::side::Side;

/// A whole message, or a control frame, which is one of its own.
///
/// ```
/// use websocket_wire::{Encoder, Message, Text};
///
/// let mut wire = Vec::new();
/// Encoder::server().message_to(&Message::Text(Text::from("Hello")), &mut wire)?;
/// assert_eq!(wire, b"\x81\x05Hello");
/// # Ok::<(), websocket_wire::EncodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Message {
    /// A text message: valid UTF-8.
    Text(Text),
    /// A binary message.
    Binary(Bytes),
    /// A ping, to be answered with a pong of the same payload (§5.5.2).
    Ping(Bytes),
    /// A pong (§5.5.3).
    Pong(Bytes),
    /// A close frame: its code and its reason, or `None` where it had no body.
    Close(Option<Close>),
    /// A message that is not the core's to read: of an opcode that an extension claimed, or with a reserved bit, or a
    /// text whose validation was switched off. Its payload is unmasked and otherwise as it came.
    Raw {
        /// The opcode of the message's first frame.
        opcode: Opcode,
        /// The reserved bits of the message's first frame.
        rsv: Rsv,
        /// The payloads of the message's frames, joined.
        payload: Bytes,
    },
}

impl Message {
    /// Returns the message in memory of its own, of exactly its length, so that it keeps nothing else alive: copies its
    /// payload.
    ///
    /// For who stores messages: what an [`Assembler`](crate::Assembler) returns may be a view of the buffer that it was
    /// received in, or lie in memory that is up to twice as long.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use websocket_wire::Message;
    /// let buffer = Bytes::from(vec![7; 1 << 16]);
    /// let message = Message::Binary(buffer.slice(..1000)).compacted();
    /// assert_eq!(message, Message::Binary(buffer.slice(..1000)));
    /// assert!(buffer.is_unique());
    /// ```
    #[must_use]
    pub fn compacted(&self) -> Self {
        let copied = |payload: &Bytes| Bytes::copy_from_slice(payload);
        match self {
            Self::Text(text) => Self::Text(text.compacted()),
            Self::Binary(payload) => Self::Binary(copied(payload)),
            Self::Ping(payload) => Self::Ping(copied(payload)),
            Self::Pong(payload) => Self::Pong(copied(payload)),
            Self::Close(None) => Self::Close(None),
            Self::Close(Some(Close { code, reason })) => {
                Self::Close(Some(Close { code: *code, reason: reason.compacted() }))
            }
            Self::Raw { opcode, rsv, payload } => Self::Raw { opcode: *opcode, rsv: *rsv, payload: copied(payload) },
        }
    }

    /// Returns what describes the message to an encoder, and its payload, for which a close frame takes `body`.
    pub(super) fn parts<'a>(&'a self, body: &'a mut [u8; CloseFrame::MAX_LEN]) -> (Header, &'a [u8]) {
        match self {
            Self::Text(text) => (Opcode::Text.into(), text.as_bytes()),
            Self::Binary(payload) => (Opcode::Binary.into(), payload),
            Self::Ping(payload) => (Opcode::Ping.into(), payload),
            Self::Pong(payload) => (Opcode::Pong.into(), payload),
            Self::Close(None) => (Opcode::Close.into(), &[]),
            Self::Close(Some(close)) => (Opcode::Close.into(), close.as_frame().encode(body)),
            Self::Raw { opcode, rsv, payload } => (Header::new(*opcode).with_rsv(*rsv), payload),
        }
    }
}

/// The body of a close frame, owned. See [`CloseFrame`] for the borrowed one.
///
/// ```
/// use websocket_wire::{Close, CloseCode, CloseFrame};
///
/// let close = Close { code: CloseCode::NORMAL, reason: "bye".into() };
/// assert_eq!(close.as_frame(), CloseFrame::new(CloseCode::NORMAL, "bye"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Close {
    /// Why the connection ends.
    pub code: CloseCode,
    /// The reason in words; 123 bytes at most go into a frame.
    pub reason: Text,
}

impl Close {
    /// Returns the body to be encoded; a reason of more than 123 bytes is cut where a code point begins.
    ///
    /// ```
    /// # use websocket_wire::{Close, CloseCode};
    /// let close = Close { code: CloseCode(4000), reason: "x".repeat(200).into() };
    /// assert_eq!(close.as_frame().reason().len(), 123);
    /// ```
    #[must_use]
    pub fn as_frame(&self) -> CloseFrame<'_> {
        CloseFrame::new(self.code, &self.reason)
    }
}

impl<S: Side> Encoder<S> {
    /// Appends a message in one frame to `buf`, which grows where it can.
    ///
    /// # Errors
    ///
    /// As [`encode_to`](Self::encode_to).
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Message};
    /// let mut wire = Vec::new();
    /// Encoder::server().message_to(&Message::Close(None), &mut wire)?;
    /// assert_eq!(wire, [0x88, 0]);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn message_to(&mut self, message: &Message, buf: &mut impl BufMut) -> Result<(), EncodeError> {
        let mut body = [0; CloseFrame::MAX_LEN];
        let (header, payload) = message.parts(&mut body);
        self.encode_to(header, payload, buf)
    }
}
