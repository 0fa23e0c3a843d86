//! Messages in several frames, and control frames between them (§5.4).

use websocket_wire::{
    Claims, CloseCode, Config, DecodeError, Decoder, Header, Limits, Opcode, OutOfSequence, Rsv, Sequence,
};

use crate::{ROLES, decode, fault, head, unmasked, wire};

#[test]
fn a_continuation_with_nothing_to_continue_is_refused_at_its_second_byte() {
    for (role, first) in ROLES.into_iter().flat_map(|role| [(role, 0x00), (role, 0x80)]) {
        let found = fault(Config::new(role), &wire(role, first, b"a"));
        assert_eq!(found, Some((DecodeError::UnexpectedContinuation, 2)), "{role:?} {first:02X}");
    }
}

/// What comes before is a whole stream without an open message.
fn refused_behind(config: Config, before: &[u8]) {
    assert!(decode(config, before).is_idle);
    for first in [0x00, 0x80] {
        let found = fault(config, &[before, &[first, 0]].concat());
        assert_eq!(found, Some((DecodeError::UnexpectedContinuation, before.len() + 2)), "{before:02X?}");
    }
}

#[test]
fn a_continuation_behind_a_whole_message_is_refused() {
    refused_behind(Config::client(), &unmasked(0x81, b"a"));
    refused_behind(Config::client(), &unmasked(0x82, b""));
    refused_behind(Config::client(), &unmasked(0x89, b"ping"));
}

#[test]
fn a_continuation_behind_a_finished_fragmented_message_is_refused() {
    refused_behind(Config::client(), &[unmasked(0x01, b"a"), unmasked(0x80, b"b")].concat());
    refused_behind(Config::client(), &[unmasked(0x02, b""), unmasked(0x00, b""), unmasked(0x80, b"")].concat());
}

#[test]
fn a_continuation_behind_a_compressed_message_is_refused() {
    let config = Config::client().claims(Claims::NONE.message_rsv(Rsv::RSV1));
    refused_behind(config, &unmasked(0xC1, &[0xF2, 0x48]));
    refused_behind(config, &[unmasked(0x41, &[0xF2]), unmasked(0x80, &[0x48])].concat());
}

#[test]
fn behind_a_failed_message_every_frame_gives_the_fault_of_that_message() {
    let mut decoder = Decoder::client();
    assert_eq!(decoder.decode(&mut unmasked(0x81, b"\xFF")).err(), Some(DecodeError::InvalidUtf8));
    for mut frame in [unmasked(0x80, b"a"), unmasked(0x81, b"a"), unmasked(0x88, b""), vec![], vec![0xFF; 20]] {
        let before = frame.clone();
        assert_eq!(decoder.decode(&mut frame).err(), Some(DecodeError::InvalidUtf8));
        assert_eq!((frame, decoder.error()), (before, Some(DecodeError::InvalidUtf8)));
    }
    assert!(!decoder.is_idle() && !decoder.is_closed());
}

/// "The fragments of one message MUST NOT be interleaved between the fragments of another message"
#[test]
fn a_new_message_while_one_is_open_is_refused_at_its_second_byte() {
    for (open, new) in [0x01, 0x02].into_iter().flat_map(|open| [0x01, 0x02, 0x81, 0x82].map(|new| (open, new))) {
        for between in [vec![], unmasked(0x00, b"more"), unmasked(0x89, b"ping"), unmasked(0x00, b"")] {
            let before = [unmasked(open, b"a"), between].concat();
            let found = fault(Config::client(), &[&before[..], &[new, 0]].concat());
            assert_eq!(found, Some((DecodeError::InterleavedMessage, before.len() + 2)), "{open:02X} {new:02X}");
        }
    }
}

#[test]
fn continuations_carry_the_opcode_of_their_message() {
    for (first, opcode) in [(0x01, Opcode::Text), (0x02, Opcode::Binary)] {
        let stream = [unmasked(first, b"a"), unmasked(0x89, b"p"), unmasked(0x00, b"b"), unmasked(0x80, b"c")].concat();
        let outcome = decode(Config::client(), &stream);
        let messages: Vec<Opcode> = outcome.frames.iter().map(|seen| seen.message).collect();
        assert_eq!(messages, [opcode, Opcode::Ping, opcode, opcode]);
        let fins: Vec<bool> = outcome.frames.iter().map(|seen| seen.fin).collect();
        assert_eq!(fins, [false, true, false, true]);
    }
}

/// "Control frames (see §5.5) MAY be injected in the middle of a fragmented message."
#[test]
fn control_frames_in_every_gap_of_a_message_are_delivered_in_order_with_their_payload() {
    for role in ROLES {
        let fragments = [(0x01, &b"\xE2"[..]), (0x00, b""), (0x00, b"\x82"), (0x80, b"\xAC")];
        for gap in 0..=fragments.len() {
            let mut frames = fragments.to_vec();
            let controls = [(0x89, &b"\xFFping"[..]), (0x8A, b""), (0x89, b""), (0x8A, b"pong\x80")];
            frames.splice(gap..gap, controls);
            let stream: Vec<u8> = frames.iter().flat_map(|(first, payload)| wire(role, *first, payload)).collect();
            let outcome = decode(Config::new(role), &stream);
            let payloads: Vec<&[u8]> = frames.iter().map(|(_, payload)| *payload).collect();
            assert_eq!((outcome.payloads(), outcome.error), (payloads, None), "{role:?}, gap {gap}");
            assert!(outcome.is_idle);
        }
    }
}

#[test]
fn a_ping_inside_of_a_message_is_delivered_with_its_last_byte() {
    let mut decoder = Decoder::client();
    assert!(decoder.decode(&mut unmasked(0x01, b"a")).unwrap().complete().is_some());
    let mut ping = unmasked(0x89, b"now");
    let last = ping.len() - 1;
    assert!(decoder.decode(&mut ping[..last]).unwrap().complete().is_none());
    let (frame, _) = decoder.decode(&mut ping).unwrap().complete().unwrap();
    assert_eq!((frame.message_opcode(), frame.payload(), frame.ends_message()), (Opcode::Ping, &b"now"[..], false));
    assert!(!decoder.is_idle());
}

#[test]
fn a_close_in_the_middle_of_a_message_is_legal_and_drops_the_message() {
    for (role, body) in ROLES.into_iter().flat_map(|role| [(role, &b""[..]), (role, b"\x03\xE8bye")]) {
        let stream = [wire(role, 0x01, b"a\xC3"), wire(role, 0x88, body), wire(role, 0x80, b"\xA9")].concat();
        let outcome = decode(Config::new(role), &stream);
        assert_eq!((outcome.payloads(), outcome.error), (vec![&b"a\xC3"[..], body], None));
        assert!(outcome.is_closed && !outcome.frames[0].fin);
    }
}

#[test]
fn zero_length_fragments_are_legal_in_every_place() {
    for (role, pattern) in ROLES.into_iter().flat_map(|role| (0..16u8).map(move |pattern| (role, pattern))) {
        for first in [0x01, 0x02] {
            let payload = |i: u8| if pattern >> i & 1 == 0 { &b""[..] } else { b"ab" };
            let heads = [first, 0x00, 0x00, 0x80];
            let stream: Vec<u8> = (0..4).flat_map(|i| wire(role, heads[usize::from(i)], payload(i))).collect();
            let outcome = decode(Config::new(role), &stream);
            assert_eq!((outcome.payloads(), outcome.error), ((0..4).map(payload).collect(), None), "{pattern:04b}");
            assert!(outcome.is_idle && outcome.frames.iter().all(|seen| seen.is_whole));
        }
    }
}

#[test]
fn the_fragment_limit_counts_empty_fragments_and_admits_just_as_many_as_it_says() {
    for (role, limit) in ROLES.into_iter().flat_map(|role| (1..6).map(move |limit| (role, limit))) {
        let config = Config::new(role).limits(Limits { fragments: limit, ..Limits::DEFAULT });
        let open = [wire(role, 0x02, b""), wire(role, 0x00, b"").repeat(limit as usize - 1)].concat();
        let finished = [wire(role, 0x02, b""), wire(role, 0x00, b"").repeat(limit as usize), vec![]].concat();
        assert_eq!(fault(config, &open), None);
        let found = fault(config, &finished);
        assert_eq!(found, Some((DecodeError::TooManyFragments, open.len() + 2)), "{role:?} {limit}");
    }
    assert_eq!(DecodeError::TooManyFragments.close_code(), CloseCode::POLICY_VIOLATION);
}

#[test]
fn the_final_fragment_counts_and_the_next_message_starts_from_nothing() {
    let config = Config::client().limits(Limits { fragments: 2, ..Limits::DEFAULT });
    let message = [unmasked(0x02, b"a"), unmasked(0x89, b""), unmasked(0x80, b"b")].concat();
    assert!(decode(config, &message.repeat(3)).is_idle);
    let found = fault(config, &[unmasked(0x02, b"a"), unmasked(0x00, b"b"), unmasked(0x80, b"c")].concat());
    assert_eq!(found, Some((DecodeError::TooManyFragments, 8)));
}

#[test]
fn a_whole_message_in_one_frame_passes_any_fragment_limit() {
    let config = Config::client().limits(Limits { fragments: 0, ..Limits::DEFAULT });
    assert!(decode(config, &[unmasked(0x81, b"a"), unmasked(0x82, &[9; 200])].concat()).is_idle);
    assert_eq!(fault(config, &[0x01, 1]), Some((DecodeError::TooManyFragments, 2)));
}

#[test]
fn the_message_limit_is_a_sum_of_declared_lengths_judged_before_the_payload() {
    for role in ROLES {
        let config = Config::new(role).limits(Limits { message_len: 300, ..Limits::DEFAULT });
        let before = [wire(role, 0x02, &[1; 100]), wire(role, 0x89, &[2; 125]), wire(role, 0x00, &[3; 100])].concat();
        let mask_bit = crate::mask_bit(role);
        let at_limit = [before.clone(), head(0x80, mask_bit, 100)].concat();
        assert_eq!(fault(config, &at_limit), None);
        let above = [before.clone(), head(0x80, mask_bit, 101)].concat();
        assert_eq!(fault(config, &above), Some((DecodeError::MessageTooLong, above.len())));
        let far_above = [before, head(0x80, mask_bit, 1 << 24)].concat();
        assert_eq!(fault(config, &far_above), Some((DecodeError::MessageTooLong, far_above.len())));
    }
}

/// Added up in 64 bits, the third length brings the sum to a small number.
#[test]
fn the_sum_of_lengths_does_not_wrap_around() {
    let longest = |header: Header| Header { payload_len: (1 << 63) - 1, ..header };
    let continued = longest(Header::new(Opcode::Continuation).fragment());
    for message_len in [u64::MAX, u64::MAX - 1] {
        let limits = Limits { message_len, ..Limits::NONE };
        let one = Sequence::new().after(&longest(Header::new(Opcode::Binary).fragment()), &limits).unwrap();
        let two = one.after(&continued, &limits).unwrap();
        assert_eq!(two.after(&continued, &limits), Err(OutOfSequence::MessageTooLong));
    }
}
