//! The decoder: bytes in, judged and unmasked frames out (RFC 6455 §5, §6.2, §8.1).

mod whole;

use crate::close::CloseFrame;
use crate::config::{Config, Role};
use crate::error::DecodeError;
use crate::frame::Frame;
use crate::header::{Form, Header, MAX_CONTROL_LEN, Start, WHOLE_BINARY, WHOLE_TEXT};
use crate::mask::{Mask, MaskingKey};
use crate::opcode::Opcode;
use crate::sequence::Sequence;
use crate::simd;
use crate::status::Status;
use crate::utf8::{Utf8Error, Validator};
use whole::inline_end;

/// Decodes one direction of a connection.
///
/// The decoder owns no buffer. [`decode`](Self::decode) looks at the front of the caller's and either changes nothing
/// and says how many bytes are missing, or unmasks in place and says how many bytes it consumed. However the input is
/// cut, the same payload comes out, and the same verdict at the same byte.
///
/// ```
/// use websocket_wire::{Decoder, Status};
///
/// let mut decoder = Decoder::server();
/// let mut buf = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89";
/// let (mut at, mut texts) = (0, 0);
/// while let Status::Complete { value: frame, consumed } = decoder.decode(&mut buf[at..])? {
///     assert_eq!(frame.text(), Some("Hello"));
///     at += consumed;
///     texts += 1;
/// }
/// assert_eq!((texts, &buf[at..]), (1, &[0x89][..])); // the first byte of a ping waits for the rest
/// # Ok::<(), websocket_wire::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    config: Config,
    sequence: Sequence,
    state: State,
    current: Current,
    validator: Validator,
    /// Whether the text of the message that is open is validated here.
    validates: bool,
    /// One above the longest payload that `decode` may take inline; 0 unless a frame may begin and no message is open.
    inline_end: u8,
    /// Whether the role asks for masked frames.
    is_masked: bool,
}

/// Where the next byte of the input stands.
#[derive(Clone, Copy, Debug)]
enum State {
    /// At the first byte of a header.
    Header,
    /// In the payload of a data frame.
    Payload,
    /// Behind a close frame.
    Closed,
    /// Behind a fault of the peer.
    Failed(DecodeError),
}

/// A part that is to be delivered.
#[cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "nobody joins parts"))]
pub(crate) struct Coming<'a> {
    pub(crate) header: &'a Header,
    pub(crate) message_opcode: Opcode,
    pub(crate) len: usize,
    pub(crate) is_first_part: bool,
    pub(crate) is_last_part: bool,
}

#[cfg(feature = "alloc")]
impl Coming<'_> {
    /// Tells whether this is a whole message.
    pub(crate) const fn is_message(&self) -> bool {
        let is_first = self.is_first_part && !matches!(self.header.opcode, Opcode::Continuation);
        is_first && self.is_last_part && self.header.fin
    }
}

/// Who may want a part joined to others.
pub(crate) trait Place {
    /// Returns where the part is to be joined to others, with the room for it, or `None` where it is to be left in the
    /// buffer.
    fn room(&mut self, coming: &Coming<'_>) -> Option<&mut Joined>;
}

/// Where the parts of a message are joined.
#[cfg(feature = "alloc")]
pub(crate) type Joined = alloc::vec::Vec<u8>;
/// Without a heap there is no such place.
#[cfg(not(feature = "alloc"))]
pub(crate) enum Joined {}

/// The frame whose payload is being delivered.
#[derive(Clone, Copy, Debug)]
struct Current {
    header: Header,
    message_opcode: Opcode,
    mask: Mask,
    remaining: u64,
}

impl Current {
    /// Before the first frame.
    const NONE: Self = Self {
        header: Header::new(Opcode::Continuation),
        message_opcode: Opcode::Continuation,
        mask: Mask::new(MaskingKey::new([0; 4])),
        remaining: 0,
    };
}

impl Decoder {
    /// Returns the decoder of a fresh connection.
    ///
    /// ```
    /// # use websocket_wire::{Config, Decoder};
    /// assert!(Decoder::new(Config::server().skip_text_validation()).is_idle());
    /// ```
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            sequence: Sequence::new(),
            state: State::Header,
            current: Current::NONE,
            validator: Validator::new(),
            validates: false,
            inline_end: inline_end(&config),
            is_masked: matches!(config.role, Role::Server),
        }
    }

    /// Returns the strict decoder of a client, which receives what a server sends.
    ///
    /// ```
    /// # use websocket_wire::Decoder;
    /// assert!(Decoder::client().decode(&mut [0x82, 0]).is_ok());
    /// ```
    #[must_use]
    pub const fn client() -> Self {
        Self::new(Config::client())
    }

    /// Returns the strict decoder of a server, which receives what a client sends.
    ///
    /// ```
    /// # use websocket_wire::Decoder;
    /// assert!(Decoder::server().decode(&mut [0x82, 0x80, 1, 2, 3, 4]).is_ok());
    /// ```
    #[must_use]
    pub const fn server() -> Self {
        Self::new(Config::server())
    }

    /// Decodes the frame at the front of `buf`, or as much of it as is here.
    ///
    /// On `Complete`, the first `consumed` bytes are done with: call again with what follows them. A data frame comes
    /// in parts, the first with its header; a control frame waits until it is all here, which takes a buffer of 131
    /// bytes at most. On `Partial` the buffer is as it was: call again with the same bytes and at least one more,
    /// `needed` of them before anything can be said. The bytes behind `consumed` are never changed.
    ///
    /// Behind a close frame nothing is looked at: every call returns `Partial` (§1.4, §5.5.1), and
    /// [`is_closed`](Self::is_closed) tells so.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke. What came before the fault was delivered first: of invalid text, the bytes up to
    /// the first one that no valid text can contain. The buffer is as it was, and every further call says the same
    /// error without looking at its buffer.
    ///
    /// ```
    /// # use websocket_wire::{DecodeError, Decoder, Status};
    /// let mut decoder = Decoder::client();
    /// let mut buf = *b"\x81\x05ab\xFFcd";
    /// let Status::Complete { value, consumed } = decoder.decode(&mut buf)? else { panic!() };
    /// assert_eq!((value.payload(), value.is_last_part(), consumed), (&b"ab"[..], false, 4));
    /// assert_eq!(decoder.decode(&mut buf[4..]).unwrap_err(), DecodeError::InvalidUtf8);
    /// # Ok::<(), DecodeError>(())
    /// ```
    // The frames that most traffic is made of are taken here, inlined into the caller's loop; all else is one call
    // away. With one general path for all, the same frames took three to five times as long. Inlined always, because a
    // program with more than one call would otherwise get a call, and the frame by way of memory.
    #[inline(always)]
    pub fn decode<'b>(&mut self, buf: &'b mut [u8]) -> Result<Status<Frame<'b>>, DecodeError> {
        match self.decode_short(buf) {
            Ok(status) => Ok(status),
            Err(buf) => self.decode_any(buf),
        }
    }

    /// Does what [`decode`](Self::decode) does, but asks `place` for each part that comes by the general path. Where
    /// there is a place, the part is appended to that, unmasked, instead of being unmasked where it lies, and the
    /// payload of the frame that is returned is empty.
    #[cfg(feature = "alloc")]
    pub(crate) fn decode_to<'b>(
        &mut self,
        buf: &'b mut [u8],
        place: &mut dyn Place,
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        match self.decode_short(buf) {
            Ok(status) => Ok(status),
            Err(buf) => self.decode_long(buf, Some(place)),
        }
    }

    /// Decodes a whole message that is short and ASCII or binary; gives the buffer back, as it was, for all else.
    #[inline(always)]
    fn decode_short<'b>(&self, buf: &'b mut [u8]) -> Result<Status<Frame<'b>>, &'b mut [u8]> {
        if let [first @ (WHOLE_TEXT | WHOLE_BINARY), second, ..] = *buf {
            if self.is_masked {
                if let Some((end, key)) = self.unmask_short(first, second, buf) {
                    let value = self.whole_frame(first, Some(key), 6, &mut buf[6..end]);
                    return Ok(Status::Complete { value, consumed: end });
                }
            } else if let Some(end) = self.judge_short(first, second, buf) {
                let value = self.whole_frame(first, None, 2, &mut buf[2..end]);
                return Ok(Status::Complete { value, consumed: end });
            }
        }
        Err(buf)
    }

    // All that `decode` leaves to another function it leaves to this one, as its last act; to call one in the middle,
    // for text that is not ASCII, took two cycles of every frame that is, because of what had to outlive the call. Not
    // generic, so that it is compiled here, and what it calls can be inlined.
    #[inline(never)]
    fn decode_any<'b>(&mut self, buf: &'b mut [u8]) -> Result<Status<Frame<'b>>, DecodeError> {
        self.decode_long(buf, None)
    }

    /// Decodes what is not short.
    #[inline(always)]
    fn decode_long<'b>(
        &mut self,
        buf: &'b mut [u8],
        place: Option<&mut dyn Place>,
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        // Without vectors most of the time goes into the bytes, and flash counts.
        if simd::VECTORS
            && let [first @ (WHOLE_TEXT | WHOLE_BINARY), ..] = *buf
            && let Some((start, end, key)) = self.unmask_whole(first, buf)
        {
            let value = self.whole_frame(first, key, start as u8, &mut buf[start..end]);
            return Ok(Status::Complete { value, consumed: end });
        }
        self.decode_next(buf, place)
    }

    /// The general path. Out of line, so that the other one saves no registers for its sake.
    #[inline(never)]
    fn decode_next<'b>(
        &mut self,
        buf: &'b mut [u8],
        place: Option<&mut dyn Place>,
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        let result = match self.state {
            State::Header => self.begin(buf, place),
            State::Payload => self.deliver(0, buf, place),
            State::Closed => Ok(Status::Partial { needed: 1 }),
            State::Failed(error) => Err(error),
        };
        if let Err(error) = result {
            self.state = State::Failed(error);
        }
        self.inline_end = if self.is_idle() { inline_end(&self.config) } else { 0 };
        result
    }

    /// Judges the header at the front of `buf`, each of its fields as soon as it is all here.
    fn begin<'b>(
        &mut self,
        buf: &'b mut [u8],
        place: Option<&mut dyn Place>,
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        let start = match Start::parse(buf) {
            Status::Complete { value, .. } => value,
            Status::Partial { needed } => return Ok(Status::Partial { needed }),
        };
        self.check_start(start)?;
        let form = if self.config.allow_non_minimal_length { Form::Any } else { Form::Minimal };
        let (len, key_at) = match start.parse_len(buf, form)? {
            Status::Complete { value, consumed } => (value, consumed),
            Status::Partial { needed } => return Ok(Status::Partial { needed }),
        };
        self.check_len(start, len)?;
        // A control frame is delivered whole; of a data frame the first byte is enough, if it has any.
        let wanted = if start.opcode().is_control() { len as usize } else { usize::from(len > 0) };
        match start.parse_key(buf, len, key_at) {
            Status::Complete { value: header, consumed } if buf.len() >= consumed + wanted => {
                self.accept(header);
                self.deliver(consumed, buf, place)
            }
            Status::Complete { consumed, .. } => Ok(Status::Partial { needed: consumed + wanted - buf.len() }),
            Status::Partial { needed } => Ok(Status::Partial { needed: needed + wanted }),
        }
    }

    /// Checks what the first two bytes can break, in the order in which they are on the wire.
    fn check_start(&self, start: Start) -> Result<(), DecodeError> {
        let (opcode, claims) = (start.opcode(), self.config.claims);
        // "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values" (§5.2)
        if !claims.allowed_rsv(opcode).contains(start.rsv()) {
            return Err(DecodeError::ReservedBits);
        }
        // "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_." (§5.2)
        if !claims.allows(opcode) {
            return Err(DecodeError::ReservedOpcode);
        }
        self.sequence.check(opcode)?;
        // "The server MUST close the connection upon receiving a frame that is not masked. [...] A client MUST close a
        // connection if it detects a masked frame." (§5.1)
        let is_masked = start.is_masked();
        if is_masked != self.is_masked && !self.config.allow_mask_mismatch {
            return Err(if is_masked { DecodeError::UnexpectedMask } else { DecodeError::MissingMask });
        }
        // "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented." (§5.5)
        start.check_control()?;
        // "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer" (§5.5.1)
        if start.is_one_byte_close() {
            return Err(DecodeError::InvalidCloseLength);
        }
        Ok(())
    }

    /// Checks a declared length against the limits, before anything of the payload is waited for (§10.4).
    fn check_len(&self, start: Start, payload_len: u64) -> Result<(), DecodeError> {
        let header = Header { fin: start.fin(), payload_len, ..Header::new(start.opcode()) };
        let limit = if header.opcode.is_control() { MAX_CONTROL_LEN } else { self.config.limits.frame_len };
        if payload_len > limit || usize::try_from(payload_len).is_err() {
            return Err(DecodeError::FrameTooLong);
        }
        Ok(self.sequence.check_frame(&header, &self.config.limits)?)
    }

    /// Makes the frame with `header` the current one.
    fn accept(&mut self, header: Header) {
        let message_opcode = match (header.opcode, self.sequence.message()) {
            (Opcode::Continuation, Some(opcode)) => opcode,
            (opcode, _) => opcode,
        };
        if header.opcode.is_data() && header.opcode != Opcode::Continuation {
            self.validator = Validator::new();
            self.validates = header.opcode == Opcode::Text
                && !self.config.skip_text_validation
                && !self.config.claims.transforms(header.rsv);
        }
        self.sequence.advance(&header);
        let mask = Mask::new(header.mask.unwrap_or(MaskingKey::new([0; 4])));
        self.current = Current { header, message_opcode, mask, remaining: header.payload_len };
    }

    /// Unmasks, judges and returns the payload of `current` that lies in `buf` from `start` on.
    fn deliver<'b>(
        &mut self,
        start: usize,
        buf: &'b mut [u8],
        place: Option<&mut dyn Place>,
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        let remaining = self.current.remaining;
        let here = buf.len() - start;
        let len = usize::try_from(remaining).map_or(here, |remaining| remaining.min(here));
        if len == 0 && remaining > 0 {
            return Ok(Status::Partial { needed: 1 });
        }
        let header = &self.current.header;
        let is_first_part = remaining == header.payload_len;
        let is_last_part = len as u64 == remaining;
        let part = &mut buf[start..start + len];
        if let Some(place) = place {
            let Current { message_opcode, .. } = self.current;
            let coming = Coming { header, message_opcode, len, is_first_part, is_last_part };
            if let Some(joined) = place.room(&coming) {
                let valid_len = self.unmask_to(part, joined, is_last_part)?;
                return self.delivered(start, len, valid_len, is_first_part, is_last_part, &mut buf[start..start]);
            }
        }
        let valid_len = self.unmask(part, is_last_part)?;
        self.delivered(start, len, valid_len, is_first_part, is_last_part, &mut buf[start..start + valid_len])
    }

    /// Takes `valid_len` of the `len` bytes of a part that begins at `start` for delivered.
    #[inline(always)]
    fn delivered<'b>(
        &mut self,
        start: usize,
        len: usize,
        valid_len: usize,
        is_first_part: bool,
        is_last_part: bool,
        payload: &'b mut [u8],
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        if valid_len == 0 && len > 0 {
            return Err(DecodeError::InvalidUtf8);
        }
        self.current.remaining -= valid_len as u64;
        self.state = self.state_behind(valid_len < len);
        let is_last_part = is_last_part && valid_len == len;
        let current = &self.current;
        let value = Frame {
            header: current.header,
            message_opcode: current.message_opcode,
            is_first_part,
            is_last_part,
            is_valid_text: is_first_part
                && is_last_part
                && self.validates
                && current.header.fin
                && current.header.opcode == Opcode::Text,
            start: start as u8,
            payload,
        };
        Ok(Status::Complete { value, consumed: start + valid_len })
    }

    /// Returns the state behind a part; `is_invalid` tells that the byte that follows it is a fault.
    fn state_behind(&self, is_invalid: bool) -> State {
        if is_invalid {
            State::Failed(DecodeError::InvalidUtf8)
        } else if self.current.remaining > 0 {
            State::Payload
        } else if self.current.header.opcode == Opcode::Close {
            State::Closed
        } else {
            State::Header
        }
    }

    /// Unmasks `payload` and returns how much of it is without fault; the rest is left masked.
    fn unmask(&mut self, payload: &mut [u8], is_last: bool) -> Result<usize, DecodeError> {
        let before = self.current.mask;
        let Header { opcode, fin, mask, .. } = self.current.header;
        if opcode.is_data() && self.validates {
            let ends_message = is_last && fin;
            return self.unmask_validated(payload, ends_message);
        }
        if mask.is_some() {
            self.current.mask.apply(payload);
        }
        if opcode == Opcode::Close
            && let Err(error) = CloseFrame::parse(payload)
        {
            // Masking again takes the mask off the mask: the buffer is as it was.
            let mut mask = before;
            mask.apply(payload);
            return Err(error.into());
        }
        Ok(payload.len())
    }

    /// Appends `part`, of a data frame, to `joined`, unmasked, and returns how much of it is without fault; the rest is
    /// not appended.
    #[cfg(feature = "alloc")]
    #[inline(never)]
    fn unmask_to(&mut self, part: &[u8], joined: &mut Joined, is_last: bool) -> Result<usize, DecodeError> {
        let Header { fin, mask, .. } = self.current.header;
        if mask.is_some() && !self.validates {
            self.current.mask.append(part, joined);
            return Ok(part.len());
        }
        let mut ascii = 0;
        if mask.is_some() && self.validator.is_boundary() {
            ascii = self.current.mask.append_while_ascii(part, joined);
            if ascii == part.len() {
                return Ok(ascii);
            }
        }
        let at = joined.len();
        joined.extend_from_slice(&part[ascii..]);
        if !self.validates {
            return Ok(part.len());
        }
        let rest = &mut joined[at..];
        let before = self.current.mask;
        let result = match mask {
            Some(_) if rest.is_empty() => Ok(()),
            Some(_) => self.validator.unmask_any(&mut self.current.mask, rest),
            None => self.validator.push(rest),
        };
        let valid_len = self.closed(result, before, rest, is_last && fin);
        joined.truncate(at + valid_len.unwrap_or(0));
        Ok(ascii + valid_len?)
    }

    #[cfg(not(feature = "alloc"))]
    fn unmask_to(&mut self, _part: &[u8], joined: &mut Joined, _is_last: bool) -> Result<usize, DecodeError> {
        match *joined {}
    }

    /// Unmasks `payload` of a text message up to its first fault.
    fn unmask_validated(&mut self, payload: &mut [u8], ends_message: bool) -> Result<usize, DecodeError> {
        let before = self.current.mask;
        let result = match self.current.header.mask {
            Some(_) => self.validator.unmask(&mut self.current.mask, payload),
            None => self.validator.push(payload),
        };
        self.closed(result, before, payload, ends_message)
    }

    /// Returns how much of `payload` is without fault, given what the validator has found in it, and that the message
    /// ends with it.
    #[inline(always)]
    fn closed(
        &self,
        result: Result<(), Utf8Error>,
        before: Mask,
        payload: &mut [u8],
        ends_message: bool,
    ) -> Result<usize, DecodeError> {
        if let Err(error) = result {
            return Ok(error.position());
        }
        // The end of the message closes the validator, not its last byte: an empty final fragment must fail a code
        // point that is open. Where there is a last byte, it is the one that no valid text can end with.
        if ends_message && self.validator.finish().is_err() {
            let Some((last, rest)) = payload.split_last_mut() else {
                return Err(DecodeError::InvalidUtf8);
            };
            let mut mask = before;
            mask.advance(rest.len());
            mask.apply(core::slice::from_mut(last));
            return Ok(rest.len());
        }
        Ok(payload.len())
    }

    /// Tells whether the input may end here: no frame and no message is unfinished, no close frame has come, and
    /// nothing has failed.
    ///
    /// ```
    /// # use websocket_wire::Decoder;
    /// let mut decoder = Decoder::client();
    /// assert!(decoder.decode(&mut [0x82, 2, 1]).is_ok());
    /// assert!(!decoder.is_idle()); // one byte of the payload is still to come
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        matches!(self.state, State::Header) && self.sequence.message().is_none()
    }

    /// Tells whether a close frame has come, behind which nothing is decoded.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// let mut decoder = Decoder::client();
    /// assert!(decoder.decode(&mut [0x88, 0])?.complete().is_some() && decoder.is_closed());
    /// assert_eq!(decoder.decode(&mut [0xFF; 9])?.complete().map(drop), None);
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Returns the fault that the next call of [`decode`](Self::decode) says, where there was one.
    ///
    /// ```
    /// # use websocket_wire::{DecodeError, Decoder};
    /// let mut decoder = Decoder::client();
    /// assert!(decoder.decode(&mut [0x83, 0]).is_err());
    /// assert_eq!(decoder.error(), Some(DecodeError::ReservedOpcode));
    /// ```
    #[inline]
    #[must_use]
    pub const fn error(&self) -> Option<DecodeError> {
        match self.state {
            State::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Tells whether the text of the message that is open, or that the last part has ended, was validated here.
    #[cfg(feature = "alloc")]
    pub(crate) const fn validates(&self) -> bool {
        self.validates
    }

    /// Returns what this decoder accepts.
    ///
    /// ```
    /// # use websocket_wire::{Config, Decoder};
    /// assert_eq!(*Decoder::client().config(), Config::client());
    /// ```
    #[inline]
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }
}
