//! From a message to frames (RFC 6455 §5.4).

use core::fmt;
use core::iter::FusedIterator;

use crate::header::Header;
use crate::opcode::Opcode;

/// Cuts one message into frames of at most so many bytes of payload.
///
/// "The primary purpose of fragmentation is to allow sending a message that is of unknown size when the message is
/// started without having to buffer that message" (§5.4), and so that control frames get through in between. The
/// message may come in chunks; what [`chunk`](Self::chunk) and [`finish`](Self::finish) return is given to an
/// [`Encoder`](crate::Encoder) of either side, frame by frame. A text may be cut at any byte. Reserved bits stand on
/// the first frame only.
///
/// Nothing can follow the final fragment, since `finish` takes the fragmenter; that it is not left out,
/// [`Encoder::finish`](crate::Encoder::finish) tells.
///
/// ```
/// use websocket_wire::{Encoder, Fragmenter, Opcode};
///
/// let (mut encoder, mut out, mut len) = (Encoder::server(), [0; 64], 0);
/// for (header, payload) in Fragmenter::new(Opcode::Text, 3).finish(b"Hello") {
///     len += encoder.encode(header, payload, &mut out[len..])?;
///     len += encoder.ping(b"", &mut out[len..])?;
/// }
/// assert_eq!(&out[..len], b"\x01\x03Hel\x89\x00\x80\x02lo\x89\x00");
/// # Ok::<(), websocket_wire::EncodeError>(())
/// ```
///
/// A message that does not know its length yet:
///
/// ```
/// # use websocket_wire::{EncodeError, Encoder, Fragmenter, Opcode};
/// let (mut encoder, mut wire, mut len) = (Encoder::server(), [0; 32], 0);
/// let mut fragmenter = Fragmenter::new(Opcode::Binary, 1024);
/// for chunk in [&b"one"[..], b"", b"two"] {
///     for (header, payload) in fragmenter.chunk(chunk) {
///         len += encoder.encode(header, payload, &mut wire[len..])?;
///     }
/// }
/// assert_eq!(encoder.finish(), Err(EncodeError::UnfinishedMessage));
/// for (header, payload) in fragmenter.finish(b"") {
///     len += encoder.encode(header, payload, &mut wire[len..])?;
/// }
/// assert_eq!(&wire[..len], b"\x02\x03one\x00\x03two\x80\x00");
/// # Ok::<(), EncodeError>(())
/// ```
///
/// What follows the final fragment does not compile:
///
/// ```compile_fail,E0382
/// # use websocket_wire::{Fragmenter, Opcode};
/// let mut fragmenter = Fragmenter::new(Opcode::Binary, 1024);
/// fragmenter.finish(b"the end");
/// fragmenter.chunk(b"more");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a message without its final fragment cannot be followed by another"]
pub struct Fragmenter {
    /// The header of the next frame but for FIN and the length.
    next: Header,
    max_len: usize,
}

impl Fragmenter {
    /// Returns the fragmenter of one message, described as for an [`Encoder`](crate::Encoder), but that FIN is not
    /// looked at. Its frames have at most `max_len` bytes of payload.
    ///
    /// The opcode is judged by the encoder: a control frame, which may not be fragmented, is refused there where it
    /// would be.
    ///
    /// # Panics
    ///
    /// Where `max_len` is 0.
    ///
    /// ```
    /// # use websocket_wire::{Fragmenter, Header, Opcode, Rsv};
    /// let compressed = Header::new(Opcode::Text).with_rsv(Rsv::RSV1);
    /// let frames = Fragmenter::new(compressed, 2).finish(b"abc");
    /// assert!(frames.map(|(header, _)| (header.rsv, header.fin)).eq([(Rsv::RSV1, false), (Rsv::NONE, true)]));
    /// ```
    pub fn new(header: impl Into<Header>, max_len: usize) -> Self {
        assert!(max_len > 0, "a fragment of 0 bytes would never end the message");
        Self { next: Header { mask: None, ..header.into() }, max_len }
    }

    /// Returns the frames of the next bytes of the message, more of which follow; of no bytes, no frame. Every byte
    /// given is in one of them: nothing is kept back until a frame is full.
    ///
    /// ```
    /// # use websocket_wire::{Fragmenter, Opcode};
    /// let mut fragmenter = Fragmenter::new(Opcode::Text, 2);
    /// let pieces = fragmenter.chunk(b"abc").map(|(header, payload)| (header.opcode, payload));
    /// assert!(pieces.eq([(Opcode::Text, &b"ab"[..]), (Opcode::Continuation, b"c")]));
    /// # let _ = fragmenter.finish(b"");
    /// ```
    pub fn chunk<'a>(&mut self, payload: &'a [u8]) -> Fragments<'a> {
        let (next, is_over) = (self.next, payload.is_empty());
        if !is_over {
            self.next = Header::new(Opcode::Continuation);
        }
        Fragments { next, max_len: self.max_len, rest: payload, ends_message: false, is_over }
    }

    /// Returns the frames of the last bytes of the message, which may be none: the last frame is the final one, and of
    /// no bytes an empty one.
    ///
    /// ```
    /// # use websocket_wire::{Fragmenter, Header, Opcode};
    /// let mut frames = Fragmenter::new(Opcode::Text, 2).finish(b"");
    /// assert_eq!(frames.next(), Some((Header::new(Opcode::Text), &b""[..])));
    /// assert_eq!(frames.next(), None);
    /// ```
    pub fn finish(self, payload: &[u8]) -> Fragments<'_> {
        Fragments { next: self.next, max_len: self.max_len, rest: payload, ends_message: true, is_over: false }
    }
}

/// The frames of a message, or of a chunk of it, each with its header and its payload: what a [`Fragmenter`] returns.
///
/// ```
/// # use websocket_wire::{Fragmenter, Opcode};
/// assert_eq!(Fragmenter::new(Opcode::Binary, 100).finish(&[0; 201]).len(), 3);
/// ```
#[derive(Clone)]
#[must_use = "what is not taken is not sent"]
pub struct Fragments<'a> {
    next: Header,
    max_len: usize,
    rest: &'a [u8],
    ends_message: bool,
    is_over: bool,
}

impl<'a> Iterator for Fragments<'a> {
    type Item = (Header, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let (payload, rest) = self.rest.split_at(self.rest.len().min(self.max_len));
        (self.rest, self.is_over) = (rest, rest.is_empty());
        let fin = self.ends_message && self.is_over;
        let header = Header { fin, payload_len: payload.len() as u64, ..self.next };
        self.next = Header::new(Opcode::Continuation);
        Some((header, payload))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = if self.is_over { 0 } else { self.rest.len().div_ceil(self.max_len).max(1) };
        (count, Some(count))
    }
}

impl ExactSizeIterator for Fragments<'_> {}
impl FusedIterator for Fragments<'_> {}

impl fmt::Debug for Fragments<'_> {
    /// Shows the length of what is left, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fragments")
            .field("next", &self.next)
            .field("max_len", &self.max_len)
            .field("left", &self.rest.len())
            .field("ends_message", &self.ends_message)
            .finish_non_exhaustive()
    }
}
