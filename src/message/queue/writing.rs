//! What a [`SendQueue`] hands out.

use bytes::Buf;

use super::SendQueue;
use crate::header::Header;
use crate::side::Side;
use crate::status::Status;

/// A frame that has begun to be written, and so has to be written to its end before any other.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Begun {
    pub(super) is_control: bool,
    pub(super) ends_message: bool,
    /// How much of it is still to be written; 0 between frames.
    pub(super) left: usize,
}

impl<S: Side> SendQueue<S> {
    /// Returns the first slices of what is to be written, in order, in the front of `slices`, and how many they are.
    /// Where they are less than `slices` has room for, they are all.
    ///
    /// Nothing is to be pushed between this and the [`advance`](Self::advance) over what was written of it.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Message, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.push_message(Message::Text("a".into()))?;
    /// queue.push_message(Message::Text("b".into()))?;
    /// let mut slices = [&[][..]; 4];
    /// assert_eq!(queue.slices(&mut slices), 1); // short ones lie one behind the other
    /// assert_eq!(slices[0], b"\x81\x01a\x81\x01b");
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn slices<'a>(&'a self, slices: &mut [&'a [u8]]) -> usize {
        slices.iter_mut().zip(self.pieces()).map(|(slice, piece)| *slice = piece).count()
    }

    /// Takes `count` bytes as written: what is left begins behind them.
    ///
    /// # Panics
    ///
    /// Where `count` is more than [`len`](Self::len).
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Opcode, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.push_copy(Opcode::Text, b"abc")?;
    /// queue.advance(4);
    /// assert_eq!((queue.len(), queue.messages()), (1, 1));
    /// queue.advance(1);
    /// assert_eq!((queue.len(), queue.messages()), (0, 0));
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.len(), "{count} bytes cannot be written of {}", self.len());
        let mut written = count;
        while written > 0 {
            if self.begun.left == 0 {
                self.begin();
            }
            let step = written.min(self.begun.left);
            let lane = if self.begun.is_control { &mut self.control } else { &mut self.data };
            lane.advance(step);
            self.begun.left -= step;
            written -= step;
            if self.begun.left == 0 {
                self.messages -= usize::from(self.begun.ends_message);
                self.close_behind_data();
            }
        }
    }

    /// Returns how many bytes are to be written: whole frames, control frames included, and what is left of one that
    /// has begun; a close frame once no data is ahead of it.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Opcode, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.push_copy(Opcode::Text, b"abc")?;
    /// assert_eq!(queue.len(), 5);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub const fn len(&self) -> usize {
        self.control.len() + self.data.len()
    }

    /// Tells whether nothing is to be written.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, SendQueue};
    /// assert!(SendQueue::new(Encoder::server()).is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many data messages have been pushed whose final frame has not been written to its end.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Message, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.push_message(Message::Text("a".into()))?;
    /// queue.push_message(Message::Ping("b".into()))?;
    /// assert_eq!(queue.messages(), 1);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub const fn messages(&self) -> usize {
        self.messages
    }

    /// Makes the frame at the front the one that has begun.
    fn begin(&mut self) {
        let is_control = !self.control.is_empty();
        let front = if is_control { self.control.front() } else { self.data.front() };
        let Ok(Status::Complete { value, consumed }) = Header::parse(front) else {
            unreachable!("a header is never cut")
        };
        let ends_message = value.fin && !is_control;
        self.begun = Begun { is_control, ends_message, left: consumed + value.payload_len as usize };
    }

    /// Returns how many bytes of data go ahead of the control frames.
    pub(super) const fn data_ahead(&self) -> usize {
        if self.begun.is_control { 0 } else { self.begun.left }
    }

    /// Returns what is to be written, in order.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        // Where no control frame waits, data is not cut for it.
        let ahead = if self.control.is_empty() { self.data.len() } else { self.data_ahead() };
        let control = self.control.pieces(0..self.control.len());
        self.data.pieces(0..ahead).chain(control).chain(self.data.pieces(ahead..self.data.len()))
    }
}

impl<S: Side> Buf for SendQueue<S> {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.pieces().next().unwrap_or_default()
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        slices.iter_mut().zip(self.pieces()).map(|(slice, piece)| *slice = std::io::IoSlice::new(piece)).count()
    }

    fn advance(&mut self, count: usize) {
        self.advance(count);
    }
}
