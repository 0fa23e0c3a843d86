//! The order of frames: which message is open, how long it has grown (RFC 6455 §5.4).

use crate::config::Limits;
use crate::error::{DecodeError, EncodeError};
use crate::header::Header;
use crate::opcode::Opcode;

/// The fragmentation state of one direction of a connection.
///
/// The decoder and the encoder keep the same state: the one holds the peer to it, the other the caller.
///
/// ```
/// use websocket_wire::{Header, Limits, Opcode, OutOfSequence, Sequence};
///
/// let start = Sequence::new();
/// let open = start.after(&Header::new(Opcode::Text).fragment(), &Limits::DEFAULT).unwrap();
/// assert_eq!(open.message(), Some(Opcode::Text));
/// assert_eq!(open.after(&Header::new(Opcode::Ping), &Limits::DEFAULT), Ok(open));
/// assert_eq!(
///     open.after(&Header::new(Opcode::Binary), &Limits::DEFAULT),
///     Err(OutOfSequence::MessageOpen)
/// );
/// assert_eq!(open.after(&Header::new(Opcode::Continuation), &Limits::DEFAULT), Ok(start));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sequence {
    message: Option<Opcode>,
    fragments: u32,
    len: u64,
}

impl Sequence {
    /// Returns the state of a fresh connection: no message is open.
    ///
    /// ```
    /// # use websocket_wire::Sequence;
    /// assert_eq!(Sequence::new().message(), None);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { message: None, fragments: 0, len: 0 }
    }

    /// Checks that a frame of this opcode may come now; only the order is judged.
    ///
    /// # Errors
    ///
    /// [`OutOfSequence::NothingToContinue`] and [`OutOfSequence::MessageOpen`].
    ///
    /// ```
    /// # use websocket_wire::{Opcode, OutOfSequence, Sequence};
    /// assert_eq!(Sequence::new().check(Opcode::Continuation), Err(OutOfSequence::NothingToContinue));
    /// assert_eq!(Sequence::new().check(Opcode::Close), Ok(()));
    /// ```
    #[inline]
    pub const fn check(&self, opcode: Opcode) -> Result<(), OutOfSequence> {
        let continues = matches!(opcode, Opcode::Continuation);
        if opcode.is_control() || continues == self.message.is_some() {
            Ok(())
        } else if continues {
            Err(OutOfSequence::NothingToContinue)
        } else {
            Err(OutOfSequence::MessageOpen)
        }
    }

    /// Returns the state after the frame with `header`; `self` stays. Control frames change nothing: they "MAY be
    /// injected in the middle of a fragmented message" (§5.4).
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), and [`OutOfSequence::MessageTooLong`] or [`OutOfSequence::TooManyFragments`] where
    /// the message, this frame included, is over its limits.
    ///
    /// ```
    /// # use websocket_wire::{Header, Limits, Opcode, OutOfSequence, Sequence};
    /// let limits = Limits { message_len: 5, ..Limits::DEFAULT };
    /// let six = Header { payload_len: 6, ..Header::new(Opcode::Binary) };
    /// assert_eq!(Sequence::new().after(&six, &limits), Err(OutOfSequence::MessageTooLong));
    /// ```
    #[inline]
    pub const fn after(&self, header: &Header, limits: &Limits) -> Result<Self, OutOfSequence> {
        match self.check_frame(header, limits) {
            Ok(()) => {
                let mut after = *self;
                after.advance(header);
                Ok(after)
            }
            Err(error) => Err(error),
        }
    }

    /// Checks what [`after`](Self::after) does.
    #[inline]
    pub(crate) const fn check_frame(&self, header: &Header, limits: &Limits) -> Result<(), OutOfSequence> {
        match self.check(header.opcode) {
            Ok(()) => self.check_limits(header, limits),
            Err(error) => Err(error),
        }
    }

    /// Checks what [`after`](Self::after) does, but the order, which [`check`](Self::check) has passed.
    #[inline]
    pub(crate) const fn check_limits(&self, header: &Header, limits: &Limits) -> Result<(), OutOfSequence> {
        if header.opcode.is_control() {
            return Ok(());
        }
        // A peer chooses both terms, so that the sum may be too large.
        match self.len.checked_add(header.payload_len) {
            Some(len) if len <= limits.message_len => {}
            _ => return Err(OutOfSequence::MessageTooLong),
        }
        let is_fragment = !(header.fin && self.message.is_none());
        if is_fragment && self.fragments >= limits.fragments && limits.fragments != u32::MAX {
            return Err(OutOfSequence::TooManyFragments);
        }
        Ok(())
    }

    /// Steps over a frame that [`check`](Self::check) and [`check_limits`](Self::check_limits) have passed.
    #[inline]
    pub(crate) const fn advance(&mut self, header: &Header) {
        if header.opcode.is_control() {
            return;
        }
        if header.fin {
            *self = Self::new();
            return;
        }
        if self.message.is_none() {
            self.message = Some(header.opcode);
        }
        // Only a count without a limit can reach the top, and there it may stay.
        self.fragments = self.fragments.saturating_add(1);
        self.len += header.payload_len;
    }

    /// Returns the opcode of the message that is open, or `None` between messages. Never
    /// [`Opcode::Continuation`].
    ///
    /// ```
    /// # use websocket_wire::{Header, Limits, Opcode, Sequence};
    /// let open = Sequence::new().after(&Header::new(Opcode::Binary).fragment(), &Limits::DEFAULT).unwrap();
    /// assert_eq!(open.message(), Some(Opcode::Binary));
    /// ```
    #[inline]
    #[must_use]
    pub const fn message(&self) -> Option<Opcode> {
        self.message
    }
}

/// A frame that may not follow the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum OutOfSequence {
    /// A continuation frame while no message is open.
    NothingToContinue,
    /// A frame that begins a message while another is open.
    MessageOpen,
    /// The message would be longer than [`Limits::message_len`].
    MessageTooLong,
    /// The message would have more frames than [`Limits::fragments`].
    TooManyFragments,
}

impl From<OutOfSequence> for DecodeError {
    fn from(error: OutOfSequence) -> Self {
        match error {
            OutOfSequence::NothingToContinue => Self::UnexpectedContinuation,
            OutOfSequence::MessageOpen => Self::InterleavedMessage,
            OutOfSequence::MessageTooLong => Self::MessageTooLong,
            OutOfSequence::TooManyFragments => Self::TooManyFragments,
        }
    }
}

impl From<OutOfSequence> for EncodeError {
    /// An encoder sets no limits, so a message is too long only above 2^64 bytes, and never of too many fragments.
    fn from(error: OutOfSequence) -> Self {
        match error {
            OutOfSequence::NothingToContinue => Self::UnexpectedContinuation,
            OutOfSequence::MessageOpen => Self::UnfinishedMessage,
            OutOfSequence::MessageTooLong | OutOfSequence::TooManyFragments => Self::PayloadTooLong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_frame_does_not_bring_a_message_back_within_a_lower_limit() {
        let open = Sequence { message: Some(Opcode::Binary), fragments: 1, len: 6 };
        for (message_len, expected) in [(5, Err(OutOfSequence::MessageTooLong)), (6, Ok(Sequence::new()))] {
            let limits = Limits { message_len, ..Limits::DEFAULT };
            assert_eq!(open.after(&Header::new(Opcode::Continuation), &limits), expected);
        }
    }

    #[test]
    fn no_sum_of_lengths_is_too_large_to_be_refused() {
        let open = Sequence { message: Some(Opcode::Binary), fragments: 1, len: 6 };
        let header = Header { payload_len: u64::MAX, ..Header::new(Opcode::Continuation) };
        assert_eq!(open.after(&header, &Limits::NONE), Err(OutOfSequence::MessageTooLong));
    }

    #[test]
    fn a_count_without_a_limit_stays_at_the_top() {
        let mut sequence = Sequence { message: Some(Opcode::Binary), fragments: u32::MAX - 1, len: 0 };
        for _ in 0..3 {
            sequence = sequence.after(&Header::new(Opcode::Continuation).fragment(), &Limits::NONE).unwrap();
        }
        assert_eq!(sequence.fragments, u32::MAX);
    }
}
