//! The frames that a connection sends by itself, until the caller has written them.

use core::fmt;

use crate::close::CloseFrame;
use crate::encoder::Encoder;
use crate::error::EncodeError;
use crate::side::Side;

/// The longest control frame in bytes: two, a masking key, and 125 of payload.
const FRAME_LEN: usize = 2 + 4 + CloseFrame::MAX_LEN;

/// At most two frames, one behind the other: one whose writing may have begun, and one more.
///
/// A frame that has begun is never touched. A pong takes the place of one that has not begun: "an endpoint [...] MAY
/// elect to send a Pong frame for only the most recently processed Ping frame" (§5.5.3). So a peer that sends pings and
/// reads nothing fills no more than this, and there is always room for a close frame.
pub(super) struct Replies {
    buf: [u8; 2 * FRAME_LEN],
    /// The next byte to be written; it lies in the first frame.
    start: u16,
    /// Where the first frame ends; 0 where there is none.
    first_end: u16,
    /// Where the second frame ends, or the first where it is the only one.
    end: u16,
}

impl Replies {
    pub(super) const fn new() -> Self {
        Self { buf: [0; 2 * FRAME_LEN], start: 0, first_end: 0, end: 0 }
    }

    /// Adds a pong, or puts it in the place of one that has not begun. Behind a close frame nothing is added.
    pub(super) fn pong<S: Side>(&mut self, encoder: &mut Encoder<S>, payload: &[u8]) {
        let at = if self.has_begun() { self.first_end } else { 0 };
        if let Ok(len) = encoder.pong(payload, &mut self.buf[usize::from(at)..]) {
            self.end_with(at, len);
        }
    }

    /// Adds a close frame: behind the first frame, in the place of a second one.
    pub(super) fn close<S: Side>(
        &mut self,
        encoder: &mut Encoder<S>,
        close: Option<CloseFrame<'_>>,
    ) -> Result<(), EncodeError> {
        let at = self.first_end;
        let len = encoder.close(close, &mut self.buf[usize::from(at)..])?;
        self.end_with(at, len);
        Ok(())
    }

    /// Counts the frame of `len` bytes at `at`, the last one.
    fn end_with(&mut self, at: u16, len: usize) {
        self.end = at + len as u16;
        if at == 0 {
            self.first_end = self.end;
        }
    }

    /// Takes `len` bytes as written: at most those that are pending.
    pub(super) fn consume(&mut self, len: usize) {
        self.start += len as u16;
        if self.start >= self.first_end {
            self.buf.copy_within(usize::from(self.first_end)..usize::from(self.end), 0);
            self.start -= self.first_end;
            self.end -= self.first_end;
            self.first_end = self.end;
        }
        // Both frames may have gone at once.
        if self.start == self.end {
            self.clear();
        }
    }

    pub(super) const fn clear(&mut self) {
        (self.start, self.first_end, self.end) = (0, 0, 0);
    }

    #[inline]
    pub(super) fn pending(&self) -> &[u8] {
        &self.buf[usize::from(self.start)..usize::from(self.end)]
    }

    /// Tells whether a frame is partly written.
    #[inline]
    pub(super) const fn has_begun(&self) -> bool {
        self.start != 0
    }
}

impl fmt::Debug for Replies {
    /// Shows how much is pending, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("pending_len", &self.pending().len())
            .field("has_begun", &self.has_begun())
            .finish_non_exhaustive()
    }
}
