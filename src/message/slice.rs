//! From bytes to whole messages, without a heap.

use core::fmt;

use super::MessageRef;
use crate::config::{Config, Limits};
use crate::decoder::Decoder;
use crate::error::DecodeError;
use crate::frame::Frame;
use crate::opcode::Opcode;
use crate::rsv::Rsv;
use crate::status::Status;

/// Decodes one direction of a connection into whole messages, joined in memory of the caller's.
///
/// It does what [`Assembler`](crate::Assembler) does on the heap, by the same rules. A message that lies in one frame
/// and in one buffer is returned as a view of that buffer; what comes in parts is copied once, as it arrives. A message
/// that is longer than the memory is refused with [`DecodeError::MessageTooLong`], close code 1009, by the header that
/// says so, before a byte of it is taken.
///
/// ```
/// use websocket_wire::{Config, MessageRef, SliceAssembler, Status};
///
/// let mut memory = [0; 64];
/// let mut assembler = SliceAssembler::new(Config::client(), &mut memory);
/// let mut input = *b"\x01\x03Hel\x89\x00\x80\x02lo";
/// let (mut at, mut messages) = (0, 0);
/// while let Status::Complete { value, consumed } = assembler.decode(&mut input[at..])? {
///     at += consumed;
///     match value {
///         None => {} // a part was taken in
///         Some(MessageRef::Ping(payload)) => assert_eq!(payload, b""),
///         Some(message) => {
///             assert_eq!(message, MessageRef::Text("Hello"));
///             messages += 1;
///         }
///     }
/// }
/// assert_eq!((at, messages), (input.len(), 1));
/// # Ok::<(), websocket_wire::DecodeError>(())
/// ```
pub struct SliceAssembler<'m> {
    decoder: Decoder,
    /// The message that is open, as far as it has come: `memory[..len]`.
    memory: &'m mut [u8],
    len: usize,
    /// The reserved bits of its first frame.
    rsv: Rsv,
}

impl<'m> SliceAssembler<'m> {
    /// Returns the assembler of a fresh connection, whose messages are no longer than `memory`, nor than
    /// [`Limits::message_len`].
    ///
    /// ```
    /// # use websocket_wire::{Config, DecodeError, SliceAssembler};
    /// let mut memory = [0; 4];
    /// let mut assembler = SliceAssembler::new(Config::client(), &mut memory);
    /// assert_eq!(assembler.decode(&mut [0x82, 5]), Err(DecodeError::MessageTooLong));
    /// ```
    #[must_use]
    pub fn new(config: Config, memory: &'m mut [u8]) -> Self {
        let message_len = config.limits.message_len.min(memory.len() as u64);
        let decoder = Decoder::new(config.limits(Limits { message_len, ..config.limits }));
        Self { decoder, memory, len: 0, rsv: Rsv::NONE }
    }

    /// Decodes the frame at the front of `input`, or as much of it as is here, and returns the message that it ends.
    ///
    /// `Complete` and `Partial` are those of [`Decoder::decode`]. `Complete` without a message says that a part was
    /// taken in. Control frames are returned as they come, also between the fragments of a message; a close frame ends
    /// the input.
    ///
    /// # Errors
    ///
    /// As [`Decoder::decode`], with the length of the memory as a limit.
    ///
    /// ```
    /// # use websocket_wire::{Config, SliceAssembler, Status};
    /// let mut memory = [0; 4];
    /// let mut assembler = SliceAssembler::new(Config::client(), &mut memory);
    /// assert_eq!(assembler.decode(&mut [0x82])?, Status::Partial { needed: 1 });
    /// assert_eq!(assembler.decode(&mut [0x82, 2, 7])?, Status::Complete { value: None, consumed: 3 });
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    pub fn decode<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Status<Option<MessageRef<'a>>>, DecodeError> {
        let (frame, consumed) = match self.decoder.decode(input)? {
            Status::Complete { value, consumed } => (value, consumed),
            Status::Partial { needed } => return Ok(Status::Partial { needed }),
        };
        let header = *frame.header();
        let value = if header.opcode.is_control() {
            Some(MessageRef::of_bytes(header.opcode, header.rsv, frame.into_payload()))
        } else {
            self.take(frame)
        };
        Ok(Status::Complete { value, consumed })
    }

    /// Returns the decoder, to ask for its state.
    ///
    /// ```
    /// # use websocket_wire::{Config, SliceAssembler};
    /// assert!(SliceAssembler::new(Config::client(), &mut []).decoder().is_idle());
    /// ```
    #[must_use]
    pub const fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Takes a part of a data message; returns the message that it ends.
    fn take<'a>(&'a mut self, frame: Frame<'a>) -> Option<MessageRef<'a>> {
        let (header, opcode) = (*frame.header(), frame.message_opcode());
        if frame.is_first_part() && header.opcode != Opcode::Continuation {
            (self.len, self.rsv) = (0, header.rsv);
            if frame.ends_message() {
                return Some(match frame.text().is_some() && header.rsv.is_empty() {
                    true => frame.into_text().map(MessageRef::Text)?,
                    false => MessageRef::of_bytes(opcode, header.rsv, frame.into_payload()),
                });
            }
        }
        // The limit is at most the length of the memory. Should that be wrong, `len` is out of bounds from here on, and
        // no message is made of memory that has not been written.
        let start = self.len;
        self.len += frame.payload().len();
        self.memory[start..self.len].copy_from_slice(frame.payload());
        frame.ends_message().then(|| self.joined(opcode))
    }

    /// Returns the message that has been joined.
    fn joined(&self, opcode: Opcode) -> MessageRef<'_> {
        let (payload, config) = (&self.memory[..self.len], self.decoder.config());
        let is_valid_text =
            opcode == Opcode::Text && !config.skip_text_validation && !config.claims.transforms(self.rsv);
        if is_valid_text && self.rsv.is_empty() {
            #[allow(unsafe_code)]
            // SAFETY: the decoder has validated the bytes of this message from its first part to its last, because
            // neither the configuration nor a reserved bit has switched that off, and each part was copied behind the
            // one before it: nobody else can feed this decoder or write to this memory.
            return MessageRef::Text(unsafe { core::str::from_utf8_unchecked(payload) });
        }
        MessageRef::of_bytes(opcode, self.rsv, payload)
    }
}

impl fmt::Debug for SliceAssembler<'_> {
    /// Shows the state, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SliceAssembler")
            .field("decoder", &self.decoder)
            .field("room", &self.memory.len())
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
