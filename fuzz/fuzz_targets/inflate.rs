//! Compressed messages of any bytes, whole and in fragments and reads, with and without context takeover, in any window,
//! within a limit, as text or not: held to a DEFLATE that reads bit by bit.
#![no_main]

mod support;

use arbitrary::Arbitrary;
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use support::Cuts;
use support::build::{Built, frame, stream};
use support::inflate::Naive;
use websocket_wire::extension::deflate::{Agreement, Deflate, Tuning};
use websocket_wire::{Assembler, Config, DecodeError, Extensions, Limits, Message, Role};

/// Eight bytes in front of the input.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Setup {
    flags: u8,
    limit: u8,
    fragments: Cuts,
    reads: Cuts,
    /// Where the second message begins.
    second: [u8; 2],
}

fuzz_target!(|input: (Setup, &[u8])| {
    let (setup, bytes) = input;
    let (first, second) = bytes.split_at(usize::from(u16::from_le_bytes(setup.second)) % (bytes.len() + 1));
    let limit = 1 << 16 >> (setup.limit % 16);
    if first.len() > limit || second.len() > limit {
        return; // too long before it is inflated
    }
    let takeover = setup.flags & 8 == 0;
    let is_text = setup.flags & 16 != 0;
    let window_bits = 8 + setup.flags % 8;

    let mut naive = Naive { window_bits, takeover, limit, history: Vec::new() };
    let expected: Result<Vec<_>, _> = [first, second].iter().map(|payload| naive.message(payload, is_text)).collect();

    let opcode = if is_text { 1 } else { 2 };
    let whole = [first, second].map(|payload| frame(opcode, payload).rsv(0x40));
    assert_eq!(receive(&setup, &stream(&whole), &[]), expected);
    let cut = [first, second].map(|payload| fragments(opcode, &setup.fragments.pieces(payload))).concat();
    let wire = stream(&cut);
    assert_eq!(receive(&setup, &wire, &setup.reads.of(wire.len())), expected);
});

/// Cuts a message into fragments with a ping behind each.
fn fragments(opcode: u8, pieces: &[&[u8]]) -> Vec<Built> {
    let mut frames = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        let first = if i == 0 { frame(opcode, piece).rsv(0x40) } else { frame(0, piece) };
        frames.push(Built { fin: i + 1 == pieces.len(), ..first });
        frames.push(frame(9, "between"));
    }
    frames
}

/// Returns the data messages, or the fault.
fn receive(setup: &Setup, wire: &[u8], cuts: &[usize]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let agreement = Agreement {
        server_no_context_takeover: setup.flags & 8 != 0,
        server_max_window_bits: Some(8 + setup.flags % 8),
        ..Agreement::DEFAULT
    };
    let mut extensions = Extensions::new();
    extensions.register(Box::new(Deflate::new(Role::Client, agreement, Tuning::DEFAULT))).unwrap();
    let limits = Limits { message_len: 1 << 16 >> (setup.limit % 16), ..Limits::DEFAULT };
    let mut assembler = Assembler::with_extensions(Config::client().limits(limits), extensions);

    let (mut input, mut messages, mut fed) = (BytesMut::new(), Vec::new(), 0);
    for &cut in cuts.iter().chain([&wire.len()]) {
        input.extend_from_slice(&wire[fed..cut]);
        fed = cut;
        while let Some(message) = assembler.next_message(&mut input)? {
            match message {
                Message::Text(text) => messages.push(text.as_bytes().to_vec()),
                Message::Binary(payload) => messages.push(payload.to_vec()),
                Message::Ping(payload) => assert_eq!(payload, "between"),
                other => panic!("{other:?}"),
            }
        }
    }
    Ok(messages)
}
