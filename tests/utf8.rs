//! Text is judged byte by byte in effect: the verdict and its place do not depend on how the text is cut, and a text is
//! refused at the first byte that no valid text can contain (RFC 6455 §8.1).

use proptest::prelude::*;
use websocket_wire::utf8::Validator;
use websocket_wire::{Mask, MaskingKey};

const KEY: MaskingKey = MaskingKey::new([0x11, 0x00, 0xfe, 0x80]);

/// The first impossible byte, as the standard library lets one find it: the shortest prefix that cannot be completed.
fn first_impossible(text: &[u8]) -> Option<usize> {
    let error = core::str::from_utf8(text).err()?;
    let bad = error.valid_up_to()..error.valid_up_to() + error.error_len()?;
    let hopeless = |end: usize| core::str::from_utf8(&text[..end]).is_err_and(|e| e.error_len().is_some());
    (bad.start + 1..=bad.end + 1).find(|&end| hopeless(end)).map(|end| end - 1)
}

/// Pieces of scripts and single bytes, so that both valid and nearly valid texts come up.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-z ]{0,40}".prop_map(String::into_bytes),
        4 => "[а-я]{0,30}".prop_map(String::into_bytes),
        4 => "[一-龥]{0,30}".prop_map(String::into_bytes),
        4 => "[😀-🙏]{0,30}".prop_map(String::into_bytes),
        2 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

fn pushed(text: &[u8], cuts: &[usize]) -> (Option<usize>, usize, bool) {
    let (mut validator, mut start) = (Validator::new(), 0);
    for &end in cuts {
        if let Err(error) = validator.push(&text[start..end]) {
            return (Some(start + error.position()), validator.pending(), false);
        }
        start = end;
    }
    (None, validator.pending(), validator.finish().is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 512 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_gives_the_same_verdict(text in text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.push(text.len());
        cuts.sort_unstable();

        let whole = pushed(&text, &[text.len()]);
        prop_assert_eq!(pushed(&text, &cuts), whole);
        prop_assert_eq!(whole.0, first_impossible(&text));
        prop_assert_eq!(whole.2, core::str::from_utf8(&text).is_ok());
    }

    #[test]
    fn unmasking_says_what_pushing_says(text in text(), phase in 0_usize..4) {
        let mut mask = Mask::new(KEY);
        mask.apply(&mut [0; 4][..phase]);
        let mut masked = text.clone();
        mask.clone().apply(&mut masked);

        let (mut bytes, mut validator, mut end) = (masked.clone(), Validator::new(), mask);
        let verdict = validator.unmask(&mut end, &mut bytes).err().map(|error| error.position());
        let mut pushing = Validator::new();
        prop_assert_eq!(pushing.push(&text).err().map(|error| error.position()), verdict);
        prop_assert_eq!(pushing, validator);

        let until = verdict.unwrap_or(text.len());
        prop_assert_eq!(&bytes[..until], &text[..until], "unmasked before the fault");
        prop_assert_eq!(&bytes[until..], &masked[until..], "untouched from the fault on");
        mask.apply(&mut masked[..until]);
        prop_assert_eq!(mask, end, "the mask stands at the fault");
    }
}

/// Each with the index of its first impossible byte.
#[test]
fn what_is_refused_and_where() {
    for (text, at) in [
        (&b"\xc0\x80"[..], 0),
        (b"\xc1\xbf", 0),
        (b"\xe0\x80\x80", 1),
        (b"\xe0\x9f\xbf", 1),
        (b"\xf0\x80\x80\x80", 1),
        (b"\xf0\x8f\xbf\xbf", 1),
        (b"\xed\xa0\x80", 1),
        (b"\xed\xbf\xbf", 1),
        (b"\xf4\x90\x80\x80", 1),
        (b"\xf5\x80\x80\x80", 0),
        (b"\xf8\x88\x80\x80\x80", 0),
        (b"\xfc\x84\x80\x80\x80\x80", 0),
        (b"\xfe", 0),
        (b"\xff", 0),
        (b"\x80", 0),
        (b"a\xbf", 1),
        (b"\xc3a", 1),
        (b"\xe2\x82a", 2),
        (b"\xf0\x9f\x98a", 3),
        (b"\xc3\xc3\xa9", 1),
        // The case 6.4.1 of the Autobahn test suite.
        (b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited", 12),
    ] {
        assert_eq!(Validator::new().push(text).unwrap_err().position(), at, "{text:x?}");
        for before in [0, 1, 15, 16, 31, 33, 63, 127, 128, 300] {
            let mut padded = vec![b'.'; before];
            padded.extend_from_slice(text);
            assert_eq!(Validator::new().push(&padded).unwrap_err().position(), before + at, "{text:x?}");
        }
    }
}

#[test]
fn what_is_accepted() {
    for text in ["", "\0", "\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{fffe}", "\u{ffff}"] {
        assert_eq!(pushed(text.as_bytes(), &[text.len()]), (None, 0, true), "{text:?}");
    }
    for text in ["\u{feff}BOM", "\u{10000}", "\u{10ffff}", "\u{1fffe}"] {
        assert_eq!(pushed(text.as_bytes(), &[text.len()]), (None, 0, true), "{text:?}");
    }
}

#[test]
fn an_open_code_point_is_refused_only_at_the_end() {
    let crab = "🦀".as_bytes();
    let mut validator = Validator::new();
    for (i, byte) in crab.iter().enumerate() {
        assert_eq!(validator.pending(), i);
        assert_eq!(validator.finish().is_err(), i > 0);
        validator.push(&[*byte]).unwrap();
    }
    assert_eq!((validator.pending(), validator.finish()), (0, Ok(())));
}

#[test]
fn a_refused_byte_is_refused_again() {
    let mut validator = Validator::new();
    let error = validator.push(b"ok\xe2\x82!").unwrap_err();
    assert_eq!((error.position(), validator.pending()), (4, 2));
    assert_eq!(validator.push(b"!").unwrap_err().position(), 0);
    validator.push(b"\xac").unwrap();
    assert_eq!(error.to_string(), "invalid UTF-8 at byte 4");
    assert_eq!(format!("{error:?}"), "Utf8Error { position: 4 }");
}

#[test]
fn a_validator_has_two_bytes() {
    assert_eq!(size_of::<Validator>(), 2);
}
