//! Unmasking and validating text: this crate's one pass, the two passes of each peer, and two passes with this crate's mask.

use std::cell::RefCell;
use std::hint::black_box;

use super::{Aligned, Bench, Layout};
use crate::bounds;
use crate::clock::Clock;
use crate::contest::{Case, Contestant, Kind};
use crate::corpus::{self, KEY, Length, Random, Script};
use crate::peer::{Peer, TextLoop};
use crate::peers::OURS;
use websocket_wire::{Mask, MaskingKey};

pub const GROUP: &str = "text";
/// Unmasking alone.
pub const MASK: &str = "unmask alone";
pub const SIMD: &str = "unmask, then simdutf8";
pub const STD: &str = "unmask, then std";

const SIZES: [usize; 15] =
    [8, 12, 20, 31, 45, 63, 64, 125, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];
const UNLEARNT: [Length; 2] = [Length::Unlearnt(8, 63), Length::Unlearnt(0, 125)];

struct Validator<'a> {
    name: &'a str,
    kind: Kind,
    f: &'a TextLoop,
}

pub fn run(bench: &mut Bench, peers: &[Peer]) {
    let unmask = |payload: &mut [u8], key| Mask::new(MaskingKey::new(key)).apply(payload);
    let passes = [
        Peer::new(MASK).texts(move |payload, key| {
            unmask(payload, key);
            true
        }),
        Peer::new(SIMD).texts(move |payload, key| {
            unmask(payload, key);
            simdutf8::basic::from_utf8(payload).is_ok()
        }),
        Peer::new(STD).texts(move |payload, key| {
            unmask(payload, key);
            std::str::from_utf8(payload).is_ok()
        }),
    ];
    let ascii = bounds::ascii();
    for script in Script::TEXTS {
        let bare = ascii.iter().filter(|_| script == Script::Ascii);
        let validators: Vec<_> = peers
            .iter()
            .enumerate()
            .map(|(i, peer)| (peer, if i < OURS { Kind::Ours } else { Kind::Peer }))
            .chain(passes.iter().chain(bare).map(|peer| (peer, Kind::Bound)))
            .filter_map(|(peer, kind)| Some(Validator { name: peer.name, kind, f: peer.text.as_ref()? }))
            .collect();
        for length in SIZES.map(Length::Fixed).into_iter().chain(UNLEARNT) {
            one(bench, &validators, script, length);
        }
    }
}

/// Masked texts in a buffer.
struct Texts {
    /// Each text once, or again and again.
    layout: Layout,
    count: usize,
    key: [u8; 4],
    masked: Vec<u8>,
    plain: Vec<u8>,
}

impl Texts {
    fn new(script: Script, length: Length, random: &mut Random) -> Self {
        let mut layout = Layout::new(length, 6, random);
        // With such a key ASCII stays ASCII, masked or not, so that a sample may go round the texts again: once round is
        // not long enough for a clock that goes in steps.
        let goes_round = script == Script::Ascii && matches!(length, Length::Fixed(_));
        let key = if goes_round { KEY.map(|byte| byte & 0x7f) } else { KEY };
        let mut plain = vec![0; layout.len];
        let mut masked = plain.clone();
        for slot in &layout.slots {
            let payload = script.payload(slot.len, random);
            plain[slot.start..][..slot.len].copy_from_slice(&payload);
            masked[slot.start..][..slot.len].copy_from_slice(&payload);
            corpus::mask(&mut masked[slot.start..][..slot.len], key);
        }
        let count = layout.slots.len();
        if goes_round {
            layout = layout.repeated();
        }
        Self { layout, count, key, masked, plain }
    }
}

fn one(bench: &mut Bench, validators: &[Validator<'_>], script: Script, length: Length) {
    let mut random = Random::new(4);
    let count = if matches!(length, Length::Unlearnt(..)) { 48 } else { 1 };
    let texts: Vec<_> = (0..count).map(|_| Texts::new(script, length, &mut random)).collect();
    validators.iter().for_each(|validator| check(validator, &texts[0]));
    let clock = Clock::like(&bench.clock);
    let buf = RefCell::new(Aligned::new(texts[0].layout.len));
    let case = Case {
        group: GROUP,
        series: script.name().into(),
        label: length.to_string(),
        bytes: length.mean(),
        times: texts[0].layout.slots.len(),
    };
    let contestants = validators
        .iter()
        .map(|validator| {
            let (mut next, buf, texts, clock) = (0, &buf, &texts, &clock);
            Contestant {
                name: validator.name.into(),
                kind: validator.kind,
                sample: Box::new(move |round| {
                    next = (next + 1) % texts.len();
                    let Texts { layout, key, masked, .. } = &texts[next];
                    let mut buf = buf.borrow_mut();
                    let bytes = buf.of_round(round, layout.len);
                    bytes.copy_from_slice(masked);
                    clock.time(|| _ = black_box((validator.f)(black_box(bytes), &layout.slots, black_box(*key))))
                }),
            }
        })
        .collect();
    bench.run(bench.effort(), case, contestants);
}

fn check(validator: &Validator<'_>, texts: &Texts) {
    let Texts { layout, count, key, masked, plain } = texts;
    let slots = &layout.slots[..*count];
    let mut bytes = masked.clone();
    assert!((validator.f)(&mut bytes, slots, *key), "{} refuses valid text", validator.name);
    assert!(bytes == *plain, "{} unmasks wrongly", validator.name);
    let slot = slots.iter().find(|slot| slot.len > 0).expect("a text");
    let mut bytes = masked.clone();
    bytes[slot.start + slot.len - 1] = 0xff ^ key[(slot.len - 1) % 4];
    let is_valid = (validator.f)(&mut bytes, slots, *key);
    assert_eq!(is_valid, validator.name == MASK, "{} on invalid text", validator.name);
}
