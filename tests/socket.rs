//! The sockets over `embedded-io` and `embedded-io-async`: streams that cut everything, ends, faults, dropped futures.
#![cfg(all(feature = "embedded-io", feature = "embedded-io-async"))]

mod support;

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use support::build::{frame, masked, stream};
use websocket_wire::{
    CloseCode, Connection, DecodeError, EncodeError, Input, InvalidClose, MaskingKey, Opcode, Side, SocketError,
    embedded_io, embedded_io_async,
};

/// A stream that moves at most `piece` bytes at once, and whose futures wait every other time before they do anything, so
/// that each is polled, dropped, and asked for again.
struct Wire {
    input: Vec<u8>,
    /// What was written and not flushed.
    buffer: Vec<u8>,
    output: Vec<u8>,
    piece: usize,
    waits: bool,
}

impl Wire {
    fn new(input: &[u8], piece: usize) -> Self {
        Self { input: input.to_vec(), buffer: Vec::new(), output: Vec::new(), piece, waits: false }
    }

    /// Waits once, every other time.
    async fn wait(&mut self) {
        self.waits = !self.waits;
        let mut waits = self.waits;
        let ready = |_: &mut Context<'_>| if std::mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) };
        std::future::poll_fn(ready).await;
    }
}

impl ::embedded_io::ErrorType for Wire {
    type Error = Infallible;
}

impl ::embedded_io::Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        let len = self.piece.min(buf.len()).min(self.input.len());
        buf[..len].copy_from_slice(&self.input[..len]);
        self.input.drain(..len);
        Ok(len)
    }
}

impl ::embedded_io::Write for Wire {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        let len = self.piece.min(buf.len());
        self.buffer.extend(&buf[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.output.append(&mut self.buffer);
        Ok(())
    }
}

impl ::embedded_io_async::Read for Wire {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        self.wait().await;
        ::embedded_io::Read::read(self, buf)
    }
}

impl ::embedded_io_async::Write for Wire {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        self.wait().await;
        ::embedded_io::Write::write(self, buf)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        self.wait().await;
        ::embedded_io::Write::flush(self)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// Echoes binary parts as fragments of nothing: each part is a message of its own.
fn echo<S: Side>(wire: Wire, connection: Connection<S>) -> (Vec<u8>, Connection<S>) {
    let mut buf = [0; Input::MIN_LEN];
    let (mut socket, mut input) = (embedded_io::Socket::new(wire, connection), Input::new(&mut buf));
    while !socket.should_close_tcp() {
        if let Ok(Some(frame)) = socket.receive(&mut input)
            && frame.message_opcode() == Opcode::Binary
        {
            socket.send(Opcode::Binary, frame.payload()).unwrap();
        }
    }
    let (wire, connection) = socket.into_parts();
    (wire.output, connection)
}

/// Receives to the end; each future is dropped at the first wait. Returns what was written, and the faults.
fn receive_dropped(wire: Wire) -> (Vec<u8>, Vec<SocketError<Infallible>>) {
    let mut buf = [0; Input::MIN_LEN];
    let (mut socket, mut input) = (embedded_io_async::Socket::new(wire, Connection::server()), Input::new(&mut buf));
    let mut faults = Vec::new();
    while !socket.should_close_tcp() {
        let polled = pin!(socket.receive(&mut input)).poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(Err(error)) = polled {
            faults.push(error);
        }
    }
    (socket.into_parts().0.output, faults)
}

#[test]
fn a_server_answers_for_any_cut() {
    let frames = [frame(2, "ab"), frame(9, [b'p'; 125]), frame(2, "c"), frame(8, b"\x03\xE8bye"), frame(9, "late")];
    let answers = stream(&[frame(2, "ab"), frame(10, [b'p'; 125]), frame(2, "c"), frame(8, b"\x03\xE8")]);
    let (out, connection) = echo(Wire::new(&stream(&masked(&frames)), 1000), Connection::server());
    assert_eq!((out, connection.close_code()), (answers, Some(CloseCode::NORMAL)));
    for piece in [1, 3, 8, 131] {
        let controls = [frame(9, [b'p'; 125]), frame(10, "q"), frame(9, ""), frame(8, b"\x03\xE8")];
        let answers = stream(&[frame(10, [b'p'; 125]), frame(10, ""), frame(8, b"\x03\xE8")]);
        let wire = stream(&masked(&controls));
        assert_eq!(echo(Wire::new(&wire, piece), Connection::server()).0, answers);
        assert_eq!(receive_dropped(Wire::new(&wire, piece)), (answers, vec![]));
    }
}

#[test]
fn a_client_masks_in_blocks_what_a_server_reads() {
    let payload: Vec<u8> = (0..700).map(|i| i as u8).collect();
    let connection = Connection::client(|| MaskingKey::new([1, 2, 3, 4]));
    let mut socket = embedded_io::Socket::new(Wire::new(&[], 5), connection);
    socket.send(Opcode::Binary, &payload).unwrap();
    assert_eq!(socket.into_parts().0.output, frame(2, &payload).key([1, 2, 3, 4]).wire());
}

#[test]
fn a_fault_is_told_before_it_is_returned() {
    let mut buf = [0; 256];
    let mut input = Input::received(&mut buf, 2); // two zeros: a continuation of nothing
    let mut socket = embedded_io::Socket::new(Wire::new(&[], 1), Connection::server());
    assert_eq!(socket.receive(&mut input).unwrap_err(), SocketError::Decode(DecodeError::UnexpectedContinuation));
    assert!(socket.should_close_tcp());
    assert_eq!(socket.into_parts().0.output[2..4], [0x03, 0xEA]);
}

#[test]
fn replies_are_flushed_and_faults_told_once_however_often_the_future_is_dropped() {
    for piece in [1, 2, 1000] {
        let ping = stream(&masked(&[frame(9, "p")]));
        assert_eq!(receive_dropped(Wire::new(&ping, piece)), (frame(10, "p").wire(), vec![]));
        let (out, faults) = receive_dropped(Wire::new(&[ping, vec![0, 0]].concat(), piece));
        assert_eq!(faults, [SocketError::Decode(DecodeError::UnexpectedContinuation)]);
        let pong = frame(10, "p").wire();
        assert_eq!((&out[..3], out[3], &out[5..7]), (&pong[..], 0x88, &[0x03, 0xEA][..]));
    }
}

#[test]
fn a_stream_that_fails_does_not_hide_the_fault() {
    let mut buf = [0; 256];
    let mut input = Input::received(&mut buf, 2);
    let mut socket = embedded_io::Socket::new(Wire::new(&[], 0), Connection::server());
    assert_eq!(socket.receive(&mut input).unwrap_err(), SocketError::Decode(DecodeError::UnexpectedContinuation));
    assert_eq!(socket.receive(&mut input).unwrap_err(), SocketError::WriteZero);
    assert!(!socket.should_close_tcp());
}

#[test]
fn the_body_of_a_close_frame_that_is_sent_is_judged_before_anything_is_written() {
    let bodies: [(&[u8], EncodeError); 6] = [
        (&[0x03], InvalidClose::Length.into()),
        (&[0x03, 0xED], InvalidClose::Code(CloseCode::NO_STATUS).into()),
        (&[0, 0], InvalidClose::Code(CloseCode(0)).into()),
        (b"\x03\xE8\xFF", InvalidClose::Reason.into()),
        (&[0; 125], InvalidClose::Code(CloseCode(0)).into()),
        (&[0; 126], EncodeError::ControlTooLong),
    ];
    for (body, error) in bodies {
        let mut socket = embedded_io::Socket::new(Wire::new(&[], 9), Connection::server());
        let mut socket_async = embedded_io_async::Socket::new(Wire::new(&[], 9), Connection::server());
        assert_eq!(socket.send(Opcode::Close, body), Err(SocketError::Encode(error)));
        assert_eq!(block_on(socket_async.send(Opcode::Close, body)), Err(SocketError::Encode(error)));
        socket.send(Opcode::Close, b"\x03\xE8bye").unwrap();
        block_on(socket_async.send(Opcode::Close, b"\x03\xE8bye")).unwrap();
        assert_eq!(socket.send(Opcode::Close, body), Err(SocketError::Encode(EncodeError::Closed)));
        for out in [socket.into_parts().0.output, socket_async.into_parts().0.output] {
            assert_eq!(out, frame(8, b"\x03\xE8bye").wire());
        }
    }
}

#[test]
fn the_end_of_the_stream_is_reported_and_nothing_more_is_sent() {
    let (out, connection) = echo(Wire::new(b"\x82", 1), Connection::server());
    assert_eq!((out, connection.close_code()), (vec![], Some(CloseCode::ABNORMAL)));
    let mut socket = embedded_io::Socket::new(Wire::new(&[], 1), connection);
    assert_eq!(socket.send(Opcode::Ping, b""), Err(SocketError::Encode(EncodeError::Closed)));
}

#[test]
fn a_client_discards_what_follows_the_close_frame_until_the_server_closes_tcp() {
    let wire = [&b"\x88\x00"[..], &[0xFF; 1000]].concat();
    let (out, client) = echo(Wire::new(&wire, 100), Connection::client(|| MaskingKey::new([0; 4])));
    assert_eq!((out, client.close_code()), (b"\x88\x80\0\0\0\0".to_vec(), Some(CloseCode::NO_STATUS)));
}

#[test]
fn the_caller_can_close() {
    let mut socket = embedded_io_async::Socket::new(Wire::new(&[], 1), Connection::server());
    block_on(socket.close(None)).unwrap();
    block_on(socket.close(None)).unwrap();
    assert_eq!(block_on(socket.send(Opcode::Text, b"late")), Err(SocketError::Encode(EncodeError::Closed)));
    assert_eq!(socket.into_parts().0.output, [0x88, 0]);
}

#[test]
#[should_panic(expected = "the buffer is too short")]
fn a_buffer_holds_at_least_a_control_frame() {
    let _ = Input::new(&mut [0; 130]);
}
