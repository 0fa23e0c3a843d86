//! The sending side: minimal lengths, masks, the order of frames, refusals (§5.1 to §5.5, 6.1).

use websocket_wire::{Claims, EncodeError, Encoder, Header, MaskingKey, Opcode, Rsv};

use crate::{head, masked, unmasked};

const SIZES: [usize; 10] = [0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537];

/// "in all cases, the minimal number of bytes MUST be used to encode the length" (§5.2)
#[test]
fn lengths_are_sent_in_their_shortest_form() {
    for len in SIZES {
        let payload = vec![0x5A; len];
        let mut out = vec![0; len + 14];
        let written = Encoder::server().binary(&payload, &mut out).unwrap();
        assert_eq!(out[..written], unmasked(0x82, &payload), "{len} bytes");
        let key = [1, 2, 3, 4];
        let written = Encoder::client(|| MaskingKey::new(key)).binary(&payload, &mut out).unwrap();
        assert_eq!(out[..written], masked(0x82, key, &payload), "{len} bytes, masked");
    }
}

#[test]
fn declared_lengths_are_sent_in_their_shortest_form_up_to_the_longest() {
    for len in [0, 125, 126, 0xFFFF, 0x1_0000, 1 << 31, 1 << 32, (1 << 63) - 1] {
        let header = Encoder::server().header(Opcode::Binary, len).unwrap();
        assert_eq!(*header, head(0x82, 0, len)[..], "{len}");
    }
    for len in [1 << 63, u64::MAX] {
        assert_eq!(Encoder::server().header(Opcode::Binary, len).err(), Some(EncodeError::PayloadTooLong));
    }
}

/// "a client MUST mask all frames that it sends to the server" and "A server MUST NOT mask any frames" (§5.1)
#[test]
fn a_client_masks_every_frame_and_a_server_none() {
    let kinds = [Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Pong, Opcode::Close];
    for opcode in kinds {
        let mut out = [0; 16];
        Encoder::server().encode(opcode, b"", &mut out).unwrap();
        assert_eq!(out[1] & 0x80, 0, "{opcode:?}");
        Encoder::client(|| MaskingKey::new([0; 4])).encode(opcode, b"", &mut out).unwrap();
        assert_eq!(out[1] & 0x80, 0x80, "{opcode:?}");
    }
}

/// "a fresh masking key [...] for each frame" (§5.3), control frames and fragments included.
#[test]
fn every_frame_of_a_client_draws_exactly_one_fresh_key() {
    let mut draws = 0u8;
    let mut encoder = Encoder::client(|| {
        draws += 1;
        MaskingKey::new([draws, 0xAA, 0xBB, 0xCC])
    });
    let mut out = [0; 32];
    let frames =
        [Header::new(Opcode::Text).fragment(), Opcode::Ping.into(), Opcode::Continuation.into(), Opcode::Close.into()];
    for (i, header) in frames.into_iter().enumerate() {
        encoder.encode(header, b"", &mut out).unwrap();
        assert_eq!(out[2..6], [i as u8 + 1, 0xAA, 0xBB, 0xCC]);
    }
}

#[test]
fn a_refused_frame_draws_no_key_and_writes_nothing() {
    let mut encoder = Encoder::client(|| panic!("no key may be drawn"));
    let mut out = [0xA5; 200];
    assert_eq!(encoder.encode(Opcode::Continuation, b"a", &mut out), Err(EncodeError::UnexpectedContinuation));
    assert_eq!(encoder.encode(Opcode::Data3, b"a", &mut out), Err(EncodeError::ReservedOpcode));
    assert_eq!(encoder.ping(&[0; 126], &mut out), Err(EncodeError::ControlTooLong));
    assert_eq!(encoder.text("abc", &mut out[..8]), Err(EncodeError::BufferTooSmall { needed: 9 }));
    assert_eq!(encoder.header(Opcode::Ping, 126).err(), Some(EncodeError::ControlTooLong));
    assert_eq!(encoder.encode_in_place(Opcode::Binary, 5, &mut out), Err(EncodeError::BufferTooSmall { needed: 8 }));
    assert!(out.iter().all(|byte| *byte == 0xA5));
}

#[test]
fn control_frames_that_are_fragments_or_too_long_are_refused() {
    for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
        let mut encoder = Encoder::server();
        let mut out = [0xA5; 200];
        let fragment = Header::new(opcode).fragment();
        assert_eq!(encoder.encode(fragment, b"", &mut out), Err(EncodeError::FragmentedControl));
        assert_eq!(encoder.encode(opcode, &[b'a'; 126], &mut out), Err(EncodeError::ControlTooLong));
        assert_eq!(fragment.encode().err(), Some(EncodeError::FragmentedControl));
        assert_eq!(Header { payload_len: 126, ..opcode.into() }.encode().err(), Some(EncodeError::ControlTooLong));
        assert!(out.iter().all(|byte| *byte == 0xA5) && !encoder.is_closed());
    }
    assert_eq!(Encoder::server().ping(&[1; 125], &mut [0; 127]), Ok(127));
}

#[test]
fn reserved_opcodes_are_refused_unless_claimed() {
    for opcode in Opcode::ALL.into_iter().filter(|opcode| opcode.is_reserved()) {
        let mut out = [0; 2];
        assert_eq!(Encoder::server().encode(opcode, b"", &mut out), Err(EncodeError::ReservedOpcode));
        let mut claimed = Encoder::server().claims(Claims::NONE.opcode(opcode));
        assert_eq!(claimed.encode(opcode, b"", &mut out), Ok(2));
        assert_eq!(out, [0x80 | opcode.bits(), 0]);
    }
}

#[test]
fn reserved_bits_are_refused_unless_claimed_on_every_opcode() {
    for bits in (1..8u8).map(|bits| Rsv::from_first_byte(bits << 4)) {
        for opcode in [Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Pong, Opcode::Close] {
            let header = Header::new(opcode).with_rsv(bits);
            let mut out = [0; 2];
            assert_eq!(Encoder::server().encode(header, b"", &mut out), Err(EncodeError::ReservedBits));
            let mut claimed = Encoder::server().claims(Claims::NONE.frame_rsv(bits));
            assert_eq!(claimed.encode(header, b"", &mut out), Ok(2), "{opcode:?}");
            let mut claimed = Encoder::server().claims(Claims::NONE.message_rsv(bits));
            assert_eq!(claimed.encode(header, b"", &mut out).is_ok(), opcode.is_data(), "{opcode:?}");
        }
    }
}

#[test]
fn a_message_bit_is_refused_on_a_continuation() {
    let mut encoder = Encoder::server().claims(Claims::NONE.message_rsv(Rsv::RSV1));
    let mut out = [0; 8];
    let first = Header::new(Opcode::Text).fragment().with_rsv(Rsv::RSV1);
    assert_eq!(encoder.encode(first, b"a", &mut out), Ok(3));
    let next = Header::new(Opcode::Continuation).with_rsv(Rsv::RSV1);
    assert_eq!(encoder.encode(next, b"b", &mut out), Err(EncodeError::ReservedBits));
    assert_eq!(encoder.encode(Opcode::Continuation, b"b", &mut out), Ok(3));
}

#[test]
fn frames_out_of_order_are_refused_and_leave_the_order_as_it_was() {
    let mut encoder = Encoder::server();
    let mut out = [0; 8];
    let (first, next) = (Header::new(Opcode::Text).fragment(), Header::new(Opcode::Continuation).fragment());
    assert_eq!(encoder.encode(next, b"a", &mut out), Err(EncodeError::UnexpectedContinuation));
    assert_eq!(encoder.encode(first, b"a", &mut out), Ok(3));
    for opcode in [Opcode::Text, Opcode::Binary] {
        assert_eq!(encoder.encode(opcode, b"b", &mut out), Err(EncodeError::UnfinishedMessage));
        assert_eq!(encoder.encode(Header::new(opcode).fragment(), b"b", &mut out), Err(EncodeError::UnfinishedMessage));
    }
    assert_eq!(encoder.finish(), Err(EncodeError::UnfinishedMessage));
    assert_eq!(encoder.encode(next, b"", &mut out), Ok(2));
    assert_eq!(encoder.ping(b"", &mut out), Ok(2));
    assert_eq!(encoder.encode(Opcode::Continuation, b"", &mut out), Ok(2));
    assert_eq!(encoder.finish(), Ok(()));
    assert_eq!(encoder.encode(Opcode::Continuation, b"", &mut out), Err(EncodeError::UnexpectedContinuation));
}

#[test]
fn section_5_7_samples_are_encoded_byte_for_byte() {
    let mut out = [0; 16];
    assert_eq!(Encoder::server().text("Hello", &mut out), Ok(7));
    assert_eq!(out[..7], [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]);
    let key = || MaskingKey::new([0x37, 0xFA, 0x21, 0x3D]);
    assert_eq!(Encoder::client(key).text("Hello", &mut out), Ok(11));
    assert_eq!(out[..11], [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]);
    let mut encoder = Encoder::server();
    assert_eq!(encoder.encode(Header::new(Opcode::Text).fragment(), b"Hel", &mut out), Ok(5));
    assert_eq!(encoder.encode(Opcode::Continuation, b"lo", &mut out[5..]), Ok(4));
    assert_eq!(out[..9], [0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]);
    assert_eq!(Encoder::client(key).pong(b"Hello", &mut out), Ok(11));
    assert_eq!(out[..11], [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]);
}

#[test]
fn a_frame_in_place_is_the_same_frame() {
    for len in SIZES {
        let payload: Vec<u8> = (0..len).map(|i| (i % 249) as u8).collect();
        let key = [9, 8, 7, 6];
        let mut buf = [&[0xA5; 14][..], &payload].concat();
        let start = Encoder::client(|| MaskingKey::new(key)).encode_in_place(Opcode::Binary, 14, &mut buf).unwrap();
        assert_eq!(buf[start..], masked(0x82, key, &payload), "{len} bytes");
        assert!(buf[..start].iter().all(|byte| *byte == 0xA5));
    }
}

#[cfg(feature = "alloc")]
#[test]
fn a_frame_appended_to_a_buffer_is_the_same_frame() {
    for len in SIZES.into_iter().chain([511, 512, 513, 1023, 1024, 1025]) {
        let payload: Vec<u8> = (0..len).map(|i| (i % 249) as u8).collect();
        let key = [9, 8, 7, 6];
        let mut buf = vec![0xA5; 3];
        Encoder::client(|| MaskingKey::new(key)).encode_to(Opcode::Binary, &payload, &mut buf).unwrap();
        Encoder::server().encode_to(Opcode::Ping, b"p", &mut buf).unwrap();
        let expected = [&[0xA5; 3][..], &masked(0x82, key, &payload), &unmasked(0x89, b"p")].concat();
        assert_eq!(buf, expected, "{len} bytes");
    }
}
