//! tungstenite: `WebSocket` over a blocking stream; the header codec of its `frame` module. Its masks are private.

use std::io::Cursor;
use std::rc::Rc;

use bytes::Bytes;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tungstenite::{Message, Utf8Bytes};

use crate::peer::{self, Deal, Peer, Receiver, Sender, Sink};
use crate::pipe::Pipe;

pub fn peer() -> Peer {
    Peer::new("tungstenite")
        .parses(|bytes| match FrameHeader::parse(&mut Cursor::new(bytes)) {
            Ok(Some((header, len))) => len ^ header.mask.map_or(0, |key| u32::from_ne_bytes(key).into()),
            _ => unreachable!("a whole header"),
        })
        .writes(Vec::new(), |out: &mut Vec<u8>, len, key| {
            out.clear();
            let header = FrameHeader {
                is_final: true,
                opcode: OpCode::Data(Data::Binary),
                mask: Some(key),
                ..FrameHeader::default()
            };
            header.format(len, out).expect("a vector");
            out
        })
        .receives(End::new(Role::Server))
        .sends(End::new(Role::Client), End::new(Role::Server))
        .exchanges(|deal| {
            // It has no extensions.
            (deal == Deal::Plain).then(|| peer::End::new(End::new(Role::Server), End::new(Role::Server)))
        })
}

struct End {
    pipe: Pipe,
    ws: WebSocket<Pipe>,
    message: Message,
}

impl End {
    fn new(role: Role) -> Self {
        let pipe = Pipe::new();
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let ws = WebSocket::from_raw_socket(pipe.clone(), role, Some(config));
        Self { pipe, ws, message: Message::Binary(Bytes::new()) }
    }
}

impl Receiver for End {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.pipe.load(wire);
    }

    fn drain(&mut self, frames: usize, sink: &mut Sink) {
        for _ in 0..frames {
            match self.ws.read().expect("valid frames") {
                Message::Text(text) => sink.message(text.as_bytes()),
                Message::Binary(payload) => sink.message(&payload),
                _ => unreachable!("data frames alone"),
            }
        }
    }

    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink) {
        self.pipe.load(wire);
        self.drain(frames, sink);
    }
}

impl Sender for End {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.message = match is_text {
            true => Message::Text(Utf8Bytes::try_from(payload).expect("valid text")),
            false => Message::Binary(payload),
        };
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            self.ws.write(self.message.clone()).expect("a pipe");
        }
        self.ws.flush().expect("a pipe");
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        self.pipe.written(|out| {
            look(out);
            out.clear();
        });
    }
}
