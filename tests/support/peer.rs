//! A server of one connection for tests of programs: the crate itself, on a free loopback port, with a scenario a test.

#![allow(dead_code, reason = "each test file uses its own share")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use bytes::BytesMut;
use websocket_wire::handshake::server::Request;
use websocket_wire::{Assembler, CloseCode, CloseFrame, Connection, Message, Server, Status};

use crate::program::LIMIT;

/// A server that runs in a thread of its own.
pub(crate) struct Serving<T> {
    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) address: String,
    thread: JoinHandle<T>,
}

impl<T> Serving<T> {
    /// Waits for the end of the scenario and returns what it found.
    pub(crate) fn join(self) -> T {
        self.thread.join().expect("the scenario goes as it should")
    }
}

/// Listens, accepts one TCP connection, and runs the scenario on it.
pub(crate) fn serve_tcp<T: Send + 'static>(scenario: impl FnOnce(TcpStream) -> T + Send + 'static) -> Serving<T> {
    serve_tcp_on("127.0.0.1:0", scenario)
}

pub(crate) fn serve_tcp_on<T: Send + 'static>(
    address: &str,
    scenario: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> Serving<T> {
    let listener = TcpListener::bind(address).expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        stream.set_read_timeout(Some(LIMIT)).expect("a time limit");
        scenario(stream)
    });
    Serving { address, thread }
}

/// Accepts one WebSocket connection and runs the scenario on it.
pub(crate) fn serve<T: Send + 'static>(scenario: impl FnOnce(Peer<TcpStream>) -> T + Send + 'static) -> Serving<T> {
    serve_tcp(|stream| scenario(Peer::accept(stream, None)))
}

/// The server's end of an open connection.
pub(crate) struct Peer<S> {
    pub(crate) stream: S,
    /// The request as it came.
    pub(crate) head: String,
    connection: Connection<Server, Assembler>,
    input: BytesMut,
}

impl<S: Read + Write> Peer<S> {
    /// Answers the opening handshake.
    pub(crate) fn accept(mut stream: S, subprotocol: Option<&'static str>) -> Self {
        let (mut input, mut out) = (Vec::new(), [0; 512]);
        let consumed = loop {
            if let Status::Complete { value: request, consumed } = Request::parse(&input).expect("a right request") {
                let len = request.accept().subprotocol(subprotocol).encode(&mut out).expect("it fits");
                stream.write_all(&out[..len]).expect("it reads");
                break consumed;
            }
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a request");
            input.push(byte[0]);
        };
        let head = String::from_utf8(input[..consumed].to_vec()).expect("text");
        Self { stream, head, connection: Connection::server().messages(), input: BytesMut::new() }
    }

    /// Returns the next message, control frames among them, which have been answered; `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<Message> {
        loop {
            let message = self.connection.next_message(&mut self.input).expect("a client that keeps the rules");
            self.stream.write_all(self.connection.pending_output()).expect("it reads");
            self.connection.consume_output(self.connection.pending_output().len());
            if message.is_some() {
                return message;
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(len) => self.input.extend_from_slice(&chunk[..len]),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Returns the next text.
    pub(crate) fn text(&mut self) -> String {
        match self.next() {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("{other:?} is no text"),
        }
    }

    /// Waits for the client's close frame, which is answered; returns its code, and whether the stream is still open.
    pub(crate) fn close_code(&mut self) -> u16 {
        match self.next() {
            Some(Message::Close(close)) => close.map_or(1005, |close| close.code.0),
            other => panic!("{other:?} is no close frame"),
        }
    }

    pub(crate) fn send(&mut self, text: &str) {
        let mut out = vec![0; text.len() + 14];
        let len = self.connection.encoder().expect("no reply is unfinished").text(text, &mut out).expect("it fits");
        self.send_raw(&out[..len]);
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("it reads");
    }

    /// Sends a close frame.
    pub(crate) fn close(&mut self, code: u16, reason: &str) {
        self.connection.close(Some(CloseFrame::new(CloseCode(code), reason))).expect("a code that may be sent");
        self.stream.write_all(self.connection.pending_output()).expect("it reads");
        self.connection.consume_output(self.connection.pending_output().len());
    }
}
