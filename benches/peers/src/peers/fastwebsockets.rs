//! fastwebsockets: async over a tokio stream, driven by a `block_on` around each run; `unmask` is public.

use std::rc::Rc;

use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use futures::executor::block_on;

use crate::peer::{Peer, Receiver, Sender, Sink};
use crate::pipe::Pipe;

pub fn peer() -> Peer {
    Peer::new("fastwebsockets")
        .masks(fastwebsockets::unmask)
        .texts(|payload, key| {
            fastwebsockets::unmask(payload, key);
            simdutf8::basic::from_utf8(payload).is_ok()
        })
        .receives(End::new(Role::Server))
        .sends(End::new(Role::Client), End::new(Role::Server))
}

struct End {
    pipe: Pipe,
    ws: WebSocket<Pipe>,
    opcode: OpCode,
    payload: Vec<u8>,
}

impl End {
    fn new(role: Role) -> Self {
        let pipe = Pipe::new();
        let mut ws = WebSocket::after_handshake(pipe.clone(), role);
        ws.set_auto_close(true);
        ws.set_auto_pong(true);
        Self { pipe, ws, opcode: OpCode::Binary, payload: Vec::new() }
    }
}

impl Receiver for End {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.pipe.load(wire);
    }

    fn drain(&mut self, frames: usize, sink: &mut Sink) {
        block_on(async {
            for _ in 0..frames {
                sink.message(&self.ws.read_frame().await.expect("valid frames").payload);
            }
        });
    }

    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink) {
        self.pipe.load(wire);
        self.drain(frames, sink);
    }
}

impl Sender for End {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.opcode = if is_text { OpCode::Text } else { OpCode::Binary };
        self.payload = payload.to_vec();
    }

    fn send(&mut self, times: usize) {
        block_on(async {
            for _ in 0..times {
                let payload = Payload::Borrowed(&self.payload);
                self.ws.write_frame(Frame::new(true, self.opcode, None, payload)).await.expect("a pipe");
            }
        });
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        self.pipe.written(|out| {
            look(out);
            out.clear();
        });
    }
}
