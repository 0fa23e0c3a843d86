//! soketto: the codec of its `base` module, which knows headers and masks; the text check is the caller's, with `std` as in
//! its documentation's example.

use std::rc::Rc;

use soketto::Parsing;
use soketto::base::{Codec, Header, OpCode};

use crate::peer::{Peer, Receiver, Sender, Sink};
use crate::pipe::READ;

pub fn peer() -> Peer {
    Peer::new("soketto")
        .masks(|payload, key| Codec::apply_mask(&masked(OpCode::Binary, key), payload))
        .texts(|payload, key| {
            Codec::apply_mask(&masked(OpCode::Text, key), payload);
            std::str::from_utf8(payload).is_ok()
        })
        .parses(|bytes| match Codec::new().decode_header(bytes) {
            Ok(Parsing::Done { value, .. }) => value.payload_len() as u64 ^ u64::from(value.mask().swap_bytes()),
            _ => unreachable!("a whole header"),
        })
        .writes(Codec::new(), |codec, len, key| {
            let mut header = masked(OpCode::Binary, key);
            header.set_payload_len(len as usize);
            codec.encode_header(&header)
        })
        .receives(Slice { codec: Codec::new(), buf: Vec::new(), len: 0 })
        .sends(Writer::new(true), Writer::new(false))
}

fn masked(opcode: OpCode, key: [u8; 4]) -> Header {
    let mut header = Header::new(opcode);
    header.set_masked(true).set_mask(u32::from_be_bytes(key));
    header
}

struct Slice {
    codec: Codec,
    buf: Vec<u8>,
    len: usize,
}

impl Slice {
    fn take(codec: &Codec, buf: &mut [u8], sink: &mut Sink) -> usize {
        let mut at = 0;
        while let Parsing::Done { value: header, offset } = codec.decode_header(&buf[at..]).expect("valid frames") {
            let start = at + offset;
            let Some(payload) = buf.get_mut(start..start + header.payload_len()) else { break };
            Codec::apply_mask(&header, payload);
            if header.opcode() == OpCode::Text {
                std::str::from_utf8(payload).expect("valid text");
            }
            sink.message(payload);
            at = start + header.payload_len();
        }
        at
    }
}

impl Receiver for Slice {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.buf.resize(wire.len().max(self.buf.len()), 0);
        self.buf[..wire.len()].copy_from_slice(wire);
        self.len = wire.len();
    }

    fn drain(&mut self, _: usize, sink: &mut Sink) {
        assert_eq!(Self::take(&self.codec, &mut self.buf[..self.len], sink), self.len);
    }

    fn read(&mut self, wire: &Rc<[u8]>, _: usize, sink: &mut Sink) {
        let mut len = 0;
        for chunk in wire.chunks(READ) {
            self.buf.resize((len + READ).max(self.buf.len()), 0);
            self.buf[len..len + chunk.len()].copy_from_slice(chunk);
            len += chunk.len();
            let taken = Self::take(&self.codec, &mut self.buf[..len], sink);
            self.buf.copy_within(taken..len, 0);
            len -= taken;
        }
        assert_eq!(len, 0);
    }
}

struct Writer {
    codec: Codec,
    opcode: OpCode,
    is_client: bool,
    payload: Vec<u8>,
    out: Vec<u8>,
}

impl Writer {
    fn new(is_client: bool) -> Self {
        Self { codec: Codec::new(), opcode: OpCode::Binary, is_client, payload: Vec::new(), out: Vec::new() }
    }
}

impl Sender for Writer {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.opcode = if is_text { OpCode::Text } else { OpCode::Binary };
        self.payload = payload.to_vec();
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            let mut header = Header::new(self.opcode);
            if self.is_client {
                header.set_masked(true).set_mask(fastrand::u32(..));
            }
            header.set_payload_len(self.payload.len());
            self.out.extend_from_slice(self.codec.encode_header(&header));
            let start = self.out.len();
            self.out.extend_from_slice(&self.payload);
            Codec::apply_mask(&header, &mut self.out[start..]);
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out);
        self.out.clear();
    }
}
