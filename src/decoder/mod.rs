//! The decoder: bytes in, judged and unmasked frames out (RFC 6455 §5, §6.2, §8.1).

mod deliver;
mod whole;

use crate::config::{Config, Role};
use crate::error::DecodeError;
use crate::frame::Frame;
use crate::header::{Form, Header, Start, WHOLE_BINARY, WHOLE_TEXT};
use crate::mask::{Mask, MaskingKey};
use crate::opcode::Opcode;
use crate::sequence::Sequence;
use crate::simd;
use crate::status::Status;
use crate::utf8::Validator;
#[cfg(feature = "alloc")]
pub(crate) use deliver::Coming;
pub(crate) use deliver::Place;
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
    /// Whether the message that is open, or was the last one, is text that is validated here.
    validates: bool,
    /// One above the longest payload that `decode` may take inline, while a frame may begin and no message is open; 0
    /// otherwise.
    inline_end: u8,
    /// What `inline_end` is then: the configuration's.
    short_end: u8,
    /// Whether the role asks for masked frames.
    // The role tells it too: asked of that, an empty frame took 11 cycles instead of 8 (Zen 5).
    is_masked: bool,
    /// The first byte of a whole text that is validated; 0, which begins none, where none is.
    valid_text: u8,
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

/// The frame whose payload is being delivered.
#[derive(Clone, Copy, Debug)]
struct Current {
    header: Header,
    message_opcode: Opcode,
    mask: Mask,
    /// Bytes of the payload that are still to come: no payload is accepted that is longer than the address space.
    remaining: usize,
}

impl Current {
    /// Before the first frame.
    // As a constant it was bytes in flash and two copies of them.
    const fn none() -> Self {
        Self {
            header: Header::new(Opcode::Continuation),
            message_opcode: Opcode::Continuation,
            mask: Mask::new(MaskingKey::new([0; 4])),
            remaining: 0,
        }
    }
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
            current: Current::none(),
            validator: Validator::new(),
            validates: false,
            inline_end: inline_end(&config),
            short_end: inline_end(&config),
            is_masked: matches!(config.role, Role::Server),
            valid_text: if config.skip_text_validation { 0 } else { WHOLE_TEXT },
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
        match self.decode_whole(buf) {
            Ok(status) => Ok(status),
            Err(buf) => self.decode_next(buf, None),
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
        match self.decode_whole(buf) {
            Ok(status) => Ok(status),
            Err(buf) => self.decode_next(buf, Some(place)),
        }
    }

    /// Decodes a whole message that is all here; gives the buffer back, as it was, for all else.
    #[inline(always)]
    pub(crate) fn decode_whole<'b>(&self, buf: &'b mut [u8]) -> Result<Status<Frame<'b>>, &'b mut [u8]> {
        if let [first @ (WHOLE_TEXT | WHOLE_BINARY), second, ..] = *buf {
            if !simd::VECTORS {
                // Most of the time goes into the bytes there, and flash counts: one path for both roles, and no other.
                if let Some((start, end, key)) = self.unmask_by_words(first, second, buf) {
                    let value = self.whole_frame(first, key, start, &mut buf[usize::from(start)..end]);
                    return Ok(Status::Complete { value, consumed: end });
                }
                return Err(buf);
            }
            if self.is_masked {
                if let Some((end, key)) = self.unmask_short(first, second, buf) {
                    let value = self.whole_frame(first, Some(key), 6, &mut buf[6..end]);
                    return Ok(Status::Complete { value, consumed: end });
                }
            } else if let Some(end) = self.judge_short(first, second, buf) {
                let value = self.whole_frame(first, None, 2, &mut buf[2..end]);
                return Ok(Status::Complete { value, consumed: end });
            }
            if let Some((start, end, key)) = self.unmask_whole(first, buf).get() {
                let key = self.is_masked.then_some(key);
                let value = self.whole_frame(first, key, start, &mut buf[usize::from(start)..end]);
                return Ok(Status::Complete { value, consumed: end });
            }
        }
        Err(buf)
    }

    /// The general path. Out of line, so that the other one saves no registers for its sake.
    #[inline(never)]
    pub(crate) fn decode_next<'b>(
        &mut self,
        buf: &'b mut [u8],
        place: Option<&mut dyn Place>,
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        let result = self.go_on(buf, place);
        if let Err(error) = result {
            self.state = State::Failed(error);
        }
        self.inline_end = if self.is_idle() { self.short_end } else { 0 };
        result
    }

    /// Does what the state asks for; a fault is not yet kept.
    #[inline(always)]
    fn go_on<'b>(
        &mut self,
        buf: &'b mut [u8],
        place: Option<&mut dyn Place>,
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        let start = match self.state {
            State::Header => match self.begin(buf)? {
                Status::Complete { consumed, .. } => consumed,
                Status::Partial { needed } => return Ok(Status::Partial { needed }),
            },
            State::Payload => 0,
            State::Closed => return Ok(Status::Partial { needed: 1 }),
            State::Failed(error) => return Err(error),
        };
        self.deliver(start, buf, place)
    }

    /// Judges the header at the front of `buf`, each of its fields as soon as it is all here, and makes its frame the
    /// current one as soon as something of it can be delivered; `consumed` is where the payload begins.
    #[inline(always)]
    fn begin(&mut self, buf: &[u8]) -> Result<Status<()>, DecodeError> {
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
                Ok(Status::Complete { value: (), consumed })
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
    #[inline(always)]
    fn check_len(&self, start: Start, payload_len: u64) -> Result<(), DecodeError> {
        // That of a control frame is known since its second byte.
        if start.opcode().is_control() {
            return Ok(());
        }
        let header = Header { fin: start.fin(), payload_len, ..Header::new(start.opcode()) };
        if payload_len > self.config.limits.frame_len || usize::try_from(payload_len).is_err() {
            return Err(DecodeError::FrameTooLong);
        }
        Ok(self.sequence.check_limits(&header, &self.config.limits)?)
    }

    /// Makes the frame with `header` the current one.
    #[inline(always)]
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
        self.current = Current { header, message_opcode, mask, remaining: header.payload_len as usize };
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
