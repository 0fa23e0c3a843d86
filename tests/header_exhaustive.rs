//! Every header: all 65,536 values of the first two bytes, every length at a boundary, every truncation, both roles.

mod support;

use support::harness::Harness;
use support::oracle::Rules;
use websocket_wire::{DecodeError, EncodeError, Header, MaskingKey, Opcode, Rsv, Status};

/// Lengths at which a form, a sign, a word or a limit ends.
const LENGTHS: [u64; 27] = [
    0,
    1,
    2,
    124,
    125,
    126,
    127,
    128,
    255,
    256,
    65_534,
    65_535,
    65_536,
    65_537,
    (16 << 20) - 1,
    16 << 20,
    (16 << 20) + 1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (1 << 32) + 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX - 13,
    u64::MAX,
];
const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// The first two bytes, all of them, but few under Miri.
fn first_two_bytes() -> impl Iterator<Item = [u8; 2]> {
    (0..=u16::MAX).step_by(if cfg!(miri) { 2003 } else { 1 }).map(u16::to_be_bytes)
}

/// Returns the lengths that can follow this second byte, as they go on the wire.
fn extended_lengths(second: u8) -> Vec<Vec<u8>> {
    match second & 0x7F {
        126 => LENGTHS.iter().filter_map(|len| Some(u16::try_from(*len).ok()?.to_be_bytes().to_vec())).collect(),
        127 => LENGTHS.iter().map(|len| len.to_be_bytes().to_vec()).collect(),
        _ => vec![vec![]],
    }
}

/// Calls `test` with every header on the wire, its key included where it has one.
fn for_each_header(mut test: impl FnMut(&[u8])) {
    for [first, second] in first_two_bytes() {
        for extended in extended_lengths(second) {
            let key = if second & 0x80 != 0 { &KEY[..] } else { &[] };
            test(&[&[first, second], &extended[..], key].concat());
        }
    }
}

/// What §5.2 and §5.5 say of the header at the front of `bytes`; only what a header alone can break.
fn naive_parse(bytes: &[u8]) -> Result<Status<Header>, DecodeError> {
    let [first, second, ..] = *bytes else { return Ok(Status::Partial { needed: 2 - bytes.len() }) };
    let is_control = first & 0x08 != 0;
    if is_control && first & 0x80 == 0 {
        return Err(DecodeError::FragmentedControl);
    }
    if is_control && second & 0x7F > 125 {
        return Err(DecodeError::ControlTooLong);
    }
    let key_at = 2 + [0, 2, 8][usize::from(second & 0x7F).saturating_sub(125)];
    if bytes.len() < key_at {
        return Ok(Status::Partial { needed: key_at - bytes.len() });
    }
    let long = bytes[2..key_at].iter().fold(0u128, |sum, byte| sum * 256 + u128::from(*byte));
    let (len, least) = match key_at {
        2 => (u128::from(second & 0x7F), 0),
        4 => (long, 126),
        _ => (long, 65_536),
    };
    if len >= 1 << 63 {
        return Err(DecodeError::LengthTopBit);
    }
    if len < least {
        return Err(DecodeError::NonMinimalLength);
    }
    let end = key_at + usize::from(second >> 7) * 4;
    if bytes.len() < end {
        return Ok(Status::Partial { needed: end - bytes.len() });
    }
    let mask = (end > key_at).then(|| MaskingKey::new(std::array::from_fn(|i| bytes[key_at + i])));
    let opcode = Opcode::from_bits(first & 0x0F).unwrap();
    let rsv = Rsv::from_first_byte(first & 0x70);
    let value = Header { fin: first >> 7 == 1, rsv, opcode, mask, payload_len: len as u64 };
    Ok(Status::Complete { value, consumed: end })
}

#[test]
fn parse_takes_every_header_and_every_truncation_of_it_as_the_rfc_says() {
    for_each_header(|wire| {
        for len in 0..=wire.len() {
            assert_eq!(Header::parse(&wire[..len]), naive_parse(&wire[..len]), "{:02X?}", &wire[..len]);
        }
        let longer = [wire, &[0xFF; 9]].concat();
        assert_eq!(Header::parse(&longer), naive_parse(wire), "{wire:02X?} and more");
    });
}

#[test]
fn every_header_that_parses_encodes_to_the_bytes_it_came_from() {
    let mut parsed = 0;
    for_each_header(|wire| {
        let Ok(Status::Complete { value, consumed }) = Header::parse(wire) else { return };
        assert_eq!(consumed, wire.len());
        assert_eq!(&*value.encode().unwrap(), wire);
        assert_eq!(value.encoded_len(), wire.len());
        parsed += 1;
    });
    assert!(cfg!(miri) || parsed > 65_536 / 2, "{parsed} headers parsed");
}

/// Every header that the fields can hold, of the lengths at boundaries.
fn for_each_value(mut test: impl FnMut(Header)) {
    for bits in (0..=u8::MAX).step_by(if cfg!(miri) { 51 } else { 1 }) {
        let opcode = Opcode::from_bits(bits & 0x0F).unwrap();
        for mask in [None, Some(MaskingKey::new(KEY)), Some(MaskingKey::new([0; 4]))] {
            for payload_len in LENGTHS {
                test(Header { fin: bits & 0x80 != 0, rsv: Rsv::from_first_byte(bits), opcode, mask, payload_len });
            }
        }
    }
}

/// What may not be sent, and why.
fn naive_check(header: &Header) -> Result<(), EncodeError> {
    let is_control = header.opcode.bits() >= 8;
    match header.payload_len {
        0x8000_0000_0000_0000.. => Err(EncodeError::PayloadTooLong),
        _ if is_control && !header.fin => Err(EncodeError::FragmentedControl),
        126.. if is_control => Err(EncodeError::ControlTooLong),
        _ => Ok(()),
    }
}

#[test]
fn every_header_that_may_be_sent_encodes_and_parses_to_itself_and_every_other_is_refused() {
    for_each_value(|header| {
        let encoded = header.encode();
        assert_eq!(encoded.map(drop), naive_check(&header), "{header:?}");
        let Ok(wire) = encoded else { return };
        assert_eq!(wire.len(), header.encoded_len());
        assert!((2..=Header::MAX_LEN).contains(&wire.len()));
        assert_eq!(Header::parse(&wire), Ok(Status::Complete { value: header, consumed: wire.len() }));
        assert_eq!(naive_parse(&wire), Ok(Status::Complete { value: header, consumed: wire.len() }));
        assert_eq!(wire.mask().is_some(), header.mask.is_some());
    });
}

#[test]
fn encode_before_writes_the_end_of_the_headroom_and_nothing_in_front_of_it() {
    for_each_value(|header| {
        let encoded = header.encode();
        for room in [0, header.encoded_len() - 1, header.encoded_len(), header.encoded_len() + 1, 20] {
            let mut headroom = vec![0xA5; room];
            let result = header.encode_before(&mut headroom);
            let mut expected = vec![0xA5; room];
            match encoded {
                Err(error) => assert_eq!(result, Err(error)),
                Ok(wire) if wire.len() > room => {
                    assert_eq!(result, Err(EncodeError::BufferTooSmall { needed: wire.len() }));
                }
                Ok(wire) => {
                    assert_eq!(result, Ok(wire.len()));
                    expected[room - wire.len()..].copy_from_slice(&wire);
                }
            }
            assert_eq!(headroom, expected, "{header:?} in {room} bytes");
        }
    });
}

/// Feeds `prefix`, then `wire` byte by byte with a bit of payload behind it: every truncation is compared.
fn decode_byte_by_byte(rules: &Rules, prefix: &[u8], wire: &[u8]) {
    let mut harness = Harness::new(rules);
    harness.feed(prefix);
    let body = if wire[0] & 0x08 != 0 { usize::from(wire[1] & 0x7F).min(125) } else { 2 };
    wire.iter().for_each(|byte| harness.feed(&[*byte]));
    harness.feed(&vec![b'x'; body]);
    harness.check_end();
}

#[test]
fn the_decoder_judges_every_header_at_its_byte_in_both_roles() {
    for is_server in [false, true] {
        let rules = Rules::strict(is_server);
        for_each_header(|wire| decode_byte_by_byte(&rules, &[], wire));
    }
}

#[test]
fn the_decoder_judges_every_header_at_its_byte_while_a_message_is_open() {
    for (is_server, prefix) in [(false, &b"\x02\x01a"[..]), (true, b"\x02\x81\0\0\0\0a")] {
        let rules = Rules::strict(is_server);
        for_each_header(|wire| decode_byte_by_byte(&rules, prefix, wire));
    }
}

#[test]
fn the_decoder_takes_every_header_that_claims_and_relaxations_admit() {
    for is_server in [false, true] {
        let rules = Rules {
            allow_non_minimal_length: true,
            allow_mask_mismatch: true,
            opcodes: vec![3, 4, 5, 6, 7, 11, 12, 13, 14, 15],
            message_rsv: 0x60,
            frame_rsv: 0x10,
            ..Rules::unlimited(is_server)
        };
        for_each_header(|wire| decode_byte_by_byte(&rules, &[], wire));
    }
}

#[test]
fn a_truncated_header_never_moves_the_decoder() {
    for [first, second] in first_two_bytes().step_by(97) {
        let wire = [&[first, second], &[0; 8][..], &KEY].concat();
        let mut decoder = websocket_wire::Decoder::new(Rules::strict(true).config());
        let mut fresh = decoder.clone();
        if let Ok(Status::Partial { .. }) = decoder.decode(&mut wire[..3].to_vec()) {
            let results = [&mut decoder, &mut fresh].map(|decoder| {
                let result = decoder.decode(&mut wire.clone()).map(|status| status.map(|frame| *frame.header()));
                (result, decoder.error())
            });
            assert_eq!(results[0], results[1], "{first:02X} {second:02X}");
        }
    }
}

#[test]
fn debug_shows_the_bytes_of_a_header() {
    let header = Header { payload_len: 126, ..Header::new(Opcode::Binary) };
    assert_eq!(format!("{:?}", header.encode().unwrap()), "HeaderBuf([82, 7E, 00, 7E])");
}
