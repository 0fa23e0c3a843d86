//! What waits to be written. Here is what goes in; what comes out is in `writing`.

mod chunks;
mod writing;

use core::fmt;

use bytes::Bytes;

use self::chunks::Chunks;
use self::writing::Begun;
use super::{Close, Fragmenter, Message, PreparedFrame};
use crate::close::CloseFrame;
use crate::encoder::Encoder;
use crate::error::EncodeError;
use crate::header::Header;
use crate::opcode::Opcode;
use crate::side::{Server, Side};

/// The shortest payload that a server shares instead of copying it, in bytes. Below, a copy behind the frame before it
/// takes less time than a slice more to write: eight messages in a vectored write to a Unix socket took 467 ns each
/// copied and 494 shared with 1536 bytes, 543 and 467 with 2048 (x86-64, all of the path, reading included).
const SHARED: usize = 2048;

/// How many bytes of control frames may wait before a pong takes the place of the pong before it. A peer that sends
/// some pings at once, as test suites do, has all of them answered.
const PONGS: usize = 2048;

/// The frames that one connection has yet to write, in the order in which they go out.
///
/// It holds the connection's [`Encoder`], so what is pushed is judged at once and is in the right order. Control frames
/// go ahead of all data frames that have not begun, also between the fragments of a message, never into a frame. It is
/// a [`Buf`](bytes::Buf); [`slices`](Self::slices) gives what a vectored write takes, and [`advance`](Self::advance)
/// goes on behind a partial write of any length.
///
/// A server shares payloads of 2 KiB or more that come as [`Bytes`]; shorter ones are copied, so that short messages go
/// out in long slices. A client copies and masks each payload, once.
///
/// # Memory
///
/// What is queued, 8 KiB at most ahead of it, and less than 200 bytes for each payload that is shared; in turn, a
/// shared payload keeps alive the buffer that it is a view of. Pushing and advancing take constant time a byte copied
/// and a frame. [`len`](Self::len) and [`messages`](Self::messages) tell when to stop pushing.
///
/// A peer that pings and does not read cannot make it grow: where 2 KiB of pongs wait, the next takes the place of the
/// last, and so the last one always answers the last ping. "If an endpoint receives a Ping frame and has not yet sent
/// Pong frame(s) in response to previous Ping frame(s), the endpoint MAY elect to send a Pong frame for only the most
/// recently processed Ping frame." (RFC 6455 §5.5.3)
///
/// # Example
///
/// An echo server. With tokio, `stream.write_buf(&mut queue).await?` is what the loop that writes does in each round.
///
/// ```
/// use std::io::IoSlice;
///
/// use bytes::{Buf, BytesMut};
/// use websocket_wire::{Assembler, Close, CloseFrame, Config, Encoder, Message, SendQueue};
/// # use std::io::{Read, Write};
/// # struct Pipe(&'static [u8], Vec<u8>);
/// # impl Read for Pipe { fn read(&mut self, b: &mut [u8]) -> std::io::Result<usize> { self.0.read(b) } }
/// # impl Write for Pipe {
/// #     fn write(&mut self, b: &[u8]) -> std::io::Result<usize> { self.1.write(&b[..b.len().min(3)]) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// # let mut stream = Pipe(b"\x01\x82\0\0\0\0he\x89\x81\0\0\0\0p\x80\x81\0\0\0\0y\x88\x80\0\0\0\0", Vec::new());
///
/// let mut assembler = Assembler::new(Config::server());
/// let mut queue = SendQueue::new(Encoder::server()).fragmenting(16 << 10);
/// let (mut input, mut read) = (BytesMut::new(), [0; 4096]);
/// loop {
///     while queue.len() < 1 << 20 { // a peer that does not read is not read from either
///         match assembler.next_message(&mut input) {
///             Ok(Some(Message::Ping(payload))) => queue.pong(&payload)?,
///             Ok(Some(Message::Pong(_))) => {}
///             Ok(Some(Message::Close(close))) => queue.close(close.as_ref().map(Close::as_frame))?,
///             Ok(Some(message)) => queue.push_message(message)?,
///             Ok(None) => break,
///             Err(error) => {
///                 queue.close(Some(CloseFrame::new(error.close_code(), "")))?;
///                 break;
///             }
///         }
///     }
///     while !queue.is_empty() {
///         let mut slices = [IoSlice::new(&[]); 16];
///         let count = queue.chunks_vectored(&mut slices);
///         let written = stream.write_vectored(&slices[..count])?;
///         queue.advance(written);
///     }
///     if queue.is_closed() {
///         break;
///     }
///     match stream.read(&mut read)? {
///         0 => break,
///         n => input.extend_from_slice(&read[..n]),
///     }
/// }
/// # assert_eq!(stream.1, b"\x8A\x01p\x81\x03hey\x88\x00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SendQueue<S> {
    encoder: Encoder<S>,
    control: Chunks,
    data: Chunks,
    /// What has begun to be written.
    begun: Begun,
    /// The length of the control frame that was pushed last, if it is a pong that answers and is not begun; or 0.
    last_pong: usize,
    /// The body of the close frame that goes behind all data.
    close: Option<Bytes>,
    /// The data messages whose final frame is not written.
    messages: usize,
    fragment_len: usize,
}

impl<S: Side> SendQueue<S> {
    /// Returns the empty queue of a connection that sends with `encoder`.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, SendQueue};
    /// assert!(SendQueue::new(Encoder::server()).is_empty());
    /// ```
    #[must_use]
    pub fn new(encoder: Encoder<S>) -> Self {
        Self {
            encoder,
            control: Chunks::default(),
            data: Chunks::default(),
            begun: Begun::default(),
            last_pong: 0,
            close: None,
            messages: 0,
            fragment_len: usize::MAX,
        }
    }

    /// Returns the queue with messages cut into fragments of at most `len` bytes of payload, so that control frames do
    /// not have to wait for a long message; whole unless called.
    ///
    /// # Panics
    ///
    /// Where `len` is 0.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Message, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server()).fragmenting(2);
    /// queue.push_message(Message::Text("abc".into()))?;
    /// queue.ping(b"")?;
    /// let mut slices = [&[][..]; 2];
    /// assert_eq!(queue.slices(&mut slices), 2);
    /// assert_eq!(slices.concat(), b"\x89\x00\x01\x02ab\x80\x01c");
    /// queue.advance(3);
    /// queue.ping(b"!")?; // between the fragments
    /// let mut slices = [&[][..]; 3];
    /// assert_eq!(queue.slices(&mut slices), 3);
    /// assert_eq!(slices.concat(), b"\x02ab\x89\x01!\x80\x01c");
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub fn fragmenting(mut self, len: usize) -> Self {
        assert!(len > 0, "a fragment of 0 bytes would never end the message");
        self.fragment_len = len;
        self
    }

    /// Pushes a message: data behind all other data, in fragments where the queue is [told so](Self::fragmenting); a
    /// ping as [`ping`](Self::ping), a pong as [`pong`](Self::pong), a close frame as [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// The rule that the message would break; [`EncodeError::Closed`] for data behind a close frame. Then nothing was
    /// pushed.
    ///
    /// ```
    /// # use websocket_wire::{EncodeError, Encoder, Message, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.push_message(Message::Binary("data".into()))?;
    /// queue.push_message(Message::Close(None))?;
    /// assert_eq!(queue.push_message(Message::Binary("more".into())), Err(EncodeError::Closed));
    /// assert_eq!((queue.len(), queue.messages()), (6, 1)); // and the close frame, which the data is ahead of
    /// # Ok::<(), EncodeError>(())
    /// ```
    pub fn push_message(&mut self, message: Message) -> Result<(), EncodeError> {
        match message {
            Message::Text(text) => self.push_whole(Opcode::Text.into(), text.into()),
            Message::Binary(payload) => self.push_whole(Opcode::Binary.into(), payload),
            Message::Raw { opcode, rsv, payload } => self.push_whole(Header::new(opcode).with_rsv(rsv), payload),
            Message::Ping(payload) => self.ping(&payload),
            Message::Pong(payload) => self.pong(&payload),
            Message::Close(close) => self.close(close.as_ref().map(Close::as_frame)),
        }
    }

    /// Pushes a frame, described as for an [`Encoder`], as it is: a message, a fragment of one, as a
    /// [`Fragmenter`] gives them, or a control frame. A close frame goes without reserved bits.
    ///
    /// # Errors
    ///
    /// As [`push_message`](Self::push_message).
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use websocket_wire::{Encoder, Header, Opcode, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.push(Header::new(Opcode::Binary).fragment(), Bytes::from("begin"))?;
    /// queue.push(Opcode::Continuation, Bytes::from("end"))?;
    /// assert_eq!((queue.len(), queue.messages()), (12, 1));
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn push(&mut self, header: impl Into<Header>, payload: Bytes) -> Result<(), EncodeError> {
        let header = header.into();
        if S::IS_MASKED || payload.len() < SHARED || header.opcode.is_control() {
            return self.push_copy(header, &payload);
        }
        self.check_open()?;
        self.data.share(&mut self.encoder, header, payload)?;
        self.messages += usize::from(header.fin);
        Ok(())
    }

    /// Pushes a frame as [`push`](Self::push) does, its payload always copied.
    ///
    /// # Errors
    ///
    /// As [`push_message`](Self::push_message).
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Fragmenter, Opcode, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// for (header, payload) in Fragmenter::new(Opcode::Text, 4).finish(b"Hello") {
    ///     queue.push_copy(header, payload)?;
    /// }
    /// let mut slices = [&[][..]; 1];
    /// assert_eq!(queue.slices(&mut slices), 1);
    /// assert_eq!(slices[0], b"\x01\x04Hell\x80\x01o");
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn push_copy(&mut self, header: impl Into<Header>, payload: &[u8]) -> Result<(), EncodeError> {
        let header = header.into();
        match header.opcode {
            Opcode::Close if !header.fin => Err(EncodeError::FragmentedControl),
            Opcode::Close if !header.rsv.is_empty() => Err(EncodeError::ReservedBits),
            Opcode::Close => self.close(CloseFrame::parse(payload)?),
            Opcode::Pong if header.fin && header.rsv.is_empty() => self.pong(payload),
            opcode if opcode.is_control() => self.put_control(header, payload).map(drop),
            _ => {
                self.check_open()?;
                self.data.put(&mut self.encoder, header, payload)?;
                self.messages += usize::from(header.fin);
                Ok(())
            }
        }
    }

    /// Pushes a ping of at most 125 bytes, ahead of all data that has not begun. Behind a close frame it is dropped.
    ///
    /// # Errors
    ///
    /// [`EncodeError::ControlTooLong`]; then nothing was pushed.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.ping(b"1")?;
    /// assert_eq!(queue.len(), 3);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), EncodeError> {
        self.put_control(Opcode::Ping.into(), payload).map(drop)
    }

    /// Pushes a pong of at most 125 bytes, ahead of all data that has not begun. Where 2 KiB of control frames wait
    /// already, and the last of them is a pong that has not begun, it takes the place of that one. Behind a close frame
    /// it is dropped.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    ///
    /// ```
    /// # use websocket_wire::{Encoder, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// for count in 0..1_000_000_u32 {
    ///     queue.pong(&count.to_be_bytes())?;
    /// }
    /// assert!(queue.len() < 2100);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), EncodeError> {
        let (waiting, before) = (self.control.len(), self.last_pong);
        let added = self.put_control(Opcode::Pong.into(), payload)?;
        if waiting >= PONGS && before > 0 {
            // Of a frame that has begun, less than its length is left; there are others in front of this one.
            self.control.remove_before_last(added, before);
        }
        self.last_pong = added;
        Ok(())
    }

    /// Pushes a close frame behind all data that is queued; pings are answered until that is written. Behind a close
    /// frame it is dropped, and data is refused.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidClose`]; then nothing was pushed.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CloseFrame, Encoder, Message, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.push_message(Message::Text("bye".into()))?;
    /// queue.close(Some(CloseFrame::new(CloseCode::NORMAL, "")))?;
    /// queue.pong(b"")?;
    /// let mut slices = [&[][..]; 2];
    /// assert_eq!(queue.slices(&mut slices), 2);
    /// assert_eq!(slices, [&b"\x8A\x00"[..], b"\x81\x03bye"]);
    /// queue.advance(7);
    /// let mut slices = [&[][..]; 2];
    /// assert_eq!(queue.slices(&mut slices), 1);
    /// assert_eq!(slices[0], b"\x88\x02\x03\xE8");
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn close(&mut self, close: Option<CloseFrame<'_>>) -> Result<(), EncodeError> {
        if self.is_closed() { Ok(()) } else { self.put_close(close) }
    }

    /// Pushes a close frame ahead of all data that has not begun, which is dropped: for an end that cannot wait until a
    /// slow peer has read what is queued. It takes the place of a close frame that still waits behind data; behind any
    /// other it is dropped.
    ///
    /// "An endpoint MAY delay sending a Close frame until its current message is sent" (§5.5.1); here only the frame
    /// that has begun is.
    ///
    /// # Errors
    ///
    /// As [`close`](Self::close).
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Message, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.push_message(Message::Text("one".into()))?;
    /// queue.push_message(Message::Text("two".into()))?;
    /// queue.advance(1);
    /// queue.close_now(None)?;
    /// queue.advance(4); // the rest of the first
    /// let mut slices = [&[][..]; 2];
    /// assert_eq!(queue.slices(&mut slices), 1);
    /// assert_eq!((slices[0], queue.messages()), (&b"\x88\x00"[..], 0));
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn close_now(&mut self, close: Option<CloseFrame<'_>>) -> Result<(), EncodeError> {
        if self.encoder.is_closed() {
            return Ok(());
        }
        self.put_close(close)?;
        let ahead = self.data_ahead();
        self.data.truncate(ahead);
        self.messages = usize::from(ahead > 0 && self.begun.ends_message);
        self.close_behind_data();
        Ok(())
    }

    /// Tells whether a close frame has been pushed. Once the queue [is empty](Self::is_empty) too, it has been written.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, SendQueue};
    /// let mut queue = SendQueue::new(Encoder::server());
    /// queue.close(None)?;
    /// assert!(queue.is_closed() && !queue.is_empty());
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.close.is_some() || self.encoder.is_closed()
    }

    /// Returns the encoder, to ask for its state: that of the frames that have been pushed, whether or not they have
    /// been written.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, SendQueue};
    /// assert_eq!(SendQueue::new(Encoder::server()).encoder().finish(), Ok(()));
    /// ```
    #[must_use]
    pub const fn encoder(&self) -> &Encoder<S> {
        &self.encoder
    }

    /// Pushes a message in as many frames as it takes. The encoder refuses the first of them or none.
    pub(super) fn push_whole(&mut self, header: Header, payload: Bytes) -> Result<(), EncodeError> {
        if payload.len() <= self.fragment_len || header.opcode.is_control() {
            return self.push(header, payload);
        }
        // With the headers of all pieces, so that not the last of them is refused.
        let headers = payload.len().div_ceil(self.fragment_len).saturating_mul(Header::MAX_LEN);
        self.data.check_room(payload.len().saturating_add(headers))?;
        for (header, piece) in Fragmenter::new(header, self.fragment_len).finish(&payload) {
            self.push(header, payload.slice_ref(piece))?;
        }
        Ok(())
    }

    /// Pushes a control frame that is no close frame, unless behind one. Returns its length.
    fn put_control(&mut self, header: Header, payload: &[u8]) -> Result<usize, EncodeError> {
        if self.encoder.is_closed() {
            return Ok(0);
        }
        let added = self.control.put(&mut self.encoder, header, payload)?;
        self.last_pong = 0;
        Ok(added)
    }

    /// Judges a close frame and keeps it until no data is ahead of it.
    fn put_close(&mut self, close: Option<CloseFrame<'_>>) -> Result<(), EncodeError> {
        let mut body = [0; CloseFrame::MAX_LEN];
        let body = close.as_ref().map_or(&[][..], |close| close.encode(&mut body));
        CloseFrame::parse(body)?;
        self.close = Some(Bytes::copy_from_slice(body));
        self.close_behind_data();
        Ok(())
    }

    /// Lets the close frame that waits go out, if no data is ahead of it.
    fn close_behind_data(&mut self) {
        if self.data.is_empty()
            && let Some(body) = self.close.take()
        {
            let result = self.put_control(Opcode::Close.into(), &body);
            debug_assert!(result.is_ok(), "the body was judged before");
        }
    }

    fn check_open(&self) -> Result<(), EncodeError> {
        if self.is_closed() { Err(EncodeError::Closed) } else { Ok(()) }
    }
}

impl SendQueue<Server> {
    /// Pushes a frame that was encoded once for many connections. Frames of 2 KiB or more are shared, shorter ones
    /// copied.
    ///
    /// # Errors
    ///
    /// As [`push_message`](Self::push_message).
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Opcode, PreparedFrame, SendQueue};
    /// let frame = PreparedFrame::new(Opcode::Text, &[b'x'; 10_000])?;
    /// let mut queues = [SendQueue::new(Encoder::server()), SendQueue::new(Encoder::server())];
    /// for queue in &mut queues {
    ///     queue.push_prepared(&frame)?;
    /// }
    /// let (mut one, mut other) = ([&[][..]; 1], [&[][..]; 1]);
    /// assert_eq!((queues[0].slices(&mut one), queues[1].slices(&mut other)), (1, 1));
    /// assert_eq!(one[0].as_ptr(), other[0].as_ptr());
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn push_prepared(&mut self, frame: &PreparedFrame) -> Result<(), EncodeError> {
        if frame.bytes().len() < SHARED || frame.header().opcode.is_control() {
            return self.push_copy(*frame.header(), frame.payload());
        }
        self.check_open()?;
        self.data.check_room(frame.bytes().len())?;
        self.data.push(self.encoder.prepared(frame)?);
        self.messages += usize::from(frame.header().fin);
        Ok(())
    }
}

impl<S> fmt::Debug for SendQueue<S> {
    /// Shows how much waits, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendQueue")
            .field("control_len", &self.control.len())
            .field("data_len", &self.data.len())
            .field("messages", &self.messages)
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}
