//! The limits of §10.4: of a frame, of a message, of the fragments of a message; each inclusive, each judged on what is
//! declared, none of them fooled by a sum that overflows.

mod support;

use support::build::{Built, Form, frame, stream};
use support::harness;
use support::oracle::{Oracle, Rules, Verdict};
use websocket_wire::{
    CloseCode, Config, DecodeError, Decoder, EncodeError, Encoder, Header, Limits, Opcode, OutOfSequence, Sequence,
    Status,
};

const LONGEST: u64 = (1 << 63) - 1;

/// Decodes until nothing more comes; returns how many parts there were.
fn decode_all(rules: &Rules, bytes: &[u8]) -> Result<usize, DecodeError> {
    let (mut decoder, mut buf) = (Decoder::new(rules.config()), bytes.to_vec());
    let (mut at, mut parts) = (0, 0);
    while let Status::Complete { consumed, .. } = decoder.decode(&mut buf[at..])? {
        at += consumed;
        parts += 1;
    }
    Ok(parts)
}

/// Decodes the front of a fresh connection.
fn decode(limits: Limits, wire: &[u8]) -> Result<Status<usize>, DecodeError> {
    let mut decoder = Decoder::new(Config::client().limits(limits));
    decoder.decode(&mut wire.to_vec()).map(|status| status.map(|frame| frame.payload().len()))
}

/// Returns the header of a binary frame that declares `len` bytes.
fn declared(len: u64) -> Vec<u8> {
    Header { payload_len: len, ..Header::new(Opcode::Binary) }.encode().unwrap().to_vec()
}

#[test]
fn a_frame_may_be_as_long_as_its_limit_and_not_a_byte_longer() {
    for limit in [0, 1, 2, 124, 125, 126, 127, 65_535, 65_536, (1 << 32) - 1, 1 << 32, LONGEST - 1] {
        let limits = Limits { frame_len: limit, ..Limits::NONE };
        if usize::try_from(limit).is_ok() {
            assert!(decode(limits, &declared(limit)).is_ok(), "{limit}");
        }
        assert_eq!(decode(limits, &declared(limit + 1)), Err(DecodeError::FrameTooLong), "{limit}");
    }
}

#[test]
fn a_message_may_be_as_long_as_its_limit_and_not_a_byte_longer() {
    for limit in [0, 1, 124, 125, 126, 65_535, 65_536, LONGEST - 1] {
        let limits = Limits { message_len: limit, ..Limits::NONE };
        if usize::try_from(limit).is_ok() {
            assert!(decode(limits, &declared(limit)).is_ok(), "{limit}");
        }
        let too_long =
            if usize::try_from(limit + 1).is_ok() { DecodeError::MessageTooLong } else { DecodeError::FrameTooLong };
        assert_eq!(decode(limits, &declared(limit + 1)), Err(too_long), "{limit}");
    }
}

#[test]
fn the_limits_bind_short_messages_that_are_all_here_as_they_bind_the_others() {
    for (limit, len) in
        (0..131u64).step_by(if cfg!(miri) { 31 } else { 1 }).flat_map(|limit| [(limit, limit), (limit, limit + 1)])
    {
        for (is_server, opcode) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
            let built = frame(opcode, vec![b'x'; len as usize]);
            let wire = if is_server { built.key([1, 2, 3, 4]).wire() } else { built.wire() };
            let too_long = |error| if len > limit { Err(error) } else { Ok(1) };
            let rules = Rules { frame_len: limit, ..Rules::strict(is_server) };
            assert_eq!(decode_all(&rules, &wire), too_long(DecodeError::FrameTooLong), "{len} of {limit}");
            let rules = Rules { message_len: limit, ..Rules::strict(is_server) };
            assert_eq!(decode_all(&rules, &wire), too_long(DecodeError::MessageTooLong), "{len} of {limit}");
        }
    }
}

#[test]
fn the_frame_limit_is_judged_before_the_message_limit() {
    let limits = Limits { frame_len: 9, message_len: 9, fragments: 0 };
    assert_eq!(decode(limits, &declared(10)), Err(DecodeError::FrameTooLong));
    let rules = Rules { frame_len: 10, message_len: 9, fragments: 0, ..Rules::strict(false) };
    assert_eq!(decode_all(&rules, &frame(2, [0; 10]).fragment().wire()), Err(DecodeError::MessageTooLong));
    assert_eq!(decode_all(&rules, &frame(2, [0; 9]).fragment().wire()), Err(DecodeError::TooManyFragments));
}

#[test]
fn the_declared_length_is_judged_before_any_of_the_payload_and_before_the_key() {
    let rules = Rules { frame_len: 1000, message_len: 2000, ..Rules::strict(true) };
    for (wire, len, error) in [
        (&b"\x82\xFE\x03\xE9"[..], 4, DecodeError::FrameTooLong),
        (b"\x82\xFF\0\0\0\0\0\x01\0\0", 10, DecodeError::FrameTooLong),
        (b"\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10, DecodeError::LengthTopBit),
    ] {
        assert_eq!(decode_all(&rules, &wire[..len - 1]), Ok(0));
        assert_eq!(decode_all(&rules, wire), Err(error));
    }
    let first_two = Rules { frame_len: 5, ..rules };
    assert_eq!(decode_all(&first_two, b"\x82\x86"), Err(DecodeError::FrameTooLong));
}

#[test]
fn no_limit_lets_the_longest_length_of_the_wire_through() {
    let verdict = decode(Limits::NONE, &declared(LONGEST));
    let expected = if cfg!(target_pointer_width = "64") {
        Ok(Status::Partial { needed: 1 })
    } else {
        Err(DecodeError::FrameTooLong)
    };
    assert_eq!(verdict, expected);
    // §5.2: "the most significant bit MUST be 0"
    let top = frame(2, "").form(Form::Declared(1 << 63)).wire();
    assert_eq!(decode(Limits::NONE, &top), Err(DecodeError::LengthTopBit));
}

#[test]
fn the_default_limits_are_on_and_are_the_documented_ones() {
    assert_eq!(*Decoder::server().config(), Config::server().limits(Limits::DEFAULT));
    assert_eq!(Limits::default(), Limits { frame_len: 16 << 20, message_len: 64 << 20, fragments: 131_072 });
    assert_eq!(decode(Limits::DEFAULT, &declared(16 << 20)), Ok(Status::Partial { needed: 1 }));
    assert_eq!(decode(Limits::DEFAULT, &declared((16 << 20) + 1)), Err(DecodeError::FrameTooLong));
}

#[test]
fn lengths_are_1009_and_fragments_are_1008() {
    assert_eq!(DecodeError::FrameTooLong.close_code(), CloseCode::MESSAGE_TOO_BIG);
    assert_eq!(DecodeError::MessageTooLong.close_code(), CloseCode::MESSAGE_TOO_BIG);
    assert_eq!(DecodeError::TooManyFragments.close_code(), CloseCode::POLICY_VIOLATION);
}

#[test]
fn control_frames_have_a_limit_of_their_own_and_none_of_the_others() {
    let rules = Rules { frame_len: 0, message_len: 0, fragments: 0, ..Rules::strict(false) };
    let bytes = stream(&[frame(9, [0; 125]), frame(10, [1; 125]), frame(2, ""), frame(8, [3, 232, 33])]);
    assert_eq!(decode_all(&rules, &bytes), Ok(4));
    harness::check_both_ways(&rules, &bytes);
}

/// Returns a message of `count` frames, the payload of each as given by `payload`.
fn message(count: usize, payload: impl Fn(usize) -> Vec<u8>) -> Vec<Built> {
    let frames = (0..count).map(|i| frame(if i == 0 { 2 } else { 0 }, payload(i)));
    frames.enumerate().map(|(i, frame)| Built { fin: i + 1 == count, ..frame }).collect()
}

#[test]
fn a_message_may_have_as_many_fragments_as_its_limit_and_not_one_more() {
    for limit in (1..9).step_by(if cfg!(miri) { 3 } else { 1 }) {
        let rules = Rules { fragments: limit, ..Rules::strict(false) };
        for count in 1..12 {
            let expected = if count > limit as usize { Err(DecodeError::TooManyFragments) } else { Ok(count) };
            let bytes = stream(&message(count, |i| vec![i as u8]));
            assert_eq!(decode_all(&rules, &bytes), expected, "{count} of {limit}");
            harness::check_both_ways(&rules, &bytes);
        }
    }
}

#[test]
fn empty_fragments_count() {
    let limit = if cfg!(miri) { 20 } else { 1000 };
    let rules = Rules { fragments: limit as u32, ..Rules::strict(false) };
    assert_eq!(decode_all(&rules, &stream(&message(limit, |_| vec![]))), Ok(limit));
    assert_eq!(decode_all(&rules, &stream(&message(limit + 1, |_| vec![]))), Err(DecodeError::TooManyFragments));
}

#[test]
fn the_last_fragment_too_many_is_refused_at_its_second_byte() {
    let rules = Rules { fragments: 3, ..Rules::strict(false) };
    let bytes = stream(&message(4, |_| vec![7; 5]));
    let end = 3 * 7 + 2;
    assert_eq!(decode_all(&rules, &bytes[..end - 1]), Ok(3));
    assert_eq!(decode_all(&rules, &bytes[..end]), Err(DecodeError::TooManyFragments));
    assert_eq!(Oracle::of(&rules, &bytes).seen, end);
}

#[test]
fn a_whole_message_in_one_frame_passes_any_limit_of_fragments() {
    for fragments in [0, 1] {
        let rules = Rules { fragments, ..Rules::strict(false) };
        assert_eq!(decode_all(&rules, &stream(&vec![frame(2, "abc"); 5])), Ok(5));
        harness::check_both_ways(&rules, &stream(&[frame(1, [b'x'; 200]), frame(2, "")]));
    }
    let none = Rules { fragments: 0, ..Rules::strict(false) };
    assert_eq!(decode_all(&none, &frame(2, "a").fragment().wire()), Err(DecodeError::TooManyFragments));
}

#[test]
fn every_message_counts_anew_and_control_frames_count_for_nothing() {
    let rules = Rules { fragments: 2, message_len: 4, ..Rules::strict(false) };
    let one = [frame(2, "ab").fragment(), frame(9, "ping"), frame(10, "pong"), frame(9, ""), frame(0, "cd")];
    let bytes = stream(&[&one[..], &one, &one].concat());
    assert_eq!(decode_all(&rules, &bytes), Ok(15));
    harness::check_both_ways(&rules, &bytes);
}

#[test]
fn the_sum_of_a_message_is_judged_at_the_frame_that_breaks_it() {
    for limit in (0..40u64).step_by(if cfg!(miri) { 9 } else { 1 }) {
        let rules = Rules { message_len: limit, ..Rules::strict(false) };
        let bytes = stream(&message(4, |i| vec![i as u8; 10]));
        let whole = (limit / 10) as usize;
        assert_eq!(decode_all(&rules, &bytes), Err(DecodeError::MessageTooLong));
        let oracle = Oracle::of(&rules, &bytes);
        assert_eq!((oracle.verdict, oracle.seen), (Verdict::Failed(DecodeError::MessageTooLong), whole * 12 + 2));
        harness::check_both_ways(&rules, &bytes);
    }
}

#[test]
fn a_sum_that_would_overflow_is_too_long_and_not_short() {
    let first = b"\x02\x0Aabcdefghij";
    for limit in [10, 11, 1 << 31, 1 << 32, LONGEST, LONGEST + 9, LONGEST + 10, u64::MAX] {
        for len in [LONGEST, LONGEST - 9, LONGEST - 10, (1 << 32) - 10, (1 << 32) - 1, (1 << 31) - 10] {
            let rules = Rules { message_len: limit, ..Rules::unlimited(false) };
            let rest = Header { payload_len: len, ..Header::new(Opcode::Continuation) }.encode().unwrap();
            let bytes = [&first[..], &rest].concat();
            let expected = if usize::try_from(len).is_err() {
                Err(DecodeError::FrameTooLong)
            } else if u128::from(len) + 10 > u128::from(limit) {
                Err(DecodeError::MessageTooLong)
            } else {
                Ok(1)
            };
            assert_eq!(decode_all(&rules, &bytes), expected, "10 and {len} of {limit}");
            harness::check_both_ways(&rules, &bytes);
        }
    }
}

#[test]
fn a_message_limit_near_the_top_of_u64_is_kept_without_overflow() {
    let limits = Limits { message_len: u64::MAX - 1, ..Limits::NONE };
    let frame = |len| Header { payload_len: len, ..Header::new(Opcode::Continuation).fragment() };
    let begin = Header { payload_len: LONGEST, ..Header::new(Opcode::Binary).fragment() };
    let sequence = Sequence::new().after(&begin, &limits).unwrap();
    let sequence = sequence.after(&frame(LONGEST), &limits).unwrap();
    assert_eq!(sequence.after(&frame(1), &limits), Err(OutOfSequence::MessageTooLong));
    assert_eq!(sequence.after(&frame(u64::MAX), &limits), Err(OutOfSequence::MessageTooLong));
    assert!(sequence.after(&frame(0), &limits).is_ok());
}

#[test]
fn a_sequence_without_a_limit_of_fragments_never_says_too_many() {
    let limits = Limits { fragments: u32::MAX, ..Limits::NONE };
    let next = Header::new(Opcode::Continuation).fragment();
    let mut sequence = Sequence::new().after(&Header::new(Opcode::Text).fragment(), &limits).unwrap();
    for _ in 0..if cfg!(miri) { 300 } else { 300_000 } {
        sequence = sequence.after(&next, &limits).unwrap();
    }
    assert_eq!(sequence.after(&next, &Limits::DEFAULT).is_err(), !cfg!(miri));
}

#[test]
fn the_encoder_sets_no_limits() {
    let mut encoder = Encoder::server();
    encoder.header(Header::new(Opcode::Binary).fragment(), LONGEST).unwrap();
    for _ in 0..if cfg!(miri) { 300 } else { 150_000 } {
        encoder.header(Header::new(Opcode::Continuation).fragment(), 0).unwrap();
    }
    encoder.header(Header::new(Opcode::Continuation).fragment(), LONGEST).unwrap();
    encoder.header(Opcode::Continuation, 1).unwrap();
    assert_eq!(encoder.finish(), Ok(()));
    // §5.2: "the most significant bit MUST be 0"
    assert_eq!(encoder.header(Opcode::Binary, 1 << 63), Err(EncodeError::PayloadTooLong));
}

#[test]
fn a_declared_length_moves_no_memory_and_the_payload_comes_as_it_arrives() {
    let mut decoder = Decoder::new(Config::client().limits(Limits::NONE));
    let len = u64::try_from(isize::MAX).unwrap();
    let mut buf = [&declared(len)[..], b"abc"].concat();
    let consumed = buf.len();
    let Ok(Status::Complete { value, consumed: got }) = decoder.decode(&mut buf) else { panic!("no part") };
    assert_eq!((value.payload(), value.header().payload_len, got), (&b"abc"[..], len, consumed));
    assert!(!value.is_last_part());
}

/// A length that this machine cannot address is refused, never cut down to one that it can.
#[cfg(target_pointer_width = "32")]
#[test]
fn a_length_above_usize_is_too_long_and_is_never_truncated() {
    let limit = u64::from(u32::MAX);
    for len in [limit + 1, limit + 2, 1 << 33, (1 << 40) + 5, LONGEST] {
        assert_eq!(decode(Limits::NONE, &declared(len)), Err(DecodeError::FrameTooLong), "{len}");
        let raw = websocket_wire::RawFrame::parse(&declared(len)).map(|status| status.map(drop));
        assert_eq!(raw, Err(DecodeError::FrameTooLong), "{len}");
    }
    assert_eq!(decode(Limits::NONE, &declared(limit)), Ok(Status::Partial { needed: 1 }));
    // The frame would end behind the last address.
    let raw = websocket_wire::RawFrame::parse(&declared(limit)).map(|status| status.map(drop));
    assert_eq!(raw, Err(DecodeError::FrameTooLong));
}
