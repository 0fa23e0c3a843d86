//! Windows of every size, both ways, and limits (RFC 7692 §7.1.2).

use super::*;

pub(super) fn server_bits(bits: u8) -> Agreement {
    Agreement { server_max_window_bits: Some(bits), ..Agreement::DEFAULT }
}

/// A message of `2^bits + extra` bytes whose last three are those at that distance. Stored blocks carry the rest.
pub(super) fn distance_beyond(bits: u8, extra: usize) -> (Vec<u8>, Vec<u8>) {
    let distance = (1usize << bits) + extra;
    let plain = noise(distance);
    let mut payload = Vec::new();
    for block in plain.chunks(0xFFFF) {
        let len = block.len() as u16;
        payload.extend([&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), block].concat());
    }
    // A fixed block: the length 3 is symbol 257; then the distance; then the end of the block.
    let (symbol, base, extra_bits) = distance_symbol(distance);
    let reversed = |code: u64, len: u32| code.reverse_bits() >> (64 - len);
    let mut bits = 0b010u64;
    let mut at = 3;
    for (value, len) in [
        (reversed(0b000_0001, 7), 7),
        (reversed(symbol, 5), 5),
        ((distance - base) as u64, extra_bits),
        (0, 7),
        (0, 3), // the header of the empty stored block whose rest is the tail
    ] {
        bits |= value << at;
        at += len;
    }
    payload.extend(&bits.to_le_bytes()[..(at as usize).div_ceil(8)]);
    let whole = [&plain[..], &plain[..3]].concat();
    (payload, whole)
}

fn distance_symbol(distance: usize) -> (u64, usize, u32) {
    let mut base = 1;
    for symbol in 0..30u32 {
        let extra = if symbol < 4 { 0 } else { (symbol - 2) / 2 };
        if distance < base + (1 << extra) {
            return (u64::from(symbol), base, extra);
        }
        base += 1 << extra;
    }
    unreachable!("the longest distance is 32,768")
}

#[test]
fn a_distance_of_the_whole_window_is_accepted_and_one_more_is_not() {
    for bits in 8..=15 {
        for piece in [usize::MAX, 1000, 1] {
            let (payload, whole) = distance_beyond(bits, 0);
            let within = feed(&mut client(server_bits(bits)), &frame(0xC2, &payload), piece);
            assert_eq!(within, Ok(vec![binary(whole)]), "{bits} bits, reads of {piece}");
            if bits < 15 {
                let (payload, _) = distance_beyond(bits, 1);
                let beyond = feed(&mut client(server_bits(bits)), &frame(0xC2, &payload), piece);
                assert_eq!(beyond, Err(DecodeError::InvalidExtensionData), "{bits} bits, reads of {piece}");
            }
        }
    }
}

#[test]
fn what_is_sent_stays_within_the_window_of_each_size() {
    for bits in 9..=15 {
        for level in [1, 6, 9] {
            let tuning = Tuning { level, ..TUNING };
            let mut sending = Extensions::new();
            sending.register(Box::new(Deflate::new(Role::Server, server_bits(bits), tuning))).unwrap();
            let mut receiving = client(server_bits(bits));
            for len in [0, 1, 700, 40_000, 90_000] {
                let plain = json(len);
                let payload = deflate(&mut sending, &plain).unwrap();
                let received = feed(&mut receiving, &frame(0xC2, &payload), 7000);
                assert_eq!(received, Ok(vec![binary(plain)]), "{bits} bits, level {level}, {len} bytes");
            }
        }
    }
}

#[test]
fn with_a_window_that_zlib_cannot_have_nothing_is_compressed() {
    let mut sending = extensions(Role::Server, server_bits(8));
    let mut scratch = Vec::new();
    let (header, payload) = sending.encode(Opcode::Text, &[b'a'; 999], &mut scratch).unwrap();
    assert_eq!((header, payload), (Header::new(Opcode::Text), &[b'a'; 999][..]));
}

#[test]
fn the_limit_holds_for_inflated_bytes_to_the_byte() {
    let plain = vec![b'x'; 100_000];
    let payload = deflate(&mut extensions(Role::Server, Agreement::DEFAULT), &plain).unwrap();
    for (limit, fits) in [(100_000, true), (99_999, false), (1000, false)] {
        for wire in [frame(0xC1, &payload), fragments(0xC1, &payload, 1)] {
            let result = feed(&mut limited(limit), &wire, usize::MAX);
            let expected = if fits { Ok(vec![binary_or_text(&plain)]) } else { Err(DecodeError::MessageTooLong) };
            assert_eq!(result, expected, "{limit}");
        }
    }
    assert_eq!(DecodeError::MessageTooLong.close_code().0, 1009);
}

fn binary_or_text(plain: &[u8]) -> Message {
    text(String::from_utf8(plain.to_vec()).unwrap())
}

#[test]
fn the_limit_counts_each_message_anew() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let mut receiving = limited(1000);
    for _ in 0..5 {
        let payload = deflate(&mut sending, &[b'x'; 1000]).unwrap();
        assert!(feed(&mut receiving, &frame(0xC1, &payload), usize::MAX).is_ok());
    }
}

#[test]
fn an_empty_message_passes_a_limit_of_nothing() {
    assert_eq!(feed(&mut limited(1), &frame(0xC1, &[0]), usize::MAX), Ok(vec![text("")]));
}

#[test]
fn empty_fragments_of_a_compressed_message_are_refused_by_their_count() {
    let limits = Limits { fragments: 1000, ..Limits::DEFAULT };
    let extensions = extensions(Role::Client, Agreement::DEFAULT);
    let mut receiving = Assembler::with_extensions(Config::client().limits(limits), extensions);
    assert_eq!(feed(&mut receiving, &frame(0x41, &[]), usize::MAX), Ok(vec![]));
    // As many as there would be for ever; the limit says where they end.
    for count in 2.. {
        match feed(&mut receiving, &frame(0x00, &[]), usize::MAX) {
            Ok(messages) => assert!(messages.is_empty() && count <= 1000),
            Err(error) => {
                assert_eq!((error, count), (DecodeError::TooManyFragments, 1001));
                break;
            }
        }
    }
}
