//! Extensions (RFC 6455 §9): what may use reserved bits and opcodes, and transforms whole messages.
//!
//! ```text
//!               Message                                        Message
//!                  │ encode, in the order of negotiation           ▲ text validated
//!   Extension 1 ───┤                                               ├─── Extension 1
//!   Extension 2 ───┤                                               ├─── Extension 2
//!                  ▼                                               │ decode, in reverse
//!               Encoder ────────────── frames ─────────────▶ Assembler
//! ```
//!
//! [`params`] reads and writes the header in which extensions are negotiated, `deflate` is permessage-deflate, and
//! [`Extension`] is what a stack implements for one of its own.

#[cfg(feature = "deflate")]
pub mod deflate;
#[cfg(feature = "alloc")]
mod output;
pub mod params;
#[cfg(feature = "alloc")]
mod registry;

#[cfg(feature = "alloc")]
pub use output::Output;
#[cfg(feature = "alloc")]
pub use registry::{ClaimConflict, Extensions};

#[cfg(feature = "alloc")]
use crate::{
    config::Claims,
    error::{DecodeError, EncodeError},
    opcode::Opcode,
    rsv::Rsv,
};

/// An extension that transforms messages, in both directions of a connection.
///
/// It is given a message in parts, as they come; what it makes of them counts for the message, not how it was cut. It
/// is asked for the data messages that it owns: those whose first frame has one of its [message
/// bits](Claims::message_rsv), or one of its opcodes. Control frames of its opcodes come whole.
///
/// The state of one direction never depends on the other's, so that a stack may keep one object for each.
///
/// ```
/// use websocket_wire::{Claims, DecodeError, EncodeError, Extension, Output, Part, Rsv};
///
/// /// Turns the letters of every message by thirteen places.
/// struct Rot13;
///
/// fn turned(b: u8) -> u8 {
///     let turn = |first| (b - first + 13) % 26 + first;
///     match b {
///         b'a'..=b'z' => turn(b'a'),
///         b'A'..=b'Z' => turn(b'A'),
///         _ => b,
///     }
/// }
///
/// impl Extension for Rot13 {
///     fn claims(&self) -> Claims {
///         Claims::NONE.message_rsv(Rsv::RSV2)
///     }
///
///     fn encode(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> {
///         out.extend(part.payload.iter().map(|&b| turned(b)));
///         Ok(Some(Rsv::RSV2))
///     }
///
///     fn decode(&mut self, part: Part<'_>, out: &mut Output) -> Result<(), DecodeError> {
///         part.payload.iter().try_for_each(|&b| out.put(&[turned(b)]))
///     }
/// }
///
/// # use bytes::BytesMut;
/// # use websocket_wire::{Assembler, Config, Encoder, Extensions, Message};
/// let extensions = || -> Result<Extensions, _> {
///     let mut extensions = Extensions::new();
///     extensions.register(Box::new(Rot13)).map(|()| extensions)
/// };
/// let (mut sending, mut wire) = (extensions()?, BytesMut::new());
/// let mut encoder = Encoder::server().claims(sending.claims());
/// encoder.message_with(&mut sending, &Message::Text("Uryyb".into()), &mut wire)?;
/// assert_eq!(wire, &b"\xA1\x05Hello"[..]);
///
/// let mut assembler = Assembler::with_extensions(Config::client(), extensions()?);
/// assert_eq!(assembler.next_message(&mut wire)?, Some(Message::Text("Uryyb".into())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "alloc")]
pub trait Extension: Send {
    /// Returns what the extension uses of the reserved bits and opcodes; always the same.
    fn claims(&self) -> Claims;

    /// Transforms a part of a message that is sent: appends to `out` what goes on the wire for it.
    ///
    /// Returns the bits that the message's first frame is to carry, of those that the extension claims; what is
    /// returned for later parts does not matter. `None` for the first part leaves the whole message as it is: `out` is
    /// not looked at, and the extension is not asked for the rest.
    ///
    /// # Errors
    ///
    /// Why the message cannot be sent.
    fn encode(&mut self, part: Part<'_>, out: &mut alloc::vec::Vec<u8>) -> Result<Option<Rsv>, EncodeError>;

    /// Turns a part of a message that was received back: appends to `out` what it stands for.
    ///
    /// # Errors
    ///
    /// What `out` refuses, and [`DecodeError::InvalidExtensionData`] for what the peer cannot have made.
    fn decode(&mut self, part: Part<'_>, out: &mut Output) -> Result<(), DecodeError>;
}

/// A part of a message on its way through an [`Extension`].
///
/// ```
/// use websocket_wire::{Opcode, Part};
///
/// let part = Part::whole(Opcode::Text, b"abc");
/// assert!(part.is_first && part.is_last);
/// ```
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part<'a> {
    /// The opcode of the message; never [`Opcode::Continuation`].
    pub opcode: Opcode,
    /// The reserved bits of the message that extensions behind this one have set, or have not undone yet.
    pub rsv: Rsv,
    /// The message begins with this part.
    pub is_first: bool,
    /// The message ends with this part.
    pub is_last: bool,
    /// The bytes.
    pub payload: &'a [u8],
}

#[cfg(feature = "alloc")]
impl<'a> Part<'a> {
    /// Returns a whole message as one part, without reserved bits.
    ///
    /// ```
    /// # use websocket_wire::{Opcode, Part, Rsv};
    /// assert_eq!(Part::whole(Opcode::Binary, &[]).rsv, Rsv::NONE);
    /// ```
    #[must_use]
    pub const fn whole(opcode: Opcode, payload: &'a [u8]) -> Self {
        Self { opcode, rsv: Rsv::NONE, is_first: true, is_last: true, payload }
    }
}

#[cfg(feature = "alloc")]
impl core::fmt::Debug for Part<'_> {
    /// Shows the length of the payload, never the payload.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Part")
            .field("opcode", &self.opcode)
            .field("rsv", &self.rsv)
            .field("is_first", &self.is_first)
            .field("is_last", &self.is_last)
            .field("len", &self.payload.len())
            .finish()
    }
}
