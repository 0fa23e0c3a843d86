//! The payload length: minimal, its top bit clear, within the limits, judged before the payload (sections 5.2, 5.5, 10.4).

use websocket_wire::{CloseCode, Config, DecodeError, Decoder, Header, Limits, Opcode, RawFrame, Status};

use crate::{KEY, ROLES, decode, fault, head, mask_bit, thinned, wire};

fn form_16(first: u8, mask_bit: u8, len: u16) -> Vec<u8> {
    [&[first, mask_bit | 126][..], &len.to_be_bytes()].concat()
}

fn form_64(first: u8, mask_bit: u8, len: u64) -> Vec<u8> {
    [&[first, mask_bit | 127][..], &len.to_be_bytes()].concat()
}

/// "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented." (§5.5)
#[test]
fn control_frames_without_fin_are_refused_at_their_second_byte() {
    for (role, opcode) in ROLES.into_iter().flat_map(|role| [8, 9, 10].map(|opcode| (role, opcode))) {
        for len in [0, 2, 125] {
            let found = fault(Config::new(role), &[opcode, mask_bit(role) | len]);
            assert_eq!(found, Some((DecodeError::FragmentedControl, 2)), "{role:?} {opcode} {len}");
        }
    }
}

#[test]
fn control_frames_with_an_extended_length_are_refused_before_that_length_is_here() {
    for (role, opcode) in ROLES.into_iter().flat_map(|role| [8, 9, 10].map(|opcode| (role, opcode))) {
        for code in [126, 127] {
            let found = fault(Config::new(role), &[0x80 | opcode, mask_bit(role) | code]);
            assert_eq!(found, Some((DecodeError::ControlTooLong, 2)), "{role:?} {opcode} {code}");
        }
    }
}

#[test]
fn control_frames_of_every_length_to_125_are_delivered_whole() {
    for (role, len) in thinned(ROLES.into_iter().flat_map(|role| (0..=125).map(move |len| (role, len)))) {
        for opcode in [0x89, 0x8A] {
            let payload = vec![0xF0; len];
            let outcome = crate::feed(Config::new(role), wire(role, opcode, &payload).chunks(1));
            assert_eq!(outcome.payloads(), [&payload[..]], "{role:?} {len}");
        }
    }
}

/// "in all cases, the minimal number of bytes MUST be used to encode the length" (§5.2)
#[test]
fn the_16_bit_form_of_what_fits_7_bits_is_refused() {
    for (role, len) in thinned(ROLES.into_iter().flat_map(|role| (0..=125).map(move |len| (role, len)))) {
        let found = fault(Config::new(role), &form_16(0x82, mask_bit(role), len));
        assert_eq!(found, Some((DecodeError::NonMinimalLength, 4)), "{role:?} {len}");
    }
}

#[test]
fn the_64_bit_form_of_what_fits_16_bits_is_refused() {
    for len in (0..=0xFFFF).step_by(if cfg!(miri) { 8191 } else { 1 }) {
        for role in ROLES {
            let found = Decoder::new(Config::new(role)).decode(&mut form_64(0x82, mask_bit(role), len)).err();
            assert_eq!(found, Some(DecodeError::NonMinimalLength), "{role:?} {len}");
        }
    }
    assert_eq!(fault(Config::client(), &form_64(0x82, 0, 126)), Some((DecodeError::NonMinimalLength, 10)));
}

#[test]
fn the_shortest_lengths_of_each_form_are_admitted() {
    for (stream, len) in
        [(form_16(0x82, 0, 126), 126), (form_16(0x82, 0, 0xFFFF), 0xFFFF), (form_64(0x82, 0, 65_536), 65_536)]
    {
        let mut buf = [stream, vec![1]].concat();
        let mut decoder = Decoder::client();
        let (frame, _) = decoder.decode(&mut buf).unwrap().complete().unwrap();
        assert_eq!(frame.header().payload_len, len);
    }
}

#[test]
fn lengths_that_are_not_minimal_are_admitted_where_the_configuration_says_so() {
    for role in ROLES {
        let config = Config::new(role).allow_non_minimal_length();
        let key = if mask_bit(role) == 0 { &[][..] } else { &[0; 4] };
        for len in [0, 1, 5, 125] {
            let payload = vec![b'a'; len];
            for head in [form_16(0x81, mask_bit(role), len as u16), form_64(0x81, mask_bit(role), len as u64)] {
                let outcome = decode(config, &[&head, key, &payload].concat());
                assert_eq!((outcome.payloads(), outcome.is_idle), (vec![&payload[..]], true), "{role:?} {len}");
            }
        }
    }
}

#[test]
fn the_lenient_configuration_leaves_control_frames_short() {
    for opcode in [8, 9, 10] {
        let stream = form_16(0x80 | opcode, 0, 2);
        let found = fault(Config::client().allow_non_minimal_length(), &stream);
        assert_eq!(found, Some((DecodeError::ControlTooLong, 2)));
    }
}

/// "the most significant bit MUST be 0" (§5.2)
#[test]
fn the_top_bit_of_a_64_bit_length_is_a_protocol_error_and_not_a_matter_of_size() {
    for len in [1 << 63, (1 << 63) + 5, u64::MAX - 1, u64::MAX, (1 << 63) | (1 << 24)] {
        for role in ROLES {
            for config in [
                Config::new(role),
                Config::new(role).limits(Limits::NONE),
                Config::new(role).allow_non_minimal_length(),
            ] {
                let found = fault(config, &form_64(0x82, mask_bit(role), len));
                assert_eq!(found, Some((DecodeError::LengthTopBit, 10)), "{len:#X}");
            }
        }
    }
    assert_eq!(DecodeError::LengthTopBit.close_code(), CloseCode::PROTOCOL_ERROR);
}

#[test]
fn lengths_above_the_frame_limit_are_refused_before_the_payload_and_the_key() {
    for (role, limit) in
        ROLES.into_iter().flat_map(|role| [0, 1, 124, 125, 126, 65_534, 65_535, 65_536].map(|l| (role, l)))
    {
        let config = Config::new(role).limits(Limits { frame_len: limit, ..Limits::DEFAULT });
        assert_eq!(fault(config, &head(0x82, mask_bit(role), limit)), None, "{limit}");
        let above = head(0x82, mask_bit(role), limit + 1);
        assert_eq!(fault(config, &above), Some((DecodeError::FrameTooLong, above.len())), "{limit}");
    }
    assert_eq!(DecodeError::FrameTooLong.close_code(), CloseCode::MESSAGE_TOO_BIG);
}

#[test]
fn lengths_above_the_message_limit_are_refused_before_the_payload_and_the_key() {
    for (role, limit) in ROLES.into_iter().flat_map(|role| [0, 1, 125, 126, 65_535, 65_536].map(|l| (role, l))) {
        let config = Config::new(role).limits(Limits { message_len: limit, ..Limits::DEFAULT });
        assert_eq!(fault(config, &head(0x82, mask_bit(role), limit)), None, "{limit}");
        let above = head(0x82, mask_bit(role), limit + 1);
        assert_eq!(fault(config, &above), Some((DecodeError::MessageTooLong, above.len())), "{limit}");
    }
    assert_eq!(DecodeError::MessageTooLong.close_code(), CloseCode::MESSAGE_TOO_BIG);
}

#[test]
fn payloads_at_one_below_and_one_above_a_short_limit_are_judged_alike_in_every_role() {
    for (role, limit) in thinned(ROLES.into_iter().flat_map(|role| (0..=130).map(move |limit| (role, limit)))) {
        let config = Config::new(role).limits(Limits { frame_len: limit, ..Limits::DEFAULT });
        for len in limit.saturating_sub(1)..=limit + 1 {
            for first in [0x81, 0x82, 0x01, 0x02] {
                let outcome = crate::feed(config, [&wire(role, first, &vec![b'a'; len as usize])[..]]);
                let expected = (len > limit).then_some(DecodeError::FrameTooLong);
                assert_eq!(outcome.error, expected, "{role:?}: {len} of {limit}, {first:02X}");
            }
        }
    }
}

#[test]
fn limits_are_on_unless_they_are_taken_off() {
    let sixteen_mib = 16 << 20;
    for role in ROLES {
        assert_eq!(fault(Config::new(role), &form_64(0x82, mask_bit(role), sixteen_mib)), None);
        let found = fault(Config::new(role), &form_64(0x82, mask_bit(role), sixteen_mib + 1));
        assert_eq!(found, Some((DecodeError::FrameTooLong, 10)));
    }
}

/// A length of 63 bits is well formed, whatever a configuration or a machine makes of it.
#[test]
fn the_longest_length_is_legal_on_the_wire() {
    let longest = (1u64 << 63) - 1;
    let mut stream = form_64(0x82, 0, longest);
    let parsed = Header::parse(&stream);
    let header = Header { payload_len: longest, ..Header::new(Opcode::Binary) };
    assert_eq!(parsed, Ok(Status::Complete { value: header, consumed: 10 }));
    assert_eq!(header.encode().map(|bytes| bytes.to_vec()), Ok(stream.clone()));
    stream.push(7);
    let mut decoder = Decoder::new(Config::client().limits(Limits::NONE));
    match decoder.decode(&mut stream) {
        Ok(Status::Complete { value, .. }) if cfg!(target_pointer_width = "64") => {
            assert_eq!((value.payload(), value.header().payload_len), (&[7][..], longest));
        }
        Err(DecodeError::FrameTooLong) if cfg!(not(target_pointer_width = "64")) => {}
        other => panic!("{other:?}"),
    }
}

/// Cut to 32 bits, these lengths would be 0, 1, 5 and 125; cut to 16 bits, 0 and 5.
#[test]
fn a_length_that_this_machine_cannot_address_is_refused_and_never_cut_short() {
    for len in [1 << 32, (1 << 32) + 1, (1 << 32) + 5, (1 << 40) + 125, 1 << 16, (1 << 16) + 5] {
        let mut buf = [form_64(0x82, 0, len), vec![0x55; 5]].concat();
        let fits = usize::try_from(len).is_ok();
        let raw = RawFrame::parse(&buf);
        if fits {
            assert_eq!(raw, Ok(Status::Partial { needed: len as usize - 5 }));
        } else {
            assert_eq!(raw, Err(DecodeError::FrameTooLong));
        }
        match Decoder::new(Config::client().limits(Limits::NONE)).decode(&mut buf) {
            Ok(Status::Complete { value, consumed: 15 }) if fits => {
                assert!(!value.is_last_part() && value.header().payload_len == len);
            }
            Err(DecodeError::FrameTooLong) if !fits => {}
            other => panic!("{len}: {other:?}"),
        }
    }
}

#[test]
fn the_length_is_judged_before_the_masking_key_comes() {
    for (stream, error) in [
        (form_16(0x82, 0x80, 5), DecodeError::NonMinimalLength),
        (form_64(0x82, 0x80, 5), DecodeError::NonMinimalLength),
        (form_64(0x82, 0x80, 1 << 63), DecodeError::LengthTopBit),
        (form_64(0x82, 0x80, 1 << 40), DecodeError::FrameTooLong),
    ] {
        let with_key = [&stream[..], &KEY, b"abc"].concat();
        assert_eq!(fault(Config::server(), &with_key), Some((error, stream.len())));
    }
}
