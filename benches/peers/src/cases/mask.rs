//! Masking in place: every public mask of a peer, a plain fill of the same bytes, and a loop of bytes.

use std::cell::RefCell;
use std::hint::black_box;

use super::{Aligned, Bench, Layout};
use crate::contest::{Case, Contestant, Kind, Outcome};
use crate::corpus::{self, KEY, Length, Random};
use crate::peer::{MaskLoop, Peer};
use crate::peers::OURS;

pub const GROUP: &str = "mask";
pub const FILL: &str = "slice::fill";
pub const BYTES: &str = "byte loop";
/// What is only summed up.
const SWEPT: &str = "swept";

const SIZES: [usize; 15] =
    [4, 8, 16, 31, 64, 125, 256, 1000, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 16 << 20];
/// Where payloads begin in front of which a header of 2 to 14 bytes begins at a multiple of 64.
const OFFSETS: [usize; 6] = [6, 0, 1, 2, 8, 14];
const UNLEARNT: [Length; 3] = [Length::Unlearnt(0, 31), Length::Unlearnt(0, 125), Length::Unlearnt(0, 1024)];

struct Masker<'a> {
    name: &'a str,
    kind: Kind,
    f: &'a MaskLoop,
}

pub fn run(bench: &mut Bench, peers: &[Peer]) {
    let bounds = Peer::new(FILL).masks(|bytes, key| bytes.fill(key[0]));
    let bytes = Peer::new(BYTES).masks(byte_loop);
    let maskers: Vec<_> = peers
        .iter()
        .enumerate()
        .map(|(i, peer)| (peer, if i < OURS { Kind::Ours } else { Kind::Peer }))
        .chain([(&bounds, Kind::Bound), (&bytes, Kind::Bound)])
        .filter_map(|(peer, kind)| Some(Masker { name: peer.name, kind, f: peer.mask.as_ref()? }))
        .collect();
    maskers.iter().filter(|masker| masker.name != FILL).for_each(check);
    for offset in OFFSETS {
        for size in SIZES {
            at_offset(bench, &maskers, size, "offset", offset, if offset == 6 { 1.0 } else { 0.3 });
        }
    }
    for size in SIZES.into_iter().filter(|&size| size <= 1 << 10) {
        sweep(bench, &maskers, size);
    }
    for length in UNLEARNT {
        unlearnt(bench, &maskers, length);
    }
}

/// Without inlining it would be unrolled into its caller, which is not what people write.
#[inline(never)]
fn byte_loop(bytes: &mut [u8], key: [u8; 4]) {
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte ^= key[i & 3];
    }
}

fn check(masker: &Masker<'_>) {
    let mut random = Random::new(1);
    for len in (0..300).chain([1000, 4096, 65_537]) {
        let offset = random.between(0, 63);
        let plain: Vec<u8> = (0..offset + len + 64).map(|_| random.next() as u8).collect();
        let (mut expected, mut masked) = (plain.clone(), plain);
        corpus::mask(&mut expected[offset..offset + len], KEY);
        (masker.f)(&mut masked, &[crate::peer::Slot { start: offset, len }], KEY);
        assert_eq!(masked, expected, "{} at {len} bytes", masker.name);
    }
}

fn case(series: String, label: String, layout: &Layout, bytes: f64) -> Case {
    Case { group: GROUP, series, label, bytes, times: layout.slots.len() }
}

fn at_offset(bench: &mut Bench, maskers: &[Masker<'_>], size: usize, series: &str, offset: usize, factor: f64) {
    let layout = Layout::new(Length::Fixed(size), offset, &mut Random::new(2)).repeated();
    let outcome = case(format!("{series} {offset}"), corpus::size(size), &layout, size as f64);
    fixed(bench, maskers, outcome, &layout, factor);
}

fn fixed(bench: &mut Bench, maskers: &[Masker<'_>], case: Case, layout: &Layout, factor: f64) {
    let clock = crate::clock::Clock::like(&bench.clock);
    let buf = RefCell::new(Aligned::new(layout.len));
    let contestants = maskers
        .iter()
        .map(|masker| Contestant {
            name: masker.name.into(),
            kind: masker.kind,
            sample: Box::new(|round| {
                let mut buf = buf.borrow_mut();
                let bytes = buf.of_round(round, layout.len);
                clock.time(|| (masker.f)(black_box(bytes), &layout.slots, black_box(KEY)))
            }),
        })
        .collect();
    bench.run(bench.effort().times(factor), case, contestants);
}

/// Every offset from 0 to 63, every third in a quick run.
fn sweep(bench: &mut Bench, maskers: &[Masker<'_>], size: usize) {
    let steps = if bench.is_quick { 3 } else { 1 };
    for offset in (0..64).step_by(steps) {
        at_offset(bench, maskers, size, SWEPT, offset, 0.15);
    }
}

/// Sums up the sweeps: the slowest of each contestant, and the smallest lead at any one offset, which that does not show.
pub fn sum_up(bench: &mut Bench) {
    let (swept, mut outcomes): (Vec<_>, Vec<_>) =
        std::mem::take(&mut bench.outcomes).into_iter().partition(|o| o.case.series.starts_with(SWEPT));
    for all in swept.chunk_by(|a, b| a.case.label == b.case.label) {
        let mut worst = all[0].clone();
        worst.case.series = "worst offset of 0-63".into();
        for (i, row) in worst.rows.iter_mut().enumerate() {
            row.ticks = all.iter().map(|outcome| outcome.rows[i].ticks).fold(0.0, f64::max);
        }
        let lead = |o: &Outcome| o.ratio().unwrap_or(f64::MAX);
        let mut least = all.iter().min_by(|a, b| lead(a).total_cmp(&lead(b))).expect("some offset").clone();
        least.case.series = least.case.series.replace(SWEPT, "smallest lead, offset");
        outcomes.extend([worst, least]);
    }
    bench.outcomes = outcomes;
}

fn unlearnt(bench: &mut Bench, maskers: &[Masker<'_>], length: Length) {
    let mut random = Random::new(3);
    let layouts: Vec<_> = (0..64).map(|_| Layout::new(length, 6, &mut random)).collect();
    let clock = crate::clock::Clock::like(&bench.clock);
    let buf = RefCell::new(Aligned::new(layouts[0].len));
    let outcome = case("offset 6".into(), length.to_string(), &layouts[0], length.mean());
    let contestants = maskers
        .iter()
        .map(|masker| {
            let (mut next, buf, layouts, clock) = (0, &buf, &layouts, &clock);
            Contestant {
                name: masker.name.into(),
                kind: masker.kind,
                sample: Box::new(move |round| {
                    next = (next + 1) % layouts.len();
                    let mut buf = buf.borrow_mut();
                    let bytes = buf.of_round(round, layouts[next].len);
                    clock.time(|| (masker.f)(black_box(bytes), &layouts[next].slots, black_box(KEY)))
                }),
            }
        })
        .collect();
    bench.run(bench.effort(), outcome, contestants);
}
