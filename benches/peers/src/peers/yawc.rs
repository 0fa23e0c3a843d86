//! yawc: its codec over `BytesMut`; the text check is the caller's, and done with simdutf8 as its own `WebSocket`
//! does with the feature of that name. Its mask is public. Whole messages are its `WebSocket`'s, over a tokio stream, with
//! zlib-rs, which its feature `zlib` brings.

use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use futures::SinkExt;
use futures::executor::block_on;
use tokio_util::codec::{Decoder as _, Encoder as _};
use yawc::codec::{Decoder, Encoder};
use yawc::frame::{Frame, OpCode};
use yawc::mask::apply_mask;
use yawc::{CompressionLevel, Options, Role, WebSocket};

use crate::buffer::{Buffered, Codec};
use crate::peer::{Deal, End, Peer, Receiver, Sender, Sink};
use crate::pipe::Pipe;

pub fn peer() -> Peer {
    Peer::new("yawc")
        .masks(apply_mask)
        .texts(|payload, key| {
            apply_mask(payload, key);
            simdutf8::basic::from_utf8(payload).is_ok()
        })
        .receives(Buffered::new(Decoder::new(Role::Server, 64 << 20)))
        .sends(Writer::new(Role::Client), Writer::new(Role::Server))
        .exchanges(|deal| Some(End::new(Whole::new(deal), Whole::new(deal))))
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

struct Whole {
    pipe: Pipe,
    ws: WebSocket<Pipe>,
    is_text: bool,
    payload: Bytes,
}

impl Whole {
    fn new(deal: Deal) -> Self {
        let pipe = Pipe::new();
        let options = Options::default().with_limits(64 << 20, 64 << 20).with_utf8();
        let (options, extensions) = match deal {
            Deal::Plain => (options.without_compression(), None),
            Deal::Takeover => (options, Some("permessage-deflate")),
            Deal::NoTakeover => (
                options.server_no_context_takeover().client_no_context_takeover(),
                Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            ),
        };
        let options =
            if deal == Deal::Plain { options } else { options.with_compression_level(CompressionLevel::new(6)) };
        let ws = WebSocket::from_stream_with_extensions(pipe.clone(), Role::Server, extensions, options);
        Self { pipe, ws: ws.expect("a negotiated extension"), is_text: false, payload: Bytes::new() }
    }
}

impl Receiver for Whole {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.pipe.load(wire);
    }

    fn drain(&mut self, frames: usize, sink: &mut Sink) {
        block_on(async {
            for _ in 0..frames {
                sink.message(self.ws.next_frame().await.expect("valid frames").payload());
            }
        });
    }

    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink) {
        self.pipe.load(wire);
        self.drain(frames, sink);
    }
}

impl Sender for Whole {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        (self.is_text, self.payload) = (is_text, Bytes::copy_from_slice(payload));
    }

    fn send(&mut self, times: usize) {
        block_on(async {
            for _ in 0..times {
                let payload = self.payload.clone();
                let frame = if self.is_text { Frame::text(payload) } else { Frame::binary(payload) };
                self.ws.feed(frame).await.expect("a pipe");
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
