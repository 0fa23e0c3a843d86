//! An endpoint of a connection, without I/O: what comes is judged and answered, what goes keeps to the order
//! (RFC 6455 §5.5, §7).

#[cfg(feature = "alloc")]
mod messages;
mod replies;

use crate::close::{CloseCode, CloseFrame};
use crate::config::{Config, Role};
use crate::decoder::Decoder;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::frame::Frame;
use crate::opcode::Opcode;
use crate::side::{Client, MaskSource, Server, Side};
use crate::status::Status;
use replies::Replies;

/// One end of a connection: a decoder and an encoder that know of each other, pongs, and the closing handshake.
///
/// What comes from the peer goes through [`receive`](Self::receive), what goes to it is encoded by
/// [`encoder`](Self::encoder) or by [`close`](Self::close). The connection answers by itself: a ping with a pong, a
/// close frame with its code, a fault with the close frame that names it. These replies wait in
/// [`pending_output`](Self::pending_output).
///
/// # A server's loop
///
/// ```
/// use websocket_wire::{Connection, Opcode, Status};
/// # use std::io::{Read, Write};
/// # struct Pipe(&'static [u8], Vec<u8>);
/// # impl Read for Pipe { fn read(&mut self, b: &mut [u8]) -> std::io::Result<usize> { self.0.read(b) } }
/// # impl Write for Pipe {
/// #     fn write(&mut self, b: &[u8]) -> std::io::Result<usize> { self.1.write(b) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// # let mut stream = Pipe(b"\x81\x82\0\0\0\0hi\x89\x81\0\0\0\0p\x88\x82\0\0\0\0\x03\xE8", Vec::new());
///
/// let mut connection = Connection::server();
/// let (mut buf, mut at, mut len, mut out) = ([0; 4096], 0, 0, [0; 4096]);
/// while !connection.should_close_tcp() {
///     match connection.receive(&mut buf[at..len]) {
///         Ok(Status::Complete { value: frame, consumed }) => {
///             at += consumed;
///             if let Some(text) = frame.text() {
///                 let n = connection.encoder()?.text(text, &mut out)?;
///                 stream.write_all(&out[..n])?;
///             }
///         }
///         Ok(Status::Partial { .. }) => {
///             buf.copy_within(at..len, 0); // at most a header, or a control frame
///             (at, len) = (0, len - at);
///             match stream.read(&mut buf[len..])? {
///                 0 => _ = connection.receive_eof(),
///                 n => len += n,
///             }
///         }
///         Err(error) => println!("{error}"), // the close frame that says so is pending
///     }
///     stream.write_all(connection.pending_output())?;
///     connection.consume_output(connection.pending_output().len());
/// }
/// # assert_eq!(stream.1, b"\x81\x02hi\x8A\x01p\x88\x02\x03\xE8");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What the caller keeps to
///
/// **Bytes are written in the order in which the connection gave them out**, each frame to its end before anything
/// else. While a reply is partly written, [`encoder`](Self::encoder) refuses, so that no frame gets into the middle of
/// it; before its first byte, frames may go in front of it. All state is in the connection: a future that is dropped
/// between two calls loses nothing, and `n` bytes of `pending_output` that were written are told by
/// `consume_output(n)`.
///
/// # Closing
///
/// [`close`](Self::close) begins the closing handshake. Behind our close frame nothing is sent, also no pong; what the
/// peer had sent before it answered is still delivered: only who *received* a close frame "discards any further data
/// received" (§1.4). Behind the peer's close frame nothing is delivered. A caller that does not want to wait for ever
/// for the peer's answer ticks a [`Heartbeat`](crate::Heartbeat), or sets a timer of its own; there is no clock here.
///
/// # Memory
///
/// At most two replies wait, so a peer that sends pings and never reads cannot make the connection grow: the newest
/// pong takes the place of one that has not begun (§5.5.3), and a close frame that of a pong behind one that has begun.
/// On a 64-bit machine the connection of a server takes 392 bytes. With the feature `alloc`,
/// [`messages`](Self::messages) makes it one that returns whole messages.
#[derive(Debug)]
pub struct Connection<S, R = Decoder> {
    receiver: R,
    encoder: Encoder<S>,
    replies: Replies,
    /// The peer's close code, 1005 where it gave none; 1006 where the stream ended without a close frame.
    close_code: Option<CloseCode>,
    error: Option<DecodeError>,
    is_at_eof: bool,
    leaves_pings: bool,
    /// The close frame that was sent went through the replies.
    is_close_reply: bool,
}

impl Connection<Server> {
    /// Returns the strict connection of a server.
    ///
    /// ```
    /// # use websocket_wire::Connection;
    /// let mut connection = Connection::server();
    /// assert!(connection.receive(&mut [0x89, 0x80, 1, 2, 3, 4])?.complete().is_some());
    /// assert_eq!(connection.pending_output(), [0x8A, 0]);
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[must_use]
    pub fn server() -> Self {
        Self::server_with(Config::server())
    }

    /// Returns the connection of a server that accepts what `config` says. Its role is a server's, whatever that of
    /// `config`; its claims hold for both directions.
    ///
    /// ```
    /// # use websocket_wire::{Config, Connection, Limits};
    /// let limits = Limits { message_len: 4096, ..Limits::DEFAULT };
    /// let connection = Connection::server_with(Config::server().limits(limits));
    /// assert_eq!(connection.error(), None);
    /// ```
    #[must_use]
    pub fn server_with(config: Config) -> Self {
        Self::new(Config { role: Role::Server, ..config }, Encoder::server())
    }
}

impl<M: MaskSource> Connection<Client<M>> {
    /// Returns the strict connection of a client, which takes a fresh key for every frame from `masks`.
    ///
    /// ```
    /// # use websocket_wire::{Connection, MaskingKey};
    /// let mut connection = Connection::client(|| MaskingKey::new([1, 2, 3, 4]));
    /// assert!(connection.receive(&mut [0x89, 0])?.complete().is_some());
    /// assert_eq!(connection.pending_output(), [0x8A, 0x80, 1, 2, 3, 4]);
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[must_use]
    pub fn client(masks: M) -> Self {
        Self::client_with(Config::client(), masks)
    }

    /// Returns the connection of a client that accepts what `config` says. Its role is a client's, whatever that of
    /// `config`; its claims hold for both directions.
    ///
    /// ```
    /// # use websocket_wire::{Config, Connection, MaskingKey};
    /// let config = Config::client().skip_text_validation();
    /// let mut connection = Connection::client_with(config, || MaskingKey::new([1, 2, 3, 4]));
    /// assert!(connection.receive(&mut [0x81, 1, 0xFF]).is_ok());
    /// ```
    #[must_use]
    pub fn client_with(config: Config, masks: M) -> Self {
        Self::new(Config { role: Role::Client, ..config }, Encoder::client(masks))
    }
}

impl<S: Side> Connection<S> {
    fn new(config: Config, encoder: Encoder<S>) -> Self {
        Self {
            receiver: Decoder::new(config),
            encoder: encoder.claims(config.claims),
            replies: Replies::new(),
            close_code: None,
            error: None,
            is_at_eof: false,
            leaves_pings: false,
            is_close_reply: false,
        }
    }

    /// Decodes the frame at the front of `buf`, or as much of it as is here, and answers it: what
    /// [`Decoder::decode`] says of the buffer, of parts and of `Partial` holds here too.
    ///
    /// All frames are returned, control frames as well; pings and close frames have been answered then, if they are to
    /// be. [`Frame::close`] gives the code and the reason of a close frame. Behind it nothing is delivered.
    ///
    /// # Errors
    ///
    /// As [`Decoder::decode`]. The close frame with [`DecodeError::close_code`] is pending, unless a close frame was
    /// sent before; the connection has failed (§7.1.7), and every further call says the same error.
    ///
    /// ```
    /// # use websocket_wire::{Connection, DecodeError, Status};
    /// let mut connection = Connection::server();
    /// let mut buf = *b"\x89\x82\0\0\0\0hi\x81\x00";
    /// let Status::Complete { value: ping, consumed } = connection.receive(&mut buf)? else { panic!() };
    /// assert_eq!((ping.payload(), connection.pending_output()), (&b"hi"[..], &b"\x8A\x02hi"[..]));
    /// assert_eq!(connection.receive(&mut buf[consumed..]).unwrap_err(), DecodeError::MissingMask);
    /// assert!(connection.pending_output().ends_with(b"\x03\xEAa frame from a client is not masked"));
    /// # Ok::<(), DecodeError>(())
    /// ```
    // Inlined as `decode` is, so that a run of small messages costs what that takes: what it takes inlined is no
    // control frame and no fault. To look for these in all that it returns sent every frame by way of memory.
    #[inline(always)]
    pub fn receive<'b>(&mut self, buf: &'b mut [u8]) -> Result<Status<Frame<'b>>, DecodeError> {
        match self.receiver.decode_whole(buf) {
            Ok(status) => Ok(status),
            Err(buf) => self.receive_next(buf),
        }
    }

    #[inline(never)]
    fn receive_next<'b>(&mut self, buf: &'b mut [u8]) -> Result<Status<Frame<'b>>, DecodeError> {
        let result = self.receiver.decode_next(buf, None);
        match &result {
            Ok(Status::Complete { value, .. }) if value.header.opcode.is_control() => {
                self.answer(value.header.opcode, value.payload);
            }
            Err(error) => self.fail(*error),
            Ok(_) => {}
        }
        result
    }
}

impl<S: Side, R> Connection<S, R> {
    /// Leaves it to the caller to answer pings, with [`Encoder::pong`]. Close frames and faults are answered all the
    /// same.
    ///
    /// ```
    /// # use websocket_wire::Connection;
    /// let mut connection = Connection::server().leave_pings();
    /// assert!(connection.receive(&mut [0x89, 0x80, 1, 2, 3, 4])?.complete().is_some());
    /// assert_eq!(connection.pending_output(), []);
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[must_use]
    pub fn leave_pings(mut self) -> Self {
        self.leaves_pings = true;
        self
    }

    /// Returns the encoder, to send a frame: its [`text`](Encoder::text), [`encode`](Encoder::encode),
    /// [`ping`](Encoder::ping), [`header`](Encoder::header) and all others write it where the caller says. What it
    /// gives out is written whole before [`pending_output`](Self::pending_output) is.
    ///
    /// # Errors
    ///
    /// [`EncodeError::ReplyUnfinished`] while a reply is partly written: the rest of `pending_output` goes first.
    /// [`EncodeError::Closed`] behind [`receive_eof`](Self::receive_eof). That a close frame was sent, the encoder says
    /// by itself, with `Closed`.
    ///
    /// ```
    /// # use websocket_wire::{Connection, EncodeError};
    /// let (mut connection, mut out) = (Connection::server(), [0; 9]);
    /// assert_eq!(connection.encoder()?.text("Hello", &mut out), Ok(7));
    /// connection.close(None)?;
    /// assert_eq!(connection.encoder()?.text("Hello", &mut out), Err(EncodeError::Closed));
    /// connection.consume_output(1); // of two bytes
    /// assert_eq!(connection.encoder().unwrap_err(), EncodeError::ReplyUnfinished);
    /// # Ok::<(), EncodeError>(())
    /// ```
    #[inline]
    pub fn encoder(&mut self) -> Result<&mut Encoder<S>, EncodeError> {
        if self.replies.has_begun() {
            return Err(EncodeError::ReplyUnfinished);
        }
        if self.is_at_eof {
            return Err(EncodeError::Closed);
        }
        Ok(&mut self.encoder)
    }

    /// Begins the closing handshake: the close frame waits in [`pending_output`](Self::pending_output). `None` sends no
    /// code. Does nothing where a close frame was sent before, or the stream has ended.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidClose`] for a code that may not be sent, as 1005 or 1006; then nothing has changed.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CloseFrame, Connection};
    /// let mut connection = Connection::server();
    /// connection.close(Some(CloseFrame::new(CloseCode::GOING_AWAY, "bye")))?;
    /// connection.close(None)?; // the second one sends nothing
    /// assert_eq!(connection.pending_output(), b"\x88\x05\x03\xE9bye");
    /// assert!(connection.close(Some(CloseFrame::new(CloseCode::NO_STATUS, ""))).is_ok());
    /// assert!(Connection::server().close(Some(CloseFrame::new(CloseCode::NO_STATUS, ""))).is_err());
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn close(&mut self, close: Option<CloseFrame<'_>>) -> Result<(), EncodeError> {
        if self.encoder.is_closed() || self.is_at_eof {
            return Ok(());
        }
        self.replies.close(&mut self.encoder, close)?;
        self.is_close_reply = true;
        Ok(())
    }

    /// Takes the end of the stream: the peer has closed TCP, or the connection is lost. Returns the code to report: the
    /// one that the peer's close frame had, 1005 where it had none, and 1006 where none has come, as behind a fault
    /// (§7.1.5). What was received before goes through [`receive`](Connection::receive) first.
    ///
    /// Pending replies are dropped where neither a close frame of the peer has come nor a fault: behind those the peer
    /// may have closed its own half alone, and still reads what it is answered. Nothing new can be sent any more.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, Connection};
    /// let mut connection = Connection::server();
    /// assert_eq!(connection.receive_eof(), CloseCode::ABNORMAL);
    /// assert!(connection.should_close_tcp() && connection.pending_output().is_empty());
    /// ```
    pub fn receive_eof(&mut self) -> CloseCode {
        self.is_at_eof = true;
        // "the endpoint SHOULD send a Close frame with an appropriate status code (Section 7.4) before proceeding to
        // _Close the WebSocket Connection_" (§7.1.7, of one that fails)
        if !self.is_close_received() && self.error.is_none() {
            self.replies.clear();
        }
        *self.close_code.get_or_insert(CloseCode::ABNORMAL)
    }

    pub(crate) const fn is_at_eof(&self) -> bool {
        self.is_at_eof
    }

    /// Ends the connection as `receive_eof` does, and drops all replies: nobody reads them.
    pub(crate) fn give_up(&mut self) {
        self.receive_eof();
        self.replies.clear();
    }

    /// Takes the first `len` bytes of [`pending_output`](Self::pending_output) as written.
    ///
    /// # Panics
    ///
    /// Where less than `len` bytes are pending.
    ///
    /// ```
    /// # use websocket_wire::Connection;
    /// let mut connection = Connection::server();
    /// connection.close(None).unwrap();
    /// connection.consume_output(1);
    /// assert_eq!(connection.pending_output(), [0]);
    /// ```
    pub fn consume_output(&mut self, len: usize) {
        assert!(len <= self.pending_output().len(), "more was consumed than is pending");
        self.replies.consume(len);
    }

    /// Returns the replies that have yet to be written: whole frames, but for the first, where
    /// [`consume_output`](Self::consume_output) has taken the front of it. Calls that receive may add to them, and put
    /// a newer pong in the place of one of which nothing was consumed.
    ///
    /// ```
    /// # use websocket_wire::Connection;
    /// assert!(Connection::server().pending_output().is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub fn pending_output(&self) -> &[u8] {
        // A close frame that the caller has from the encoder is the last one: a pong that waits does not follow it.
        if self.encoder.is_closed() && !self.is_close_reply { &[] } else { self.replies.pending() }
    }

    /// Tells whether the caller is to close the TCP connection now: all replies are written, and the closing handshake
    /// is over, the connection has failed, or the stream has ended.
    ///
    /// "The underlying TCP connection, in most normal cases, SHOULD be closed first by the server" (§7.1.1): after a
    /// closing handshake without fault a client is told so when [`receive_eof`](Self::receive_eof) was called. It reads
    /// on until then, for as long as it likes to wait.
    ///
    /// ```
    /// # use websocket_wire::{Connection, MaskingKey};
    /// let mut server = Connection::server();
    /// assert!(server.receive(&mut [0x88, 0x80, 1, 2, 3, 4])?.complete().is_some());
    /// assert!(!server.should_close_tcp()); // the answer comes first
    /// server.consume_output(2);
    /// assert!(server.should_close_tcp());
    ///
    /// let mut client = Connection::client(|| MaskingKey::new([1, 2, 3, 4]));
    /// assert!(client.receive(&mut [0x88, 0])?.complete().is_some());
    /// client.consume_output(6);
    /// assert!(!client.should_close_tcp());
    /// client.receive_eof();
    /// assert!(client.should_close_tcp());
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[must_use]
    pub fn should_close_tcp(&self) -> bool {
        let is_shaken = self.is_close_sent() && self.is_close_received();
        let is_over = self.error.is_some() || self.is_at_eof || (is_shaken && !S::IS_MASKED);
        is_over && self.pending_output().is_empty()
    }

    /// Tells whether a close frame was sent: given out by the encoder, or pending.
    ///
    /// ```
    /// # use websocket_wire::Connection;
    /// let mut connection = Connection::server();
    /// connection.close(None)?;
    /// assert!(connection.is_close_sent() && !connection.is_close_received());
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub const fn is_close_sent(&self) -> bool {
        self.encoder.is_closed()
    }

    /// Tells whether the peer's close frame has come.
    ///
    /// ```
    /// # use websocket_wire::Connection;
    /// let mut connection = Connection::server();
    /// assert!(connection.receive(&mut [0x88, 0x80, 1, 2, 3, 4])?.complete().is_some());
    /// assert!(connection.is_close_received() && connection.is_close_sent());
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[must_use]
    pub const fn is_close_received(&self) -> bool {
        // 1006 is not received: a frame with it is a fault.
        matches!(self.close_code, Some(code) if code.0 != CloseCode::ABNORMAL.0)
    }

    /// Returns the code to report (§7.1.5), once it is known: that of the peer's close frame, 1005 where it had none,
    /// 1006 where [`receive_eof`](Self::receive_eof) was called without one.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, Connection};
    /// let mut connection = Connection::server();
    /// assert_eq!(connection.close_code(), None);
    /// assert!(connection.receive(&mut [0x88, 0x80, 1, 2, 3, 4])?.complete().is_some());
    /// assert_eq!(connection.close_code(), Some(CloseCode::NO_STATUS));
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    #[must_use]
    pub const fn close_code(&self) -> Option<CloseCode> {
        self.close_code
    }

    /// Returns the fault that has failed the connection.
    ///
    /// ```
    /// # use websocket_wire::{Connection, DecodeError};
    /// let mut connection = Connection::server();
    /// assert!(connection.receive(&mut [0x81, 0]).is_err());
    /// assert_eq!(connection.error(), Some(DecodeError::MissingMask));
    /// ```
    #[must_use]
    pub const fn error(&self) -> Option<DecodeError> {
        self.error
    }

    #[cold]
    #[inline(never)]
    fn answer(&mut self, opcode: Opcode, payload: &[u8]) {
        match opcode {
            Opcode::Ping => self.pong(payload),
            Opcode::Close => {
                self.answer_close(payload.first_chunk().map(|code| CloseCode(u16::from_be_bytes(*code))));
            }
            _ => {}
        }
    }

    fn pong(&mut self, payload: &[u8]) {
        if !self.leaves_pings && !self.is_at_eof {
            self.replies.pong(&mut self.encoder, payload);
        }
    }

    /// Answers a close frame with its code. "When sending a Close frame in response, the endpoint typically echos the
    /// status code it received." (§5.5.1)
    fn answer_close(&mut self, code: Option<CloseCode>) {
        self.close_code = Some(code.unwrap_or(CloseCode::NO_STATUS));
        let sent = self.close(code.map(|code| CloseFrame::new(code, "")));
        debug_assert!(sent.is_ok(), "a code that was received may be sent");
    }

    #[cold]
    #[inline(never)]
    fn fail(&mut self, error: DecodeError) {
        self.error = Some(error);
        let sent = self.close(Some(CloseFrame::new(error.close_code(), error.as_str())));
        debug_assert!(sent.is_ok(), "a fault has a code that may be sent");
    }
}
