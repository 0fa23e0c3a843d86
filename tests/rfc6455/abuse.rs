//! The classes of past vulnerabilities: lengths near every power of two, floods, endless loops, leaks (§10.4).

use websocket_wire::{
    CloseFrame, Config, DecodeError, Decoder, Encoder, Header, Limits, MaskingKey, Opcode, Role, Status,
};

use crate::{KEY, ROLES, decode, fault, feed, head, mask_bit, masked, thinned, unmasked, wire};

/// The lengths around each power of two, and with each power of two added to a small one.
fn hostile_lengths() -> impl Iterator<Item = u64> {
    let powers = (0..64).map(|exponent| 1u64 << exponent);
    powers.flat_map(|power| (0..=6).flat_map(move |k| [power.wrapping_sub(k), power.wrapping_add(k)])).chain([
        u64::MAX,
        u64::MAX - 1,
        u64::MAX - 13,
        125,
        126,
    ])
}

#[test]
fn every_64_bit_length_near_a_power_of_two_is_judged_by_its_whole_value() {
    for (role, len) in thinned(ROLES.into_iter().flat_map(|role| hostile_lengths().map(move |len| (role, len)))) {
        let header = [&[0x82, mask_bit(role) | 127][..], &len.to_be_bytes()].concat();
        let expected = match len {
            0x8000_0000_0000_0000.. => Some(DecodeError::LengthTopBit),
            0..=0xFFFF => Some(DecodeError::NonMinimalLength),
            0x100_0001.. => Some(DecodeError::FrameTooLong),
            _ => None,
        };
        assert_eq!(fault(Config::new(role), &header), expected.map(|error| (error, 10)), "{role:?} {len:#X}");
    }
}

#[test]
fn every_64_bit_length_is_compared_with_every_limit_near_a_power_of_two() {
    let lengths: Vec<u64> = hostile_lengths().filter(|len| (0x1_0000..=0x7FFF_FFFF).contains(len)).collect();
    for limit in lengths.iter().copied().step_by(if cfg!(miri) { 40 } else { 1 }) {
        let frame = Config::client().limits(Limits { frame_len: limit, ..Limits::NONE });
        let message = Config::client().limits(Limits { message_len: limit, ..Limits::NONE });
        for len in lengths.iter().copied() {
            let judge = |config| Decoder::new(config).decode(&mut head(0x82, 0, len)).err();
            assert_eq!(judge(frame), (len > limit).then_some(DecodeError::FrameTooLong), "{len:#X} of {limit:#X}");
            assert_eq!(judge(message), (len > limit).then_some(DecodeError::MessageTooLong), "{len:#X} of {limit:#X}");
        }
    }
}

#[test]
fn the_sum_of_two_declared_lengths_is_compared_with_the_limit_without_truncation() {
    let config = Config::client().limits(Limits { frame_len: u64::MAX, message_len: 100, fragments: 9 });
    let open = unmasked(0x02, &[1; 5]);
    for len in hostile_lengths().filter(|len| *len < 1 << 63) {
        let stream = [&open[..], &head(0x80, 0, len)].concat();
        let found = fault(config, &stream);
        let fits_usize = usize::try_from(len).is_ok();
        let error = if fits_usize { DecodeError::MessageTooLong } else { DecodeError::FrameTooLong };
        assert_eq!(found, (len > 95).then_some((error, stream.len())), "{len:#X}");
    }
}

/// Sends fragments of one message until one is refused; returns how many were taken.
fn flood(config: Config, role: Role, payload: &[u8]) -> (u32, Option<DecodeError>) {
    let mut decoder = Decoder::new(config);
    let fragment = wire(role, 0x00, payload);
    let mut next = wire(role, 0x02, payload);
    for taken in 0..200_000 {
        match decoder.decode(&mut next) {
            Ok(Status::Complete { consumed, .. }) => assert_eq!(consumed, next.len()),
            Ok(Status::Partial { .. }) => panic!("a whole frame is here"),
            Err(error) => return (taken, Some(error)),
        }
        next.copy_from_slice(&fragment);
    }
    (200_000, None)
}

#[cfg(not(miri))]
#[test]
fn a_flood_of_empty_fragments_is_refused_by_their_count_with_the_limits_on_by_default() {
    for role in ROLES {
        let expected = (Limits::DEFAULT.fragments, Some(DecodeError::TooManyFragments));
        assert_eq!(flood(Config::new(role), role, b""), expected);
    }
}

#[test]
fn a_flood_of_tiny_fragments_is_refused_by_count_or_by_length_whichever_comes_first() {
    for (role, payload) in ROLES.into_iter().flat_map(|role| [&b""[..], b"a", b"abc"].map(|payload| (role, payload))) {
        let config = Config::new(role).limits(Limits { fragments: 100, message_len: 150, ..Limits::DEFAULT });
        let expected = match payload.len() {
            0 | 1 => (100, DecodeError::TooManyFragments),
            _ => (50, DecodeError::MessageTooLong),
        };
        assert_eq!(flood(config, role, payload), (expected.0, Some(expected.1)), "{role:?} {payload:?}");
    }
}

#[test]
fn fragments_of_one_byte_take_one_call_each() {
    let fragments = if cfg!(miri) { 100 } else { 20_000 };
    let mut stream = unmasked(0x01, b"a");
    stream.extend(unmasked(0x00, b"b").repeat(fragments));
    let (mut decoder, mut at, mut calls) = (Decoder::client(), 0, 0);
    while let Ok(Status::Complete { consumed, .. }) = decoder.decode(&mut stream[at..]) {
        at += consumed;
        calls += 1;
    }
    assert_eq!((at, calls), (stream.len(), fragments + 1));
}

#[test]
fn reads_of_one_byte_take_at_most_two_calls_a_byte_and_no_buffer_beyond_a_header() {
    for role in ROLES {
        let stream =
            [wire(role, 0x01, &[b'a'; 2000]), wire(role, 0x00, b""), wire(role, 0x80, "é".repeat(900).as_bytes())]
                .concat();
        let (mut decoder, mut pending, mut calls) = (Decoder::new(Config::new(role)), Vec::new(), 0);
        for byte in &stream {
            pending.push(*byte);
            loop {
                calls += 1;
                match decoder.decode(&mut pending).unwrap() {
                    Status::Complete { consumed, .. } => drop(pending.drain(..consumed)),
                    Status::Partial { .. } => break,
                }
            }
            assert!(pending.len() < Header::MAX_LEN + 1, "the payload is not held back");
        }
        assert!(calls <= 2 * stream.len() && decoder.is_idle(), "{calls} calls for {} bytes", stream.len());
    }
}

/// Bytes that look random and are the same in every run.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// Headers that pass often enough to get somewhere, with noise for all that is free.
fn plausible(role: Role, seed: u64) -> Vec<u8> {
    let noise = noise(seed, 600);
    let mut stream = Vec::new();
    for choice in noise.chunks(12) {
        let first =
            [0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x80, 0x89, 0x8A, 0x89, 0x88, choice[1]][usize::from(choice[0]) % 12];
        let payload = &choice[2..][..usize::from(choice[1]) % 10];
        let is_text = first & 0x0F <= 1;
        let payload: Vec<u8> = payload.iter().map(|byte| if is_text { byte & 0x7F } else { *byte }).collect();
        stream.extend(wire(role, first, &payload));
    }
    stream
}

#[test]
fn every_call_consumes_or_wants_more_or_fails_for_good() {
    let seeds = if cfg!(miri) { 4 } else { 2000 };
    for (role, seed) in ROLES.into_iter().flat_map(|role| (0..seeds).map(move |seed| (role, seed))) {
        let mut stream = if seed % 4 == 0 { noise(seed, 64) } else { plausible(role, seed) };
        let config = Config::new(role).allow_mask_mismatch();
        let (mut decoder, mut at, mut calls) =
            (Decoder::new(if seed % 2 == 0 { config } else { Config::new(role) }), 0, 0);
        loop {
            calls += 1;
            assert!(calls <= stream.len() + 1, "seed {seed}: no progress");
            match decoder.decode(&mut stream[at..]) {
                Ok(Status::Complete { consumed, .. }) => {
                    assert!(consumed > 0 && at + consumed <= stream.len());
                    at += consumed;
                }
                Ok(Status::Partial { needed }) => {
                    assert!(needed > 0);
                    break;
                }
                Err(error) => {
                    assert_eq!(decoder.decode(&mut stream[at..]).err(), Some(error));
                    break;
                }
            }
        }
        // A call without new bytes finds nothing new.
        assert!(!matches!(decoder.decode(&mut stream[at..]), Ok(Status::Complete { .. })), "seed {seed}");
    }
}

/// Each state of a connection, as the bytes that lead to it.
fn states(role: Role) -> [(&'static str, Vec<u8>); 7] {
    [
        ("fresh", vec![]),
        ("behind a message", wire(role, 0x81, b"a")),
        ("behind a control frame", wire(role, 0x89, b"")),
        ("in a text message", wire(role, 0x01, b"a")),
        ("in a binary message", wire(role, 0x02, b"\xFF")),
        ("inside of a code point", wire(role, 0x01, b"\xE2\x82")),
        ("behind an empty fragment", [wire(role, 0x01, b""), wire(role, 0x00, b"")].concat()),
    ]
}

#[test]
fn every_control_frame_is_taken_in_every_state() {
    for role in ROLES {
        for (state, before) in states(role) {
            for (first, payload) in
                [(0x88, &b""[..]), (0x88, b"\x03\xE8r"), (0x89, b""), (0x89, &[0xFF; 125]), (0x8A, b"x")]
            {
                let outcome = feed(Config::new(role), [&[&before[..], &wire(role, first, payload)].concat()[..]]);
                assert_eq!(outcome.error, None, "{role:?}, {state}, {first:02X}");
                assert_eq!(outcome.payloads().last(), Some(&payload), "{role:?}, {state}, {first:02X}");
                assert_eq!(outcome.is_closed, first == 0x88);
            }
        }
    }
}

#[test]
fn every_broken_control_frame_is_refused_in_every_state() {
    for role in ROLES {
        for (state, before) in states(role) {
            for (first, len, error) in [
                (0x09, 0, DecodeError::FragmentedControl),
                (0x8A, 126, DecodeError::ControlTooLong),
                (0x88, 1, DecodeError::InvalidCloseLength),
                (0xC9, 0, DecodeError::ReservedBits),
                (0x8B, 0, DecodeError::ReservedOpcode),
            ] {
                let stream = [&before[..], &[first, mask_bit(role) | len]].concat();
                assert_eq!(fault(Config::new(role), &stream), Some((error, stream.len())), "{role:?}, {state}");
            }
        }
    }
}

#[test]
fn bytes_of_a_payload_that_look_like_control_frames_are_payload() {
    let payload = [unmasked(0x88, b""), unmasked(0x89, b"ping"), unmasked(0x81, b"text")].concat();
    for role in ROLES {
        let outcome = decode(Config::new(role), &wire(role, 0x82, &payload));
        assert_eq!((outcome.opcodes(), outcome.payloads()), (vec![Opcode::Binary], vec![&payload[..]]));
    }
}

#[test]
fn a_flood_of_control_frames_leaves_an_open_message_as_it_was() {
    let config = Config::client().limits(Limits { fragments: 2, message_len: 2, frame_len: 2 });
    let flood = [unmasked(0x89, &[7; 125]), unmasked(0x8A, b""), unmasked(0x89, b"")].concat().repeat(if cfg!(miri) {
        9
    } else {
        3000
    });
    let stream = [unmasked(0x01, b"\xC3"), flood, unmasked(0x80, b"\xA9")].concat();
    let outcome = feed(config, [&stream[..]]);
    assert_eq!((outcome.error, outcome.is_idle), (None, true));
}

#[test]
fn an_error_is_said_again_whatever_comes_and_the_buffer_is_never_touched() {
    for (broken, error) in [
        (unmasked(0x83, b""), DecodeError::ReservedOpcode),
        (unmasked(0x80, b""), DecodeError::UnexpectedContinuation),
        (unmasked(0x81, b"\xFF"), DecodeError::InvalidUtf8),
        (unmasked(0x88, b"\x03\xED"), DecodeError::InvalidCloseCode),
        (masked(0x82, KEY, b"abcd"), DecodeError::UnexpectedMask),
    ] {
        let mut decoder = Decoder::client();
        let mut buf = broken.clone();
        for _ in 0..3 {
            assert_eq!(decoder.decode(&mut buf).err(), Some(error));
            assert_eq!(buf, broken);
        }
        for mut next in [vec![], unmasked(0x81, b"good"), unmasked(0x88, b""), noise(7, 40)] {
            let before = next.clone();
            assert_eq!(decoder.decode(&mut next).err(), Some(error));
            assert_eq!(next, before);
        }
    }
}

/// Encodes one frame of each kind into two buffers full of different bytes; returns the frames of the first.
fn encode_twice(len: usize, encode: impl Fn(&[u8], &mut [u8]) -> usize) {
    let payload = vec![b'p'; len];
    let frames = [0x00, 0xA5].map(|filler| {
        let mut out = vec![filler; len + 40];
        let written = encode(&payload, &mut out);
        assert!(out[written..].iter().all(|byte| *byte == filler), "written beyond the frame of {len} bytes");
        out.truncate(written);
        out
    });
    assert_eq!(frames[0], frames[1], "a frame of {len} bytes holds what was in the buffer before");
}

/// What was in the buffer before must not go out on the wire.
#[test]
fn no_byte_of_an_encoded_frame_is_left_unwritten_and_none_behind_it_is_written() {
    let client = || Encoder::client(|| MaskingKey::new(KEY));
    for len in thinned((0..=130).chain([255, 256, 4095, 65_535, 65_536])) {
        encode_twice(len, |payload, out| Encoder::server().binary(payload, out).unwrap());
        encode_twice(len, |payload, out| client().binary(payload, out).unwrap());
        if len <= 125 {
            encode_twice(len, |payload, out| Encoder::server().ping(payload, out).unwrap());
            encode_twice(len, |payload, out| client().pong(payload, out).unwrap());
        }
        let reason = "r".repeat(len);
        let close = Some(CloseFrame::new(websocket_wire::CloseCode::NORMAL, &reason));
        encode_twice(125, |_, out| Encoder::server().close(close, out).unwrap());
        encode_twice(125, |_, out| client().close(close, out).unwrap());
    }
    encode_twice(0, |_, out| Encoder::server().close(None, out).unwrap());
}

#[test]
fn a_header_before_a_payload_writes_its_own_bytes_alone() {
    for len in [0, 125, 126, 65_535, 65_536] {
        let header = Header { payload_len: len, mask: Some(MaskingKey::new(KEY)), ..Header::new(Opcode::Binary) };
        for filler in [0x00, 0xA5] {
            let mut room = [filler; 20];
            let written = header.encode_before(&mut room).unwrap();
            assert_eq!(room[20 - written..], [&head(0x82, 0x80, len)[..], &KEY].concat());
            assert!(room[..20 - written].iter().all(|byte| *byte == filler));
        }
    }
}
