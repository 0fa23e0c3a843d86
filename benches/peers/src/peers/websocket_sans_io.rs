//! websocket-sans-io: a push decoder over slices, which validates nothing: the text check is the caller's, and a message
//! that came in chunks is joined by the caller, as its example does.

use std::rc::Rc;

use websocket_sans_io::{
    FrameInfo, Opcode, WebsocketFrameDecoder, WebsocketFrameEncoder, WebsocketFrameEvent, apply_mask,
};

use crate::peer::{Peer, Receiver, Sender, Sink};
use crate::pipe::READ;

pub fn peer() -> Peer {
    Peer::new("websocket-sans-io")
        .masks(|payload, key| apply_mask(key, payload, 0))
        .texts(|payload, key| {
            apply_mask(key, payload, 0);
            std::str::from_utf8(payload).is_ok()
        })
        .receives(Reader { decoder: WebsocketFrameDecoder::new(), buf: Vec::new(), len: 0, message: Vec::new() })
        .sends(Writer::new(true), Writer::new(false))
}

struct Reader {
    decoder: WebsocketFrameDecoder,
    buf: Vec<u8>,
    len: usize,
    message: Vec<u8>,
}

impl Reader {
    fn take(&mut self, sink: &mut Sink) {
        let mut at = 0;
        loop {
            let rest = &mut self.buf[at..self.len];
            let step = self.decoder.add_data(rest).expect("infallible");
            match step.event {
                Some(WebsocketFrameEvent::PayloadChunk { .. }) => {
                    self.message.extend_from_slice(&rest[..step.consumed_bytes]);
                }
                Some(WebsocketFrameEvent::End { frame_info: FrameInfo { fin: true, .. }, original_opcode }) => {
                    if original_opcode == Opcode::Text {
                        std::str::from_utf8(&self.message).expect("valid text");
                    }
                    sink.message(&self.message);
                    self.message.clear();
                }
                None if step.consumed_bytes == 0 => break,
                _ => {}
            }
            at += step.consumed_bytes;
        }
    }
}

impl Receiver for Reader {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.buf.resize(wire.len().max(self.buf.len()), 0);
        self.buf[..wire.len()].copy_from_slice(wire);
        self.len = wire.len();
    }

    fn drain(&mut self, _: usize, sink: &mut Sink) {
        self.take(sink);
    }

    fn read(&mut self, wire: &Rc<[u8]>, _: usize, sink: &mut Sink) {
        self.buf.resize(READ.max(self.buf.len()), 0);
        for chunk in wire.chunks(READ) {
            self.buf[..chunk.len()].copy_from_slice(chunk);
            self.len = chunk.len();
            self.take(sink);
        }
    }
}

struct Writer {
    encoder: WebsocketFrameEncoder,
    is_client: bool,
    opcode: Opcode,
    payload: Vec<u8>,
    out: Vec<u8>,
}

impl Writer {
    fn new(is_client: bool) -> Self {
        let encoder = WebsocketFrameEncoder::new();
        Self { encoder, is_client, opcode: Opcode::Binary, payload: Vec::new(), out: Vec::new() }
    }
}

impl Sender for Writer {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.opcode = if is_text { Opcode::Text } else { Opcode::Binary };
        self.payload = payload.to_vec();
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            let info = FrameInfo {
                opcode: self.opcode,
                payload_length: self.payload.len() as u64,
                mask: self.is_client.then(|| fastrand::u32(..).to_ne_bytes()),
                fin: true,
                reserved: 0,
            };
            self.out.extend_from_slice(&self.encoder.start_frame(&info));
            let start = self.out.len();
            self.out.extend_from_slice(&self.payload);
            self.encoder.transform_frame_payload(&mut self.out[start..]);
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out);
        self.out.clear();
    }
}
