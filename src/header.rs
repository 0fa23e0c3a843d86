//! The frame header: 2 to 14 bytes in front of every payload (RFC 6455 §5.2).

use core::fmt;
use core::ops::Deref;

use crate::error::{DecodeError, EncodeError};
use crate::mask::{Mask, MaskingKey};
use crate::opcode::Opcode;
use crate::room::Room;
use crate::rsv::Rsv;
use crate::status::Status;

const FIN: u8 = 0x80;
pub(crate) const MASK: u8 = 0x80;
pub(crate) const LENGTH: u8 = 0x7F;
pub(crate) const LENGTH_16: u8 = 126;
pub(crate) const LENGTH_64: u8 = 127;

/// The longest payload of a control frame, in bytes (§5.5).
pub(crate) const MAX_CONTROL_LEN: u64 = 125;

/// The first byte of a whole text message.
pub(crate) const WHOLE_TEXT: u8 = 0x81;
/// The first byte of a whole binary message.
pub(crate) const WHOLE_BINARY: u8 = 0x82;

/// The header of a frame.
///
/// The MASK bit of the wire *is* the `Option` around the key. The fields can hold what may not be sent, as a control
/// frame without FIN; [`encode`](Self::encode) refuses it, and [`parse`](Self::parse) never returns it.
///
/// ```
/// use websocket_wire::{Header, MaskingKey, Opcode, Status};
///
/// let mut header = Header::new(Opcode::Text).fragment();
/// header.mask = Some(MaskingKey::new([1, 2, 3, 4]));
/// header.payload_len = 300;
/// let wire = header.encode().unwrap();
/// assert_eq!(*wire, [0x01, 0xFE, 0x01, 0x2C, 1, 2, 3, 4]);
/// assert_eq!(Header::parse(&wire), Ok(Status::Complete { value: header, consumed: 8 }));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Header {
    /// FIN: this is the final fragment of its message, which may also be the only one.
    pub fin: bool,
    /// RSV1, RSV2, RSV3.
    pub rsv: Rsv,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key: always there from a client, never from a server (§5.1).
    pub mask: Option<MaskingKey>,
    /// The length of the payload in bytes: 0 to 2^63 - 1.
    pub payload_len: u64,
}

impl Header {
    /// The longest header in bytes: two, a 64-bit length and a masking key.
    pub const MAX_LEN: usize = 14;

    /// Returns the header of an empty, unmasked frame with FIN and no reserved bit.
    ///
    /// ```
    /// # use websocket_wire::{Header, Opcode};
    /// assert_eq!(*Header::new(Opcode::Ping).encode().unwrap(), [0x89, 0x00]);
    /// ```
    #[inline]
    #[must_use]
    pub const fn new(opcode: Opcode) -> Self {
        Self { fin: true, rsv: Rsv::NONE, opcode, mask: None, payload_len: 0 }
    }

    /// Returns the header without FIN: more fragments of the message follow (§5.4).
    ///
    /// ```
    /// # use websocket_wire::{Header, Opcode};
    /// assert!(!Header::new(Opcode::Binary).fragment().fin);
    /// ```
    #[inline]
    #[must_use]
    pub const fn fragment(mut self) -> Self {
        self.fin = false;
        self
    }

    /// Returns the header with exactly the reserved bits `rsv`.
    ///
    /// ```
    /// # use websocket_wire::{Header, Opcode, Rsv};
    /// assert_eq!(Header::new(Opcode::Text).with_rsv(Rsv::RSV1).rsv, Rsv::RSV1);
    /// ```
    #[inline]
    #[must_use]
    pub const fn with_rsv(mut self, rsv: Rsv) -> Self {
        self.rsv = rsv;
        self
    }

    /// Reads the header at the front of `bytes`, which stay as they are.
    ///
    /// Checks what a header alone can break. Not checked here, because it depends on the connection: reserved bits and
    /// opcodes, the mask that the role asks for, the order of fragments, the limits; [`Decoder`](crate::Decoder) does.
    /// The first two bytes are judged together; the length is judged as soon as all its bytes are here.
    ///
    /// # Errors
    ///
    /// [`DecodeError::FragmentedControl`], [`ControlTooLong`](DecodeError::ControlTooLong),
    /// [`NonMinimalLength`](DecodeError::NonMinimalLength) and [`LengthTopBit`](DecodeError::LengthTopBit).
    ///
    /// ```
    /// # use websocket_wire::{DecodeError, Header, Status};
    /// assert_eq!(Header::parse(b""), Ok(Status::Partial { needed: 2 }));
    /// assert_eq!(Header::parse(b"\x82\x7E\x01"), Ok(Status::Partial { needed: 1 }));
    /// assert_eq!(Header::parse(b"\x82\x7E\x00\x7D"), Err(DecodeError::NonMinimalLength));
    /// ```
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Status<Self>, DecodeError> {
        let start = match Start::parse(bytes) {
            Status::Complete { value, .. } => value,
            Status::Partial { needed } => return Ok(Status::Partial { needed }),
        };
        start.check_control()?;
        match start.parse_len(bytes, Form::Minimal)? {
            Status::Complete { value, consumed } => Ok(start.parse_key(bytes, value, consumed)),
            Status::Partial { needed } => Ok(Status::Partial { needed }),
        }
    }

    /// Returns the header as it goes on the wire, its length in the shortest form.
    ///
    /// # Errors
    ///
    /// [`EncodeError::FragmentedControl`], [`ControlTooLong`](EncodeError::ControlTooLong) and
    /// [`PayloadTooLong`](EncodeError::PayloadTooLong).
    ///
    /// ```
    /// # use websocket_wire::{EncodeError, Header, Opcode};
    /// assert_eq!(Header::new(Opcode::Close).fragment().encode(), Err(EncodeError::FragmentedControl));
    /// ```
    #[inline]
    pub fn encode(&self) -> Result<HeaderBuf, EncodeError> {
        self.check()?;
        Ok(HeaderBuf::new(self.first_byte(), self.payload_len, self.mask))
    }

    /// Writes the header to the end of `headroom`, so that a payload right behind it becomes a frame without being
    /// moved. Returns the bytes written; what is in front of them stays as it was.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode), and [`EncodeError::BufferTooSmall`] where `headroom` is shorter than
    /// [`encoded_len`](Self::encoded_len); then nothing is written.
    ///
    /// ```
    /// # use websocket_wire::{Header, Opcode};
    /// let mut buf = *b"..............hello";
    /// let mut header = Header::new(Opcode::Text);
    /// header.payload_len = 5;
    /// let len = header.encode_before(&mut buf[..14]).unwrap();
    /// assert_eq!(&buf[14 - len..], b"\x81\x05hello");
    /// ```
    #[inline]
    pub fn encode_before(&self, headroom: &mut [u8]) -> Result<usize, EncodeError> {
        let header = self.encode()?;
        let needed = header.len();
        let Some(start) = headroom.len().checked_sub(needed) else {
            return Err(EncodeError::BufferTooSmall { needed });
        };
        headroom[start..].copy_from_slice(&header);
        Ok(needed)
    }

    /// Returns how many bytes [`encode`](Self::encode) gives: 2 to 14.
    ///
    /// ```
    /// # use websocket_wire::{Header, Opcode};
    /// let mut header = Header::new(Opcode::Binary);
    /// header.payload_len = 65_536;
    /// assert_eq!(header.encoded_len(), 10);
    /// ```
    #[inline]
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        encoded_len(self.payload_len, self.mask.is_some())
    }

    /// Returns FIN, the reserved bits and the opcode as they go on the wire.
    #[inline(always)]
    pub(crate) const fn first_byte(&self) -> u8 {
        let fin = if self.fin { FIN } else { 0 };
        fin | self.rsv.bits() | self.opcode.bits()
    }

    /// Returns the unmasked header with this first byte.
    #[inline(always)]
    pub(crate) const fn of_first_byte(first: u8, payload_len: u64) -> Self {
        let (rsv, opcode) = (Rsv::from_first_byte(first), Opcode::of_first_byte(first));
        Self { fin: first & FIN != 0, rsv, opcode, mask: None, payload_len }
    }

    /// Checks what §5.2 and §5.5 ask of any header that is sent.
    #[inline(always)]
    pub(crate) const fn check(&self) -> Result<(), EncodeError> {
        if self.payload_len >> 63 != 0 {
            return Err(EncodeError::PayloadTooLong);
        }
        if self.opcode.is_control() {
            if !self.fin {
                return Err(EncodeError::FragmentedControl);
            }
            if self.payload_len > MAX_CONTROL_LEN {
                return Err(EncodeError::ControlTooLong);
            }
        }
        Ok(())
    }
}

/// Returns the length of a header in bytes: 2 to 14.
#[inline(always)]
pub(crate) const fn encoded_len(payload_len: u64, is_masked: bool) -> usize {
    let length = match payload_len {
        0..=125 => 0,
        126..=0xFFFF => 2,
        _ => 8,
    };
    2 + length + if is_masked { 4 } else { 0 }
}

/// Writes the header of a frame to the front of `room`, which is long enough, and returns its length.
///
/// What it is made of comes in registers. A [`Header`] that had to cross a call was stored field by field, read back as
/// a whole, and waited for in between.
#[inline(always)]
pub(crate) fn write(first: u8, payload_len: u64, key: Option<MaskingKey>, room: &mut (impl Room + ?Sized)) -> usize {
    let mask = if key.is_some() { MASK } else { 0 };
    let len = match payload_len {
        0..=125 => {
            room.put(0, [first, mask | payload_len as u8]);
            2
        }
        126..=0xFFFF => {
            let [a, b] = (payload_len as u16).to_be_bytes();
            room.put(0, [first, mask | LENGTH_16, a, b]);
            4
        }
        _ => {
            room.put(0, [first, mask | LENGTH_64]);
            room.put(2, payload_len.to_be_bytes());
            10
        }
    };
    let Some(key) = key else { return len };
    room.put(len, key.to_bytes());
    len + 4
}

impl From<Opcode> for Header {
    /// Returns [`Header::new`] of the opcode.
    #[inline]
    fn from(opcode: Opcode) -> Self {
        Self::new(opcode)
    }
}

/// Whether a length in a longer form than it needs is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Minimal,
    Any,
}

/// The first two bytes of a header. The decoder judges them before it waits for the length, and the length before it
/// waits for the key, so the steps of the parse are apart here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    first: u8,
    second: u8,
}

impl Start {
    #[inline]
    pub(crate) fn parse(bytes: &[u8]) -> Status<Self> {
        match bytes {
            [first, second, ..] => Status::Complete { value: Self { first: *first, second: *second }, consumed: 2 },
            _ => Status::Partial { needed: 2 - bytes.len() },
        }
    }

    #[inline]
    pub(crate) const fn fin(self) -> bool {
        self.first & FIN != 0
    }

    #[inline]
    pub(crate) const fn rsv(self) -> Rsv {
        Rsv::from_first_byte(self.first)
    }

    #[inline]
    pub(crate) const fn opcode(self) -> Opcode {
        Opcode::of_first_byte(self.first)
    }

    #[inline]
    pub(crate) const fn is_masked(self) -> bool {
        self.second & MASK != 0
    }

    /// Checks the two rules of §5.5 that the first two bytes show: a control frame is whole and short.
    #[inline]
    pub(crate) const fn check_control(self) -> Result<(), DecodeError> {
        if self.opcode().is_control() {
            if !self.fin() {
                return Err(DecodeError::FragmentedControl);
            }
            if self.second & LENGTH > MAX_CONTROL_LEN as u8 {
                return Err(DecodeError::ControlTooLong);
            }
        }
        Ok(())
    }

    /// Tells whether this is a close frame with a body of one byte, too short for a code.
    #[inline]
    pub(crate) const fn is_one_byte_close(self) -> bool {
        matches!(self.opcode(), Opcode::Close) && self.second & LENGTH == 1
    }

    /// Reads the payload length; `consumed` is where the masking key, or the payload, begins in `bytes`.
    #[inline]
    pub(crate) fn parse_len(self, bytes: &[u8], form: Form) -> Result<Status<u64>, DecodeError> {
        let (value, consumed, minimum) = match self.second & LENGTH {
            LENGTH_16 => match bytes.get(2..4).and_then(<[u8]>::first_chunk) {
                Some(len) => (u64::from(u16::from_be_bytes(*len)), 4, 126),
                None => return Ok(Status::Partial { needed: 4 - bytes.len() }),
            },
            LENGTH_64 => match bytes.get(2..10).and_then(<[u8]>::first_chunk) {
                Some(len) => (u64::from_be_bytes(*len), 10, 0x1_0000),
                None => return Ok(Status::Partial { needed: 10 - bytes.len() }),
            },
            len => return Ok(Status::Complete { value: u64::from(len), consumed: 2 }),
        };
        if value >> 63 != 0 {
            return Err(DecodeError::LengthTopBit);
        }
        if value < minimum && form == Form::Minimal {
            return Err(DecodeError::NonMinimalLength);
        }
        Ok(Status::Complete { value, consumed })
    }

    /// Reads the masking key at `key_at` and returns the whole header.
    #[inline]
    pub(crate) fn parse_key(self, bytes: &[u8], payload_len: u64, key_at: usize) -> Status<Header> {
        let (mask, consumed) = if !self.is_masked() {
            (None, key_at)
        } else if let Some(key) = bytes.get(key_at..key_at + 4).and_then(<[u8]>::first_chunk) {
            (Some(MaskingKey::new(*key)), key_at + 4)
        } else {
            return Status::Partial { needed: key_at + 4 - bytes.len() };
        };
        let value = Header { fin: self.fin(), rsv: self.rsv(), opcode: self.opcode(), mask, payload_len };
        Status::Complete { value, consumed }
    }
}

/// An encoded header: 2 to 14 bytes on the stack, to be written in front of a payload.
///
/// ```
/// use websocket_wire::{Encoder, Opcode};
///
/// let header = Encoder::server().header(Opcode::Text, 5).unwrap();
/// assert_eq!(*header, [0x81, 0x05]); // then write the five bytes of the payload
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeaderBuf {
    /// The header, zeros behind it, and its length in the last byte: sixteen bytes are one register.
    bytes: [u8; 16],
}

impl HeaderBuf {
    const LEN_AT: usize = 15;

    /// Returns the header that begins with `first`; it must be one that may be sent.
    ///
    /// Put together in a register, it reaches memory in one piece; stored field by field and read back as a whole, it
    /// would wait for the stores.
    #[inline(always)]
    pub(crate) fn new(first: u8, payload_len: u64, key: Option<MaskingKey>) -> Self {
        let (mask, key, key_len) = match key {
            Some(key) => (MASK, u128::from(u32::from_le_bytes(key.to_bytes())), 4),
            None => (0, 0, 0),
        };
        let start = |length| u128::from(u16::from_le_bytes([first, mask | length]));
        // Shifts by constants: where the key goes depends on the length, which most often is predicted.
        let (word, len) = match payload_len {
            len @ 0..=125 => (start(len as u8) | key << 16, 2),
            len @ 126..=0xFFFF => (start(LENGTH_16) | u128::from((len as u16).swap_bytes()) << 16 | key << 32, 4),
            len => (start(LENGTH_64) | u128::from(len.swap_bytes()) << 16 | key << 80, 10),
        };
        let len = (len + key_len) as u128;
        Self { bytes: (word | len << (8 * Self::LEN_AT)).to_le_bytes() }
    }

    /// Returns the mask that the payload behind this header is to be sent through, or `None` where it goes as it is.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, MaskingKey, Opcode};
    /// let mut encoder = Encoder::client(|| MaskingKey::new([7, 0, 0, 0])); // a real source is unpredictable
    /// let header = encoder.header(Opcode::Binary, 1).unwrap();
    /// let mut payload = [1];
    /// header.mask().unwrap().apply(&mut payload);
    /// assert_eq!(payload, [6]);
    /// ```
    #[inline]
    #[must_use]
    pub fn mask(&self) -> Option<Mask> {
        let masked = self.bytes[1] & MASK != 0;
        masked.then(|| self.last_chunk()).flatten().map(|key| Mask::new(MaskingKey::new(*key)))
    }
}

impl Deref for HeaderBuf {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.bytes[Self::LEN_AT])]
    }
}

impl AsRef<[u8]> for HeaderBuf {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for HeaderBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeaderBuf({:02X?})", &**self)
    }
}
