//! This crate: `Decoder` and `Encoder` over slices; `Assembler` and `Encoder::encode_to` on `bytes`.

use std::rc::Rc;

use bytes::BytesMut;
use websocket_wire::extension::deflate::{Agreement, Deflate, Tuning};
use websocket_wire::utf8::Validator;
use websocket_wire::{
    Assembler, Config, Decoder, Encoder, Extensions, Header, HeaderBuf, Limits, MaskSource, Message, Opcode, Role,
    Server, Side, Status,
};
use websocket_wire::{Mask, MaskingKey};

use crate::buffer::{Buffered, Codec};
use crate::peer::{Deal, End, Peer, Receiver, Sender, Sink};
use crate::pipe::READ;

pub fn codec() -> Peer {
    Peer::new("websocket-wire")
        .masks(|payload, key| Mask::new(MaskingKey::new(key)).apply(payload))
        .texts(|payload, key| {
            let mut validator = Validator::new();
            validator.unmask(&mut Mask::new(MaskingKey::new(key)), payload).is_ok() && validator.finish().is_ok()
        })
        .parses(|bytes| match Header::parse(bytes) {
            Ok(Status::Complete { value, .. }) => {
                value.payload_len ^ value.mask.map_or(0, |key| u32::from_ne_bytes(key.to_bytes()).into())
            }
            _ => unreachable!("a whole header"),
        })
        .writes(None, |scratch: &mut Option<HeaderBuf>, payload_len, key| {
            let mask = Some(MaskingKey::new(key));
            scratch.insert(Header { payload_len, mask, ..Header::new(Opcode::Binary) }.encode().unwrap())
        })
        .receives(Slice::new(READ))
        .sends(IntoSlice::new(Encoder::client(keys())), IntoSlice::new(Encoder::server()))
        .exchanges(|deal| {
            let assembler = Assembler::with_extensions(config(), extensions(deal));
            Some(End::new(Buffered::new(assembler), Whole::new(extensions(deal))))
        })
}

pub fn small_buffer() -> Peer {
    Peer::new(crate::cases::decode::SMALL_BUFFER).receives(Slice::new(16 << 10))
}

pub fn owned() -> Peer {
    Peer::new("websocket-wire, owned")
        .receives(Buffered::new(Assembler::new(config())))
        .sends(IntoBuf::new(Encoder::client(keys())), IntoBuf::new(Encoder::server()))
}

fn config() -> Config {
    Config::server().limits(Limits::NONE)
}

fn extensions(deal: Deal) -> Extensions {
    let none = deal == Deal::NoTakeover;
    let agreement =
        Agreement { server_no_context_takeover: none, client_no_context_takeover: none, ..Agreement::DEFAULT };
    let mut extensions = Extensions::new();
    if deal != Deal::Plain {
        let deflate = Deflate::new(Role::Server, agreement, Tuning { level: 6, ..Tuning::DEFAULT });
        extensions.register(Box::new(deflate)).expect("no other extension");
    }
    extensions
}

/// The thread's generator, the same as soketto, websocket-sans-io and wslay are given and sockudo-ws draws from.
fn keys() -> impl MaskSource {
    || MaskingKey::new(fastrand::u32(..).to_ne_bytes())
}

struct Slice {
    decoder: Decoder,
    buf: Vec<u8>,
    /// How much of `buf` is there.
    len: usize,
    /// How much is read at a time.
    read: usize,
}

impl Slice {
    fn new(read: usize) -> Self {
        Self { decoder: Decoder::new(config()), buf: Vec::new(), len: 0, read }
    }

    /// Decodes until bytes are missing; returns how many were consumed.
    // Not inlined, so that the read loops share one copy, as a program has one.
    #[inline(never)]
    fn decode(decoder: &mut Decoder, buf: &mut [u8], sink: &mut Sink) -> usize {
        let mut at = 0;
        while let Status::Complete { value: frame, consumed } = decoder.decode(&mut buf[at..]).expect("valid frames") {
            sink.part(frame.payload());
            if frame.ends_message() {
                sink.end();
            }
            at += consumed;
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
        let consumed = Self::decode(&mut self.decoder, &mut self.buf[..self.len], sink);
        assert_eq!(consumed, self.len);
    }

    fn read(&mut self, wire: &Rc<[u8]>, _: usize, sink: &mut Sink) {
        // Room for a read behind what may be left over: a header, or a control frame but for its last byte.
        self.buf.resize((self.read + 131).max(self.buf.len()), 0);
        let mut len = 0;
        for chunk in wire.chunks(self.read) {
            self.buf[len..len + chunk.len()].copy_from_slice(chunk);
            len += chunk.len();
            let consumed = Self::decode(&mut self.decoder, &mut self.buf[..len], sink);
            self.buf.copy_within(consumed..len, 0);
            len -= consumed;
        }
        assert_eq!(len, 0);
    }
}

impl Codec for Assembler {
    fn take(&mut self, buf: &mut BytesMut, _: usize, sink: &mut Sink) -> usize {
        let mut taken = 0;
        while let Some(message) = self.next_message(buf).expect("valid frames") {
            match message {
                Message::Text(text) => sink.message(text.as_bytes()),
                Message::Binary(payload) => sink.message(&payload),
                _ => unreachable!("data frames alone"),
            }
            taken += 1;
        }
        taken
    }
}

struct IntoSlice<S> {
    encoder: Encoder<S>,
    opcode: Opcode,
    payload: Vec<u8>,
    out: Vec<u8>,
    len: usize,
}

impl<S: Side> IntoSlice<S> {
    fn new(encoder: Encoder<S>) -> Self {
        Self { encoder, opcode: Opcode::Binary, payload: Vec::new(), out: Vec::new(), len: 0 }
    }
}

impl<S: Side> Sender for IntoSlice<S> {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.opcode = if is_text { Opcode::Text } else { Opcode::Binary };
        self.payload = payload.to_vec();
    }

    #[inline(never)]
    fn send(&mut self, times: usize) {
        for _ in 0..times {
            let end = self.len + Header::MAX_LEN + self.payload.len();
            if self.out.len() < end {
                self.out.resize(end.next_power_of_two(), 0);
            }
            self.len +=
                self.encoder.encode(self.opcode, &self.payload, &mut self.out[self.len..]).expect("enough room");
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out[..self.len]);
        self.len = 0;
    }
}

struct IntoBuf<S> {
    encoder: Encoder<S>,
    opcode: Opcode,
    payload: Vec<u8>,
    out: BytesMut,
}

impl<S: Side> IntoBuf<S> {
    fn new(encoder: Encoder<S>) -> Self {
        Self { encoder, opcode: Opcode::Binary, payload: Vec::new(), out: BytesMut::new() }
    }
}

impl<S: Side> Sender for IntoBuf<S> {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.opcode = if is_text { Opcode::Text } else { Opcode::Binary };
        self.payload = payload.to_vec();
    }

    #[inline(never)]
    fn send(&mut self, times: usize) {
        for _ in 0..times {
            self.encoder.encode_to(self.opcode, &self.payload, &mut self.out).expect("the buffer grows");
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out);
        self.out.clear();
    }
}

/// Whole messages through extensions.
struct Whole {
    extensions: Extensions,
    encoder: Encoder<Server>,
    opcode: Opcode,
    payload: Vec<u8>,
    scratch: Vec<u8>,
    out: BytesMut,
}

impl Whole {
    fn new(extensions: Extensions) -> Self {
        let encoder = Encoder::server().claims(extensions.claims());
        let (payload, scratch, out) = (Vec::new(), Vec::new(), BytesMut::new());
        Self { extensions, encoder, opcode: Opcode::Binary, payload, scratch, out }
    }
}

impl Sender for Whole {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.opcode = if is_text { Opcode::Text } else { Opcode::Binary };
        self.payload = payload.to_vec();
    }

    fn send(&mut self, times: usize) {
        for _ in 0..times {
            let (header, payload) =
                self.extensions.encode(self.opcode, &self.payload, &mut self.scratch).expect("no message is open");
            self.encoder.encode_to(header, payload, &mut self.out).expect("the buffer grows");
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out);
        self.out.clear();
    }
}
