//! Opcodes, reserved bits, the samples of §5.7, empty payloads (sections 5.2, 5.7).

use websocket_wire::{Claims, Config, DecodeError, Decoder, Opcode, Role, Rsv};

use crate::{ROLES, decode, fault, head, mask_bit, masked, unmasked, wire};

/// "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
#[test]
fn reserved_opcodes_are_refused_at_their_second_byte_with_and_without_fin_and_payload() {
    for (role, opcode) in ROLES.into_iter().flat_map(|role| (3..=7).chain(11..=15).map(move |opcode| (role, opcode))) {
        for (fin, len) in [(0x80, 0), (0, 0), (0x80, 5), (0, 5), (0x80, 126), (0, 70_000)] {
            let stream = head(fin | opcode, mask_bit(role), len);
            let found = fault(Config::new(role), &stream);
            assert_eq!(found, Some((DecodeError::ReservedOpcode, 2)), "{role:?}: {stream:02X?}");
        }
    }
}

#[test]
fn reserved_opcodes_are_refused_while_a_message_is_open() {
    for opcode in (3..=7).chain(11..=15) {
        let stream = [unmasked(0x01, b"a"), vec![0x80 | opcode, 0]].concat();
        let found = fault(Config::client(), &stream);
        assert_eq!(found, Some((DecodeError::ReservedOpcode, 5)), "{opcode}");
    }
}

#[test]
fn a_claimed_opcode_is_admitted_and_its_neighbours_are_not() {
    for claimed in Opcode::ALL.into_iter().filter(|opcode| opcode.is_reserved()) {
        let config = Config::client().claims(Claims::NONE.opcode(claimed));
        for opcode in Opcode::ALL.into_iter().filter(|opcode| opcode.is_reserved()) {
            let outcome = decode(config, &[0x80 | opcode.bits(), 1, 0xFF]);
            let expected = (opcode != claimed).then_some(DecodeError::ReservedOpcode);
            assert_eq!(outcome.error, expected, "{claimed:?} claimed, {opcode:?} sent");
            assert_eq!(outcome.opcodes(), if opcode == claimed { vec![opcode] } else { vec![] });
        }
    }
}

/// RSV1-3 "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
#[test]
fn every_combination_of_reserved_bits_is_refused_on_every_opcode() {
    for role in ROLES {
        for (first, fin) in (0..=0x7F).flat_map(|low| [(low, 0), (low, 0x80)]) {
            let found = fault(Config::new(role), &[first | fin, mask_bit(role)]);
            if first & 0x70 != 0 {
                assert_eq!(found, Some((DecodeError::ReservedBits, 2)), "{role:?}: {:02X}", first | fin);
            } else {
                assert_ne!(found.map(|(error, _)| error), Some(DecodeError::ReservedBits));
            }
        }
    }
}

#[test]
fn every_combination_of_reserved_bits_is_refused_inside_of_a_message() {
    for (rsv, opcode) in (1..=7).flat_map(|rsv| [0, 8, 9, 10].map(|opcode| (rsv, opcode))) {
        let stream = [unmasked(0x02, b"a"), vec![0x80 | rsv << 4 | opcode, 0]].concat();
        assert_eq!(fault(Config::client(), &stream), Some((DecodeError::ReservedBits, 5)), "{rsv} {opcode}");
    }
}

#[test]
fn each_claimed_combination_of_reserved_bits_admits_its_subsets_alone() {
    let bits = |bits: u8| Rsv::from_first_byte(bits << 4);
    for (claimed, sent) in (0..8).flat_map(|claimed| (0..8).map(move |sent| (claimed, sent))) {
        for claims in [Claims::NONE.message_rsv(bits(claimed)), Claims::NONE.frame_rsv(bits(claimed))] {
            let outcome = decode(Config::client().claims(claims), &[0x82 | sent << 4, 1, b'a']);
            let is_subset = sent & !claimed == 0;
            assert_eq!(outcome.error.is_none(), is_subset, "{claimed:03b} claimed, {sent:03b} sent");
        }
    }
}

/// Both rules are broken; the one whose bits come first on the wire is named.
#[test]
fn faults_of_one_header_are_named_in_the_order_of_the_wire() {
    let cases: [(&[u8], DecodeError); 7] = [
        (&[0xF3, 0x00], DecodeError::ReservedBits),
        (&[0x03, 0x80], DecodeError::ReservedOpcode),
        (&[0x80, 0x80], DecodeError::UnexpectedContinuation),
        (&[0x09, 0xFE], DecodeError::UnexpectedMask),
        (&[0x09, 0x7E], DecodeError::FragmentedControl),
        (&[0x88, 0x7F], DecodeError::ControlTooLong),
        (&[0x08, 0x01], DecodeError::FragmentedControl),
    ];
    for (stream, error) in cases {
        assert_eq!(fault(Config::client(), stream), Some((error, 2)), "{stream:02X?}");
    }
}

#[test]
fn the_first_byte_alone_is_never_judged() {
    for first in 0..=u8::MAX {
        for role in ROLES {
            assert_eq!(fault(Config::new(role), &[first]), None, "{first:02X}");
        }
    }
}

#[test]
fn section_5_7_a_single_frame_unmasked_text_message() {
    let outcome = decode(Config::client(), &[0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]);
    assert_eq!((outcome.opcodes(), outcome.payloads()), (vec![Opcode::Text], vec![&b"Hello"[..]]));
    assert!(outcome.is_idle);
}

#[test]
fn section_5_7_a_single_frame_masked_text_message() {
    let stream = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
    let outcome = decode(Config::server(), &stream);
    assert_eq!((outcome.opcodes(), outcome.payloads()), (vec![Opcode::Text], vec![&b"Hello"[..]]));
    assert!(outcome.is_idle);
}

#[test]
fn section_5_7_a_fragmented_unmasked_text_message() {
    let outcome = decode(Config::client(), &[0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]);
    assert_eq!(outcome.opcodes(), [Opcode::Text, Opcode::Continuation]);
    assert_eq!(outcome.payloads(), [&b"Hel"[..], b"lo"]);
    assert!(outcome.is_idle);
}

#[test]
fn section_5_7_an_unmasked_ping_and_its_masked_pong() {
    let ping = decode(Config::client(), &[0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]);
    assert_eq!((ping.opcodes(), ping.payloads()), (vec![Opcode::Ping], vec![&b"Hello"[..]]));
    let pong = [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
    let pong = decode(Config::server(), &pong);
    assert_eq!((pong.opcodes(), pong.payloads()), (vec![Opcode::Pong], vec![&b"Hello"[..]]));
}

#[test]
fn section_5_7_256_bytes_and_64_kib_of_binary_in_a_single_frame() {
    for (header, len) in [(&[0x82, 0x7E, 0x01, 0x00][..], 256), (&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0], 65_536)] {
        let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let outcome = decode(Config::client(), &[header, &payload].concat());
        assert_eq!((outcome.opcodes(), outcome.payloads()), (vec![Opcode::Binary], vec![&payload[..]]));
    }
}

#[test]
fn empty_frames_of_every_kind_are_delivered_masked_and_not() {
    for (role, opcode) in ROLES.into_iter().flat_map(|role| [1, 2, 8, 9, 10].map(|opcode| (role, opcode))) {
        let outcome = decode(Config::new(role), &wire(role, 0x80 | opcode, b""));
        assert_eq!(outcome.opcodes(), [Opcode::from_bits(opcode).unwrap()], "{role:?}");
        assert_eq!(outcome.payloads(), [b""]);
        assert!(outcome.frames[0].is_whole && outcome.error.is_none());
    }
}

#[test]
fn an_empty_text_message_is_an_empty_str() {
    for (role, mut buf) in [(Role::Client, unmasked(0x81, b"")), (Role::Server, masked(0x81, [1, 2, 3, 4], b""))] {
        let mut decoder = Decoder::new(Config::new(role));
        let (frame, consumed) = decoder.decode(&mut buf).unwrap().complete().unwrap();
        assert_eq!((frame.text(), frame.ends_message()), (Some(""), true));
        assert_eq!(consumed, buf.len());
    }
}
