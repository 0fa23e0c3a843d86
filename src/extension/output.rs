//! Where an extension puts what it has decoded.

use alloc::vec::Vec;
use core::fmt;

use crate::error::DecodeError;
use crate::rsv::Rsv;
use crate::utf8::Validator;

/// The least and the most that is made ready ahead of what is to be written, in bytes.
const STEP: core::ops::RangeInclusive<usize> = 64..=64 << 10;

/// The message that an extension decodes, as far as it has come.
///
/// It takes no byte above its limit, and where it becomes a text, no byte that no valid text can contain: both faults
/// come while the extension decodes, not when it is done.
///
/// Memory grows with what is written, to at most twice as much, and never above the limit; while it grows, half of the
/// limit is held besides.
///
/// ```
/// use websocket_wire::{DecodeError, Output};
///
/// let mut out = Output::new(5);
/// out.put(b"abc")?;
/// out.spare(2)[..2].copy_from_slice(b"de");
/// out.advance(2)?;
/// assert_eq!((out.written(), out.room()), (&b"abcde"[..], 0));
/// assert_eq!(out.put(b"f"), Err(DecodeError::MessageTooLong));
/// # Ok::<(), DecodeError>(())
/// ```
#[derive(Default)]
pub struct Output {
    /// Initialised as far as it is long; written up to `len`.
    buf: Vec<u8>,
    len: usize,
    /// What was written to this message and is no longer here.
    taken: usize,
    limit: usize,
    validator: Option<Validator>,
}

impl Output {
    /// Returns an empty output that takes `limit` bytes.
    ///
    /// ```
    /// # use websocket_wire::Output;
    /// assert_eq!(Output::new(9).room(), 9);
    /// ```
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { buf: Vec::new(), len: 0, taken: 0, limit, validator: None }
    }

    /// Returns an empty output that takes `limit` bytes of a message, which may be a text.
    pub(super) fn of_message(limit: usize, is_text: bool) -> Self {
        Self { validator: is_text.then(Validator::new), ..Self::new(limit) }
    }

    /// Appends `bytes`, as many as there is room for.
    ///
    /// # Errors
    ///
    /// [`DecodeError::MessageTooLong`] where they are more than [`room`](Self::room), and [`DecodeError::InvalidUtf8`]
    /// where the message is a text and they are not. The extension returns either to its caller.
    ///
    /// ```
    /// # use websocket_wire::Output;
    /// let mut out = Output::new(1);
    /// assert!(out.put(b"a").is_ok() && out.put(b"b").is_err());
    /// ```
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let count = bytes.len().min(self.room());
        self.grow(count);
        self.buf[self.len..][..count].copy_from_slice(&bytes[..count]);
        self.advance(count)?;
        if count < bytes.len() { Err(DecodeError::MessageTooLong) } else { Ok(()) }
    }

    /// Returns room to write into: at least one byte, unless there is [no room](Self::room) any more. `wanted` is a
    /// guess at how many bytes are to come. What is written counts once [`advance`](Self::advance) says so.
    ///
    /// ```
    /// # use websocket_wire::Output;
    /// assert!(!Output::new(1 << 20).spare(100).is_empty());
    /// assert_eq!(Output::new(3).spare(100).len(), 3);
    /// ```
    pub fn spare(&mut self, wanted: usize) -> &mut [u8] {
        if self.buf.len() == self.len {
            self.grow(wanted.max(self.len).clamp(*STEP.start(), *STEP.end()));
        }
        &mut self.buf[self.len..]
    }

    /// Adds the first `count` bytes of [`spare`](Self::spare) to the message.
    ///
    /// # Errors
    ///
    /// [`DecodeError::InvalidUtf8`], as [`put`](Self::put).
    ///
    /// # Panics
    ///
    /// Where `count` is more than the length of what `spare` returned.
    ///
    /// ```
    /// # use websocket_wire::Output;
    /// let mut out = Output::new(8);
    /// out.spare(1)[0] = b'x';
    /// assert!(out.advance(1).is_ok() && out.written() == b"x");
    /// ```
    pub fn advance(&mut self, count: usize) -> Result<(), DecodeError> {
        let end = self.len + count;
        let bytes = &self.buf[self.len..end];
        if let Some(validator) = &mut self.validator {
            validator.push(bytes).map_err(|_| DecodeError::InvalidUtf8)?;
        }
        self.len = end;
        Ok(())
    }

    /// Returns how many bytes the message may still grow by.
    ///
    /// ```
    /// # use websocket_wire::Output;
    /// let mut out = Output::new(3);
    /// assert!(out.put(b"a").is_ok() && out.room() == 2);
    /// ```
    #[must_use]
    pub const fn room(&self) -> usize {
        self.limit - self.taken - self.len
    }

    /// Returns what has been written and not been handed on.
    ///
    /// ```
    /// # use websocket_wire::Output;
    /// assert_eq!(Output::new(3).written(), b"");
    /// ```
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.buf[..self.len]
    }

    /// Forgets what has been written and is with the next extension now; it counts all the same until the message
    /// `is_over`.
    pub(super) fn hand_on(&mut self, is_over: bool) {
        if is_over {
            *self = Self::default();
        } else {
            self.taken += self.len;
            self.len = 0;
        }
    }

    /// Ends the message, which has the bits `rsv` left: an allocation of at most twice its length.
    pub(super) fn finish(mut self, rsv: Rsv) -> Result<Decoded, DecodeError> {
        if let Some(validator) = &mut self.validator {
            validator.finish().map_err(|_| DecodeError::InvalidUtf8)?;
        }
        self.buf.truncate(self.len);
        if self.buf.capacity() / 2 > self.len {
            self.buf.shrink_to_fit();
        }
        Ok(Decoded { payload: self.buf, rsv, is_valid_text: self.validator.is_some() })
    }

    /// Returns what was written from `start` on, and the room behind it: at least what [`spare`](Self::spare) has made.
    #[cfg(feature = "deflate")]
    pub(super) fn since(&mut self, start: usize) -> &mut [u8] {
        &mut self.buf[start..]
    }

    /// Makes room for `count` bytes, or for as many as the limit allows.
    ///
    /// A buffer that grows is copied into one that is larger, and both are held for a moment. The last step is from
    /// half of the limit, or less, to the whole of it, so that both are never more than one and a half times the limit;
    /// to double the length up to there would take up to twice the limit. No bound is lower where the message is to lie
    /// in one piece, memory is to follow what was written, and a copy is to be rare: four times at each step would hold
    /// a quarter besides, and up to four times what was written.
    fn grow(&mut self, count: usize) {
        let len = self.len + count.min(self.room());
        if len > self.buf.capacity() {
            let whole = self.len + self.room();
            let capacity = if len > whole / 2 { whole } else { (2 * self.buf.capacity()).clamp(len, whole / 2) };
            self.buf.reserve_exact(capacity - self.buf.len());
        }
        if len > self.buf.len() {
            self.buf.resize(len, 0);
        }
    }
}

/// A message that extensions have decoded.
pub(crate) struct Decoded {
    pub(crate) payload: Vec<u8>,
    /// The reserved bits that no extension has undone.
    pub(crate) rsv: Rsv,
    /// Every byte of the payload went through one validator, which ended between two code points.
    pub(crate) is_valid_text: bool,
}

impl fmt::Debug for Output {
    /// Shows how much was written, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("len", &self.len).field("limit", &self.limit).finish_non_exhaustive()
    }
}
