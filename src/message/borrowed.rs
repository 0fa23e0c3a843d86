//! Whole messages, borrowed.

use crate::close::CloseFrame;
use crate::opcode::Opcode;
use crate::rsv::Rsv;

/// A whole message that lies in somebody else's memory, or a control frame, which is one of its own.
///
/// ```
/// use websocket_wire::{Config, MessageRef, SliceAssembler, Status};
///
/// let mut memory = [0; 64];
/// let mut assembler = SliceAssembler::new(Config::client(), &mut memory);
/// let mut input = *b"\x81\x05Hello";
/// let status = assembler.decode(&mut input)?;
/// assert_eq!(status, Status::Complete { value: Some(MessageRef::Text("Hello")), consumed: 7 });
/// # Ok::<(), websocket_wire::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MessageRef<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping, to be answered with a pong of the same payload (§5.5.2).
    Ping(&'a [u8]),
    /// A pong (§5.5.3).
    Pong(&'a [u8]),
    /// A close frame: its code and its reason, or `None` where it had no body.
    Close(Option<CloseFrame<'a>>),
    /// A message that is not the core's to read: of an opcode that an extension claimed, or with a reserved bit, or a
    /// text whose validation was switched off. Its payload is unmasked and otherwise as it came.
    Raw {
        /// The opcode of the message's first frame.
        opcode: Opcode,
        /// The reserved bits of the message's first frame.
        rsv: Rsv,
        /// The payloads of the message's frames, joined.
        payload: &'a [u8],
    },
}

impl<'a> MessageRef<'a> {
    /// Returns the message with these bytes, which are no text.
    pub(super) fn of_bytes(opcode: Opcode, rsv: Rsv, payload: &'a [u8]) -> Self {
        match opcode {
            Opcode::Binary if rsv.is_empty() => Self::Binary(payload),
            Opcode::Ping if rsv.is_empty() => Self::Ping(payload),
            Opcode::Pong if rsv.is_empty() => Self::Pong(payload),
            // The decoder has let it through, so it can be read.
            Opcode::Close if rsv.is_empty() => Self::Close(CloseFrame::parse(payload).ok().flatten()),
            _ => Self::Raw { opcode, rsv, payload },
        }
    }
}
