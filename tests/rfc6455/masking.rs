//! Who masks, and how the key runs through a payload (sections 5.1, 5.3).

use websocket_wire::{CloseCode, Config, DecodeError, Decoder, Role, Status};

use crate::{KEY, ROLES, decode, fault, feed, masked, unmasked, wire};

const FIRST_BYTES: [u8; 7] = [0x81, 0x82, 0x01, 0x02, 0x88, 0x89, 0x8A];

/// "The server MUST close the connection upon receiving a frame that is not masked." (§5.1)
#[test]
fn a_server_refuses_every_frame_without_a_mask_at_its_second_byte() {
    for (first, len) in FIRST_BYTES.into_iter().flat_map(|first| [0, 2, 125].map(|len| (first, len))) {
        assert_eq!(fault(Config::server(), &[first, len]), Some((DecodeError::MissingMask, 2)), "{first:02X} {len}");
    }
    let continuation = [masked(0x01, KEY, b"a"), vec![0x80, 1]].concat();
    assert_eq!(fault(Config::server(), &continuation), Some((DecodeError::MissingMask, 9)));
    assert_eq!(DecodeError::MissingMask.close_code(), CloseCode::PROTOCOL_ERROR);
}

/// "A client MUST close a connection if it detects a masked frame." (§5.1)
#[test]
fn a_client_refuses_every_frame_with_a_mask_at_its_second_byte() {
    for (first, len) in FIRST_BYTES.into_iter().flat_map(|first| [0, 2, 125].map(|len| (first, len))) {
        let found = fault(Config::client(), &[first, 0x80 | len]);
        assert_eq!(found, Some((DecodeError::UnexpectedMask, 2)), "{first:02X} {len}");
    }
    let continuation = [unmasked(0x01, b"a"), vec![0x80, 0x81]].concat();
    assert_eq!(fault(Config::client(), &continuation), Some((DecodeError::UnexpectedMask, 5)));
    assert_eq!(DecodeError::UnexpectedMask.close_code(), CloseCode::PROTOCOL_ERROR);
}

#[test]
fn the_mask_is_judged_before_an_extended_length() {
    for code in [126, 127] {
        assert_eq!(fault(Config::server(), &[0x82, code]), Some((DecodeError::MissingMask, 2)));
        assert_eq!(fault(Config::client(), &[0x82, 0x80 | code]), Some((DecodeError::UnexpectedMask, 2)));
    }
}

#[test]
fn a_key_of_zeros_is_legal_and_changes_nothing() {
    for (first, payload) in [(0x81, &b"plain"[..]), (0x82, &[0, 0xFF]), (0x89, b"ping"), (0x88, &[3, 0xE8])] {
        let outcome = decode(Config::server(), &masked(first, [0; 4], payload));
        assert_eq!((outcome.payloads(), outcome.error), (vec![payload], None));
    }
}

#[test]
fn the_key_comes_whole_however_its_four_bytes_are_cut() {
    let payload = [0x80, 0x01, 0xFE, 0x7F, 0x55];
    let stream = masked(0x82, [0x01, 0x20, 0x40, 0x80], &payload);
    for (a, b) in (2..=7).flat_map(|a| (a..=7).map(move |b| (a, b))) {
        let outcome = feed(Config::server(), [&stream[..a], &stream[a..b], &stream[b..]]);
        assert_eq!(outcome.payloads(), [payload], "cut at {a} and {b}");
    }
}

#[test]
fn the_key_goes_on_where_a_partial_read_of_the_payload_left_it() {
    let payload: Vec<u8> = (0..203).map(|i| i as u8 ^ 0xC3).collect();
    for size in crate::thinned((1..=40).chain([63, 64, 65, 100])) {
        for (first, payload) in [(0x82, payload.clone()), (0x81, payload.iter().map(|b| b & 0x7F).collect())] {
            let outcome = feed(Config::server(), masked(first, KEY, &payload).chunks(size));
            assert_eq!(outcome.payloads(), [&payload[..]], "reads of {size}");
        }
    }
}

#[test]
fn the_key_goes_on_over_every_two_cuts_of_a_payload() {
    let payload: Vec<u8> = (0..37).collect();
    let stream = masked(0x82, [0x11, 0x22, 0x44, 0x88], &payload);
    let step = if cfg!(miri) { 7 } else { 1 };
    for (a, b) in (6..stream.len()).step_by(step).flat_map(|a| (a..stream.len()).step_by(step).map(move |b| (a, b))) {
        let outcome = feed(Config::server(), [&stream[..a], &stream[a..b], &stream[b..]]);
        assert_eq!(outcome.payloads(), [&payload[..]], "cut at {a} and {b}");
    }
}

#[test]
fn every_frame_is_unmasked_with_its_own_key_from_its_beginning() {
    let frames =
        [(0x02, b"a".as_slice(), 1), (0x00, b"bcd", 2), (0x89, b"ping!", 3), (0x00, b"", 4), (0x80, b"efgh", 5)];
    let stream: Vec<u8> =
        frames.iter().flat_map(|(first, payload, key)| masked(*first, [*key, 16, key * 32, 99], payload)).collect();
    assert_eq!(decode(Config::server(), &stream).payloads(), frames.map(|(_, payload, _)| payload));
}

#[test]
fn relaxed_both_roles_take_both_kinds_of_frames() {
    for role in ROLES {
        let config = Config::new(role).allow_mask_mismatch();
        for (first, payload) in
            [(0x81, &b"text"[..]), (0x82, &[0xFF, 0]), (0x89, b"p"), (0x8A, b""), (0x88, &[3, 0xE8])]
        {
            for stream in [masked(first, KEY, payload), unmasked(first, payload)] {
                let outcome = decode(config, &stream);
                assert_eq!((outcome.payloads(), outcome.error), (vec![payload], None), "{role:?} {first:02X}");
            }
        }
    }
}

/// The key of the frame before must not linger.
#[test]
fn relaxed_an_unmasked_frame_behind_a_masked_one_is_left_as_it_is() {
    for role in ROLES {
        let config = Config::new(role).allow_mask_mismatch();
        for len in [1, 3, 4, 5, 40, 130] {
            let payload = vec![0x41; len];
            for first in [0x81, 0x82, 0x89].into_iter().filter(|first| *first != 0x89 || len <= 125) {
                let stream =
                    [masked(first, KEY, &payload), unmasked(first, &payload), masked(first, KEY, &payload)].concat();
                assert_eq!(decode(config, &stream).payloads(), [&payload[..]; 3], "{role:?} {first:02X} {len}");
            }
        }
    }
}

#[test]
fn relaxed_the_fragments_of_one_message_may_be_masked_or_not() {
    let stream = [masked(0x01, KEY, b"a\xC3"), unmasked(0x89, b"p"), unmasked(0x00, b"\xA9"), masked(0x80, KEY, b"b")];
    let outcome = decode(Config::server().allow_mask_mismatch(), &stream.concat());
    assert_eq!(outcome.payloads(), [&b"a\xC3"[..], b"p", b"\xA9", b"b"]);
    assert!(outcome.is_idle);
}

#[test]
fn a_failed_masked_frame_leaves_the_buffer_as_it_was() {
    let bodies: [(u8, &[u8]); 4] =
        [(0x88, &[3, 0xED]), (0x88, &[3, 0xE8, 0xFF]), (0x81, &[0xFF, b'a']), (0x81, &[0xC3])];
    for (first, body) in bodies {
        let stream = masked(first, KEY, body);
        let mut buf = stream.clone();
        let mut decoder = Decoder::server();
        assert!(decoder.decode(&mut buf).is_err());
        assert_eq!(buf, stream, "{body:02X?}");
    }
}

#[test]
fn an_invalid_masked_text_is_unmasked_up_to_its_fault_alone() {
    let text = [&b"x".repeat(70)[..], &[0xFF], b"behind"].concat();
    let stream = wire(Role::Server, 0x81, &text);
    let mut buf = stream.clone();
    let mut decoder = Decoder::server();
    let Ok(Status::Complete { value, consumed }) = decoder.decode(&mut buf) else { panic!() };
    assert_eq!((value.payload(), consumed), (&text[..70], 76));
    assert_eq!(buf[76..], stream[76..]);
    assert_eq!(decoder.decode(&mut buf[76..]).err(), Some(DecodeError::InvalidUtf8));
    assert_eq!(buf[76..], stream[76..]);
}
