//! Whether the peer is still there: pings that only their own pongs answer (RFC 6455 §5.5.2, §5.5.3).

use crate::close::{CloseCode, CloseFrame};
use crate::connection::Connection;
use crate::error::EncodeError;
use crate::side::Side;

/// Counts the intervals in which the peer has given no answer; when they are too many, it closes the connection, and
/// then ends it.
///
/// There is no clock here: the caller calls [`tick`](Self::tick) at the interval that it likes. Every ping has a
/// payload of its own, 8 bytes; a pong counts only if it has that of a ping that is still unanswered, so that a peer
/// which sends pongs unasked does not pass for one that answers. Any answer settles all pings before it and behind it:
/// the peer is there.
///
/// An interval counts also where no ping could be sent, because the peer does not take the rest of a reply. A close
/// frame, whoever sent it, has as many intervals to be answered; behind them the connection is over,
/// [`should_close_tcp`](Connection::should_close_tcp) is true, and what the peer has not read is dropped.
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
/// assert_eq!(heartbeat.tick(&mut connection, &mut out), Ok(0)); // the fourth closes
/// assert!(connection.pending_output().starts_with(b"\x88\x12\x03\xF0unanswered pings"));
///
/// for _ in 0..4 {
///     assert!(!connection.should_close_tcp());
///     assert_eq!(heartbeat.tick(&mut connection, &mut out), Ok(0)); // and the fourth from there gives up
/// }
/// assert!(connection.should_close_tcp());
/// # Ok::<(), websocket_wire::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// What the payload of the last ping says; the ones before it count down from there.
    last: u64,
    /// The pings sent since the last answer.
    pings: u32,
    /// The intervals since then in which none could be sent.
    silent: u32,
    max_unanswered: u32,
}

impl Heartbeat {
    /// The longest ping frame in bytes that [`tick`](Self::tick) writes: a client's.
    pub const MAX_FRAME_LEN: usize = 2 + 4 + 8;

    /// Returns a heartbeat that closes after three unanswered pings.
    ///
    /// ```
    /// # use websocket_wire::Heartbeat;
    /// assert_eq!(Heartbeat::new().unanswered(), 0);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { last: 0, pings: 0, silent: 0, max_unanswered: 3 }
    }

    /// Sets how many pings may be unanswered, and then for how many intervals a close frame: 3 unless called. At 0 the
    /// first tick closes, and the second gives up.
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
    pub const fn max_unanswered(mut self, intervals: u32) -> Self {
        self.max_unanswered = intervals;
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
    /// Returns 0 where there is nothing to be sent; the interval is counted all the same:
    ///
    /// - A reply is partly written, as where the peer does not read.
    /// - Too many intervals are unanswered: the connection is closed with 1008, and the close frame is in
    ///   [`pending_output`](Connection::pending_output).
    /// - A close frame was sent. When as many intervals have passed without the end of the connection, it is given up:
    ///   all replies are dropped and [`should_close_tcp`](Connection::should_close_tcp) is true, as behind
    ///   [`receive_eof`](Connection::receive_eof). So a loop that asks for that ends, whatever the peer does.
    ///
    /// # Errors
    ///
    /// [`EncodeError::BufferTooSmall`], and [`EncodeError::Closed`] behind [`receive_eof`](Connection::receive_eof)
    /// where no close frame was sent; then nothing is counted.
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
        if self.unanswered() >= self.max_unanswered {
            return self.escalate(connection);
        }
        let next = self.last.wrapping_add(1);
        match connection.encoder().and_then(|encoder| encoder.ping(&next.to_be_bytes(), out)) {
            Ok(len) => {
                self.last = next;
                self.pings += 1;
                Ok(len)
            }
            Err(EncodeError::ReplyUnfinished) => self.pass(),
            Err(EncodeError::Closed) if connection.is_close_sent() => self.pass(),
            Err(error) => Err(error),
        }
    }

    /// Counts an interval without a ping.
    const fn pass(&mut self) -> Result<usize, EncodeError> {
        self.silent += 1;
        Ok(0)
    }

    /// Closes the connection, or gives up one that is closing.
    fn escalate<S: Side, R>(&mut self, connection: &mut Connection<S, R>) -> Result<usize, EncodeError> {
        if connection.is_close_sent() {
            connection.give_up();
        } else if connection.is_at_eof() {
            return Err(EncodeError::Closed);
        } else {
            connection.close(Some(CloseFrame::new(CloseCode::POLICY_VIOLATION, "unanswered pings")))?;
            self.alive();
        }
        Ok(0)
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
        let is_answer = age < u64::from(self.pings);
        if is_answer {
            self.alive();
        }
        is_answer
    }

    /// Takes note that the peer is there: nothing is unanswered any more. For a caller to whom any traffic is a sign of
    /// life, or that wants to give the peer more time to answer its close frame.
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
        (self.pings, self.silent) = (0, 0);
    }

    /// Returns how many intervals have passed without an answer: those of the pings that are unanswered, and those in
    /// which none could be sent.
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
        self.pings.saturating_add(self.silent)
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}
