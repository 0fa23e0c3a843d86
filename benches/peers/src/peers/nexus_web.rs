//! nexus-web: `FrameReader` and `FrameWriter`, without I/O; `apply_mask` is public.

use std::rc::Rc;

use nexus_web::ws::{FrameReader, FrameWriter, Message, Role, apply_mask};

use crate::peer::{Peer, Receiver, Sender, Sink};
use crate::pipe::READ;

pub fn peer() -> Peer {
    Peer::new("nexus-web")
        .masks(apply_mask)
        .texts(|payload, key| {
            apply_mask(payload, key);
            simdutf8::basic::from_utf8(payload).is_ok()
        })
        .receives(Reader(
            FrameReader::builder().role(Role::Server).buffer_capacity(2 << 20).max_message_size(64 << 20).build(),
        ))
        .sends(Writer::new(Role::Client), Writer::new(Role::Server))
}

struct Reader(FrameReader);

impl Reader {
    fn take(&mut self, sink: &mut Sink) -> usize {
        let mut taken = 0;
        while let Some(message) = self.0.next().expect("valid frames") {
            match message {
                Message::Text(text) => sink.message(text.as_bytes()),
                Message::Binary(payload) => sink.message(payload),
                _ => unreachable!("data frames alone"),
            }
            taken += 1;
        }
        taken
    }
}

impl Receiver for Reader {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.0.read(wire).expect("room for the wire");
    }

    fn drain(&mut self, frames: usize, sink: &mut Sink) {
        assert_eq!(self.take(sink), frames);
    }

    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink) {
        let mut taken = 0;
        for chunk in wire.chunks(READ) {
            if self.0.should_compact() {
                self.0.compact();
            }
            self.0.read(chunk).expect("room for a read");
            taken += self.take(sink);
        }
        assert_eq!(taken, frames);
    }
}

struct Writer {
    writer: FrameWriter,
    is_text: bool,
    payload: Vec<u8>,
    out: Vec<u8>,
    len: usize,
}

impl Writer {
    fn new(role: Role) -> Self {
        Self { writer: FrameWriter::new(role), is_text: false, payload: Vec::new(), out: Vec::new(), len: 0 }
    }
}

impl Sender for Writer {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        (self.is_text, self.payload) = (is_text, payload.to_vec());
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            let end = self.len + self.writer.max_encoded_len(self.payload.len());
            if self.out.len() < end {
                self.out.resize(end.next_power_of_two(), 0);
            }
            let out = &mut self.out[self.len..];
            self.len += match self.is_text {
                true => self.writer.encode_text(&self.payload, out),
                false => self.writer.encode_binary(&self.payload, out),
            };
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out[..self.len]);
        self.len = 0;
    }
}
