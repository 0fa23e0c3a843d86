//! sockudo-ws: `Protocol` over `BytesMut`; its masks and its validator are public.

use bytes::{Bytes, BytesMut};
use sockudo_ws::Message;
use sockudo_ws::protocol::{Protocol, Role};
use sockudo_ws::simd::apply_mask;
use sockudo_ws::utf8::validate_utf8;

use crate::buffer::{Buffered, Codec};
use crate::peer::{Peer, Sender, Sink};

pub fn peer() -> Peer {
    Peer::new("sockudo-ws")
        .masks(apply_mask)
        .texts(|payload, key| {
            apply_mask(payload, key);
            validate_utf8(payload)
        })
        .writes(BytesMut::new(), |out, len, key| {
            out.clear();
            sockudo_ws::frame::encode_frame_header(
                out,
                sockudo_ws::frame::OpCode::Binary,
                len as usize,
                true,
                Some(key),
            );
            out
        })
        .receives(Buffered::new(Batch { protocol: protocol(Role::Server), messages: Vec::new() }))
        .sends(Writer::new(Role::Client), Writer::new(Role::Server))
}

fn protocol(role: Role) -> Protocol {
    Protocol::new(role, 64 << 20, 64 << 20)
}

struct Batch {
    protocol: Protocol,
    messages: Vec<Message>,
}

impl Codec for Batch {
    fn take(&mut self, buf: &mut BytesMut, _: usize, sink: &mut Sink) -> usize {
        self.protocol.process_into(buf, &mut self.messages).expect("valid frames");
        self.messages.drain(..).map(|message| sink.message(message.as_bytes())).count()
    }
}

struct Writer {
    protocol: Protocol,
    message: Message,
    out: BytesMut,
}

impl Writer {
    fn new(role: Role) -> Self {
        Self { protocol: protocol(role), message: Message::Binary(Bytes::new()), out: BytesMut::new() }
    }
}

impl Sender for Writer {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.message = if is_text { Message::Text(payload) } else { Message::Binary(payload) };
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            self.protocol.encode_message(&self.message, &mut self.out).expect("the buffer grows");
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out);
        self.out.clear();
    }
}
