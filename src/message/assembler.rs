//! From bytes to whole messages.

use alloc::vec::Vec;
use core::{fmt, mem};

use bytes::{Buf, Bytes, BytesMut};

use super::{Close, Message, Text};
use crate::config::Config;
use crate::decoder::{Coming, Decoder, Place};
use crate::error::DecodeError;
use crate::extension::{Extensions, Part};
use crate::frame::Frame;
use crate::opcode::Opcode;
use crate::rsv::Rsv;
use crate::status::Status;

/// The longest payload that is copied out of the input, in bytes, unless told otherwise. Up to there a copy into a
/// fresh allocation takes no longer than counting references: 60 ns a message against 82 with 16 bytes, 110 against 120
/// with 512, 134 against 131 with 1024 (x86-64, in a buffer of 64 KiB, decoding included).
const COPIED: usize = 512;

/// The least capacity for a message in parts, in bytes.
const LEAST: usize = 64;

/// Decodes one direction of a connection into whole messages.
///
/// A message that lies in one frame and in one buffer is returned as a view of that buffer, without a copy, if it is
/// longer than 512 bytes or what [`share_above`](Self::share_above) says. A shorter one is copied out, so that it does
/// not keep a large buffer alive; who stores longer ones for long copies them with [`Message::compacted`].
///
/// # Memory
///
/// What comes in parts is joined, each byte copied once as it arrives, in one allocation that grows with what was
/// received, never with what was declared: to less than twice that, and neither above
/// [`Limits::message_len`](crate::Limits::message_len) nor above the length of the message once that is certain. So
/// whatever a peer sends, an assembler holds at most the limit, and the input that it is given. Where the allocator
/// cannot extend the allocation and copies it, which is its affair, it holds for that moment the old one too, of at
/// most half the limit. Between messages nothing is held.
///
/// The assembler has a [`Decoder`] of its own, because it makes [`Text`] of exactly the bytes that this decoder has
/// validated.
///
/// ```
/// use bytes::BytesMut;
/// use websocket_wire::{Assembler, Config, Message};
///
/// let mut assembler = Assembler::new(Config::client());
/// let mut input = BytesMut::from(&b"\x01\x03Hel\x89\x00\x80\x02lo\x81\x05wo"[..]);
/// assert_eq!(assembler.next_message(&mut input)?, Some(Message::Ping("".into())));
/// assert_eq!(assembler.next_message(&mut input)?, Some(Message::Text("Hello".into())));
/// assert_eq!(assembler.next_message(&mut input)?, None); // the rest of "world" is still to come
/// # Ok::<(), websocket_wire::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Assembler {
    decoder: Decoder,
    joint: Joint,
    /// The reserved bits of the first frame of the message that is open.
    rsv: Rsv,
    extensions: Extensions,
    /// What an extension, or the text that it gave, has failed with.
    failed: Option<DecodeError>,
    /// The longest payload that is copied out of the input.
    copied: usize,
}

/// The message that is open, as far as it has come.
struct Joint {
    bytes: Vec<u8>,
    /// How many bytes of it the decoder has delivered. Should joining them panic, and the panic be caught, `bytes` has
    /// another number, and is not what the decoder has validated.
    delivered: usize,
    /// How long it is going to be, once its final frame has begun; `usize::MAX` until then.
    total: usize,
    /// How long it may be.
    limit: usize,
}

/// What is kept of a [`Frame`] once its buffer is needed.
struct Kind {
    opcode: Opcode,
    rsv: Rsv,
    /// This message was validated as text from its first byte to its last.
    is_valid_text: bool,
}

impl Assembler {
    /// Returns the assembler of a fresh connection.
    ///
    /// ```
    /// # use websocket_wire::{Assembler, Config};
    /// assert!(Assembler::new(Config::server()).decoder().is_idle());
    /// ```
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::with_extensions(config, Extensions::new())
    }

    /// Returns the assembler of a fresh connection on which these extensions were negotiated. Their claims are added to
    /// those of `config`.
    ///
    /// What an extension makes of a message is held to the limit of [`Limits::message_len`](crate::Limits::message_len)
    /// while it is made, as are the frames that carried it; text is validated as it comes out.
    ///
    /// ```
    /// # use websocket_wire::{Assembler, Config, Extensions};
    /// let assembler = Assembler::with_extensions(Config::server(), Extensions::new());
    /// assert_eq!(*assembler.decoder().config(), Config::server());
    /// ```
    #[must_use]
    pub fn with_extensions(config: Config, extensions: Extensions) -> Self {
        let config = config.claims(config.claims.with(extensions.claims()));
        let decoder = Decoder::new(config);
        Self { decoder, joint: Joint::new(&config), rsv: Rsv::NONE, extensions, failed: None, copied: COPIED }
    }

    /// Sets which messages share the buffer that they were received in, of those that lie in one frame and in one
    /// buffer: those with a payload of more than `len` bytes; 512 unless called. With 0 none is copied, with
    /// `usize::MAX` none shares, and each has an allocation of exactly its length.
    ///
    /// A shared buffer is freed, or can be filled again, when the last message in it has been dropped.
    ///
    /// ```
    /// # use bytes::BytesMut;
    /// # use websocket_wire::{Assembler, Config, Message};
    /// let mut assembler = Assembler::new(Config::client()).share_above(0);
    /// let mut input = BytesMut::from(&b"\x82\x04data"[..]);
    /// let place = input[2..].as_ptr();
    /// let Some(Message::Binary(payload)) = assembler.next_message(&mut input)? else { panic!() };
    /// assert_eq!(payload.as_ptr(), place);
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[must_use]
    pub fn share_above(mut self, len: usize) -> Self {
        self.copied = len;
        self
    }

    /// Takes from the front of `input` what belongs to the next message and returns it once it is whole.
    ///
    /// Control frames are returned as they come, also between the fragments of a message. `None` says that more input
    /// is needed; what is left in `input` then, at most a header or a control frame, is to be kept in front of it.
    /// Behind a close frame all input is dropped and `None` is returned for ever.
    ///
    /// # Errors
    ///
    /// As [`Decoder::decode`]: messages that were whole before the fault are returned first. Of extensions:
    /// [`DecodeError::InvalidExtensionData`], and [`DecodeError::MessageTooLong`] or [`DecodeError::InvalidUtf8`] for
    /// what they decode. [`error`](Self::error) tells it afterwards.
    ///
    /// ```
    /// # use bytes::BytesMut;
    /// # use websocket_wire::{Assembler, Config, DecodeError, Message};
    /// let mut assembler = Assembler::new(Config::client());
    /// let mut input = BytesMut::from(&b"\x82\x01a\x83"[..]);
    /// assert_eq!(assembler.next_message(&mut input), Ok(Some(Message::Binary("a".into()))));
    /// input.extend_from_slice(&[0]);
    /// assert_eq!(assembler.next_message(&mut input), Err(DecodeError::ReservedOpcode));
    /// ```
    pub fn next_message(&mut self, input: &mut BytesMut) -> Result<Option<Message>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        loop {
            let Self { decoder, joint, rsv, extensions, .. } = self;
            let mut place = ToJoint { joint, rsv, extensions, is_joined: false };
            let status = decoder.decode_to(input, &mut place)?;
            let is_joined = place.is_joined;
            let (frame, consumed) = match status {
                Status::Complete { value, consumed } => (value, consumed),
                Status::Partial { .. } if self.decoder.is_closed() => {
                    // "discards any further data received" (§1.4), so that a peer that goes on sending fills no buffer.
                    input.clear();
                    return Ok(None);
                }
                Status::Partial { .. } => return Ok(None),
            };
            if is_joined {
                let (opcode, ends_message) = (frame.message_opcode(), frame.ends_message());
                self.joint.delivered += consumed - frame.range().start;
                debug_assert_eq!(self.joint.bytes.len(), self.joint.delivered);
                input.advance(consumed);
                if ends_message {
                    return Ok(Some(self.finish(opcode)));
                }
                continue;
            }
            let header = frame.header();
            let rsv = if header.opcode == Opcode::Continuation { self.rsv } else { header.rsv };
            if self.extensions.decodes(frame.message_opcode(), rsv) {
                let decoded = extended(&mut self.extensions, &frame, rsv, self.decoder.config());
                input.advance(consumed);
                match decoded {
                    Ok(None) => continue,
                    Ok(message) => return Ok(message),
                    Err(error) => {
                        self.failed = Some(error);
                        return Err(error);
                    }
                }
            }
            if !frame.is_last_part() {
                // A message that is all here, but of which the text is valid so far only. The fault comes next.
                input.advance(consumed);
                continue;
            }
            let (kind, range) = (Kind::of(&frame), frame.range());
            if range.len() > self.copied {
                // Not a `slice` of the whole frame: that counts one reference more, and then one less.
                input.advance(range.start);
                return Ok(Some(kind.message(input.split_to(range.len()).freeze())));
            }
            let payload = Bytes::copy_from_slice(frame.payload());
            input.advance(consumed);
            return Ok(Some(kind.message(payload)));
        }
    }

    /// Returns the fault that the next call of [`next_message`](Self::next_message) says, where there was one: the
    /// decoder's or an extension's.
    ///
    /// ```
    /// # use websocket_wire::{Assembler, Config};
    /// assert_eq!(Assembler::new(Config::server()).error(), None);
    /// ```
    #[must_use]
    pub const fn error(&self) -> Option<DecodeError> {
        match self.failed {
            Some(error) => Some(error),
            None => self.decoder.error(),
        }
    }

    /// Makes a message of the parts that were joined.
    fn finish(&mut self, opcode: Opcode) -> Message {
        let (payload, is_whole) = self.joint.take();
        Kind { opcode, rsv: self.rsv, is_valid_text: is_whole && self.decoder.validates() }.message(payload.into())
    }

    /// Returns the decoder, to ask for its state.
    ///
    /// ```
    /// # use websocket_wire::{Assembler, Config};
    /// assert_eq!(Assembler::new(Config::server()).decoder().error(), None);
    /// ```
    #[must_use]
    pub const fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// What decides whether a part is joined.
struct ToJoint<'a> {
    joint: &'a mut Joint,
    rsv: &'a mut Rsv,
    extensions: &'a Extensions,
    is_joined: bool,
}

impl Place for ToJoint<'_> {
    fn room(&mut self, coming: &Coming<'_>) -> Option<&mut Vec<u8>> {
        let opcode = coming.header.opcode;
        if coming.is_first_part && opcode.is_data() && opcode != Opcode::Continuation {
            *self.rsv = coming.header.rsv;
        }
        let is_decoded = self.extensions.decodes(coming.message_opcode, *self.rsv);
        self.is_joined = opcode.is_data() && !is_decoded && !coming.is_message();
        self.is_joined.then(|| self.joint.room(coming))
    }
}

impl Joint {
    const fn new(config: &Config) -> Self {
        let limit = config.limits.message_len;
        let limit = if limit < isize::MAX as u64 { limit as usize } else { isize::MAX as usize };
        Self { bytes: Vec::new(), delivered: 0, total: usize::MAX, limit }
    }

    /// Returns the place for a part, where there is room for it.
    ///
    /// To decode a long frame in steps of 16 KiB, so that a copy reads from the first level of the cache, saved 4 to
    /// 5 % of 64 KiB that come in two reads; to unmask while copying saves 18 %. To keep the part where it was
    /// received, and add the rest to it there, saves the copy only while the buffer has room behind it, and has the
    /// next read take another buffer meanwhile.
    fn room(&mut self, coming: &Coming<'_>) -> &mut Vec<u8> {
        if coming.header.fin && coming.is_first_part {
            let len = usize::try_from(coming.header.payload_len).unwrap_or(usize::MAX);
            self.total = self.bytes.len().saturating_add(len);
        }
        let needed = self.bytes.len() + coming.len;
        if needed > self.bytes.capacity() {
            let capacity = grown(needed, self.limit).min(self.total);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        &mut self.bytes
    }

    /// Returns the message, and whether it is what the decoder has delivered.
    fn take(&mut self) -> (Vec<u8>, bool) {
        let bytes = mem::take(&mut self.bytes);
        self.total = usize::MAX;
        let is_whole = mem::take(&mut self.delivered) == bytes.len();
        (bytes, is_whole)
    }
}

/// Returns the capacity for `needed` bytes: less than twice that, and one of the halves of `limit`, so that the last
/// step, where both allocations may be held, is from half of the limit to all of it.
fn grown(needed: usize, limit: usize) -> usize {
    match (limit / needed.max(LEAST)).checked_ilog2() {
        Some(halvings) => limit >> halvings,
        None => needed.max(limit),
    }
}

/// Passes a frame on to the extensions; returns the message that it ends.
fn extended(
    extensions: &mut Extensions,
    frame: &Frame<'_>,
    rsv: Rsv,
    config: &Config,
) -> Result<Option<Message>, DecodeError> {
    let header = frame.header();
    let part = Part {
        rsv,
        is_first: frame.is_first_part() && header.opcode != Opcode::Continuation,
        is_last: frame.is_last_part() && header.fin,
        ..Part::whole(frame.message_opcode(), frame.payload())
    };
    let limit = usize::try_from(config.limits.message_len).unwrap_or(usize::MAX);
    // A bit that `config` claims itself stays, and says that the text has yet to be transformed.
    let is_transformed = config.claims.transforms(extensions.claims().undone(rsv));
    let is_text = part.opcode == Opcode::Text && !config.skip_text_validation && !is_transformed;
    let Some(decoded) = extensions.decode(part, limit, is_text)? else {
        return Ok(None);
    };
    let kind = Kind { opcode: part.opcode, rsv: decoded.rsv, is_valid_text: decoded.is_valid_text };
    Ok(Some(kind.message(decoded.payload.into())))
}

impl Kind {
    fn of(frame: &Frame<'_>) -> Self {
        Self { opcode: frame.message_opcode(), rsv: frame.header().rsv, is_valid_text: frame.text().is_some() }
    }

    fn message(self, payload: Bytes) -> Message {
        match self.opcode {
            _ if !self.rsv.is_empty() => self.raw(payload),
            #[allow(unsafe_code)]
            // SAFETY: the decoder has validated these bytes as a whole text message: those of the one frame whose
            // `text` was there, or those of all parts since the message began, which were joined in order. Or they are
            // an `Output` that has validated each of them as it was written.
            Opcode::Text if self.is_valid_text => Message::Text(unsafe { Text::from_valid(payload) }),
            Opcode::Binary => Message::Binary(payload),
            Opcode::Ping => Message::Ping(payload),
            Opcode::Pong => Message::Pong(payload),
            Opcode::Close => Message::Close(close(payload)),
            _ => self.raw(payload),
        }
    }

    fn raw(self, payload: Bytes) -> Message {
        Message::Raw { opcode: self.opcode, rsv: self.rsv, payload }
    }
}

/// Reads a close body that the decoder has let through.
fn close(payload: Bytes) -> Option<Close> {
    let (code, reason) = (payload.first_chunk()?, payload.slice(2..));
    Some(Close { code: u16::from_be_bytes(*code).into(), reason: Text::try_from(reason).ok()? })
}

impl fmt::Debug for Joint {
    /// Shows how much has come, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joint").field("delivered", &self.delivered).field("limit", &self.limit).finish_non_exhaustive()
    }
}
