//! Whole messages, owned (RFC 6455 §5.4, §5.6): what the frames add up to.

mod assembler;
mod extended;
mod text;

use bytes::{BufMut, Bytes};

pub use assembler::Assembler;
pub use text::Text;

use crate::close::{CloseCode, CloseFrame};
use crate::encoder::Encoder;
use crate::error::EncodeError;
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
        match message {
            Message::Text(text) => self.encode_to(Opcode::Text, text.as_bytes(), buf),
            Message::Binary(payload) => self.encode_to(Opcode::Binary, payload, buf),
            Message::Ping(payload) => self.encode_to(Opcode::Ping, payload, buf),
            Message::Pong(payload) => self.encode_to(Opcode::Pong, payload, buf),
            Message::Close(None) => self.encode_to(Opcode::Close, &[], buf),
            Message::Close(Some(close)) => {
                self.encode_to(Opcode::Close, close.as_frame().encode(&mut [0; CloseFrame::MAX_LEN]), buf)
            }
            Message::Raw { opcode, rsv, payload } => {
                self.encode_to(crate::header::Header::new(*opcode).with_rsv(*rsv), payload, buf)
            }
        }
    }
}
