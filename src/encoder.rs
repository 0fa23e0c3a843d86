//! The encoder: payloads in, frames out (RFC 6455 §5, §6.1).

use crate::close::{CloseFrame, InvalidClose};
use crate::config::{Claims, Limits};
use crate::error::EncodeError;
use crate::header::{self, Header, HeaderBuf, MAX_CONTROL_LEN, WHOLE_BINARY, WHOLE_TEXT};
use crate::mask::{Mask, MaskingKey};
use crate::opcode::Opcode;
use crate::room::Room;
use crate::sequence::Sequence;
use crate::side::{Client, MaskSource, Server, Side};

/// Encodes one direction of a connection.
///
/// A frame is described by its opcode, or by a [`Header`] whose `fin` and `rsv` are taken; the encoder sets the length
/// and the key. It keeps the order of fragments (§5.4): a message in several frames begins with
/// `Header::new(opcode).fragment()`, goes on with `Header::new(Opcode::Continuation).fragment()` and ends with
/// `Opcode::Continuation`; control frames may be sent in between.
///
/// Whether the bytes of a text message are UTF-8 is not checked here, since a fragment may end inside a code point;
/// [`text`](Self::text) takes a `&str`.
///
/// ```
/// use websocket_wire::{EncodeError, Encoder, Header, Opcode};
///
/// let mut encoder = Encoder::server();
/// let mut out = [0; 64];
/// let mut len = encoder.encode(Header::new(Opcode::Text).fragment(), b"Hel", &mut out)?;
/// len += encoder.ping(b"", &mut out[len..])?;
/// len += encoder.encode(Opcode::Continuation, b"lo", &mut out[len..])?;
/// assert_eq!(&out[..len], b"\x01\x03Hel\x89\x00\x80\x02lo");
/// assert_eq!(encoder.encode(Opcode::Continuation, b"!", &mut out), Err(EncodeError::UnexpectedContinuation));
/// # Ok::<(), EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Encoder<S> {
    side: S,
    sequence: Sequence,
    claims: Claims,
    is_closed: bool,
}

impl Encoder<Server> {
    /// Returns the encoder of a server on a fresh connection: it sends unmasked.
    ///
    /// ```
    /// # use websocket_wire::Encoder;
    /// let mut out = [0; 4];
    /// assert_eq!(Encoder::server().text("hi", &mut out), Ok(4));
    /// assert_eq!(&out, b"\x81\x02hi");
    /// ```
    #[must_use]
    pub const fn server() -> Self {
        Self::new(Server)
    }
}

impl<M: MaskSource> Encoder<Client<M>> {
    /// Returns the encoder of a client on a fresh connection: it masks every frame with a key of its own.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, MaskingKey};
    /// let mut out = [0; 8];
    /// assert_eq!(Encoder::client(|| MaskingKey::new([0, 0, 0, 1])).text("hi", &mut out), Ok(8));
    /// assert_eq!(&out, b"\x81\x82\0\0\0\x01hi");
    /// ```
    #[must_use]
    pub const fn client(masks: M) -> Self {
        Self::new(Client::new(masks))
    }
}

impl<S> Encoder<S> {
    const fn new(side: S) -> Self {
        Self { side, sequence: Sequence::new(), claims: Claims::NONE, is_closed: false }
    }
}

impl<S: Side> Encoder<S> {
    /// Returns the encoder with what negotiated extensions may use; [`Claims::NONE`] unless called.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Encoder, Header, Opcode, Rsv};
    /// let mut encoder = Encoder::server().claims(Claims::NONE.message_rsv(Rsv::RSV1));
    /// let mut out = [0; 3];
    /// assert_eq!(encoder.encode(Header::new(Opcode::Text).with_rsv(Rsv::RSV1), &[0], &mut out), Ok(3));
    /// assert_eq!(out, [0xC1, 1, 0]);
    /// ```
    #[must_use]
    pub fn claims(mut self, claims: Claims) -> Self {
        self.claims = claims;
        self
    }

    /// Writes a frame to the front of `out`, copying and masking the payload in one pass. Returns the length of the
    /// frame; what lies behind it stays as it was.
    ///
    /// # Errors
    ///
    /// The rule that the frame would break, or [`EncodeError::BufferTooSmall`] where `out` is shorter than the frame.
    /// Then nothing was written, no key was drawn, and the encoder is as it was.
    ///
    /// ```
    /// # use websocket_wire::{EncodeError, Encoder, Opcode};
    /// let mut encoder = Encoder::server();
    /// let mut out = [0; 8];
    /// assert_eq!(encoder.encode(Opcode::Binary, &[1, 2], &mut out), Ok(4));
    /// assert_eq!(out[..4], [0x82, 2, 1, 2]);
    /// assert_eq!(encoder.encode(Opcode::Ping, &[0; 126], &mut out), Err(EncodeError::ControlTooLong));
    /// ```
    #[inline]
    pub fn encode(&mut self, header: impl Into<Header>, payload: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode_first(header.into().first_byte(), payload, out)
    }

    /// Does what [`encode`](Self::encode) says.
    #[inline(always)]
    fn encode_first(&mut self, first: u8, payload: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
        if self.is_plain(first) {
            let needed = Self::frame_len(payload);
            if let Some(out) = out.get_mut(..needed) {
                write(first, self.side.next_key(), payload, out);
                return Ok(needed);
            }
        }
        self.encode_any(first, payload, out)
    }

    /// The general case of [`encode`](Self::encode), out of line: inlined too, it took five cycles of each short frame,
    /// for the registers that it needs.
    #[inline(never)]
    fn encode_any(&mut self, first: u8, payload: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
        let sequence = self.check_frame(first, payload)?;
        let needed = Self::frame_len(payload);
        let Some(out) = out.get_mut(..needed) else {
            return Err(EncodeError::BufferTooSmall { needed });
        };
        write(first, self.commit(first, sequence), payload, out);
        Ok(needed)
    }

    /// Tells whether this is a whole text or binary message, between messages and before a close. Nothing of it is to
    /// be checked, and it changes nothing but the source of keys.
    #[inline(always)]
    fn is_plain(&self, first: u8) -> bool {
        matches!(first, WHOLE_TEXT | WHOLE_BINARY) && !self.is_closed && self.sequence.message().is_none()
    }

    /// Makes a frame of the payload `buf[headroom..]` where it lies: masks it in place and writes the header right in
    /// front of it. Returns where the frame begins; `buf[..start]` stays as it was. A headroom of
    /// [`Header::MAX_LEN`] always does.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode); [`EncodeError::BufferTooSmall`] says how much headroom is needed.
    ///
    /// # Panics
    ///
    /// Where `headroom` is more than the length of `buf`.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Opcode};
    /// let mut buf = *b"..............hello";
    /// let start = Encoder::server().encode_in_place(Opcode::Text, 14, &mut buf)?;
    /// assert_eq!(&buf[start..], b"\x81\x05hello");
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[inline]
    pub fn encode_in_place(
        &mut self,
        header: impl Into<Header>,
        headroom: usize,
        buf: &mut [u8],
    ) -> Result<usize, EncodeError> {
        let (headroom, payload) = buf.split_at_mut(headroom);
        let first = header.into().first_byte();
        let sequence = self.check_frame(first, payload)?;
        let len = payload.len() as u64;
        let needed = header::encoded_len(len, S::IS_MASKED);
        let Some(start) = headroom.len().checked_sub(needed) else {
            return Err(EncodeError::BufferTooSmall { needed });
        };
        let key = self.commit(first, sequence);
        header::write(first, len, key, &mut headroom[start..]);
        if let Some(key) = key {
            Mask::new(key).apply(payload);
        }
        Ok(start)
    }

    /// Returns the header alone, for a payload of `payload_len` bytes that the caller sends behind it, as in a
    /// vectored write. A client masks that payload itself, with [`HeaderBuf::mask`].
    ///
    /// The body of a close frame is not seen here, so only its length is judged; [`close`](Self::close) judges its
    /// code too.
    ///
    /// # Errors
    ///
    /// The rule that the frame would break; then the encoder is as it was.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Opcode};
    /// let header = Encoder::server().header(Opcode::Binary, 70_000)?;
    /// assert_eq!(*header, [0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[inline]
    pub fn header(&mut self, header: impl Into<Header>, payload_len: u64) -> Result<HeaderBuf, EncodeError> {
        let first = header.into().first_byte();
        if !self.is_plain(first) || payload_len >> 63 != 0 {
            self.admit(first, payload_len)?;
        }
        Ok(HeaderBuf::new(first, payload_len, self.side.next_key()))
    }

    /// Checks a frame and takes it for sent.
    #[inline(never)]
    fn admit(&mut self, first: u8, payload_len: u64) -> Result<(), EncodeError> {
        let header = Header::of_first_byte(first, payload_len);
        self.check_alone(&header)?;
        self.sequence.check_frame(&header, &Limits::NONE)?;
        self.sequence.advance(&header);
        self.is_closed = header.opcode == Opcode::Close;
        Ok(())
    }

    /// Appends a frame to `buf`, which grows where it can; a buffer that has the room already is not asked to grow.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode); [`EncodeError::BufferTooSmall`] where `buf` cannot take the whole frame.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Opcode};
    /// let mut buf = Vec::new();
    /// Encoder::server().encode_to(Opcode::Binary, &[7], &mut buf)?;
    /// assert_eq!(buf, [0x82, 1, 7]);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[cfg(feature = "alloc")]
    #[inline]
    pub fn encode_to(
        &mut self,
        header: impl Into<Header>,
        payload: &[u8],
        buf: &mut impl bytes::BufMut,
    ) -> Result<(), EncodeError> {
        let first = header.into().first_byte();
        if self.is_plain(first) {
            let needed = Self::frame_len(payload);
            if buf.chunk_mut().len() >= needed {
                append(first, self.side.next_key(), payload, needed, buf);
                return Ok(());
            }
        }
        self.encode_any_to(first, payload, buf)
    }

    /// The general case of [`encode_to`](Self::encode_to), out of line as [`encode_any`](Self::encode_any) is.
    #[cfg(feature = "alloc")]
    #[inline(never)]
    fn encode_any_to(&mut self, first: u8, payload: &[u8], buf: &mut impl bytes::BufMut) -> Result<(), EncodeError> {
        let sequence = self.check_frame(first, payload)?;
        let needed = Self::frame_len(payload);
        if buf.chunk_mut().len() >= needed {
            append(first, self.commit(first, sequence), payload, needed, buf);
        } else if buf.remaining_mut() >= needed {
            append_in_pieces(first, self.commit(first, sequence), payload, buf);
        } else {
            return Err(EncodeError::BufferTooSmall { needed });
        }
        Ok(())
    }

    /// Writes a whole text message to the front of `out`. Returns and fails as [`encode`](Self::encode).
    ///
    /// ```
    /// # use websocket_wire::Encoder;
    /// let mut out = [0; 7];
    /// assert_eq!(Encoder::server().text("Hello", &mut out), Ok(7));
    /// assert_eq!(&out, b"\x81\x05Hello");
    /// ```
    #[inline]
    pub fn text(&mut self, text: &str, out: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode(Opcode::Text, text.as_bytes(), out)
    }

    /// Writes a whole binary message to the front of `out`. Returns and fails as [`encode`](Self::encode).
    ///
    /// ```
    /// # use websocket_wire::Encoder;
    /// let mut out = [0; 3];
    /// assert_eq!(Encoder::server().binary(&[5], &mut out), Ok(3));
    /// assert_eq!(out, [0x82, 1, 5]);
    /// ```
    #[inline]
    pub fn binary(&mut self, payload: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode(Opcode::Binary, payload, out)
    }

    /// Writes a ping of at most 125 bytes to the front of `out`. Returns and fails as [`encode`](Self::encode).
    ///
    /// ```
    /// # use websocket_wire::Encoder;
    /// let mut out = [0; 2];
    /// assert_eq!(Encoder::server().ping(b"", &mut out), Ok(2));
    /// assert_eq!(out, [0x89, 0]);
    /// ```
    #[inline]
    pub fn ping(&mut self, payload: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode(Opcode::Ping, payload, out)
    }

    /// Writes a pong of at most 125 bytes to the front of `out`. Answering a ping, its payload is the ping's (§5.5.3).
    /// Returns and fails as [`encode`](Self::encode).
    ///
    /// ```
    /// # use websocket_wire::Encoder;
    /// let mut out = [0; 3];
    /// assert_eq!(Encoder::server().pong(b"x", &mut out), Ok(3));
    /// assert_eq!(out, [0x8A, 1, b'x']);
    /// ```
    #[inline]
    pub fn pong(&mut self, payload: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode(Opcode::Pong, payload, out)
    }

    /// Writes a close frame to the front of `out`, behind which nothing more can be sent. `None` sends no code.
    /// Returns and fails as [`encode`](Self::encode).
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CloseFrame, EncodeError, Encoder};
    /// let mut encoder = Encoder::server();
    /// let mut out = [0; 8];
    /// assert!(encoder.close(Some(CloseFrame::new(CloseCode::NO_STATUS, "")), &mut out).is_err());
    /// assert_eq!(encoder.close(Some(CloseFrame::new(CloseCode::NORMAL, "bye")), &mut out), Ok(7));
    /// assert_eq!(&out[..7], b"\x88\x05\x03\xE8bye");
    /// assert_eq!(encoder.ping(b"", &mut out), Err(EncodeError::Closed));
    /// ```
    pub fn close(&mut self, close: Option<CloseFrame<'_>>, out: &mut [u8]) -> Result<usize, EncodeError> {
        let mut body = [0; CloseFrame::MAX_LEN];
        let body = close.as_ref().map_or(&[][..], |close| close.encode(&mut body));
        self.encode(Opcode::Close, body, out)
    }

    /// Checks that no message is unfinished, as at the end of a stream.
    ///
    /// # Errors
    ///
    /// [`EncodeError::UnfinishedMessage`] where the final fragment of a message has not been sent.
    ///
    /// ```
    /// # use websocket_wire::{EncodeError, Encoder, Header, Opcode};
    /// let mut encoder = Encoder::server();
    /// assert_eq!(encoder.finish(), Ok(()));
    /// encoder.header(Header::new(Opcode::Text).fragment(), 0)?;
    /// assert_eq!(encoder.finish(), Err(EncodeError::UnfinishedMessage));
    /// # Ok::<(), EncodeError>(())
    /// ```
    pub const fn finish(&self) -> Result<(), EncodeError> {
        match self.sequence.message() {
            Some(_) => Err(EncodeError::UnfinishedMessage),
            None => Ok(()),
        }
    }

    /// Tells whether a close frame has been sent.
    ///
    /// ```
    /// # use websocket_wire::Encoder;
    /// assert!(!Encoder::server().is_closed());
    /// ```
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Checks what a whole message with this header can break, as an extension that is about to transform it has to
    /// know.
    #[cfg(feature = "alloc")]
    pub(crate) fn check_message(&self, header: &Header) -> Result<(), EncodeError> {
        self.check(header)?;
        if header.opcode.is_data() { self.finish() } else { Ok(()) }
    }

    /// Returns the length of a frame with this payload, its header included.
    #[inline(always)]
    fn frame_len(payload: &[u8]) -> usize {
        header::encoded_len(payload.len() as u64, S::IS_MASKED).saturating_add(payload.len())
    }

    // These three are inlined always: out of line they hand a `Header` over through memory, written field by field and
    // loaded as a whole, which costs a stall each time (16 bytes from a server: 60 cycles a frame).

    /// Checks the frame with this first byte that is to carry `payload`. Returns the sequence after it where that is
    /// another one.
    #[inline(always)]
    fn check_frame(&self, first: u8, payload: &[u8]) -> Result<Option<Sequence>, EncodeError> {
        let header = Header::of_first_byte(first, payload.len() as u64);
        let sequence = self.check(&header)?;
        if header.opcode == Opcode::Close {
            CloseFrame::parse(payload)?;
        }
        Ok(sequence)
    }

    /// Checks what a header can break; returns the sequence after it where that is another one.
    #[inline(always)]
    fn check(&self, header: &Header) -> Result<Option<Sequence>, EncodeError> {
        self.check_alone(header)?;
        // A whole message between messages leaves the sequence as it is. Not storing it saves the next frame a wait: it
        // is stored field by field and loaded as a whole.
        let opcode = header.opcode;
        if self.sequence.message().is_none() && header.fin && opcode.is_data() && opcode != Opcode::Continuation {
            return Ok(None);
        }
        Ok(Some(self.sequence.after(header, &Limits::NONE)?))
    }

    /// Checks what has nothing to do with the frames before.
    #[inline(always)]
    fn check_alone(&self, header: &Header) -> Result<(), EncodeError> {
        if self.is_closed {
            return Err(EncodeError::Closed);
        }
        header.check()?;
        if !self.claims.allows(header.opcode) {
            return Err(EncodeError::ReservedOpcode);
        }
        if !self.claims.allowed_rsv(header.opcode).contains(header.rsv) {
            return Err(EncodeError::ReservedBits);
        }
        if header.opcode == Opcode::Close && header.payload_len == 1 {
            return Err(EncodeError::InvalidClose(InvalidClose::Length));
        }
        Ok(())
    }

    /// Counts the frame as sent: draws its key, which is returned, and closes behind a close frame.
    #[inline(always)]
    fn commit(&mut self, first: u8, sequence: Option<Sequence>) -> Option<MaskingKey> {
        if let Some(sequence) = sequence {
            self.sequence = sequence;
            self.is_closed = Opcode::of_first_byte(first) == Opcode::Close;
        }
        self.side.next_key()
    }
}

/// Writes a frame, which fills `room`.
#[inline(always)]
fn write(first: u8, key: Option<MaskingKey>, payload: &[u8], room: &mut (impl Room + ?Sized)) {
    if payload.len() > MAX_CONTROL_LEN as usize {
        return write_long(first, key, payload, room);
    }
    let start = header::write(first, payload.len() as u64, key, room);
    room.put_payload(start, key, payload);
}

#[inline(never)]
fn write_long(first: u8, key: Option<MaskingKey>, payload: &[u8], room: &mut (impl Room + ?Sized)) {
    let start = header::write(first, payload.len() as u64, key, room);
    room.put_payload(start, key, payload);
}

/// Appends a frame of `len` bytes to `buf`, which has the room for it in one piece.
#[cfg(feature = "alloc")]
#[inline(always)]
fn append(first: u8, key: Option<MaskingKey>, payload: &[u8], len: usize, buf: &mut impl bytes::BufMut) {
    let room = &mut buf.chunk_mut()[..len];
    write(first, key, payload, room);
    #[allow(unsafe_code)]
    // SAFETY: `chunk_mut` gave `len` bytes, or the slice of it had failed, and `write` has initialised all of them: the
    // header and, right behind it, the payload, which end at `len`.
    unsafe {
        buf.advance_mut(len);
    }
}

/// Appends a frame to a buffer that has to grow for it, or that is not in one piece.
#[cfg(feature = "alloc")]
#[cold]
fn append_in_pieces(first: u8, key: Option<MaskingKey>, payload: &[u8], buf: &mut impl bytes::BufMut) {
    let mut head = [0; Header::MAX_LEN];
    let start = header::write(first, payload.len() as u64, key, &mut head[..]);
    buf.put_slice(&head[..start]);
    let Some(key) = key else {
        return buf.put_slice(payload);
    };
    let (mut mask, mut block) = (Mask::new(key), [0; 512]);
    for piece in payload.chunks(block.len()) {
        let masked = &mut block[..piece.len()];
        mask.apply_to(piece, masked);
        buf.put_slice(masked);
    }
}
