//! permessage-deflate, line by line (RFC 7692), through `Assembler` and `Extensions`.
#![cfg(feature = "deflate")]

mod negotiation;
mod oracle;
mod receiving;
mod sending;
mod streams;
mod why;
mod windows;

use bytes::BytesMut;
use websocket_wire::extension::deflate::{Agreement, Deflate, Tuning};
use websocket_wire::{
    Assembler, Config, DecodeError, EncodeError, Extensions, Header, Limits, Message, Opcode, Role, Rsv,
};

/// Without a threshold, so that short messages are compressed too.
const TUNING: Tuning = Tuning { threshold: 0, ..Tuning::DEFAULT };

fn extensions(role: Role, agreement: Agreement) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.register(Box::new(Deflate::new(role, agreement, TUNING))).unwrap();
    extensions
}

/// The client's end: it receives what a server sends.
fn client(agreement: Agreement) -> Assembler {
    Assembler::with_extensions(Config::client(), extensions(Role::Client, agreement))
}

fn limited(message_len: u64) -> Assembler {
    let config = Config::client().limits(Limits { message_len, ..Limits::DEFAULT });
    Assembler::with_extensions(config, extensions(Role::Client, Agreement::DEFAULT))
}

/// An unmasked frame with this first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut wire = vec![first];
    match payload.len() {
        len @ 0..=125 => wire.push(len as u8),
        len @ 126..=0xFFFF => {
            wire.push(126);
            wire.extend((len as u16).to_be_bytes());
        }
        len => {
            wire.push(127);
            wire.extend((len as u64).to_be_bytes());
        }
    }
    wire.extend(payload);
    wire
}

/// A compressed message of which every frame carries `piece` bytes.
fn fragments(first: u8, payload: &[u8], piece: usize) -> Vec<u8> {
    let pieces: Vec<&[u8]> = payload.chunks(piece).collect();
    let header = |i: usize| if i == 0 { first & 0x7F } else { 0 } | if i + 1 == pieces.len() { 0x80 } else { 0 };
    pieces.iter().enumerate().flat_map(|(i, piece)| frame(header(i), piece)).collect()
}

/// What comes out of `wire`, given in reads of `piece` bytes.
fn feed(assembler: &mut Assembler, wire: &[u8], piece: usize) -> Result<Vec<Message>, DecodeError> {
    let (mut input, mut messages) = (BytesMut::new(), Vec::new());
    for piece in wire.chunks(piece) {
        input.extend_from_slice(piece);
        while let Some(message) = assembler.next_message(&mut input)? {
            messages.push(message);
        }
    }
    Ok(messages)
}

fn text(text: impl Into<String>) -> Message {
    Message::Text(text.into().into())
}

fn binary(bytes: impl Into<Vec<u8>>) -> Message {
    Message::Binary(bytes.into().into())
}

/// The compressed payload of a whole text.
fn deflate(extensions: &mut Extensions, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut scratch = Vec::new();
    let (header, payload) = extensions.encode(Opcode::Text, payload, &mut scratch)?;
    assert_eq!(header, Header::new(Opcode::Text).with_rsv(Rsv::RSV1));
    Ok(payload.to_vec())
}

/// Bytes that look like a service's messages.
fn json(len: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0u64;
    while out.len() < len {
        i = i.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let line = format!(
            "{{\"id\":{},\"user\":\"u{}\",\"price\":{}.{:02}}},",
            i >> 40,
            i >> 60,
            i >> 50 & 999,
            i >> 33 & 99
        );
        out.extend(line.bytes());
    }
    out.truncate(len);
    out
}

/// Bytes without a pattern.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn the_readme_names_every_test() {
    let sources = [
        ("negotiation", include_str!("negotiation.rs")),
        ("oracle", include_str!("oracle.rs")),
        ("receiving", include_str!("receiving.rs")),
        ("sending", include_str!("sending.rs")),
        ("streams", include_str!("streams.rs")),
        ("why", include_str!("why.rs")),
        ("windows", include_str!("windows.rs")),
    ];
    let mut tests: Vec<String> = vec![];
    for (module, source) in sources {
        let names = source.split("#[test]\n").skip(1).map(|rest| rest.trim_start().strip_prefix("fn ").unwrap());
        tests.extend(names.map(|name| format!("{module}::{}", name.split('(').next().unwrap())));
    }
    let mut named: Vec<&str> =
        include_str!("README.md").split('`').filter(|name| name.matches("::").count() == 1).collect();
    named.retain(|name| *name != "module::test");
    tests.sort();
    named.sort();
    assert_eq!(named, tests);
}
