//! Payloads, frames and streams for the properties, from flawless to broken.

use proptest::prelude::*;
use proptest::sample::Index;

use super::build::{Built, Form, frame};

/// Code points of all widths, and a run of ASCII.
fn valid_piece() -> impl Strategy<Value = Vec<u8>> {
    let pieces = ["a", "ab cd ef gh ij", "é", "€", "😀", "\0", "\u{FFFE}", "\u{10FFFF}"];
    prop::sample::select(pieces.map(|piece| piece.as_bytes().to_vec()).to_vec())
}

fn valid_text() -> impl Strategy<Value = Vec<u8>> {
    let short = prop::collection::vec(valid_piece(), 0..12).prop_map(|pieces| pieces.concat());
    (short, prop_oneof![6 => Just(1), 1 => Just(5), 1 => Just(40)]).prop_map(|(text, times)| text.repeat(times))
}

/// Text, now and then with a sequence in it that is none.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let bad: [&[u8]; 9] = [
        &[0x80],
        &[0xC0, 0xAF],
        &[0xE0, 0x9F, 0xBF],
        &[0xED, 0xA0, 0x80],
        &[0xF0, 0x8F, 0xBF, 0xBF],
        &[0xF4, 0x90],
        &[0xF5],
        &[0xE2, 0x82],
        &[0xC3],
    ];
    let bad = prop::sample::select(bad.map(<[u8]>::to_vec).to_vec());
    let piece = prop_oneof![30 => valid_piece(), 1 => bad];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => text(),
        2 => text().prop_map(|text| text.repeat(6)),
        4 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (120usize..132).prop_map(|len| vec![b'x'; len]),
        1 => (any::<u8>(), 65_530usize..65_540).prop_map(|(byte, len)| vec![byte; if cfg!(miri) { 300 } else { len }]),
    ]
}

fn close_body() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![8 => Just(1000u16), 2 => 3000u16..5000, 1 => 990u16..1020, 1 => any::<u16>()];
    (code, text()).prop_map(|(code, reason)| [&code.to_be_bytes()[..], &reason[..reason.len().min(123)]].concat())
}

fn control() -> impl Strategy<Value = Built> {
    let short = prop::collection::vec(any::<u8>(), 0..9);
    prop_oneof![
        6 => (9u8..11, short).prop_map(|(opcode, payload)| frame(opcode, payload)),
        1 => Just(frame(9, [b'x'; 125])),
    ]
}

/// A message in fragments cut anywhere, with control frames in between.
fn message(whole: impl Strategy<Value = (u8, Vec<u8>)>) -> impl Strategy<Value = Vec<Built>> {
    let between = prop::collection::vec((any::<Index>(), prop::option::weighted(0.3, control())), 0..4);
    (whole, between, prop::bool::weighted(0.1)).prop_map(|((opcode, payload), between, has_rsv)| {
        let mut cuts: Vec<_> = between.iter().map(|(cut, control)| (cut.index(payload.len() + 1), control)).collect();
        cuts.sort_by_key(|(cut, _)| *cut);
        let (mut frames, mut at) = (Vec::new(), 0);
        for (cut, control) in cuts {
            frames.push(frame(if frames.is_empty() { opcode } else { 0 }, &payload[at..cut]).fragment());
            frames.extend(control.clone());
            at = cut;
        }
        frames.push(frame(if frames.is_empty() { opcode } else { 0 }, &payload[at..]));
        frames[0].rsv = if has_rsv { 0x40 } else { 0 };
        frames
    })
}

/// A frame that may be anything.
fn wild() -> impl Strategy<Value = Built> {
    let form = prop_oneof![
        4 => Just(Form::Shortest),
        1 => Just(Form::Bits16),
        1 => Just(Form::Bits64),
        1 => any::<u64>().prop_map(Form::Declared),
        1 => (0u32..64, -1i64..2).prop_map(|(bit, by)| Form::Declared((1u64 << bit).wrapping_add_signed(by))),
    ];
    let rsv = prop_oneof![4 => Just(0), 1 => (0u8..8).prop_map(|bits| bits << 4)];
    (any::<bool>(), rsv, 0u8..16, form, prop_oneof![payload(), close_body()])
        .prop_map(|(fin, rsv, opcode, form, payload)| Built { fin, rsv, opcode, key: None, form, payload })
}

/// Streams, from flawless to broken.
pub(crate) fn broken_stream() -> impl Strategy<Value = Vec<Built>> {
    let opcode = prop_oneof![6 => Just(1u8), 3 => Just(2), 1 => Just(4)];
    let close = close_body().prop_map(|body| vec![frame(8, body)]);
    let item = prop_oneof![
        12 => message((opcode, payload())),
        3 => control().prop_map(|control| vec![control]),
        1 => close,
        1 => wild().prop_map(|wild| vec![wild]),
    ];
    prop::collection::vec(item, 1..6).prop_map(|items| items.concat())
}

/// Streams without a flaw, where RSV1 and opcode 4 are claimed; some end with a close frame.
pub(crate) fn valid_stream() -> impl Strategy<Value = Vec<Built>> {
    let binary = prop_oneof![4 => Just(2u8), 1 => Just(4)];
    let whole = prop_oneof![(Just(1u8), valid_text()), (binary, payload())];
    let reason = valid_text().prop_map(|text| String::from_utf8(text).unwrap().chars().take(30).collect::<String>());
    let body = (prop_oneof![1000u16..1004, 1007u16..1015, 3000u16..5000], reason)
        .prop_map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat());
    let close = prop::option::of(prop_oneof![4 => body, 1 => Just(vec![])].prop_map(|body| frame(8, body)));
    let item = prop_oneof![3 => message(whole), 1 => control().prop_map(|control| vec![control])];
    (prop::collection::vec(item, 0..5), close).prop_map(|(items, close)| {
        let mut frames = items.concat();
        frames.extend(close);
        frames
    })
}
