//! Whether the peer is still there: pings that only their own pongs answer (RFC 6455 §5.5.2, §5.5.3).

use crate::close::{CloseCode, CloseFrame};
use crate::connection::Connection;
use crate::error::EncodeError;
use crate::side::Side;

/// Counts the pings that the peer has left unanswered, and closes the connection when they are too many.
///
/// There is no clock here: the caller calls [`tick`](Self::tick) at the interval that it likes. Every ping has a
/// payload of its own, 8 bytes; a pong counts only if it has that of a ping that is still unanswered, so that a peer
/// which sends pongs unasked does not pass for one that answers. Any answer settles all pings before it and behind it:
/// the peer is there.
///
/// ```
/// use websocket_wire::{CloseCode, Connection, Heartbeat, Opcode};
///
/// let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new());
/// let mut out = [0; Heartbeat::MAX_FRAME_LEN];
/// for _ in 0..3 {
///     assert_eq!(heartbeat.tick(&mut connection, &mut out), Ok(10)); // a ping to write
/// }
/// assert!(!heartbeat.pong(b"unasked") && heartbeat.pong(&out[2..10])); // what frames of Opcode::Pong go through
///
/// for _ in 0..3 {
///     assert_eq!(heartbeat.tick(&mut connection, &mut out), Ok(10));
/// }
/// assert_eq!(heartbeat.tick(&mut connection, &mut out), Ok(0)); // the fourth gives up
/// assert!(connection.pending_output().starts_with(b"\x88\x12\x03\xF0unanswered pings"));
/// # Ok::<(), websocket_wire::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// What the payload of the last ping says; the ones before it count down from there.
    last: u64,
    unanswered: u32,
    max_unanswered: u32,
}

impl Heartbeat {
    /// The longest ping frame in bytes that [`tick`](Self::tick) writes: a client's.
    pub const MAX_FRAME_LEN: usize = 2 + 4 + 8;

    /// Returns a heartbeat that gives up after three unanswered pings.
    ///
    /// ```
    /// # use websocket_wire::Heartbeat;
    /// assert_eq!(Heartbeat::new().unanswered(), 0);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { last: 0, unanswered: 0, max_unanswered: 3 }
    }

    /// Sets how many pings may be unanswered: 3 unless called. At 0 the first tick gives up.
    ///
    /// ```
    /// # use websocket_wire::{Connection, Heartbeat};
    /// let (mut connection, mut out) = (Connection::server(), [0; Heartbeat::MAX_FRAME_LEN]);
    /// let mut heartbeat = Heartbeat::new().max_unanswered(1);
    /// assert_eq!(heartbeat.tick(&mut connection, &mut out), Ok(10));
    /// assert_eq!(heartbeat.tick(&mut connection, &mut out), Ok(0));
    /// assert!(connection.is_close_sent());
    /// ```
    #[must_use]
    pub const fn max_unanswered(mut self, pings: u32) -> Self {
        self.max_unanswered = pings;
        self
    }

    /// Sets where the payloads begin to count: a number that the peer cannot guess keeps it from answering pings that
    /// it has not read. 0 unless called.
    ///
    /// ```
    /// # use websocket_wire::{Connection, Heartbeat};
    /// let mut out = [0; Heartbeat::MAX_FRAME_LEN];
    /// Heartbeat::new().salt(0x0102_0304_0506_0708).tick(&mut Connection::server(), &mut out)?;
    /// assert_eq!(out[..10], [0x89, 8, 1, 2, 3, 4, 5, 6, 7, 9]);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub const fn salt(mut self, salt: u64) -> Self {
        self.last = salt;
        self
    }

    /// Writes a ping to the front of `out` and returns its length, to be sent as any frame of the
    /// [`encoder`](Connection::encoder); [`MAX_FRAME_LEN`](Self::MAX_FRAME_LEN) bytes do.
    ///
    /// Where too many pings are unanswered, closes the connection with 1008 instead and returns 0: the close frame is
    /// in [`pending_output`](Connection::pending_output). Returns 0 also where a close frame was sent before; then the
    /// ticks tell the caller how long the peer has been taking to answer it.
    ///
    /// # Errors
    ///
    /// As [`Connection::encoder`] and [`Encoder::ping`](crate::Encoder::ping); then no ping is counted.
    ///
    /// ```
    /// # use websocket_wire::{Connection, EncodeError, Heartbeat};
    /// let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new());
    /// let error = heartbeat.tick(&mut connection, &mut [0; 9]);
    /// assert_eq!(error, Err(EncodeError::BufferTooSmall { needed: 10 }));
    /// assert_eq!(heartbeat.unanswered(), 0);
    /// ```
    pub fn tick<S: Side, R>(
        &mut self,
        connection: &mut Connection<S, R>,
        out: &mut [u8],
    ) -> Result<usize, EncodeError> {
        if connection.is_close_sent() {
            return Ok(0);
        }
        if self.unanswered >= self.max_unanswered {
            connection.close(Some(CloseFrame::new(CloseCode::POLICY_VIOLATION, "unanswered pings")))?;
            return Ok(0);
        }
        let next = self.last.wrapping_add(1);
        let len = connection.encoder()?.ping(&next.to_be_bytes(), out)?;
        self.last = next;
        self.unanswered += 1;
        Ok(len)
    }

    /// Takes the payload of a pong; returns whether it answers a ping that was unanswered. Then none is any more.
    ///
    /// ```
    /// # use websocket_wire::Heartbeat;
    /// assert!(!Heartbeat::new().pong(b"no ping was sent"));
    /// ```
    pub fn pong(&mut self, payload: &[u8]) -> bool {
        let Ok(payload) = payload.try_into() else {
            return false;
        };
        let age = self.last.wrapping_sub(u64::from_be_bytes(payload));
        let is_answer = age < u64::from(self.unanswered);
        if is_answer {
            self.alive();
        }
        is_answer
    }

    /// Takes note that the peer is there: no ping is unanswered any more. For a caller to whom any traffic is a sign of
    /// life.
    ///
    /// ```
    /// # use websocket_wire::{Connection, Heartbeat};
    /// let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new());
    /// heartbeat.tick(&mut connection, &mut [0; Heartbeat::MAX_FRAME_LEN])?;
    /// heartbeat.alive();
    /// assert_eq!(heartbeat.unanswered(), 0);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub const fn alive(&mut self) {
        self.unanswered = 0;
    }

    /// Returns how many pings are unanswered.
    ///
    /// ```
    /// # use websocket_wire::{Connection, Heartbeat};
    /// let mut heartbeat = Heartbeat::new();
    /// heartbeat.tick(&mut Connection::server(), &mut [0; Heartbeat::MAX_FRAME_LEN])?;
    /// assert_eq!(heartbeat.unanswered(), 1);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub const fn unanswered(&self) -> u32 {
        self.unanswered
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}
