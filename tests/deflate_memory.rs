//! What permessage-deflate takes of the heap: bounded by the limit, whatever the peer sends, and as stated in its docs.
#![cfg(feature = "deflate")]

#[path = "support/heap.rs"]
mod heap;

use bytes::BytesMut;
use websocket_wire::extension::deflate::{Agreement, Deflate, Tuning};
use websocket_wire::{Assembler, Config, DecodeError, Encoder, Extensions, Header, Limits, Message, Opcode, Role, Rsv};

/// Returns the result of `run`, the most heap that it held beyond what was held before, both blocks counted while one is
/// copied to the other, and what it still holds.
fn heap<T>(run: impl FnOnce() -> T) -> (T, usize, usize) {
    let (result, heap) = heap::heap(run);
    (result, heap.peak_copied, heap.held.max(0) as usize)
}

fn extensions(role: Role, agreement: Agreement, tuning: Tuning) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.register(Box::new(Deflate::new(role, agreement, tuning))).unwrap();
    extensions
}

/// A server's frame, or frames of `piece` bytes each, with a compressed message.
fn frames(payload: &[u8], piece: usize) -> Vec<u8> {
    let mut sending = Extensions::new();
    let none = extensions(Role::Server, Agreement::DEFAULT, Tuning::DEFAULT).claims();
    let (mut encoder, mut wire) = (Encoder::server().claims(none), Vec::new());
    let count = payload.len().div_ceil(piece);
    for (i, piece) in payload.chunks(piece).enumerate() {
        let opcode = if i == 0 { Opcode::Binary } else { Opcode::Continuation };
        let rsv = if i == 0 { Rsv::RSV1 } else { Rsv::NONE };
        let header = Header { fin: i + 1 == count, rsv, ..Header::new(opcode) };
        let mut scratch = Vec::new();
        let plain = Header { rsv: Rsv::NONE, ..header };
        let (_, payload) = sending.encode(plain, piece, &mut scratch).unwrap();
        encoder.encode_to(header, payload, &mut wire).unwrap();
    }
    wire
}

/// Fifty megabytes of zeros, compressed.
fn bomb() -> Vec<u8> {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT, Tuning { level: 9, ..Tuning::DEFAULT });
    let mut scratch = Vec::new();
    let zeros = vec![0; if cfg!(miri) { 500_000 } else { 50_000_000 }];
    sending.encode(Opcode::Binary, &zeros, &mut scratch).unwrap().1.to_vec()
}

/// Feeds the wire in reads of 4 KiB and drops the messages.
fn feed(assembler: &mut Assembler, wire: &[u8]) -> Result<usize, DecodeError> {
    let (mut input, mut total) = (BytesMut::with_capacity(8192), 0);
    for piece in wire.chunks(4096) {
        input.extend_from_slice(piece);
        while let Some(message) = assembler.next_message(&mut input)? {
            total += match message {
                Message::Binary(payload) => payload.len(),
                _ => 0,
            };
        }
    }
    Ok(total)
}

fn limited(message_len: u64) -> Assembler {
    let config = Config::client().limits(Limits { message_len, ..Limits::DEFAULT });
    Assembler::with_extensions(config, extensions(Role::Client, Agreement::DEFAULT, Tuning::DEFAULT))
}

/// A buffer that grows to the limit is copied from one that is half as large: both are held for a moment. The window and the
/// tables are 40 KiB while a message comes, the buffers of the test 16 KiB.
fn bound(limit: u64) -> usize {
    limit as usize * 3 / 2 + (57 << 10)
}

#[test]
fn a_bomb_of_50_megabytes_in_48_kilobytes_is_stopped_by_the_limit() {
    let bomb = bomb();
    assert!(bomb.len() < 49 << 10, "{}", bomb.len());
    for limit in [1 << 10, 1 << 16, 1 << 20] {
        for piece in [usize::MAX, 1000, 1] {
            let wire = frames(&bomb, piece.min(bomb.len()));
            let (result, peak, _) = heap(|| feed(&mut limited(limit), &wire));
            assert_eq!(result, Err(DecodeError::MessageTooLong));
            assert!(peak <= bound(limit), "limit {limit}, fragments of {piece}: {peak}");
        }
    }
}

#[test]
fn a_bomb_below_the_limit_takes_what_it_is_long() {
    let wire = frames(&bomb(), 1 << 16);
    let len = if cfg!(miri) { 500_000 } else { 50_000_000 };
    let (result, peak, _) = heap(|| feed(&mut limited(len), &wire));
    assert_eq!(result, Ok(len as usize));
    assert!(peak <= bound(len), "{peak}");
}

#[test]
fn a_flood_of_fragments_without_a_byte_takes_nothing_and_is_refused_by_their_count() {
    let count = Limits::DEFAULT.fragments as usize;
    let wire = [&[0x42, 0][..], &[0, 0].repeat(count)].concat();
    let (result, peak, _) = heap(|| feed(&mut limited(1 << 20), &wire));
    assert_eq!(result, Err(DecodeError::TooManyFragments));
    assert!(peak < 17 << 10, "{peak}");
}

#[test]
fn a_flood_of_blocks_without_a_byte_takes_no_more_than_one_of_them() {
    // Stored blocks, and final ones with the fixed codes.
    for blocks in [[0, 0, 0, 0xFF, 0xFF].repeat(20_000), [3, 0].repeat(50_000)] {
        let wire = frames(&blocks, 1 << 16);
        let (result, peak, _) = heap(|| feed(&mut limited(1 << 20), &wire));
        assert_eq!(result, Ok(0));
        assert!(peak < 26 << 10, "{peak}");
    }
}

#[test]
fn a_declared_length_reserves_nothing() {
    let (result, peak, _) = heap(|| feed(&mut limited(16 << 20), b"\xC2\x7F\0\0\0\0\x00\xFF\xFF\xFF"));
    assert_eq!(result, Ok(0));
    assert!(peak < 16 << 10, "{peak}");
}

#[test]
fn a_short_message_has_a_short_allocation() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT, Tuning::DEFAULT);
    let mut scratch = Vec::new();
    let wire = frames(sending.encode(Opcode::Binary, &[7; 100], &mut scratch).unwrap().1, 99);
    let mut assembler = limited(1 << 20);
    let mut input = BytesMut::from(&wire[..]);
    assembler.next_message(&mut input).unwrap();
    let mut input = BytesMut::from(&wire[..]);
    let (message, _, held) = heap(|| assembler.next_message(&mut input).unwrap());
    assert!(matches!(message, Some(Message::Binary(payload)) if payload.len() == 100));
    assert!(held <= 300, "{held}");
}

/// Returns what a connection holds once it has sent, or received, messages that fill every window.
fn held(agreement: Agreement, tuning: Tuning) -> (usize, usize) {
    let message: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 24) as u8).collect();
    let mut scratch = Vec::with_capacity(1 << 20);
    let mut sending = extensions(Role::Server, agreement, tuning);
    let (_, _, sender) = heap(|| sending.encode(Opcode::Binary, &message, &mut scratch).map(drop));
    let wire = frames(&scratch, 1 << 20);
    let mut assembler = Assembler::with_extensions(Config::client(), extensions(Role::Client, agreement, tuning));
    let (_, _, receiver) = heap(|| assert_eq!(feed(&mut assembler, &wire), Ok(message.len())));
    (sender, receiver)
}

#[test]
fn a_connection_that_has_not_been_used_holds_nothing_but_its_state() {
    let (_extensions, _, held) = heap(|| extensions(Role::Server, Agreement::DEFAULT, Tuning::DEFAULT));
    assert!(held <= 1 << 10, "{held}");
}

#[test]
fn the_memory_of_a_connection_is_what_the_documentation_says() {
    let bits = |bits| Agreement { server_max_window_bits: Some(bits), ..Agreement::DEFAULT };
    let small = Tuning { mem_level: 1, ..Tuning::DEFAULT };
    for (agreement, tuning, sender, receiver) in [
        (bits(15), Tuning::DEFAULT, 380 << 10, 33 << 10),
        (bits(9), Tuning::DEFAULT, 250 << 10, 1 << 10),
        (bits(15), small, 270 << 10, 33 << 10),
        (bits(9), small, 140 << 10, 1 << 10),
    ] {
        let held = held(agreement, tuning);
        println!("{agreement} {tuning:?}: sending {}, receiving {}", held.0, held.1);
        assert!(held.0 <= sender && held.1 <= receiver, "{agreement} {tuning:?}: {held:?}");
    }
}

#[test]
fn without_context_takeover_nothing_is_held_between_messages_but_the_compressor() {
    let agreement = Agreement { server_no_context_takeover: true, ..Agreement::DEFAULT };
    let (_, receiver) = held(agreement, Tuning::DEFAULT);
    assert!(receiver <= 256, "{receiver}");
}
