//! ws-net: `Connection`, without I/O, with buffers of its own; its `frame` module is public.

use std::rc::Rc;

use ws_net::frame::{FrameHeader, Opcode, apply_mask};
use ws_net::{Connection, Event, Limits};

use crate::peer::{Peer, Receiver, Sender, Sink};

pub fn peer() -> Peer {
    Peer::new("ws-net")
        .masks(|payload, key| apply_mask(payload, key, 0))
        .texts(|payload, key| {
            apply_mask(payload, key, 0);
            std::str::from_utf8(payload).is_ok()
        })
        .parses(|bytes| match FrameHeader::decode(bytes) {
            Ok(Some((header, _))) => header.payload_len ^ header.mask.map_or(0, |key| u32::from_ne_bytes(key).into()),
            _ => unreachable!("a whole header"),
        })
        .writes(Vec::new(), |out, len, key| {
            out.clear();
            FrameHeader::new(Opcode::Binary, true, len).with_mask(key).encode(out).expect("a vector");
            out
        })
        .receives(End::new(
            Connection::server().with_limits(Limits::new().with_max_frame(64 << 20).with_max_message(64 << 20)),
        ))
        .sends(End::new(Connection::client()), End::new(Connection::server()))
}

struct End {
    connection: Connection,
    wire: Rc<[u8]>,
    is_text: bool,
    payload: Vec<u8>,
}

impl End {
    fn new(connection: Connection) -> Self {
        Self { connection, wire: Rc::new([]), is_text: false, payload: Vec::new() }
    }
}

impl Receiver for End {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.wire = wire.clone();
    }

    fn drain(&mut self, frames: usize, sink: &mut Sink) {
        let wire = self.wire.clone();
        self.read(&wire, frames, sink);
    }

    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink) {
        let (mut rest, mut left) = (&wire[..], frames);
        while left > 0 {
            match self.connection.poll().expect("valid frames") {
                Event::Text(text) => sink.message(text.as_bytes()),
                Event::Binary(payload) => sink.message(payload),
                Event::NeedInput => {
                    // Its own input buffer holds 64 KiB at most.
                    let n = self.connection.feed(rest);
                    rest = &rest[n..];
                    continue;
                }
                _ => unreachable!("data frames alone"),
            }
            left -= 1;
        }
    }
}

impl Sender for End {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        (self.is_text, self.payload) = (is_text, payload.to_vec());
    }

    fn send(&mut self, times: usize) {
        let text = self.is_text.then(|| std::str::from_utf8(&self.payload).expect("valid text"));
        for _ in 0..times {
            match text {
                Some(text) => self.connection.send_text(text),
                None => self.connection.send_binary(&self.payload),
            }
            .expect("an open connection");
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        let output = self.connection.output();
        look(output);
        let len = output.len();
        self.connection.advance_output(len);
    }
}
