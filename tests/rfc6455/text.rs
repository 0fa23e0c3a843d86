//! Text messages: code points over fragments and reads, failing at the first fault, what is not validated (sections 5.6, 8.1).

use websocket_wire::{Claims, CloseCode, Config, DecodeError, Decoder, Rsv, Status};

use crate::{KEY, ROLES, decode, fault, feed, masked, unmasked, wire};

/// Code points of two, three and four bytes, at the ends of their classes.
const POINTS: [&str; 9] = ["\u{80}", "é", "\u{7FF}", "\u{800}", "€", "\u{FFFF}", "\u{10000}", "😀", "\u{10FFFF}"];

#[test]
fn a_code_point_may_be_split_at_every_byte_over_two_fragments() {
    for (role, point) in ROLES.into_iter().flat_map(|role| POINTS.map(|point| (role, point))) {
        let text = format!("a{point}b");
        for cut in 0..=text.len() {
            let (first, last) = text.as_bytes().split_at(cut);
            // `decode` cuts the reads everywhere as well.
            let outcome = decode(Config::new(role), &[wire(role, 0x01, first), wire(role, 0x80, last)].concat());
            assert_eq!((outcome.payloads(), outcome.error), (vec![first, last], None), "{role:?} {point} {cut}");
            assert!(outcome.is_idle);
        }
    }
}

#[test]
fn a_code_point_may_have_a_fragment_for_each_byte_with_empty_ones_and_pings_between() {
    for (role, point) in ROLES.into_iter().flat_map(|role| POINTS.map(|point| (role, point))) {
        let mut stream = wire(role, 0x01, b"");
        for byte in point.bytes() {
            stream.extend([wire(role, 0x00, &[byte]), wire(role, 0x89, b"\x80"), wire(role, 0x00, b"")].concat());
        }
        stream.extend(wire(role, 0x80, b""));
        let outcome = decode(Config::new(role), &stream);
        assert_eq!((outcome.error, outcome.is_idle), (None, true), "{role:?} {point}");
    }
}

#[test]
fn a_code_point_may_be_split_at_every_byte_over_reads_of_one_frame() {
    for (role, size) in ROLES.into_iter().flat_map(|role| (1..=9).map(move |size| (role, size))) {
        let text = POINTS.concat() + "x" + &POINTS.concat();
        let outcome = feed(Config::new(role), wire(role, 0x81, text.as_bytes()).chunks(size));
        assert_eq!((outcome.payloads(), outcome.error), (vec![text.as_bytes()], None), "{role:?}, reads of {size}");
    }
}

/// "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid
/// UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_." (§8.1)
#[test]
fn a_message_that_ends_inside_of_a_code_point_is_refused_with_1007_at_its_last_byte() {
    for (role, point) in ROLES.into_iter().flat_map(|role| POINTS.map(|point| (role, point))) {
        for len in 1..point.len() {
            let cut_short = [b"ab", &point.as_bytes()[..len]].concat();
            let whole = wire(role, 0x81, &cut_short);
            assert_eq!(
                fault(Config::new(role), &whole),
                Some((DecodeError::InvalidUtf8, whole.len())),
                "{point} {len}"
            );
            let outcome = decode(Config::new(role), &whole);
            assert_eq!(outcome.payloads(), [&cut_short[..cut_short.len() - 1]]);
            let fragmented = [wire(role, 0x01, &cut_short[..2]), wire(role, 0x80, &cut_short[2..])].concat();
            let found = fault(Config::new(role), &fragmented);
            assert_eq!(found, Some((DecodeError::InvalidUtf8, fragmented.len())));
        }
    }
    assert_eq!(DecodeError::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
}

#[test]
fn an_empty_last_fragment_that_leaves_a_code_point_open_is_refused_with_its_header() {
    for (role, point) in ROLES.into_iter().flat_map(|role| POINTS.map(|point| (role, point))) {
        for (len, empties) in (1..point.len()).flat_map(|len| [(len, 0), (len, 2)]) {
            let open = [wire(role, 0x01, &point.as_bytes()[..len]), wire(role, 0x00, b"").repeat(empties)].concat();
            assert_eq!(fault(Config::new(role), &open), None);
            let ended = [open, wire(role, 0x80, b"")].concat();
            assert_eq!(
                fault(Config::new(role), &ended),
                Some((DecodeError::InvalidUtf8, ended.len())),
                "{point} {len}"
            );
            assert_eq!(decode(Config::new(role), &ended).frames.len(), 1 + empties);
        }
    }
}

#[test]
fn a_fragment_that_is_not_the_last_may_end_inside_of_a_code_point() {
    for (role, point) in ROLES.into_iter().flat_map(|role| POINTS.map(|point| (role, point))) {
        for len in 1..point.len() {
            let outcome = decode(Config::new(role), &wire(role, 0x01, &point.as_bytes()[..len]));
            assert_eq!((outcome.error, outcome.payloads()), (None, vec![&point.as_bytes()[..len]]));
        }
    }
}

/// The good beginning and the fault that the Autobahn suite has in its cases 6.3 and 6.4. Its second letter is U+1F79,
/// of three bytes.
const GREEK: &[u8] = b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5";
const TOO_HIGH: &[u8] = &[0xF4, 0x90, 0x80, 0x80];

#[test]
fn autobahn_6_3_1_and_6_3_2_a_faulty_text_fails_whole_and_in_fragments_of_one_byte() {
    let text = [GREEK, &[0xED, 0xA0, 0x80], b"edited"].concat();
    assert_eq!(fault(Config::client(), &unmasked(0x81, &text)), Some((DecodeError::InvalidUtf8, 2 + 11 + 2)));
    let mut stream = unmasked(0x01, b"");
    text.iter().for_each(|byte| stream.extend(unmasked(0x00, &[*byte])));
    assert_eq!(fault(Config::client(), &stream), Some((DecodeError::InvalidUtf8, 2 + 11 * 3 + 6)));
}

#[test]
fn autobahn_6_4_1_the_second_fragment_fails_at_its_first_impossible_byte() {
    let stream = [unmasked(0x01, GREEK), unmasked(0x00, TOO_HIGH), unmasked(0x80, b"edited")].concat();
    let outcome = decode(Config::client(), &stream);
    assert_eq!((outcome.payloads(), outcome.error), (vec![GREEK, &[0xF4]], Some(DecodeError::InvalidUtf8)));
    assert_eq!(fault(Config::client(), &stream), Some((DecodeError::InvalidUtf8, 2 + 11 + 2 + 2)));
}

#[test]
fn autobahn_6_4_2_a_fragment_that_begins_with_the_impossible_byte_fails_at_it() {
    let stream = [unmasked(0x01, &[GREEK, &[0xF4]].concat()), unmasked(0x00, &[0x90]), unmasked(0x80, b"")].concat();
    assert_eq!(fault(Config::client(), &stream), Some((DecodeError::InvalidUtf8, 2 + 12 + 3)));
}

#[test]
fn autobahn_6_4_3_an_unfinished_frame_fails_with_the_read_that_brings_the_impossible_byte() {
    for (role, start) in [(ROLES[0], 2), (ROLES[1], 6)] {
        let stream = wire(role, 0x81, &[GREEK, TOO_HIGH, b"edited"].concat());
        let (good, bad) = (start + 12, start + 13);
        let outcome = feed(Config::new(role), [&stream[..start + 11], &stream[start + 11..bad]]);
        assert_eq!(outcome.error, Some(DecodeError::InvalidUtf8));
        assert_eq!(outcome.payloads(), [&[GREEK, &[0xF4]].concat()[..]]);
        assert_eq!(fault(Config::new(role), &stream), Some((DecodeError::InvalidUtf8, good + 1)));
    }
}

#[test]
fn autobahn_6_4_4_a_valid_prefix_in_an_unfinished_frame_is_delivered_and_not_refused() {
    for role in ROLES {
        for tail in
            [&[0xF4][..], &[0xF4, 0x8F], &[0xF4, 0x8F, 0xBF], &[0xE0], &[0xE0, 0xA0], &[0xED], &[0xED, 0x9F], &[0xC2]]
        {
            let prefix = [GREEK, tail].concat();
            let mut stream = wire(role, 0x81, &[&prefix[..], &[0; 9]].concat());
            stream.truncate(stream.len() - 9);
            let outcome = decode(Config::new(role), &stream);
            assert_eq!((outcome.payloads(), outcome.error), (vec![&prefix[..]], None), "{tail:02X?}");
            assert!(!outcome.frames[0].is_whole && !outcome.is_idle);
        }
    }
}

#[test]
fn binary_messages_are_never_validated() {
    for (role, payload) in
        ROLES.into_iter().flat_map(|role| [&b"\xFF"[..], b"\xC3", b"\xED\xA0\x80"].map(|p| (role, p)))
    {
        let stream = [
            wire(role, 0x82, payload),
            wire(role, 0x02, payload),
            wire(role, 0x00, payload),
            wire(role, 0x80, payload),
        ];
        let outcome = decode(Config::new(role), &stream.concat());
        assert_eq!((outcome.payloads(), outcome.error), (vec![payload; 4], None));
    }
}

#[test]
fn each_message_begins_with_a_fresh_state() {
    let claims = Claims::NONE.message_rsv(Rsv::RSV1);
    // Each ends with an open code point that the next message must not inherit.
    for before in
        [unmasked(0x82, b"\xC3"), unmasked(0xC1, b"\xC3"), [unmasked(0x02, b"\xE2"), unmasked(0x80, b"\x82")].concat()]
    {
        let stream = [&before[..], &unmasked(0x81, b"\xA9")].concat();
        let found = fault(Config::client().claims(claims), &stream);
        assert_eq!(found, Some((DecodeError::InvalidUtf8, before.len() + 3)));
        let stream = [before, unmasked(0x81, b"a"), unmasked(0x01, b"\xC3"), unmasked(0x80, b"\xA9")].concat();
        assert!(decode(Config::client().claims(claims), &stream).is_idle);
    }
}

#[test]
fn control_frames_do_not_touch_the_state_of_the_text() {
    for (role, control) in
        ROLES.into_iter().flat_map(|role| [&b""[..], b"\xA9", b"abc", b"\xFF\xC3"].map(|c| (role, c)))
    {
        for first in [0x89, 0x8A] {
            let good = [wire(role, 0x01, b"\xC3"), wire(role, first, control), wire(role, 0x80, b"\xA9")].concat();
            assert!(decode(Config::new(role), &good).is_idle, "{role:?} {control:02X?}");
            let bad = [wire(role, 0x01, b"\xC3"), wire(role, first, control), wire(role, 0x80, b"a")].concat();
            assert_eq!(fault(Config::new(role), &bad), Some((DecodeError::InvalidUtf8, bad.len())));
        }
    }
}

/// Text that an extension has transformed is validated behind it (RFC 7692 §6), so not here.
#[test]
fn a_message_under_a_claimed_message_bit_is_not_validated_and_the_next_one_is() {
    let config = Config::client().claims(Claims::NONE.message_rsv(Rsv::RSV1));
    let whole = unmasked(0xC1, b"\xFF\xC3");
    let fragmented = [unmasked(0x41, b"\xFF"), unmasked(0x89, b""), unmasked(0x80, b"\xC3")].concat();
    for transformed in [whole, fragmented] {
        assert_eq!(decode(config, &transformed).error, None);
        let stream = [&transformed[..], &unmasked(0x81, b"\xFF")].concat();
        assert_eq!(fault(config, &stream), Some((DecodeError::InvalidUtf8, transformed.len() + 3)));
        let stream = [&transformed[..], &unmasked(0x01, b"\xC3"), &unmasked(0x80, b"")].concat();
        assert_eq!(fault(config, &stream), Some((DecodeError::InvalidUtf8, stream.len())));
    }
}

#[test]
fn a_transformed_message_is_never_given_out_as_a_str() {
    let mut decoder = Decoder::new(Config::client().claims(Claims::NONE.message_rsv(Rsv::RSV1)));
    let mut buf = [0xC1, 1, b'a'];
    let (frame, _) = decoder.decode(&mut buf).unwrap().complete().unwrap();
    assert_eq!((frame.text(), frame.payload()), (None, &b"a"[..]));
}

#[test]
fn under_a_claimed_frame_bit_text_is_validated() {
    let config = Config::client().claims(Claims::NONE.frame_rsv(Rsv::RSV2));
    assert_eq!(fault(config, &unmasked(0xA1, b"a\xFF")), Some((DecodeError::InvalidUtf8, 4)));
    assert!(decode(config, &unmasked(0xA1, b"good")).is_idle);
}

#[test]
fn validation_can_be_switched_off_and_then_no_str_is_given_out() {
    for (role, payload) in ROLES.into_iter().flat_map(|role| [&b"\xFF"[..], b"\xC3", b"plain"].map(|p| (role, p))) {
        let config = Config::new(role).skip_text_validation();
        let stream = [wire(role, 0x81, payload), wire(role, 0x01, payload), wire(role, 0x80, b"")].concat();
        let outcome = decode(config, &stream);
        assert_eq!((outcome.payloads(), outcome.error), (vec![payload, payload, b""], None));
        let mut buf = wire(role, 0x81, payload);
        let mut decoder = Decoder::new(config);
        let (frame, _) = decoder.decode(&mut buf).unwrap().complete().unwrap();
        assert_eq!(frame.text(), None);
    }
}

#[test]
fn with_validation_off_close_reasons_are_validated_all_the_same() {
    let found = fault(Config::client().skip_text_validation(), &unmasked(0x88, b"\x03\xE8\xFF"));
    assert_eq!(found, Some((DecodeError::InvalidCloseReason, 5)));
}

#[test]
fn a_str_is_given_out_for_a_whole_text_message_in_one_part_alone() {
    let text_of = |stream: &[u8]| {
        let mut buf = stream.to_vec();
        let mut decoder = Decoder::server();
        let Ok(Status::Complete { value, .. }) = decoder.decode(&mut buf) else { panic!("{stream:02X?}") };
        value.text().map(str::to_owned)
    };
    for text in ["", "a", "κόσμε", &"€".repeat(100)] {
        let whole = masked(0x81, KEY, text.as_bytes());
        assert_eq!(text_of(&whole).as_deref(), Some(text));
        assert_eq!(text_of(&masked(0x82, KEY, text.as_bytes())), None);
        assert_eq!(text_of(&masked(0x01, KEY, text.as_bytes())), None);
        assert_eq!(text_of(&masked(0x89, KEY, &text.as_bytes()[..text.len().min(12)])), None);
        if text.len() > 1 {
            assert_eq!(text_of(&whole[..whole.len() - 1]), None);
        }
    }
}
