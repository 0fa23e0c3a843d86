//! What is text: every class of code points and of impossible bytes (§8.1, RFC 3629).

use websocket_wire::{Config, DecodeError, Decoder};

use crate::{KEY, ROLES, decode, fault, masked, unmasked, wire};

/// Returns the index of the first byte that no valid text can contain at its place, by the standard library.
fn first_impossible(bytes: &[u8]) -> Option<usize> {
    let error = std::str::from_utf8(bytes).err()?;
    let at = error.valid_up_to();
    let is_lead = matches!(bytes[at], 0xC2..=0xF4);
    error.error_len().map(|len| if is_lead { at + len } else { at })
}

/// Asserts that a text is refused at the byte with the index `at` of its payload, in both roles.
fn refused(payload: &[u8], at: usize) {
    for (role, start) in [(ROLES[0], 2), (ROLES[1], 6)] {
        let stream = wire(role, 0x81, payload);
        let found = fault(Config::new(role), &stream);
        assert_eq!(found, Some((DecodeError::InvalidUtf8, start + at + 1)), "{payload:02X?}");
        let outcome = decode(Config::new(role), &stream);
        assert_eq!(outcome.frames.first().map_or(&[][..], |seen| &seen.payload), &payload[..at]);
    }
}

fn accepted(text: &str) {
    for mut stream in [unmasked(0x81, text.as_bytes()), masked(0x81, KEY, text.as_bytes())] {
        let config = if stream[1] & 0x80 == 0 { Config::client() } else { Config::server() };
        assert_eq!(decode(config, &stream).payloads(), [text.as_bytes()]);
        let mut decoder = Decoder::new(config);
        let (frame, _) = decoder.decode(&mut stream).unwrap().complete().unwrap();
        assert_eq!(frame.text(), Some(text));
    }
}

#[test]
fn overlong_forms_are_refused_at_the_byte_that_makes_them_so() {
    for lead in [0xC0, 0xC1] {
        (0x80..=0xBF).for_each(|second| refused(&[lead, second], 0));
    }
    (0x80..=0x9F).for_each(|second| refused(&[0xE0, second, 0x80], 1));
    (0x80..=0x8F).for_each(|second| refused(&[0xF0, second, 0x80, 0x80], 1));
}

#[test]
fn surrogates_are_refused_at_their_second_byte() {
    (0xA0..=0xBF).for_each(|second| refused(&[0xED, second, 0x80], 1));
    refused(b"\xED\xA1\x81\xED\xB0\x80", 1);
}

#[test]
fn what_is_beyond_10ffff_is_refused_at_the_first_byte_that_shows_it() {
    (0x90..=0xBF).for_each(|second| refused(&[0xF4, second, 0x80, 0x80], 1));
    (0xF5..=0xFF).for_each(|lead| refused(&[lead, 0x80, 0x80, 0x80], 0));
}

#[test]
fn five_and_six_byte_forms_are_refused_at_their_lead() {
    refused(b"a\xF8\x88\x80\x80\x80", 1);
    refused(b"a\xFB\xBF\xBF\xBF\xBF", 1);
    refused(b"a\xFC\x84\x80\x80\x80\x80", 1);
    refused(b"a\xFD\xBF\xBF\xBF\xBF\xBF", 1);
}

#[test]
fn stray_continuation_bytes_are_refused_where_they_stand() {
    (0x80..=0xBF).for_each(|byte| refused(&[byte], 0));
    (0x80..=0xBF).for_each(|byte| refused(&[b'a', byte, b'b'], 1));
    refused(b"\xC3\xA9\xA9", 2);
    refused(b"\xE2\x82\xAC\x80", 3);
    refused(b"\xF0\x9F\x98\x80\x80", 4);
}

#[test]
fn missing_continuation_bytes_are_refused_at_the_byte_in_their_place() {
    for other in [b"a"[0], 0x00, 0x7F, 0xC3, 0xE2, 0xF0, 0xFF] {
        refused(&[0xC3, other], 1);
        refused(&[0xE2, other, 0x82], 1);
        refused(&[0xE2, 0x82, other], 2);
        refused(&[0xF0, other], 1);
        refused(&[0xF0, 0x9F, other], 2);
        refused(&[0xF0, 0x9F, 0x98, other], 3);
    }
}

#[test]
fn every_pair_of_bytes_is_judged_as_the_standard_library_does() {
    let step = if cfg!(miri) { 1021 } else { 1 };
    for bytes in (0..=u16::MAX).step_by(step).map(u16::to_be_bytes) {
        // Two letters behind, so that a code point that is cut short shows as an impossible byte.
        let payload = [&bytes[..], b"zz"].concat();
        let found = fault(Config::client(), &unmasked(0x81, &payload)).map(|(_, after)| after - 3);
        assert_eq!(found, first_impossible(&payload), "{payload:02X?}");
    }
}

#[test]
fn every_lead_of_three_and_four_bytes_is_judged_with_every_second_byte() {
    for (lead, second) in (0xE0..=0xFF).flat_map(|lead| (0..=0xFF).map(move |second| (lead, second))) {
        if cfg!(miri) && second % 16 != 0 {
            continue;
        }
        let payload = [lead, second, 0x80, 0x80, b'z'];
        let found = fault(Config::client(), &unmasked(0x81, &payload)).map(|(_, after)| after - 3);
        assert_eq!(found, first_impossible(&payload), "{payload:02X?}");
    }
}

#[test]
fn noncharacters_and_nul_are_text() {
    let planes = (0..=16u32).flat_map(|plane| [plane << 16 | 0xFFFE, plane << 16 | 0xFFFF]);
    for point in planes.chain(0xFDD0..=0xFDEF).chain([0, 1, 0x7F]) {
        accepted(&char::from_u32(point).unwrap().to_string());
    }
    accepted("a\0b");
}

#[test]
fn the_first_and_the_last_code_point_of_every_form_are_text() {
    for point in ['\0', '\u{7F}', '\u{80}', '\u{7FF}', '\u{800}', '\u{FFF}', '\u{1000}', '\u{CFFF}', '\u{D000}'] {
        accepted(&point.to_string());
    }
    for point in ['\u{D7FF}', '\u{E000}', '\u{FFFF}', '\u{10000}', '\u{3FFFF}', '\u{40000}', '\u{FFFFF}'] {
        accepted(&point.to_string());
    }
    for point in ['\u{100000}', '\u{10FFFF}'] {
        accepted(&format!("a{point}b"));
    }
}

#[test]
fn a_byte_order_mark_is_kept_wherever_it_stands() {
    accepted("\u{FEFF}");
    accepted("\u{FEFF}text");
    accepted("te\u{FEFF}xt");
    refused(b"\xFE\xFF\x00a", 0);
    refused(b"\xFF\xFEa\x00", 0);
}

#[test]
fn a_fault_is_found_at_every_place_of_short_and_long_texts() {
    let lengths: &[usize] =
        if cfg!(miri) { &[17, 33] } else { &[1, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 200] };
    for (len, filler) in lengths.iter().flat_map(|len| ["a", "é", "€", "😀"].map(|filler| (*len, filler))) {
        let text = "x".repeat(len % filler.len()) + &filler.repeat(len / filler.len());
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = 0xFF;
            for role in ROLES {
                let outcome = crate::feed(Config::new(role), [&wire(role, 0x81, &bytes)[..]]);
                assert_eq!(outcome.error, Some(DecodeError::InvalidUtf8));
                assert_eq!(outcome.frames.first().map_or(0, |seen| seen.payload.len()), at, "{role:?}: {at} of {len}");
            }
        }
    }
}

/// The code points that the Autobahn suite has in its cases 6.7 to 6.23.
#[test]
fn the_autobahn_samples_are_judged_as_there() {
    for text in [
        "κόσμε",
        "\u{80}",
        "\u{800}",
        "\u{10000}",
        "\u{FFFD}",
        "\u{FFFE}",
        "\u{1FFFE}",
        "\u{10FFFE}",
        "Hello-µ@ßöäüàá-UTF-8!!",
    ] {
        accepted(text);
    }
    refused(b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited", 12);
    refused(b"\xC0\x80", 0);
    refused(b"\xE0\x80\x80", 1);
    refused(b"\xC1\xBF", 0);
    refused(b"\xF8\x80\x80\x80\xAF", 0);
    refused(b"\xFC\x80\x80\x80\x80\xAF", 0);
}
