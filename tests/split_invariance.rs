//! The master property: any way to cut the input gives the same parts joined, the same verdict, at the same byte.
//!
//! The harness holds the decoder to the oracle after every piece, so each test here also shows that `Partial` and an
//! error leave the buffer as it was, that `needed` is exact, that what lies behind `consumed` is never changed, that
//! every call consumes, needs more, or fails, and that a verdict is final.

mod support;

use proptest::prelude::*;
use proptest::sample::Index;
use support::arbitrary;
use support::build::{Built, Form, frame, masked, stream};
use support::harness;
use support::oracle::Rules;

/// Streams that are short enough to be cut everywhere, each with what it is about.
fn short_streams() -> Vec<(&'static str, Vec<Built>)> {
    let text = |bytes: &[u8]| frame(1, bytes);
    let close = |code: u16, reason: &[u8]| frame(8, [&code.to_be_bytes(), reason].concat());
    vec![
        ("whole messages", vec![text(b"Hello"), frame(2, [0, 255, 7]), text(b""), frame(2, "")]),
        ("all control frames", vec![frame(9, "p"), frame(10, "pong"), frame(9, ""), frame(10, ""), frame(8, "")]),
        ("a fragmented text", vec![text(b"a").fragment(), frame(0, "b").fragment(), frame(0, "c"), text(b"d")]),
        ("control frames in between", vec![text(b"a").fragment(), frame(9, "x"), frame(10, ""), frame(0, "b")]),
        ("empty fragments", vec![text(b"").fragment(), frame(0, "").fragment(), frame(0, ""), frame(2, [1])]),
        ("close in mid-message", vec![frame(2, [1]).fragment(), close(1001, b"bye"), frame(0, [2])]),
        ("bytes behind a close", vec![close(4999, "é".as_bytes()), frame(11, "?").rsv(0x70)]),
        ("code points in one frame", vec![text("aé€😀\u{10FFFF}".as_bytes())]),
        (
            "a code point over fragments",
            vec![text(&[0xF0]).fragment(), frame(0, [0x9F, 0x98]).fragment(), frame(0, [0x80])],
        ),
        ("a ping inside a code point", vec![text(&[0xE2, 0x82]).fragment(), frame(9, [0xFF]), frame(0, [0xAC])]),
        ("invalid at the first byte", vec![text(&[0xFF, b'a'])]),
        ("invalid at the last byte", vec![text(b"ab\xC0")]),
        ("invalid in the middle", vec![text(b"a\xED\xA0\x80b")]),
        ("invalid in a later fragment", vec![text(b"ok").fragment(), frame(0, b"ok\xF4\x90")]),
        ("text that ends too early", vec![text(&[b'a', 0xE2, 0x82])]),
        ("text of one byte that ends too early", vec![text(&[0xC3])]),
        ("an empty final fragment inside a code point", vec![text(&[0xC3]).fragment(), frame(0, "")]),
        ("a final fragment that leaves a code point open", vec![text(b"a").fragment(), frame(0, [0xE2, 0x82])]),
        ("an open code point and a new message", vec![frame(2, [0xC3]), text(&[0xA9])]),
        ("reserved bits", vec![text(b"a"), text(b"b").rsv(0x40)]),
        ("a reserved opcode", vec![frame(2, [1]), frame(3, [2])]),
        ("a continuation of nothing", vec![text(b"a"), frame(0, "b")]),
        ("an interleaved message", vec![text(b"a").fragment(), frame(2, "b")]),
        ("a fragmented ping", vec![frame(9, "a").fragment()]),
        ("a long ping", vec![frame(9, [0; 126])]),
        ("a close of one byte", vec![frame(8, [3])]),
        ("a close with a bad code", vec![close(1005, b"")]),
        ("a close with a bad reason", vec![close(1000, b"ab\xFF")]),
        ("a close with a cut reason", vec![close(1000, &[0xE2, 0x82])]),
        ("a 16-bit length that is too long", vec![frame(2, "abc").form(Form::Bits16)]),
        ("a 64-bit length that is too long", vec![frame(2, "abc").form(Form::Bits64)]),
        ("a length with its top bit", vec![frame(2, "abc").form(Form::Declared(1 << 63))]),
        ("a length over the limit", vec![frame(2, "abc").form(Form::Declared((16 << 20) + 1))]),
        ("a long length", vec![frame(2, "abc").form(Form::Declared(1 << 24))]),
    ]
}

/// Runs `test` on every short stream in both roles, and on each with the masks the wrong way round.
fn for_each_short_stream(test: impl Fn(&Rules, &[u8])) {
    for (name, frames) in short_streams() {
        for is_server in [false, true] {
            for has_keys in [is_server, !is_server] {
                println!("{name}, server: {is_server}, masked: {has_keys}");
                let frames = if has_keys { masked(&frames) } else { frames.clone() };
                let bytes = stream(&frames);
                test(&Rules::strict(is_server), &bytes[..bytes.len().min(48)]);
            }
        }
    }
}

/// Steps through cuts: all of them, but few under Miri.
fn steps(end: usize) -> impl Iterator<Item = usize> + Clone {
    (0..=end).step_by(if cfg!(miri) { 23 } else { 1 })
}

#[test]
fn every_cut_in_two_and_in_three_gives_what_the_whole_gives() {
    for_each_short_stream(|rules, bytes| {
        for first in steps(bytes.len()) {
            for second in steps(bytes.len()).filter(|second| *second >= first) {
                harness::check(rules, bytes, [first, second]);
            }
        }
    });
}

#[test]
fn byte_by_byte_gives_what_the_whole_gives() {
    for_each_short_stream(harness::check_both_ways);
}

#[test]
fn relaxed_streams_are_cut_anywhere() {
    let rules = Rules {
        allow_non_minimal_length: true,
        allow_mask_mismatch: true,
        skip_text_validation: true,
        message_rsv: 0x40,
        frame_rsv: 0x10,
        opcodes: vec![3, 15],
        ..Rules::strict(true)
    };
    let frames = [
        frame(1, [0xFF, 0xC0]).rsv(0x50).fragment().form(Form::Bits16),
        frame(15, "x").rsv(0x10).key([1, 2, 3, 4]),
        frame(0, [0xFE]).key([9, 8, 7, 6]).form(Form::Bits64),
        frame(3, "").form(Form::Bits16),
        frame(0, ""),
    ];
    let bytes = stream(&frames);
    for first in steps(bytes.len()) {
        for second in steps(bytes.len()).filter(|second| *second >= first) {
            harness::check(&rules, &bytes, [first, second]);
        }
    }
}

#[test]
fn the_payload_kernels_meet_every_length_and_every_cut_around_a_vector() {
    let text: String = "aé€😀".chars().cycle().take(90).collect();
    for len in steps(text.len()).step_by(3) {
        for opcode in [1, 2] {
            let bytes = frame(opcode, &text.as_bytes()[..len]).key([0x5A, 0, 0xFF, 0x81]).wire();
            for cut in steps(bytes.len()).step_by(5) {
                harness::check(&Rules::strict(true), &bytes, [cut]);
            }
        }
    }
}

/// What is ASCII goes by another kernel than what follows it, which looks at the end first. The frame in front makes the
/// text begin at an odd place, and the one behind shows where it ended.
#[test]
fn a_text_may_leave_ascii_anywhere() {
    let middles = ["", "é", "я вот", "語語語語", "🦀"].map(str::as_bytes);
    let faults = [&b"\xe2\x82"[..], b"b\xff", b"\x80"];
    for before in (0..600).step_by(if cfg!(miri) { 61 } else { 1 }) {
        for (middle, behind) in middles.iter().chain(&faults).flat_map(|middle| [(middle, 0), (middle, 70)]) {
            let text = [&vec![b'a'; before][..], middle, &vec![b'z'; behind]].concat();
            let frames = [frame(2, [0xff]), frame(1, &text), frame(2, [7])];
            harness::check(&Rules::strict(false), &stream(&frames), []);
            let bytes = stream(&frames.map(|frame| frame.key([0x5A, 0, 0xFF, 0x81])));
            harness::check(&Rules::strict(true), &bytes, []);
            harness::check(&Rules::strict(true), &bytes, [bytes.len() * 2 / 3]);
        }
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let limit = || prop_oneof![6 => Just(1u64 << 24), 1 => Just(u64::MAX), 2 => 0u64..130];
    let fragments = prop_oneof![6 => Just(1u32 << 17), 1 => Just(u32::MAX), 2 => 0u32..5];
    let claims = (
        prop_oneof![3 => Just(0u8), 1 => Just(0x40), 1 => Just(0x60)],
        prop_oneof![4 => Just(0u8), 1 => Just(0x10)],
        prop_oneof![2 => Just(vec![4]), 1 => Just(vec![]), 1 => Just(vec![3, 4, 5, 6, 7, 11, 12, 13, 14, 15])],
    );
    let relaxations = prop::array::uniform3(prop::bool::weighted(0.2));
    (any::<bool>(), limit(), limit(), fragments, claims, relaxations).prop_map(
        |(is_server, frame_len, message_len, fragments, (message_rsv, frame_rsv, opcodes), relaxed)| Rules {
            is_server,
            frame_len,
            message_len,
            fragments,
            frame_rsv,
            message_rsv,
            opcodes,
            allow_non_minimal_length: relaxed[0],
            allow_mask_mismatch: relaxed[1],
            skip_text_validation: relaxed[2],
        },
    )
}

/// Gives the frames the masks that the role asks for, but for those whose turn it is to be wrong.
fn with_keys(frames: &mut [Built], is_server: bool, keys: &[([u8; 4], bool)]) {
    for (frame, (key, is_wrong)) in frames.iter_mut().zip(keys.iter().cycle()) {
        frame.key = (is_server != *is_wrong).then_some(*key);
    }
}

/// Returns the cuts of a stream of `len` bytes in order; few of them, so that a long stream stays affordable.
fn sorted(cuts: &[Index], len: usize) -> Vec<usize> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(len + 1)).collect();
    cuts.sort_unstable();
    cuts
}

proptest! {
    #![proptest_config(support::cases(3000))]

    #[test]
    fn any_stream_cut_anywhere_gives_the_same_parts_and_the_same_verdict_at_the_same_byte(
        rules in rules(),
        mut frames in arbitrary::broken_stream(),
        keys in prop::collection::vec((any::<[u8; 4]>(), prop::bool::weighted(0.01)), 8),
        flips in prop::collection::vec((any::<Index>(), any::<u8>()), 0..3),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
        has_flips in prop::bool::weighted(0.2),
    ) {
        with_keys(&mut frames, rules.is_server, &keys);
        let mut bytes = stream(&frames);
        for (place, value) in flips.iter().filter(|_| has_flips) {
            let place = place.index(bytes.len());
            bytes[place] ^= value;
        }
        harness::check(&rules, &bytes, []);
        harness::check(&rules, &bytes, sorted(&cuts, bytes.len()));
        if bytes.len() < 600 {
            harness::check(&rules, &bytes, 1..bytes.len());
        }
    }

    #[test]
    fn any_bytes_at_all_are_taken_as_the_oracle_takes_them(
        rules in rules(),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        harness::check(&rules, &bytes, sorted(&cuts, bytes.len()));
        harness::check_both_ways(&rules, &bytes);
    }
}
