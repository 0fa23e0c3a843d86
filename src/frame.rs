//! Views of frames in the caller's buffer: unmasked and judged ([`Frame`]), or as they came ([`RawFrame`]).

use core::fmt;
use core::ops::Range;

use crate::close::CloseFrame;
use crate::error::DecodeError;
use crate::header::Header;
use crate::mask::Mask;
use crate::opcode::Opcode;
use crate::status::Status;

/// A frame, or the part of a data frame that is here: what [`Decoder::decode`](crate::Decoder::decode) returns.
///
/// The payload lies in the buffer that was given to the decoder, unmasked. A control frame is always whole; a data
/// frame comes in as many *parts* as the input was cut into, each at least one byte long unless the frame is empty.
///
/// ```
/// use websocket_wire::{Decoder, Opcode, Status};
///
/// let mut decoder = Decoder::client();
/// let mut buf = *b"\x81\x05Hello";
/// let Status::Complete { value: frame, consumed } = decoder.decode(&mut buf)? else { panic!() };
/// assert_eq!((frame.message_opcode(), frame.text()), (Opcode::Text, Some("Hello")));
/// assert!(frame.is_first_part() && frame.is_last_part() && frame.ends_message());
/// assert_eq!((frame.range(), consumed), (2..7, 7));
/// # Ok::<(), websocket_wire::DecodeError>(())
/// ```
pub struct Frame<'b> {
    pub(crate) header: Header,
    pub(crate) message_opcode: Opcode,
    pub(crate) is_first_part: bool,
    pub(crate) is_last_part: bool,
    /// The payload is a whole text message and the decoder has validated it: `text` relies on it.
    pub(crate) is_valid_text: bool,
    pub(crate) start: u8,
    pub(crate) payload: &'b mut [u8],
}

impl<'b> Frame<'b> {
    /// Returns the payload of this part and keeps the buffer borrowed, so that the bytes can be changed in place.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = *b"\x82\x02ab";
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// value.into_payload().make_ascii_uppercase();
    /// assert_eq!(&buf[2..], b"AB");
    /// ```
    #[inline]
    #[must_use]
    pub fn into_payload(self) -> &'b mut [u8] {
        self.payload
    }

    /// Returns the header of the frame. Its `payload_len` is that of the whole frame, not of this part.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = [0x82, 9, 1, 2];
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// assert_eq!((value.header().payload_len, value.payload().len()), (9, 2));
    /// ```
    #[inline]
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the opcode of the message that this frame belongs to: for a continuation frame that of the message's
    /// first frame, for all others their own. Never [`Opcode::Continuation`].
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Opcode, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = [0x01, 1, b'a', 0x80, 1, b'b'];
    /// assert!(decoder.decode(&mut buf)?.complete().is_some());
    /// let Some((last, _)) = decoder.decode(&mut buf[3..])?.complete() else { panic!() };
    /// assert_eq!((last.header().opcode, last.message_opcode()), (Opcode::Continuation, Opcode::Text));
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[inline]
    #[must_use]
    pub const fn message_opcode(&self) -> Opcode {
        self.message_opcode
    }

    /// Returns the unmasked payload of this part.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// let mut buf = [0x82, 0x81, 1, 2, 3, 4, 0xFF];
    /// let Ok(Status::Complete { value, .. }) = Decoder::server().decode(&mut buf) else { panic!() };
    /// assert_eq!(value.payload(), [0xFE]);
    /// ```
    #[inline]
    #[must_use]
    pub const fn payload(&self) -> &[u8] {
        self.payload
    }

    /// Returns where the payload of this part lies in the slice that was given to `decode`, so that an owner of the
    /// buffer can split it off without a copy.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = [0x82, 3, 1, 2];
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// assert_eq!(value.range(), 2..4);
    /// let mut buf = [3];
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// assert_eq!(value.range(), 0..1); // the next part, in the next slice
    /// ```
    #[inline]
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.payload.len()
    }

    /// Tells whether the payload of this part begins the frame's.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = [0x82, 2, 1];
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// assert!(value.is_first_part() && !value.is_last_part());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_first_part(&self) -> bool {
        self.is_first_part
    }

    /// Tells whether the payload of this part ends the frame's.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = [0x02, 1, 9];
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// assert!(value.is_last_part() && !value.ends_message());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_last_part(&self) -> bool {
        self.is_last_part
    }

    /// Tells whether a data message is complete with this part. A control frame ends no message.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = [0x82, 1, 9];
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// assert!(value.ends_message());
    /// ```
    #[inline]
    #[must_use]
    pub const fn ends_message(&self) -> bool {
        self.is_last_part && self.header.fin && self.header.opcode.is_data()
    }

    /// Returns the payload as text where it is a whole, validated text message: one frame in one part. `None` for
    /// everything else, also for a part of a text message: its bytes are valid so far, but may end inside a code
    /// point.
    ///
    /// ```
    /// # use websocket_wire::{Decoder, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = [0x81, 2, 0xC3, 0xA9];
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// assert_eq!(value.text(), Some("é"));
    /// ```
    #[inline]
    #[must_use]
    pub const fn text(&self) -> Option<&str> {
        if !self.is_valid_text {
            return None;
        }
        #[allow(unsafe_code)]
        // SAFETY: `is_valid_text` is set by the decoder alone, and only where it has validated exactly the bytes of
        // `payload` from the start of a message to its end. No method gives out `payload` for writing but
        // `into_payload`, which consumes the frame.
        Some(unsafe { core::str::from_utf8_unchecked(self.payload) })
    }

    /// Returns what [`text`](Self::text) does and keeps the buffer borrowed, so that the text outlives the frame.
    ///
    /// ```
    /// # use websocket_wire::{DecodeError, Decoder, Status};
    /// fn text<'b>(decoder: &mut Decoder, buf: &'b mut [u8]) -> Option<&'b str> {
    ///     let (frame, _) = decoder.decode(buf).ok()?.complete()?;
    ///     frame.into_text()
    /// }
    /// assert_eq!(text(&mut Decoder::client(), &mut [0x81, 2, b'h', b'i']), Some("hi"));
    /// ```
    #[inline]
    #[must_use]
    pub const fn into_text(self) -> Option<&'b str> {
        if !self.is_valid_text {
            return None;
        }
        #[allow(unsafe_code)]
        // SAFETY: as in `text`; the payload is borrowed for `'b` and from here on only for reading.
        Some(unsafe { core::str::from_utf8_unchecked(self.payload) })
    }

    /// Returns the code and the reason of a close frame; `None` for a close frame without a body and for any other
    /// frame.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, Decoder, Status};
    /// # let mut decoder = Decoder::client();
    /// let mut buf = *b"\x88\x05\x03\xE8bye";
    /// let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!() };
    /// let close = value.close().unwrap();
    /// assert_eq!((close.code(), close.reason()), (CloseCode::NORMAL, "bye"));
    /// ```
    #[must_use]
    pub fn close(&self) -> Option<CloseFrame<'_>> {
        match self.message_opcode {
            Opcode::Close => CloseFrame::parse(self.payload).ok().flatten(),
            _ => None,
        }
    }
}

impl fmt::Debug for Frame<'_> {
    /// Shows the header and where the payload lies, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("header", &self.header)
            .field("message_opcode", &self.message_opcode)
            .field("range", &self.range())
            .finish_non_exhaustive()
    }
}

/// A frame as it came: its header and its payload, still masked. For proxies, which pass it on, and inspectors.
///
/// Nothing is judged but that the header is well formed and the frame all here: not the role, not reserved bits or
/// opcodes, not the order, no limit, no text.
///
/// ```
/// use websocket_wire::{RawFrame, Status};
///
/// let bytes = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2, 0x89];
/// let Status::Complete { value: frame, consumed } = RawFrame::parse(&bytes)? else { panic!() };
/// assert_eq!((frame.bytes(), consumed), (&bytes[..8], 8));
/// let mut payload = [0; 2];
/// frame.unmask_to(&mut payload);
/// assert_eq!(&payload, b"hi");
/// # Ok::<(), websocket_wire::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawFrame<'b> {
    header: Header,
    bytes: &'b [u8],
    start: u8,
}

impl<'b> RawFrame<'b> {
    /// Reads the frame at the front of `bytes`, which stay as they are.
    ///
    /// # Errors
    ///
    /// Those of [`Header::parse`], and [`DecodeError::FrameTooLong`] for a frame that this machine cannot address.
    ///
    /// ```
    /// # use websocket_wire::{RawFrame, Status};
    /// assert_eq!(RawFrame::parse(b"\x82\x03ab"), Ok(Status::Partial { needed: 1 }));
    /// ```
    #[inline]
    pub fn parse(bytes: &'b [u8]) -> Result<Status<Self>, DecodeError> {
        let (header, start) = match Header::parse(bytes)? {
            Status::Complete { value, consumed } => (value, consumed),
            Status::Partial { needed } => return Ok(Status::Partial { needed }),
        };
        let len = usize::try_from(header.payload_len).map_err(|_| DecodeError::FrameTooLong)?;
        let consumed = start.checked_add(len).ok_or(DecodeError::FrameTooLong)?;
        Ok(match bytes.get(..consumed) {
            Some(bytes) => Status::Complete { value: Self { header, bytes, start: start as u8 }, consumed },
            None => Status::Partial { needed: consumed - bytes.len() },
        })
    }

    /// Returns the header.
    ///
    /// ```
    /// # use websocket_wire::{Opcode, RawFrame};
    /// let (frame, _) = RawFrame::parse(&[0x8A, 0]).unwrap().complete().unwrap();
    /// assert_eq!(frame.header().opcode, Opcode::Pong);
    /// ```
    #[inline]
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the payload as it came, masked where the header has a key.
    ///
    /// ```
    /// # use websocket_wire::RawFrame;
    /// let (frame, _) = RawFrame::parse(&[0x82, 1, 7]).unwrap().complete().unwrap();
    /// assert_eq!(frame.payload(), [7]);
    /// ```
    #[inline]
    #[must_use]
    pub fn payload(&self) -> &'b [u8] {
        &self.bytes[usize::from(self.start)..]
    }

    /// Returns the whole frame as it came, header and payload.
    ///
    /// ```
    /// # use websocket_wire::RawFrame;
    /// let (frame, _) = RawFrame::parse(&[0x82, 1, 7, 0x82]).unwrap().complete().unwrap();
    /// assert_eq!(frame.bytes(), [0x82, 1, 7]);
    /// ```
    #[inline]
    #[must_use]
    pub const fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// Writes the payload to `out`, unmasked where the header has a key; the frame stays as it is.
    ///
    /// # Panics
    ///
    /// Where `out` is not exactly as long as the payload.
    ///
    /// ```
    /// # use websocket_wire::RawFrame;
    /// let (frame, _) = RawFrame::parse(&[0x82, 0x81, 5, 0, 0, 0, 7]).unwrap().complete().unwrap();
    /// let mut out = [0];
    /// frame.unmask_to(&mut out);
    /// assert_eq!(out, [2]);
    /// ```
    pub fn unmask_to(&self, out: &mut [u8]) {
        match self.header.mask {
            Some(key) => Mask::new(key).apply_to(self.payload(), out),
            None => out.copy_from_slice(self.payload()),
        }
    }
}

impl fmt::Debug for RawFrame<'_> {
    /// Shows the header and the length, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawFrame").field("header", &self.header).field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// The frames that lie in a slice one behind the other: an iterator that stops at the first one that is not all here,
/// or after the first error.
///
/// ```
/// use websocket_wire::{Opcode, RawFrames};
///
/// let mut frames = RawFrames::new(&[0x89, 0, 0x82, 2, 1]);
/// assert_eq!(frames.next().unwrap()?.header().opcode, Opcode::Ping);
/// assert!(frames.next().is_none());
/// assert_eq!(frames.rest(), [0x82, 2, 1]);
/// # Ok::<(), websocket_wire::DecodeError>(())
/// ```
#[derive(Clone)]
pub struct RawFrames<'b> {
    rest: &'b [u8],
    is_failed: bool,
}

impl<'b> RawFrames<'b> {
    /// Returns the frames at the front of `bytes`.
    ///
    /// ```
    /// # use websocket_wire::RawFrames;
    /// assert_eq!(RawFrames::new(&[0x89, 0, 0x8A, 0]).count(), 2);
    /// ```
    #[must_use]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, is_failed: false }
    }

    /// Returns the bytes behind the frames that were returned so far.
    ///
    /// ```
    /// # use websocket_wire::RawFrames;
    /// assert_eq!(RawFrames::new(&[1, 2]).rest(), [1, 2]);
    /// ```
    #[must_use]
    pub const fn rest(&self) -> &'b [u8] {
        self.rest
    }
}

impl<'b> Iterator for RawFrames<'b> {
    type Item = Result<RawFrame<'b>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_failed {
            return None;
        }
        match RawFrame::parse(self.rest) {
            Ok(status) => status.complete().map(|(frame, consumed)| {
                self.rest = &self.rest[consumed..];
                Ok(frame)
            }),
            Err(error) => {
                self.is_failed = true;
                Some(Err(error))
            }
        }
    }
}

impl core::iter::FusedIterator for RawFrames<'_> {}

impl fmt::Debug for RawFrames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawFrames").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}
