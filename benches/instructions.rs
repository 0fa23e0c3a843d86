//! Fixed work, one function a case, whose instructions `ci/instructions.sh` counts under valgrind. Times nothing.
//!
//! The name of a case is that of its function: its entry and its end are where valgrind begins and stops to count. What it
//! works on is made outside.

use std::hint::black_box;

use websocket_wire::utf8::Validator;
use websocket_wire::{Connection, Decoder, Encoder, Header, Opcode, Server, Status};
use websocket_wire::{Mask, MaskingKey};

const KEY: MaskingKey = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);
/// Operations in a case.
const TIMES: usize = 100;

const CASES: [(&str, fn()); 24] = [
    ("mask_20", || mask(20, mask_20)),
    ("mask_125", || mask(125, mask_125)),
    ("mask_4096", || mask(4096, mask_4096)),
    ("text_ascii_20", || text("hello", 20, text_ascii_20)),
    ("text_ascii_1024", || text("hello", 1024, text_ascii_1024)),
    ("text_cyrillic_12", || text("привет", 12, text_cyrillic_12)),
    ("text_cyrillic_20", || text("привет", 20, text_cyrillic_20)),
    ("text_cyrillic_60", || text("привет", 60, text_cyrillic_60)),
    ("text_cyrillic_1024", || text("привет", 1024, text_cyrillic_1024)),
    ("decode_binary_20", || decode(&frames(0x82, 20), decode_binary_20)),
    ("decode_cyrillic_20", || decode(&frames_of(0x81, "приветмир!!".as_bytes()), decode_cyrillic_20)),
    ("client_cyrillic_20", || decode_as_client("приветмир!!", client_cyrillic_20)),
    ("decode_text_125", || decode(&frames(0x81, 125), decode_text_125)),
    ("decode_text_4096", || decode(&frames(0x81, 4096), decode_text_4096)),
    ("decode_fragments_20", || decode(&fragments(), decode_fragments_20)),
    ("decode_ping_20", || decode(&frames(0x89, 20), decode_ping_20)),
    ("receive_binary_20", || receive(&frames(0x82, 20), receive_binary_20)),
    ("receive_text_125", || receive(&frames(0x81, 125), receive_text_125)),
    ("receive_ping_20", || receive(&frames(0x89, 20), receive_ping_20)),
    ("encode_client_20", || encode(20, encode_client_20)),
    ("encode_client_4096", || encode(4096, encode_client_4096)),
    ("encode_server_20", || encode(20, encode_server_20)),
    ("header_parse", || parse(&frames(0x82, 1000), header_parse)),
    ("header_encode", || header_encode(black_box(1000))),
];

fn main() {
    // The kernels are chosen at the first use; that is not to be counted.
    Mask::new(KEY).apply(black_box(&mut [0; 4096]));
    for (name, case) in CASES {
        if std::env::args().any(|arg| arg == name) {
            case();
        } else if std::env::args().any(|arg| arg == "--list") {
            println!("{name}");
        }
    }
}

/// Payloads at offset 6 of a multiple of 64, as they are in frames that begin there.
fn payloads(plain: &[u8]) -> (Vec<u8>, usize, usize) {
    let stride = (plain.len() + 6).next_multiple_of(64);
    let mut buf = vec![0; stride * TIMES + 64];
    let start = buf.as_ptr().align_offset(64) + 6;
    for i in 0..TIMES {
        buf[start + i * stride..][..plain.len()].copy_from_slice(plain);
    }
    (buf, start, stride)
}

fn mask(len: usize, case: fn(&mut [u8], usize, usize)) {
    let (mut buf, start, stride) = payloads(&vec![b'x'; len]);
    case(&mut buf[start..], stride, len);
    Mask::new(KEY).apply(&mut buf[start..start + len]);
    assert!(buf[start..start + len].iter().all(|byte| *byte == b'x'));
}

fn text(phrase: &str, len: usize, case: fn(&mut [u8], usize, usize)) {
    let mut plain = phrase.repeat(len / phrase.len()).into_bytes();
    plain.resize(len, b'.');
    let mut masked = plain.clone();
    Mask::new(KEY).apply(&mut masked);
    let (mut buf, start, stride) = payloads(&masked);
    case(&mut buf[start..], stride, len);
    assert!(buf[start..].chunks(stride).take(TIMES).all(|slot| slot[..len] == plain));
}

fn frames(first: u8, len: usize) -> Vec<u8> {
    frames_of(first, &vec![b'x'; len])
}

fn frames_of(first: u8, payload: &[u8]) -> Vec<u8> {
    let opcode = Opcode::from_bits(first & 15).expect("four bits");
    let mut encoder = Encoder::client(|| KEY);
    let mut wire = Vec::new();
    for _ in 0..TIMES {
        encoder.encode_to(opcode, payload, &mut wire).expect("a valid frame");
    }
    wire
}

fn fragments() -> Vec<u8> {
    let mut encoder = Encoder::client(|| KEY);
    let mut wire = Vec::new();
    for i in 0..TIMES {
        let header = Header::new(if i == 0 { Opcode::Text } else { Opcode::Continuation });
        let header = if i + 1 < TIMES { header.fragment() } else { header };
        encoder.encode_to(header, &[b'x'; 20], &mut wire).expect("a valid fragment");
    }
    wire
}

fn decode(wire: &[u8], case: fn(&mut Decoder, &mut [u8]) -> usize) {
    assert_eq!(case(&mut Decoder::server(), &mut wire.to_vec()), TIMES);
}

fn decode_as_client(text: &str, case: fn(&mut Decoder, &mut [u8]) -> usize) {
    let mut wire = Vec::new();
    for _ in 0..TIMES {
        Encoder::server().encode_to(Opcode::Text, text.as_bytes(), &mut wire).expect("a valid frame");
    }
    assert_eq!(case(&mut Decoder::client(), &mut wire), TIMES);
}

fn receive(wire: &[u8], case: fn(&mut Connection<Server>, &mut [u8]) -> usize) {
    assert_eq!(case(&mut Connection::server(), &mut wire.to_vec()), TIMES);
}

fn encode(len: usize, case: fn(&[u8], &mut [u8]) -> usize) {
    let mut out = vec![0; TIMES * (len + Header::MAX_LEN)];
    assert!(case(&vec![b'x'; len], &mut out) > TIMES * len);
}

fn parse(wire: &[u8], case: fn(&[u8]) -> u64) {
    assert_eq!(case(wire), 1000 * TIMES as u64);
}

#[inline(always)]
fn decode_all(decoder: &mut Decoder, wire: &mut [u8]) -> usize {
    let (mut at, mut frames) = (0, 0);
    while let Ok(Status::Complete { value, consumed }) = decoder.decode(&mut wire[at..]) {
        black_box(value.payload());
        at += consumed;
        frames += 1;
    }
    frames
}

#[inline(always)]
fn receive_all(connection: &mut Connection<Server>, wire: &mut [u8]) -> usize {
    let (mut at, mut frames) = (0, 0);
    while let Ok(Status::Complete { value, consumed }) = connection.receive(&mut wire[at..]) {
        black_box(value.payload());
        at += consumed;
        frames += 1;
    }
    frames
}

macro_rules! cases {
    ($($name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(#[inline(never)]
        fn $name($($arg: $type),*) $(-> $result)? {
            // The compiler merges functions that are the same in all but the name.
            black_box(stringify!($name));
            $body
        })*
    };
}

macro_rules! mask_cases {
    ($($name:ident)*) => { cases! { $($name(buf: &mut [u8], stride: usize, len: usize) {
        for slot in buf.chunks_mut(stride).take(TIMES) {
            Mask::new(black_box(KEY)).apply(&mut slot[..len]);
        }
    })* } };
}

macro_rules! text_cases {
    ($($name:ident)*) => { cases! { $($name(buf: &mut [u8], stride: usize, len: usize) {
        for slot in buf.chunks_mut(stride).take(TIMES) {
            let mut validator = Validator::new();
            validator.unmask(&mut Mask::new(black_box(KEY)), &mut slot[..len]).expect("valid text");
            validator.finish().expect("whole text");
        }
    })* } };
}

macro_rules! decode_cases {
    ($($name:ident)*) => { cases! { $($name(decoder: &mut Decoder, wire: &mut [u8]) -> usize {
        decode_all(decoder, wire)
    })* } };
}

macro_rules! receive_cases {
    ($($name:ident)*) => { cases! { $($name(connection: &mut Connection<Server>, wire: &mut [u8]) -> usize {
        receive_all(connection, wire)
    })* } };
}

macro_rules! encode_cases {
    ($($name:ident: $encoder:expr),*) => { cases! { $($name(payload: &[u8], out: &mut [u8]) -> usize {
        let (mut encoder, mut len) = ($encoder, 0);
        for _ in 0..TIMES {
            len += encoder.binary(payload, &mut out[len..]).expect("room");
        }
        len
    })* } };
}

// A function each, also where the text is the same, so that each has a name.
mask_cases! { mask_20 mask_125 mask_4096 }
text_cases! { text_ascii_20 text_ascii_1024 text_cyrillic_12 text_cyrillic_20 text_cyrillic_60 text_cyrillic_1024 }
decode_cases! { decode_binary_20 decode_cyrillic_20 client_cyrillic_20 decode_text_125 decode_text_4096 decode_fragments_20 decode_ping_20 }
receive_cases! { receive_binary_20 receive_text_125 receive_ping_20 }
encode_cases! {
    encode_client_20: Encoder::client(|| black_box(KEY)),
    encode_client_4096: Encoder::client(|| black_box(KEY)),
    encode_server_20: Encoder::server()
}
cases! {
    header_parse(wire: &[u8]) -> u64 {
        let (mut at, mut sum) = (0, 0);
        while let Ok(Status::Complete { value, consumed }) = Header::parse(&wire[at..]) {
            at += consumed + value.payload_len as usize;
            sum += value.payload_len;
            if at == wire.len() {
                break;
            }
        }
        sum
    }
    header_encode(len: u64) {
        for i in 0..TIMES as u64 {
            let header = Header { mask: Some(KEY), payload_len: len + i, ..Header::new(Opcode::Binary) };
            black_box(header.encode().expect("a valid header"));
        }
    }
}
