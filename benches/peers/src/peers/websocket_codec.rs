//! websocket-codec: `MessageCodec`, a tokio codec over `BytesMut`. Its masks are private.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};
use websocket_codec::protocol::{FrameHeader, FrameHeaderCodec};
use websocket_codec::{Message, MessageCodec, Opcode};

use crate::buffer::{Buffered, Codec};
use crate::peer::{Peer, Sender, Sink};

pub fn peer() -> Peer {
    Peer::new("websocket-codec")
        .writes(BytesMut::new(), |out, len, key| {
            out.clear();
            let mask = Some(u32::from_ne_bytes(key).into());
            FrameHeaderCodec.encode(&FrameHeader::new(true, 0, 2, mask, len.into()), out).expect("the buffer grows");
            out
        })
        .receives(Buffered::new(MessageCodec::server()))
        .sends(Writer::new(MessageCodec::client()), Writer::new(MessageCodec::server()))
}

impl Codec for MessageCodec {
    fn take(&mut self, buf: &mut BytesMut, _: usize, sink: &mut Sink) -> usize {
        let mut taken = 0;
        while let Some(message) = self.decode(buf).expect("valid frames") {
            sink.message(message.data());
            taken += 1;
        }
        taken
    }
}

struct Writer {
    codec: MessageCodec,
    message: Message,
    out: BytesMut,
}

impl Writer {
    fn new(codec: MessageCodec) -> Self {
        Self { codec, message: Message::binary(Bytes::new()), out: BytesMut::new() }
    }
}

impl Sender for Writer {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        let opcode = if is_text { Opcode::Text } else { Opcode::Binary };
        self.message = Message::new(opcode, Bytes::copy_from_slice(payload)).expect("valid text");
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            self.codec.encode(&self.message, &mut self.out).expect("the buffer grows");
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out);
        self.out.clear();
    }
}
