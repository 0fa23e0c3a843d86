//! Connections over the traits of `embedded-io` and `embedded-io-async`: the loop that reads, answers and writes,
//! without a heap.

use core::fmt;

use crate::error::{DecodeError, EncodeError};

/// The caller's buffer, and what of it has been received and not yet decoded.
///
/// ```
/// # use websocket_wire::Input;
/// let mut buf = [0; Input::MIN_LEN];
/// buf[..2].copy_from_slice(&[0x89, 0]);
/// let input = Input::received(&mut buf, 2); // what came with the handshake
/// # let _ = input;
/// ```
pub struct Input<'b> {
    buf: &'b mut [u8],
    at: usize,
    len: usize,
    /// The bytes that are here do not do.
    is_starved: bool,
}

impl<'b> Input<'b> {
    /// The shortest buffer in bytes: the longest control frame.
    pub const MIN_LEN: usize = 131;

    /// Returns the input of a connection of which nothing has been received.
    ///
    /// # Panics
    ///
    /// Where `buf` is shorter than [`MIN_LEN`](Self::MIN_LEN).
    ///
    /// ```
    /// # use websocket_wire::Input;
    /// let mut buf = [0; 256];
    /// let input = Input::new(&mut buf);
    /// # let _ = input;
    /// ```
    #[must_use]
    pub const fn new(buf: &'b mut [u8]) -> Self {
        Self::received(buf, 0)
    }

    /// Returns the input of a connection of which the first `len` bytes of `buf` have been received, as behind a
    /// handshake.
    ///
    /// # Panics
    ///
    /// Where `buf` is shorter than [`MIN_LEN`](Self::MIN_LEN) or than `len`.
    ///
    /// ```
    /// # use websocket_wire::Input;
    /// let mut buf = [0; 256];
    /// let input = Input::received(&mut buf, 3);
    /// # let _ = input;
    /// ```
    #[must_use]
    pub const fn received(buf: &'b mut [u8], len: usize) -> Self {
        assert!(buf.len() >= Self::MIN_LEN && buf.len() >= len, "the buffer is too short");
        Self { buf, at: 0, len, is_starved: false }
    }

    /// Returns the room for what is read next: never empty.
    fn room(&mut self, is_discarding: bool) -> &mut [u8] {
        self.buf.copy_within(self.at..self.len, 0);
        (self.at, self.len) = (0, if is_discarding { 0 } else { self.len - self.at });
        &mut self.buf[self.len..]
    }

    fn push(&mut self, len: usize) {
        self.len += len;
        self.is_starved = false;
    }
}

impl fmt::Debug for Input<'_> {
    /// Shows how much is here, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("len", &(self.len - self.at)).finish_non_exhaustive()
    }
}

/// What can go wrong on a socket; `E` is the error of its stream.
///
/// ```
/// # use websocket_wire::{EncodeError, SocketError};
/// let error: SocketError<()> = EncodeError::Closed.into();
/// assert_eq!(error, SocketError::Encode(EncodeError::Closed));
/// assert_eq!(error.to_string(), "nothing can be sent after a close frame");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SocketError<E> {
    /// The stream failed.
    Io(E),
    /// The stream takes no more bytes.
    WriteZero,
    /// The peer broke a rule; it has been told so.
    Decode(DecodeError),
    /// The caller may not send this.
    Encode(EncodeError),
}

impl<E> From<EncodeError> for SocketError<E> {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl<E: fmt::Debug> fmt::Display for SocketError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the stream failed: {error:?}"),
            Self::WriteZero => f.write_str("the stream takes no more bytes"),
            Self::Decode(error) => error.fmt(f),
            Self::Encode(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for SocketError<E> {}

/// Defines the socket over the traits of one crate; the asynchronous one is the same text with two words more.
/// The examples are of the blocking one.
macro_rules! socket {
    ($(#[$doc:meta])* $io:ident $(, $async:tt, $await:tt)?) => {
        use crate::close::CloseFrame;
        use crate::connection::Connection;
        use crate::error::EncodeError;
        use crate::frame::Frame;
        use crate::header::Header;
        use crate::opcode::Opcode;
        use crate::side::Side;
        use crate::socket::{Input, SocketError};
        use crate::status::Status;

        $(#[$doc])*
        #[derive(Debug)]
        pub struct Socket<T, S> {
            stream: T,
            connection: Connection<S>,
            /// Something was written since the last flush.
            needs_flush: bool,
            /// The caller has got the fault that failed the connection.
            is_fault_told: bool,
        }

        impl<T: ::$io::Read + ::$io::Write, S: Side> Socket<T, S> {
            /// Returns the socket of a stream behind its handshake.
            ///
            /// ```
            /// # #[cfg(feature = "embedded-io")] {
            /// # use embedded_io_adapters::std::FromStd;
            /// # use websocket_wire::{Connection, embedded_io::Socket};
            /// # let stream = |bytes: &[u8]| FromStd::new(std::io::Cursor::new(bytes.to_vec()));
            /// let socket = Socket::new(stream(b""), Connection::server());
            /// assert!(!socket.should_close_tcp());
            /// # }
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub const fn new(stream: T, connection: Connection<S>) -> Self {
                Self { stream, connection, needs_flush: false, is_fault_told: false }
            }

            /// Writes what is pending, reads where the bytes that are here do not do, and returns the next frame or
            /// part; `None` where there is none yet, or no more. Reads at most once.
            ///
            /// Pings, close frames and faults are answered, as by [`Connection::receive`]; the answer is written by the
            /// next call, that to a fault by this one. When [`should_close_tcp`](Self::should_close_tcp) is true, all
            /// is written, and `None` is all that is returned.
            ///
            /// # Errors
            ///
            /// [`SocketError::Decode`] for a fault of the peer, once, also where the stream fails while it is
            /// answered; and those of the stream.
            ///
            /// ```
            /// # #[cfg(feature = "embedded-io")] {
            /// # use embedded_io_adapters::std::FromStd;
            /// # use websocket_wire::{Connection, Input, Opcode, embedded_io::Socket};
            /// # let stream = |bytes: &[u8]| FromStd::new(std::io::Cursor::new(bytes.to_vec()));
            /// let mut socket = Socket::new(stream(b"\x82\x81\0\0\0\0a"), Connection::server());
            /// let mut buf = [0; 256];
            /// let mut input = Input::new(&mut buf);
            /// assert!(socket.receive(&mut input)?.is_none()); // nothing is here: the next call reads
            /// let frame = socket.receive(&mut input)?.unwrap();
            /// assert_eq!((frame.message_opcode(), frame.payload()), (Opcode::Binary, &b"a"[..]));
            /// # }
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub $($async)? fn receive<'i>(
                &mut self,
                input: &'i mut Input<'_>,
            ) -> Result<Option<Frame<'i>>, SocketError<T::Error>> {
                let written = self.write_replies()$(.$await)?;
                // A future that was dropped while the answer was written has not told it.
                if let Some(error) = self.connection.error()
                    && !self.is_fault_told
                {
                    self.is_fault_told = true;
                    return Err(SocketError::Decode(error));
                }
                written?;
                if self.connection.should_close_tcp() {
                    return Ok(None);
                }
                if input.is_starved {
                    // "discards any further data received" (§1.4)
                    let room = input.room(self.connection.is_close_received());
                    match self.stream.read(room)$(.$await)?.map_err(SocketError::Io)? {
                        0 => _ = self.connection.receive_eof(),
                        len => input.push(len),
                    }
                }
                match self.connection.receive(&mut input.buf[input.at..input.len]) {
                    Ok(Status::Complete { value, consumed }) => {
                        input.at += consumed;
                        Ok(Some(value))
                    }
                    Ok(Status::Partial { .. }) => {
                        input.is_starved = true;
                        Ok(None)
                    }
                    Err(error) => {
                        // Where that fails, the fault comes first, and the next call says the rest.
                        _ = self.write_replies()$(.$await)?;
                        self.is_fault_told = true;
                        Err(SocketError::Decode(error))
                    }
                }
            }

            /// Writes what is pending, then a frame; see [`Encoder::encode`](crate::Encoder::encode). A server's
            /// payload is written from where it lies, a client's is masked in blocks on the stack.
            ///
            /// # Errors
            ///
            /// [`SocketError::Encode`] for what may not be sent, and those of the stream. Behind one of the stream,
            /// half a frame may be written, and the socket is of no more use.
            /// [`EncodeError::InvalidClose`](crate::EncodeError) also for the body of a close frame; what is refused
            /// writes nothing.
            ///
            /// ```
            /// # #[cfg(feature = "embedded-io")] {
            /// # use embedded_io_adapters::std::FromStd;
            /// # use websocket_wire::{Connection, Opcode, embedded_io::Socket};
            /// # let stream = |bytes: &[u8]| FromStd::new(std::io::Cursor::new(bytes.to_vec()));
            /// let mut socket = Socket::new(stream(b""), Connection::server());
            /// socket.send(Opcode::Text, b"Hello")?;
            /// assert!(socket.send(Opcode::Close, &[0x03, 0xED]).is_err()); // 1005 is never sent
            /// assert_eq!(socket.into_parts().0.into_inner().into_inner(), b"\x81\x05Hello");
            /// # }
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub $($async)? fn send(
                &mut self,
                header: impl Into<Header>,
                payload: &[u8],
            ) -> Result<(), SocketError<T::Error>> {
                self.write_replies()$(.$await)??;
                let header = header.into();
                let encoder = self.connection.encoder()?;
                // What is too long, or behind a close frame, the encoder refuses by its header.
                if header.opcode == Opcode::Close && payload.len() <= CloseFrame::MAX_LEN && !encoder.is_closed() {
                    CloseFrame::parse(payload).map_err(EncodeError::from)?;
                }
                let header = encoder.header(header, payload.len() as u64)?;
                self.write(&header)$(.$await)??;
                match header.mask() {
                    None => self.write(payload)$(.$await)??,
                    Some(mut mask) => {
                        let mut block = [0; 128];
                        for piece in payload.chunks(block.len()) {
                            mask.apply_to(piece, &mut block[..piece.len()]);
                            self.write(&block[..piece.len()])$(.$await)??;
                        }
                    }
                }
                self.flush()$(.$await)?
            }

            /// Begins the closing handshake, as [`Connection::close`], and writes the close frame.
            ///
            /// # Errors
            ///
            /// [`SocketError::Encode`] for a code that may not be sent, and those of the stream.
            ///
            /// ```
            /// # #[cfg(feature = "embedded-io")] {
            /// # use embedded_io_adapters::std::FromStd;
            /// # use websocket_wire::{CloseCode, CloseFrame, Connection, embedded_io::Socket};
            /// # let stream = |bytes: &[u8]| FromStd::new(std::io::Cursor::new(bytes.to_vec()));
            /// let mut socket = Socket::new(stream(b""), Connection::server());
            /// socket.close(Some(CloseFrame::new(CloseCode::NORMAL, "bye")))?;
            /// assert_eq!(socket.into_parts().0.into_inner().into_inner(), b"\x88\x05\x03\xE8bye");
            /// # }
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub $($async)? fn close(
                &mut self,
                close: Option<CloseFrame<'_>>,
            ) -> Result<(), SocketError<T::Error>> {
                self.connection.close(close)?;
                self.write_replies()$(.$await)?
            }

            /// Tells whether the caller is to close the TCP connection now, as [`Connection::should_close_tcp`]: all
            /// replies are flushed, and the fault, if there was one, has been returned.
            ///
            /// ```
            /// # #[cfg(feature = "embedded-io")] {
            /// # use embedded_io_adapters::std::FromStd;
            /// # use websocket_wire::{Connection, Input, embedded_io::Socket};
            /// # let stream = |bytes: &[u8]| FromStd::new(std::io::Cursor::new(bytes.to_vec()));
            /// let mut socket = Socket::new(stream(b""), Connection::server());
            /// let mut buf = [0; 256];
            /// let mut input = Input::received(&mut buf, 2); // two zeros: a continuation of nothing
            /// assert!(!socket.should_close_tcp());
            /// assert!(socket.receive(&mut input).is_err());
            /// assert!(socket.should_close_tcp());
            /// # }
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub fn should_close_tcp(&self) -> bool {
                let is_told = self.is_fault_told || self.connection.error().is_none();
                self.connection.should_close_tcp() && is_told && !self.needs_flush
            }

            /// Returns the connection, to ask for its state.
            ///
            /// ```
            /// # #[cfg(feature = "embedded-io")] {
            /// # use embedded_io_adapters::std::FromStd;
            /// # use websocket_wire::{Connection, embedded_io::Socket};
            /// # let stream = |bytes: &[u8]| FromStd::new(std::io::Cursor::new(bytes.to_vec()));
            /// let mut socket = Socket::new(stream(b""), Connection::server());
            /// socket.close(None)?;
            /// assert!(socket.connection().is_close_sent());
            /// # }
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub const fn connection(&self) -> &Connection<S> {
                &self.connection
            }

            /// Returns the stream and the connection.
            ///
            /// ```
            /// # #[cfg(feature = "embedded-io")] {
            /// # use embedded_io_adapters::std::FromStd;
            /// # use websocket_wire::{Connection, embedded_io::Socket};
            /// # let stream = |bytes: &[u8]| FromStd::new(std::io::Cursor::new(bytes.to_vec()));
            /// let socket = Socket::new(stream(b"rest"), Connection::server());
            /// let (stream, connection) = socket.into_parts();
            /// assert_eq!((stream.into_inner().into_inner(), connection.error()), (b"rest".to_vec(), None));
            /// # }
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub fn into_parts(self) -> (T, Connection<S>) {
                (self.stream, self.connection)
            }

            $($async)? fn write_replies(&mut self) -> Result<(), SocketError<T::Error>> {
                while !self.connection.pending_output().is_empty() {
                    match self.stream.write(self.connection.pending_output())$(.$await)?.map_err(SocketError::Io)? {
                        0 => return Err(SocketError::WriteZero),
                        len => self.connection.consume_output(len),
                    }
                    self.needs_flush = true;
                }
                self.flush()$(.$await)?
            }

            /// Flushes what was written. Dropped or failed, it is done again before anything else.
            $($async)? fn flush(&mut self) -> Result<(), SocketError<T::Error>> {
                if self.needs_flush {
                    self.stream.flush()$(.$await)?.map_err(SocketError::Io)?;
                    self.needs_flush = false;
                }
                Ok(())
            }

            $($async)? fn write(&mut self, mut bytes: &[u8]) -> Result<(), SocketError<T::Error>> {
                while !bytes.is_empty() {
                    match self.stream.write(bytes)$(.$await)?.map_err(SocketError::Io)? {
                        0 => return Err(SocketError::WriteZero),
                        len => bytes = &bytes[len..],
                    }
                    self.needs_flush = true;
                }
                Ok(())
            }
        }
    };
}

/// A connection over a stream that blocks (feature `embedded-io`).
#[cfg(feature = "embedded-io")]
pub mod embedded_io {
    socket! {
        /// A connection over a blocking stream of the crate `embedded-io`.
        ///
        /// What it does *not* do: no time limits, no handshake, no messages; a frame that is longer than the buffer
        /// comes in parts, and a fragment is sent with [`Header::fragment`].
        ///
        /// ```
        /// use websocket_wire::{Connection, Input, Opcode, embedded_io::Socket};
        /// # use embedded_io::{ErrorType, Read, Write};
        /// # struct Uart<'a>(&'a [u8], Vec<u8>);
        /// # impl ErrorType for Uart<'_> { type Error = core::convert::Infallible; }
        /// # impl Read for Uart<'_> {
        /// #     fn read(&mut self, b: &mut [u8]) -> Result<usize, Self::Error> { self.0.read(b) }
        /// # }
        /// # impl Write for Uart<'_> {
        /// #     fn write(&mut self, b: &[u8]) -> Result<usize, Self::Error> { self.1.extend(b); Ok(b.len()) }
        /// #     fn flush(&mut self) -> Result<(), Self::Error> { Ok(()) }
        /// # }
        /// # let uart = Uart(b"\x82\x81\0\0\0\0a\x89\x80\0\0\0\0\x88\x80\0\0\0\0", Vec::new());
        ///
        /// let mut buf = [0; 256];
        /// let (mut socket, mut input) = (Socket::new(uart, Connection::server()), Input::new(&mut buf));
        /// while !socket.should_close_tcp() {
        ///     if let Some(frame) = socket.receive(&mut input)? {
        ///         if frame.message_opcode() == Opcode::Binary && frame.ends_message() {
        ///             socket.send(Opcode::Binary, frame.payload())?;
        ///         }
        ///     }
        /// }
        /// # assert_eq!(socket.into_parts().0.1, b"\x82\x01a\x8A\0\x88\0");
        /// # Ok::<(), websocket_wire::SocketError<core::convert::Infallible>>(())
        /// ```
        embedded_io
    }
}

/// A connection over an asynchronous stream (feature `embedded-io-async`).
#[cfg(feature = "embedded-io-async")]
pub mod embedded_io_async {
    socket! {
        /// A connection over an asynchronous stream of the crate `embedded-io-async`.
        ///
        /// The examples of the methods are of the blocking one; here `.await` stands behind
        /// `receive`, `send` and `close`.
        ///
        /// The future of `receive` may be dropped at any time where those of the stream may: the next one writes,
        /// flushes and returns what it had left. `send`'s may not, because half a frame may be written. What it does
        /// *not* do: no time limits, no handshake, no messages; a frame that is longer than the buffer comes in parts,
        /// and a fragment is sent with [`Header::fragment`].
        ///
        /// ```
        /// use websocket_wire::{Connection, Input, Opcode, Server, SocketError, embedded_io_async::Socket};
        /// use embedded_io_async::{Read, Write};
        ///
        /// async fn echo<T: Read + Write>(mut socket: Socket<T, Server>) -> Result<(), SocketError<T::Error>> {
        ///     let mut buf = [0; 256];
        ///     let mut input = Input::new(&mut buf);
        ///     while !socket.should_close_tcp() {
        ///         if let Some(frame) = socket.receive(&mut input).await? {
        ///             if frame.message_opcode() == Opcode::Binary && frame.ends_message() {
        ///                 socket.send(Opcode::Binary, frame.payload()).await?;
        ///             }
        ///         }
        ///     }
        ///     Ok(())
        /// }
        /// ```
        embedded_io_async, async, await
    }
}
