//! What RFC 6455 demands of an endpoint, one named test a promise; `README.md` beside this file is the index.

mod abuse;
mod close;
mod codes;
mod encoding;
mod fragmentation;
mod framing;
mod headers;
mod lengths;
mod masking;
mod text;
mod utf8;

use websocket_wire::{Config, DecodeError, Decoder, Opcode, Role, Status};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// The key of the samples in §5.7.
const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// What a decoder made of a stream: the same for every way in which the stream is cut into reads.
#[derive(Clone, PartialEq, Debug, Default)]
struct Outcome {
    frames: Vec<Seen>,
    error: Option<DecodeError>,
    is_closed: bool,
    is_idle: bool,
    consumed: usize,
}

/// A frame, its parts joined.
#[derive(Clone, PartialEq, Debug)]
struct Seen {
    opcode: Opcode,
    message: Opcode,
    fin: bool,
    payload: Vec<u8>,
    /// Whether the payload came to its end.
    is_whole: bool,
}

impl Outcome {
    /// Returns the payloads of the frames, in order.
    fn payloads(&self) -> Vec<&[u8]> {
        self.frames.iter().map(|seen| &seen.payload[..]).collect()
    }

    /// Returns the opcodes of the frames, in order.
    fn opcodes(&self) -> Vec<Opcode> {
        self.frames.iter().map(|seen| seen.opcode).collect()
    }
}

/// Returns all of the items, or a few of them under Miri, which is some thousand times slower.
fn thinned<T>(items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    items.step_by(if cfg!(miri) { 29 } else { 1 })
}

/// Returns a frame as the peer of `role` sends it: masked where `role` is a server.
fn wire(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    match role {
        Role::Client => unmasked(first, payload),
        Role::Server => masked(first, KEY, payload),
    }
}

fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    [head(first, 0, payload.len() as u64), payload.to_vec()].concat()
}

fn masked(first: u8, key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let payload: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    [head(first, 0x80, payload.len() as u64), key.to_vec(), payload].concat()
}

/// Returns the MASK bit that the peer of `role` sets.
fn mask_bit(role: Role) -> u8 {
    if role == Role::Server { 0x80 } else { 0 }
}

/// Returns a header up to its length, which is in its minimal form.
fn head(first: u8, mask_bit: u8, len: u64) -> Vec<u8> {
    match len {
        0..=125 => vec![first, mask_bit | len as u8],
        126..=0xFFFF => [&[first, mask_bit | 126][..], &(len as u16).to_be_bytes()].concat(),
        _ => [&[first, mask_bit | 127][..], &len.to_be_bytes()].concat(),
    }
}

/// Decodes a stream whole, byte by byte and, if it is short, cut in two at every place; all must agree.
fn decode(config: Config, stream: &[u8]) -> Outcome {
    let whole = feed(config, [stream]);
    assert_eq!(feed(config, stream.chunks(1)), whole, "byte by byte: {stream:02X?}");
    if stream.len() <= if cfg!(miri) { 16 } else { 80 } {
        for cut in 1..stream.len() {
            assert_eq!(feed(config, [&stream[..cut], &stream[cut..]]), whole, "cut at {cut}: {stream:02X?}");
        }
    }
    whole
}

/// Decodes a stream that comes in the given reads.
fn feed<'a>(config: Config, reads: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let (mut decoder, mut pending, mut outcome) = (Decoder::new(config), Vec::new(), Outcome::default());
    for read in reads {
        pending.extend_from_slice(read);
        while let Some(consumed) = step(&mut decoder, &mut pending, &mut outcome) {
            pending.drain(..consumed);
            outcome.consumed += consumed;
        }
    }
    outcome.is_closed = decoder.is_closed();
    outcome.is_idle = decoder.is_idle() && pending.is_empty();
    outcome
}

/// Calls the decoder once; returns how many bytes it consumed, or `None` where it waits or has failed.
fn step(decoder: &mut Decoder, buf: &mut [u8], outcome: &mut Outcome) -> Option<usize> {
    let (part, consumed) = match decoder.decode(buf) {
        Ok(Status::Complete { value, consumed }) => (value, consumed),
        Ok(Status::Partial { needed }) => {
            assert_ne!(needed, 0);
            return None;
        }
        Err(error) => {
            outcome.error = Some(error);
            return None;
        }
    };
    let header = *part.header();
    if part.is_first_part() {
        let (message, payload) = (part.message_opcode(), vec![]);
        outcome.frames.push(Seen { opcode: header.opcode, message, fin: header.fin, payload, is_whole: false });
    }
    let seen = outcome.frames.last_mut().expect("a first part comes first");
    assert!(!seen.is_whole && seen.opcode == header.opcode, "parts of one frame follow each other");
    seen.payload.extend_from_slice(part.payload());
    seen.is_whole = part.is_last_part();
    Some(consumed)
}

/// Returns the fault of a stream and the length of the shortest prefix that shows it.
fn fault(config: Config, stream: &[u8]) -> Option<(DecodeError, usize)> {
    let (mut decoder, mut pending) = (Decoder::new(config), Vec::new());
    for (i, byte) in stream.iter().enumerate() {
        pending.push(*byte);
        loop {
            match decoder.decode(&mut pending) {
                Ok(Status::Complete { consumed, .. }) => drop(pending.drain(..consumed)),
                Ok(Status::Partial { .. }) => break,
                Err(error) => return Some((error, i + 1)),
            }
        }
    }
    None
}

/// The table is the index of the promises: it names each test once, and none that is not there.
#[test]
fn the_table_beside_this_file_names_every_test() {
    let sources = [
        ("abuse", include_str!("abuse.rs")),
        ("close", include_str!("close.rs")),
        ("codes", include_str!("codes.rs")),
        ("encoding", include_str!("encoding.rs")),
        ("fragmentation", include_str!("fragmentation.rs")),
        ("framing", include_str!("framing.rs")),
        ("headers", include_str!("headers.rs")),
        ("lengths", include_str!("lengths.rs")),
        ("masking", include_str!("masking.rs")),
        ("text", include_str!("text.rs")),
        ("utf8", include_str!("utf8.rs")),
    ];
    let mut tests: Vec<String> = vec![];
    for (module, source) in sources {
        let names = source.split("#[test]\nfn ").skip(1).map(|rest| rest.split('(').next().unwrap());
        tests.extend(names.map(|name| format!("{module}::{name}")));
    }
    let mut named: Vec<&str> =
        include_str!("README.md").split('`').filter(|name| name.matches("::").count() == 1).collect();
    named.retain(|name| *name != "module::test");
    tests.sort();
    named.sort();
    assert_eq!(named, tests);
}
