//! The sockets over `embedded-io` and `embedded-io-async`: streams that cut everything, ends, faults, dropped futures.
#![cfg(all(feature = "embedded-io", feature = "embedded-io-async"))]

mod support;

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use support::build::{frame, masked, stream};
use websocket_wire::{
    CloseCode, Connection, DecodeError, EncodeError, Input, MaskingKey, Opcode, Server, Side, SocketError, embedded_io,
    embedded_io_async,
};

/// A stream that moves at most `piece` bytes at once, and whose futures wait once before they do anything.
struct Wire {
    input: Vec<u8>,
    output: Vec<u8>,
    piece: usize,
}

impl Wire {
    fn new(input: &[u8], piece: usize) -> Self {
        Self { input: input.to_vec(), output: Vec::new(), piece }
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
        self.output.extend(&buf[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl ::embedded_io_async::Read for Wire {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        wait().await;
        ::embedded_io::Read::read(self, buf)
    }
}

impl ::embedded_io_async::Write for Wire {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        wait().await;
        ::embedded_io::Write::write(self, buf)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Is ready the second time.
async fn wait() {
    let mut asked = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
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
    while !socket.connection().should_close_tcp() {
        if let Ok(Some(frame)) = socket.receive(&mut input)
            && frame.message_opcode() == Opcode::Binary
        {
            socket.send(Opcode::Binary, frame.payload()).unwrap();
        }
    }
    let (wire, connection) = socket.into_parts();
    (wire.output, connection)
}

/// Does what `echo` does; each `receive` is dropped once, half done, before it is taken to its end.
fn echo_async(wire: Wire) -> (Vec<u8>, Connection<Server>) {
    let mut buf = [0; Input::MIN_LEN];
    let (mut socket, mut input) = (embedded_io_async::Socket::new(wire, Connection::server()), Input::new(&mut buf));
    while !socket.connection().should_close_tcp() {
        if pin!(socket.receive(&mut input)).poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            continue; // what it returned is dropped; the tests below have nothing to lose there
        }
        let _ = block_on(socket.receive(&mut input));
    }
    let (wire, connection) = socket.into_parts();
    (wire.output, connection)
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
        assert_eq!(echo_async(Wire::new(&wire, piece)).0, answers);
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
    assert!(socket.connection().should_close_tcp());
    assert_eq!(socket.into_parts().0.output[2..4], [0x03, 0xEA]);
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
