//! sockudo-ws: `Protocol` over `BytesMut`; its masks and its validator are public.

use bytes::{Bytes, BytesMut};
use sockudo_ws::Message;
use sockudo_ws::deflate::DeflateConfig;
use sockudo_ws::protocol::{CompressedProtocol, Protocol, Role};
use sockudo_ws::simd::apply_mask;
use sockudo_ws::utf8::validate_utf8;

use crate::buffer::{Buffered, Codec};
use crate::peer::{Deal, End, Peer, Sender, Sink};

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
        .sends(Writer::new(protocol(Role::Client)), Writer::new(protocol(Role::Server)))
        .exchanges(|deal| {
            Some(match deal {
                Deal::Plain => End::new(
                    Buffered::new(Batch { protocol: protocol(Role::Server), messages: Vec::new() }),
                    Writer::new(protocol(Role::Server)),
                ),
                _ => End::new(
                    Buffered::new(Batch { protocol: compressed(deal), messages: Vec::new() }),
                    Writer::new(compressed(deal)),
                ),
            })
        })
}

fn protocol(role: Role) -> Protocol {
    Protocol::new(role, 64 << 20, 64 << 20)
}

fn compressed(deal: Deal) -> CompressedProtocol {
    let none = deal == Deal::NoTakeover;
    let config = DeflateConfig {
        server_no_context_takeover: none,
        client_no_context_takeover: none,
        compression_level: 6,
        ..DeflateConfig::default()
    };
    CompressedProtocol::server(64 << 20, 64 << 20, config)
}

/// What both protocols have in common.
trait Messages {
    fn decode(&mut self, buf: &mut BytesMut, messages: &mut Vec<Message>);
    fn encode(&mut self, message: &Message, buf: &mut BytesMut);
}

impl Messages for Protocol {
    fn decode(&mut self, buf: &mut BytesMut, messages: &mut Vec<Message>) {
        self.process_into(buf, messages).expect("valid frames");
    }

    fn encode(&mut self, message: &Message, buf: &mut BytesMut) {
        self.encode_message(message, buf).expect("the buffer grows");
    }
}

impl Messages for CompressedProtocol {
    fn decode(&mut self, buf: &mut BytesMut, messages: &mut Vec<Message>) {
        self.process_into(buf, messages).expect("valid frames");
    }

    fn encode(&mut self, message: &Message, buf: &mut BytesMut) {
        self.encode_message(message, buf).expect("the buffer grows");
    }
}

struct Batch<P> {
    protocol: P,
    messages: Vec<Message>,
}

impl<P: Messages> Codec for Batch<P> {
    fn take(&mut self, buf: &mut BytesMut, _: usize, sink: &mut Sink) -> usize {
        self.protocol.decode(buf, &mut self.messages);
        self.messages.drain(..).map(|message| sink.message(message.as_bytes())).count()
    }
}

struct Writer<P> {
    protocol: P,
    message: Message,
    out: BytesMut,
}

impl<P: Messages> Writer<P> {
    fn new(protocol: P) -> Self {
        Self { protocol, message: Message::Binary(Bytes::new()), out: BytesMut::new() }
    }
}

impl<P: Messages> Sender for Writer<P> {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.message = if is_text { Message::Text(payload) } else { Message::Binary(payload) };
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            self.protocol.encode(&self.message, &mut self.out);
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out);
        self.out.clear();
    }
}
