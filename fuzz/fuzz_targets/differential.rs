//! The same bytes to tungstenite and to the assembler: the same messages, and the same verdict but for what is known.
#![no_main]

mod support;

use std::io::{Error, ErrorKind, Read, Write};

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use websocket_wire::{Assembler, Config, DecodeError, Limits, Message};

const LIMIT: usize = 4096;

/// Opcode and payload.
type Whole = (u8, Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End<E> {
    Open,
    Closed,
    Failed(E),
}

fuzz_target!(|input: (bool, &[u8])| {
    let (is_server, stream) = input;
    let (messages, end) = ours(is_server, stream);
    let (theirs, their_end) = tungstenite(is_server, stream);
    match (end, their_end) {
        (End::Open, End::Open) => assert_eq!(messages, theirs),
        // It does not know 1014, and puts its answer in the place of a close frame with a code that nobody may send.
        (End::Closed | End::Failed(DecodeError::InvalidCloseCode), End::Closed) if is_replaced(theirs.last()) => {
            assert_eq!(data(&messages), data(&theirs));
        }
        (End::Closed, End::Closed) => assert_eq!(messages, theirs),
        // It takes a long form of a short length in control frames too.
        (End::Failed(DecodeError::ControlTooLong), _) => assert!(theirs.starts_with(&messages)),
        // It reads a frame to its end before it judges it, and validates a text when it has all of a frame.
        (End::Failed(_), End::Failed(_) | End::Open) => assert_eq!(messages, theirs),
        (ours, theirs) => panic!("{ours:?}, but tungstenite says {theirs:?}"),
    }
});

fn is_replaced(last: Option<&Whole>) -> bool {
    last.is_some_and(|(opcode, body)| *opcode == 8 && body[..] == *b"\x03\xEAProtocol violation")
}

/// Leaves the close frame out.
fn data(messages: &[Whole]) -> Vec<&Whole> {
    messages.iter().filter(|(opcode, _)| *opcode != 8).collect()
}

fn ours(is_server: bool, stream: &[u8]) -> (Vec<Whole>, End<DecodeError>) {
    let config = if is_server { Config::server() } else { Config::client() };
    let limits = Limits { frame_len: LIMIT as u64, message_len: LIMIT as u64, ..Limits::NONE };
    // It takes a length in any form.
    let mut assembler = Assembler::new(config.limits(limits).allow_non_minimal_length());
    let (mut messages, mut input) = (Vec::new(), BytesMut::from(stream));
    loop {
        match assembler.next_message(&mut input) {
            Ok(Some(message)) => messages.push(whole(message)),
            Ok(None) if assembler.decoder().is_closed() => return (messages, End::Closed),
            Ok(None) => return (messages, End::Open),
            Err(error) => return (messages, End::Failed(error)),
        }
    }
}

fn whole(message: Message) -> Whole {
    match message {
        Message::Text(text) => (1, text.as_bytes().to_vec()),
        Message::Binary(payload) => (2, payload.to_vec()),
        Message::Close(None) => (8, vec![]),
        Message::Close(Some(close)) => (8, [&close.code.0.to_be_bytes(), close.reason.as_bytes()].concat()),
        Message::Ping(payload) => (9, payload.to_vec()),
        Message::Pong(payload) => (10, payload.to_vec()),
        other => panic!("{other:?}"),
    }
}

fn tungstenite(is_server: bool, stream: &[u8]) -> (Vec<Whole>, End<String>) {
    let role = if is_server { Role::Server } else { Role::Client };
    let limit = Some(LIMIT);
    let config = WebSocketConfig::default().max_frame_size(limit).max_message_size(limit).read_buffer_size(1024);
    let mut socket = WebSocket::from_raw_socket(Pipe(stream), role, Some(config));
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(tungstenite::Message::Text(text)) => messages.push((1, text.as_bytes().to_vec())),
            Ok(tungstenite::Message::Binary(payload)) => messages.push((2, payload.to_vec())),
            Ok(tungstenite::Message::Ping(payload)) => messages.push((9, payload.to_vec())),
            Ok(tungstenite::Message::Pong(payload)) => messages.push((10, payload.to_vec())),
            Ok(tungstenite::Message::Close(close)) => {
                let body = |close: tungstenite::protocol::CloseFrame| {
                    [&u16::from(close.code).to_be_bytes(), close.reason.as_bytes()].concat()
                };
                messages.push((8, close.map(body).unwrap_or_default()));
                return (messages, End::Closed);
            }
            Ok(other) => panic!("{other:?}"),
            Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                return (messages, End::Open);
            }
            Err(error) => return (messages, End::Failed(error.to_string())),
        }
    }
}

/// Reads what there is and blocks then; writes to nowhere.
struct Pipe<'a>(&'a [u8]);

impl Read for Pipe<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        if self.0.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.0.read(buf) }
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Error> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
