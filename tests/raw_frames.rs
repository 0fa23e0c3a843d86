//! The raw view: frames as they came, judged for bounds and form and for nothing else.

mod support;

use proptest::prelude::*;
use support::build::{Built, Form, frame, stream};
use websocket_wire::{DecodeError, Decoder, RawFrame, RawFrames, Status};

/// Frames that break every rule that a raw view does not judge.
fn lawless() -> impl Strategy<Value = Built> {
    let len = prop_oneof![6 => 0usize..20, 2 => 120usize..132, 1 => 65_534usize..65_538];
    let key = any::<Option<[u8; 4]>>();
    (any::<bool>(), 0u8..8, 0u8..16, key, len, any::<u8>()).prop_map(|(fin, rsv, opcode, key, len, byte)| {
        // What a header alone can break stays whole: §5.5 of control frames.
        let (fin, len) = if opcode >= 8 { (true, len.min(125)) } else { (fin, len) };
        let payload = (0..len).map(|i| byte.wrapping_add(i as u8)).collect();
        Built { fin, rsv: rsv << 4, opcode, key, form: Form::Shortest, payload }
    })
}

/// Compares a raw frame with what was built.
fn check(raw: &RawFrame<'_>, built: &Built) {
    let header = raw.header();
    assert_eq!((header.fin, header.rsv.bits(), header.opcode.bits()), (built.fin, built.rsv, built.opcode));
    assert_eq!(header.mask.map(|key| key.to_bytes()), built.key);
    assert_eq!(header.payload_len, built.payload.len() as u64);
    let wire = built.wire();
    assert_eq!(raw.bytes(), wire);
    assert_eq!(raw.payload(), &wire[wire.len() - built.payload.len()..], "the payload as it came, masked");
    let mut plain = vec![0xA5; built.payload.len()];
    raw.unmask_to(&mut plain);
    assert_eq!(plain, built.payload);
}

proptest! {
    #![proptest_config(support::cases(500))]

    #[test]
    fn raw_frames_are_the_frames_of_the_stream_and_the_rest_is_what_is_not_all_here(
        frames in prop::collection::vec(lawless(), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = stream(&frames);
        let cut = cut.index(bytes.len() + 1);
        let mut raw = RawFrames::new(&bytes[..cut]);
        let mut at = 0;
        for built in &frames {
            let len = built.wire().len();
            if at + len > cut {
                break;
            }
            check(&raw.next().unwrap().unwrap(), built);
            at += len;
        }
        prop_assert!(raw.next().is_none());
        prop_assert_eq!(raw.rest(), &bytes[at..cut]);
    }

    #[test]
    fn parse_says_how_much_of_the_header_or_of_the_frame_is_missing(built in lawless()) {
        let wire = built.wire();
        let header = wire.len() - built.payload.len();
        let behind_length = header - if built.key.is_some() { 4 } else { 0 };
        for here in (0..wire.len()).filter(|here| *here < 40 || here % 97 == 0) {
            let end = match here {
                0 | 1 => 2,
                _ if here < behind_length => behind_length,
                _ if here < header => header,
                _ => wire.len(),
            };
            let result = RawFrame::parse(&wire[..here]).map(|status| status.map(|_| ()));
            prop_assert_eq!(result, Ok(Status::Partial { needed: end - here }), "{} of {}", here, wire.len());
        }
        let longer = [&wire[..], &[0xFF; 3]].concat();
        let Ok(Status::Complete { value, consumed }) = RawFrame::parse(&longer) else { panic!("all of it is here") };
        check(&value, &built);
        prop_assert_eq!(consumed, wire.len());
    }
}

#[test]
fn what_a_header_alone_can_break_is_an_error() {
    for (built, error) in [
        (frame(9, "").fragment(), DecodeError::FragmentedControl),
        (frame(9, [0; 126]), DecodeError::ControlTooLong),
        (frame(2, "abc").form(Form::Bits16), DecodeError::NonMinimalLength),
        (frame(2, "abc").form(Form::Bits64), DecodeError::NonMinimalLength),
        (frame(2, "").form(Form::Declared(1 << 63)), DecodeError::LengthTopBit),
    ] {
        assert_eq!(RawFrame::parse(&built.wire()).map(drop), Err(error), "{built:?}");
    }
}

#[test]
fn the_iterator_ends_after_its_first_error_and_rest_begins_at_the_fault() {
    let bytes = stream(&[frame(1, "a"), frame(9, "").fragment(), frame(1, "b")]);
    let mut frames = RawFrames::new(&bytes);
    assert_eq!(frames.next().unwrap().unwrap().payload(), b"a");
    assert_eq!(frames.next().unwrap().map(drop), Err(DecodeError::FragmentedControl));
    assert_eq!((frames.next().map(drop), frames.next().map(drop)), (None, None));
    assert_eq!(frames.rest(), &bytes[3..]);
}

#[test]
fn a_length_that_is_not_here_is_missing_and_is_never_wrapped() {
    for len in [(1u64 << 32) - 1, 1 << 32, (1 << 63) - 14, (1 << 63) - 1] {
        let wire = frame(2, "abc").form(Form::Declared(len)).wire();
        let expected = match usize::try_from(len + 10) {
            Ok(end) => Ok(Status::Partial { needed: end - wire.len() }),
            Err(_) => Err(DecodeError::FrameTooLong),
        };
        assert_eq!(RawFrame::parse(&wire).map(|status| status.map(|_| ())), expected, "{len}");
    }
}

#[test]
#[should_panic]
fn unmask_to_panics_where_the_lengths_differ() {
    let wire = frame(2, "abc").key([1, 2, 3, 4]).wire();
    let (raw, _) = RawFrame::parse(&wire).unwrap().complete().unwrap();
    raw.unmask_to(&mut [0; 2]);
}

#[test]
fn debug_shows_the_header_or_the_length_and_never_the_payload() {
    let wire = frame(1, "secret").wire();
    let (raw, _) = RawFrame::parse(&wire).unwrap().complete().unwrap();
    let mut bytes = wire.clone();
    let (decoded, _) = Decoder::client().decode(&mut bytes).unwrap().complete().unwrap();
    for (shown, expected) in [
        (format!("{raw:?}"), ["RawFrame {", "Text", "len: 8"]),
        (format!("{:?}", RawFrames::new(&wire)), ["RawFrames {", "rest", "8"]),
        (format!("{decoded:?}"), ["Frame {", "Text", "range: 2..8"]),
    ] {
        assert!(expected.iter().all(|part| shown.contains(part)), "{shown}");
        assert!(!shown.contains("secret") && !shown.contains("115"), "{shown}");
    }
}
