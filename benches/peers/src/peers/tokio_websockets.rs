//! tokio-websockets: a stream and a sink of messages over a tokio stream, driven by a `block_on` around each run. Its masks
//! are private.

use std::rc::Rc;

use bytes::Bytes;
use futures::executor::block_on;
use futures::{SinkExt, StreamExt};
use tokio_websockets::{ClientBuilder, Limits, Message, ServerBuilder, WebSocketStream};

use crate::peer::{self, Deal, Peer, Receiver, Sender, Sink};
use crate::pipe::Pipe;

pub fn peer() -> Peer {
    Peer::new("tokio-websockets")
        .receives(server())
        .sends(End::new(|pipe| ClientBuilder::new().take_over(pipe)), server())
        .exchanges(|deal| (deal == Deal::Plain).then(|| peer::End::new(server(), server())))
}

fn server() -> End {
    End::new(|pipe| ServerBuilder::new().limits(Limits::unlimited()).serve(pipe))
}

struct End {
    pipe: Pipe,
    ws: WebSocketStream<Pipe>,
    message: Message,
}

impl End {
    fn new(open: impl FnOnce(Pipe) -> WebSocketStream<Pipe>) -> Self {
        let pipe = Pipe::new();
        Self { ws: open(pipe.clone()), pipe, message: Message::binary(Bytes::new()) }
    }
}

impl Receiver for End {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.pipe.load(wire);
    }

    fn drain(&mut self, frames: usize, sink: &mut Sink) {
        block_on(async {
            for _ in 0..frames {
                sink.message(self.ws.next().await.expect("a message").expect("valid frames").as_payload());
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
        self.message = match is_text {
            true => Message::text(String::from_utf8(payload.to_vec()).expect("valid text")),
            false => Message::binary(Bytes::copy_from_slice(payload)),
        };
    }

    fn send(&mut self, times: usize) {
        block_on(async {
            for _ in 0..times {
                self.ws.feed(self.message.clone()).await.expect("a pipe");
            }
            self.ws.flush().await.expect("a pipe");
        });
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        self.pipe.written(|out| {
            look(out);
            out.clear();
        });
    }
}
