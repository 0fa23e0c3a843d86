//! Ceilings: the part of the work that nobody can leave out, by bare loops that check nothing. They compete with no one.

use std::rc::Rc;

use websocket_wire::{Mask, MaskingKey};

use crate::corpus::KEY;
use crate::peer::{Peer, Receiver, Sender, Sink};
use crate::pipe::READ;

/// From the length of one frame to the place of the next.
pub const CHAIN: &str = "length to length, alone";
/// The same, and unmasking by this crate's mask.
pub const UNMASK: &str = "length to length, and unmask";
/// The copy of the reads.
pub const COPY: &str = "copy of the reads, alone";
/// A header of fixed bytes, and the payload copied (masked) behind it.
pub const FILL: &str = "header and copy, alone";

pub fn all() -> Vec<Peer> {
    let bare = |name, unmasks| Peer::new(name).receives(Bare { buf: Vec::new(), len: 0, unmasks });
    vec![
        bare(CHAIN, false),
        bare(UNMASK, true),
        Peer::new(COPY).receives(Copy(vec![0; READ])),
        Peer::new(FILL).sends(Writer::new(true), Writer::new(false)),
    ]
}

struct Bare {
    buf: Vec<u8>,
    len: usize,
    unmasks: bool,
}

impl Bare {
    /// Small frames only: their length is in the second byte.
    #[inline(never)]
    fn chain<const UNMASKS: bool>(buf: &mut [u8], sink: &mut Sink) {
        let mut rest = buf;
        while let [_, second, a, b, c, d, ref mut payload @ ..] = *rest {
            let (payload, behind) = payload.split_at_mut(usize::from(second & 0x7f));
            if UNMASKS {
                Mask::new(MaskingKey::new([a, b, c, d])).apply(payload);
            }
            sink.message(payload);
            rest = behind;
        }
    }
}

impl Receiver for Bare {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.buf.resize(wire.len().max(self.buf.len()), 0);
        self.buf[..wire.len()].copy_from_slice(wire);
        self.len = wire.len();
    }

    fn drain(&mut self, _: usize, sink: &mut Sink) {
        match self.unmasks {
            true => Self::chain::<true>(&mut self.buf[..self.len], sink),
            false => Self::chain::<false>(&mut self.buf[..self.len], sink),
        }
    }

    fn read(&mut self, _: &Rc<[u8]>, _: usize, _: &mut Sink) {
        unreachable!("runs alone");
    }
}

struct Copy(Vec<u8>);

impl Receiver for Copy {
    fn load(&mut self, _: &Rc<[u8]>) {}

    fn drain(&mut self, _: usize, _: &mut Sink) {
        unreachable!("reads alone");
    }

    fn read(&mut self, wire: &Rc<[u8]>, _: usize, sink: &mut Sink) {
        for chunk in wire.chunks(READ) {
            self.0[..chunk.len()].copy_from_slice(chunk);
            sink.part(&self.0[..chunk.len()]);
        }
    }
}

struct Writer {
    is_client: bool,
    header: Vec<u8>,
    payload: Vec<u8>,
    out: Vec<u8>,
    len: usize,
}

impl Writer {
    fn new(is_client: bool) -> Self {
        Self { is_client, header: Vec::new(), payload: Vec::new(), out: Vec::new(), len: 0 }
    }
}

impl Sender for Writer {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.header.clear();
        let first = if is_text { 0x81 } else { 0x82 };
        crate::corpus::push_header(&mut self.header, first, payload.len(), self.is_client.then_some(KEY));
        self.payload = payload.to_vec();
    }

    fn send(&mut self, times: usize) {
        let mut header = [0; 16];
        header[..self.header.len()].copy_from_slice(&self.header);
        self.out.resize((times * (self.payload.len() + 14) + 16).max(self.out.len()), 0);
        for _ in 0..times {
            // Sixteen bytes at once; the payload goes over those that are too many.
            self.out[self.len..self.len + 16].copy_from_slice(&header);
            self.len += self.header.len();
            let body = &mut self.out[self.len..self.len + self.payload.len()];
            match self.is_client {
                true => Mask::new(MaskingKey::new(KEY)).apply_to(&self.payload, body),
                false => body.copy_from_slice(&self.payload),
            }
            self.len += self.payload.len();
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out[..self.len]);
        self.len = 0;
    }
}
