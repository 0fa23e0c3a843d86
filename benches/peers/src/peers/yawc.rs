//! yawc: its codec over `BytesMut`; the text check is the caller's, and done with simdutf8 as its own `WebSocket`
//! does with the feature of that name. Its mask is public.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder as _, Encoder as _};
use yawc::Role;
use yawc::codec::{Decoder, Encoder};
use yawc::frame::{Frame, OpCode};
use yawc::mask::apply_mask;

use crate::buffer::{Buffered, Codec};
use crate::peer::{Peer, Sender, Sink};

pub fn peer() -> Peer {
    Peer::new("yawc")
        .masks(apply_mask)
        .texts(|payload, key| {
            apply_mask(payload, key);
            simdutf8::basic::from_utf8(payload).is_ok()
        })
        .receives(Buffered::new(Decoder::new(Role::Server, 64 << 20)))
        .sends(Writer::new(Role::Client), Writer::new(Role::Server))
}

impl Codec for Decoder {
    fn take(&mut self, buf: &mut BytesMut, _: usize, sink: &mut Sink) -> usize {
        let mut taken = 0;
        while let Some(frame) = self.decode(buf).expect("valid frames") {
            assert!(frame.opcode() != OpCode::Text || simdutf8::basic::from_utf8(frame.payload()).is_ok());
            sink.message(frame.payload());
            taken += 1;
        }
        taken
    }
}

struct Writer {
    encoder: Encoder,
    is_text: bool,
    payload: Bytes,
    out: BytesMut,
}

impl Writer {
    fn new(role: Role) -> Self {
        Self { encoder: Encoder::new(role), is_text: false, payload: Bytes::new(), out: BytesMut::new() }
    }
}

impl Sender for Writer {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        (self.is_text, self.payload) = (is_text, Bytes::copy_from_slice(payload));
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            let payload = self.payload.clone();
            let frame = if self.is_text { Frame::text(payload) } else { Frame::binary(payload) };
            self.encoder.encode(frame, &mut self.out).expect("the buffer grows");
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out);
        self.out.clear();
    }
}
