//! A client for tests, which keeps count of what it has received.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BytesMut;
use websocket_wire::extension::deflate::{Agreement, Deflate, Tuning};
use websocket_wire::{
    Assembler, Client, Close, CloseCode, Config, Encoder, Extensions, Header, MaskingKey, Message, Role,
};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

type Masks = Box<dyn FnMut() -> MaskingKey>;

/// A client.
pub(crate) struct Talk {
    pub(crate) stream: TcpStream,
    pub(crate) encoder: Encoder<Client<Masks>>,
    extensions: Extensions,
    assembler: Assembler,
    input: BytesMut,
    /// How many bytes have come.
    pub(crate) received: usize,
}

impl Talk {
    /// Connects with these headers beside the necessary ones; returns the answer as well.
    pub(crate) fn connect(address: &str, headers: &str) -> (Self, String) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n",
            address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let answer = head(&mut stream);
        let agreement = answer.contains("permessage-deflate").then(|| Agreement {
            server_no_context_takeover: answer.contains("server_no_context_takeover"),
            ..Agreement::DEFAULT
        });
        let extensions = || {
            let mut extensions = Extensions::new();
            if let Some(agreement) = agreement {
                extensions.register(Box::new(Deflate::new(Role::Client, agreement, Tuning::DEFAULT))).unwrap();
            }
            extensions
        };
        let mut count = 0_u32;
        let masks: Masks = Box::new(move || {
            count += 1;
            MaskingKey::new(count.wrapping_mul(0x9E37_79B9).to_be_bytes())
        });
        let talk = Talk {
            encoder: Encoder::client(masks).claims(extensions().claims()),
            assembler: Assembler::with_extensions(Config::client(), extensions()),
            extensions: extensions(),
            input: BytesMut::new(),
            received: 0,
            stream,
        };
        (talk, answer)
    }

    pub(crate) fn send(&mut self, message: &Message) {
        let mut wire = Vec::new();
        self.encoder.message_with(&mut self.extensions, message, &mut wire).unwrap();
        self.stream.write_all(&wire).unwrap();
    }

    pub(crate) fn send_frame(&mut self, header: impl Into<Header>, payload: &[u8]) {
        let mut wire = Vec::new();
        self.encoder.encode_to(header, payload, &mut wire).unwrap();
        self.stream.write_all(&wire).unwrap();
    }

    /// Returns the next message; `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.assembler.next_message(&mut self.input).unwrap() {
                return Some(message);
            }
            let mut read = [0; 4096];
            let count = self.stream.read(&mut read).expect("in time, and no reset");
            if count == 0 {
                return None;
            }
            self.received += count;
            self.input.extend_from_slice(&read[..count]);
        }
    }

    pub(crate) fn echoes(&mut self, message: Message) {
        self.send(&message);
        assert_eq!(self.next(), Some(message));
    }

    /// Shows that the server has taken all that was sent.
    pub(crate) fn echoes_ping(&mut self) {
        self.send(&Message::Ping("?".into()));
        assert_eq!(self.next(), Some(Message::Pong("?".into())));
    }

    /// Expects a close frame with this code, and the end of the stream behind it.
    pub(crate) fn is_closed_with(&mut self, code: u16) -> Close {
        loop {
            match self.next() {
                Some(Message::Close(Some(close))) => {
                    assert_eq!(close.code, CloseCode(code), "{close:?}");
                    if !self.encoder.is_closed() {
                        self.send(&Message::Close(Some(close.clone())));
                    }
                    assert_eq!(self.next(), None);
                    return close;
                }
                Some(_) => {}
                None => panic!("no close frame"),
            }
        }
    }
}

pub(crate) fn text(text: &str) -> Message {
    Message::Text(text.to_owned().into())
}

pub(crate) fn binary(len: usize) -> Message {
    Message::Binary((0..=250).cycle().take(len).collect())
}

/// Reads a head to its end, byte by byte, so that nothing behind it is taken.
pub(crate) fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}
