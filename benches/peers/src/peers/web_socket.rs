//! web-socket: async over a tokio stream, driven by a `block_on` around each run. Its documentation does not speak of buffering; it
//! reads two bytes at a time, so it is given a `BufReader`, which helps it. It does not
//! validate text: the caller does. Its masks are private.

use std::rc::Rc;

use futures::executor::block_on;
use tokio::io::BufReader;
use web_socket::{DataType, Event, MessageType, WebSocket};

use crate::peer::{Peer, Receiver, Sender, Sink};
use crate::pipe::{Pipe, READ};

pub fn peer() -> Peer {
    Peer::new("web-socket")
        .receives(End::new(|pipe| WebSocket::server(BufReader::with_capacity(READ, pipe))))
        .sends(End::new(WebSocket::client), End::new(WebSocket::server))
}

struct End<S> {
    pipe: Pipe,
    ws: WebSocket<S>,
    is_text: bool,
    payload: String,
    binary: Vec<u8>,
}

impl<S> End<S> {
    fn new(open: impl FnOnce(Pipe) -> WebSocket<S>) -> Self {
        let pipe = Pipe::new();
        Self { ws: open(pipe.clone()), pipe, is_text: false, payload: String::new(), binary: Vec::new() }
    }
}

impl Receiver for End<BufReader<Pipe>> {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.pipe.load(wire);
    }

    fn drain(&mut self, frames: usize, sink: &mut Sink) {
        block_on(async {
            for _ in 0..frames {
                let Event::Data { ty: DataType::Complete(kind), data } = self.ws.recv().await.expect("a pipe") else {
                    unreachable!("data frames alone");
                };
                if let MessageType::Text = kind {
                    std::str::from_utf8(&data).expect("valid text");
                }
                sink.message(&data);
            }
        });
    }

    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink) {
        self.pipe.load(wire);
        self.drain(frames, sink);
    }
}

impl Sender for End<Pipe> {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.is_text = is_text;
        match is_text {
            true => self.payload = String::from_utf8(payload.to_vec()).expect("valid text"),
            false => self.binary = payload.to_vec(),
        }
    }

    fn send(&mut self, times: usize) {
        block_on(async {
            for _ in 0..times {
                match self.is_text {
                    true => self.ws.send(self.payload.as_str()).await.expect("a pipe"),
                    false => self.ws.send(self.binary.as_slice()).await.expect("a pipe"),
                }
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
