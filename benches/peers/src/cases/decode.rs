//! Decoding: a run of small frames that is all there, and whole traffic in reads of 64 KiB.

use std::cell::RefCell;

use super::Bench;
use crate::bounds;
use crate::clock::Clock;
use crate::contest::{Case, Contestant, Kind};
use crate::corpus::{Digest, Length, Script, Wire};
use crate::peer::{Count, Peer, Receiver, Sink};
use crate::peers::OURS;

pub const RUN: &str = "decode, all there";
pub const WHOLE: &str = "decode, 64 KiB reads";
/// The contestant that reads into a smaller buffer, as some peers do of their own accord.
pub const SMALL_BUFFER: &str = "websocket-wire, 16 KiB buffer";

const RUN_LENGTHS: [Length; 8] = [
    Length::Fixed(0),
    Length::Fixed(4),
    Length::Fixed(16),
    Length::Fixed(20),
    Length::Fixed(64),
    Length::Fixed(125),
    Length::Unlearnt(0, 64),
    Length::Unlearnt(0, 125),
];
const RUN_SCRIPTS: [Script; 3] = [Script::Binary, Script::Ascii, Script::Cyrillic];
/// Payload bytes of a run: with their headers, less than a first-level cache.
const RUN_BYTES: usize = 12 << 10;

const WHOLE_TEXTS: [usize; 4] = [16, 125, 1 << 10, 16 << 10];
const WHOLE_BINARIES: [usize; 2] = [64 << 10, 1 << 20];
const WHOLE_BYTES: usize = 1 << 20;

/// A peer's receiver, shared by the cases one after the other.
type Receivers<'a> = Vec<(&'a str, Kind, RefCell<&'a mut Box<dyn Receiver>>)>;

pub fn run(bench: &mut Bench, peers: &mut [Peer], bounds: &mut [Peer]) {
    let receivers: Receivers<'_> = peers
        .iter_mut()
        .chain(bounds)
        .enumerate()
        .map(|(i, peer)| (peer.name, kind(i, peer.name), &mut peer.receiver))
        .filter_map(|(name, kind, receiver)| Some((name, kind, RefCell::new(receiver.as_mut()?))))
        .collect();
    if bench.wants(RUN) {
        for script in RUN_SCRIPTS {
            for length in RUN_LENGTHS {
                small(bench, &receivers, script, length);
            }
        }
    }
    if bench.wants(WHOLE) {
        for size in WHOLE_TEXTS {
            whole(bench, &receivers, Script::Ascii, size);
        }
        for size in WHOLE_BINARIES {
            whole(bench, &receivers, Script::Binary, size);
        }
    }
}

fn kind(i: usize, name: &str) -> Kind {
    match name {
        bounds::CHAIN | bounds::UNMASK | bounds::TEXT | bounds::COPY => Kind::Bound,
        _ if i < OURS => Kind::Ours,
        _ => Kind::Peer,
    }
}

fn count(wire: &Wire) -> Count {
    Count { messages: wire.frames, bytes: wire.digest.bytes }
}

fn small(bench: &mut Bench, receivers: &Receivers<'_>, script: Script, length: Length) {
    let frames = (RUN_BYTES / (length.mean() as usize + 6)).min(1024);
    let wires = if matches!(length, Length::Unlearnt(..)) { 48 } else { 1 };
    let wires: Vec<_> = (0..wires).map(|seed| Wire::new(script, length, frames, 5 + seed)).collect();
    let receivers: Vec<_> =
        receivers.iter().filter(|(name, ..)| ![SMALL_BUFFER, bounds::COPY].contains(name)).collect();
    for (name, _, receiver) in receivers.iter().filter(|(_, kind, _)| *kind != Kind::Bound) {
        let mut receiver = receiver.borrow_mut();
        receiver.load(&wires[0].bytes);
        let mut sink = Sink { digest: Some(Digest::default()), ..Sink::default() };
        receiver.drain(frames, &mut sink);
        assert_eq!(sink.digest, Some(wires[0].digest), "{name}");
    }
    let case = Case {
        group: RUN,
        series: script.name().into(),
        label: length.to_string(),
        bytes: length.mean(),
        times: frames,
    };
    let clock = Clock::like(&bench.clock);
    let contestants = receivers
        .iter()
        .map(|(name, kind, receiver)| {
            let (mut next, wires, clock) = (0, &wires, &clock);
            Contestant {
                name: (*name).into(),
                kind: *kind,
                sample: Box::new(move |_| {
                    next = (next + 1) % wires.len();
                    let mut receiver = receiver.borrow_mut();
                    receiver.load(&wires[next].bytes);
                    let mut sink = Sink::default();
                    let ticks = clock.time(|| receiver.drain(frames, &mut sink));
                    assert_eq!(sink.count, count(&wires[next]));
                    ticks
                }),
            }
        })
        .collect();
    bench.run(bench.effort(), case, contestants);
}

fn whole(bench: &mut Bench, receivers: &Receivers<'_>, script: Script, size: usize) {
    let frames = (WHOLE_BYTES / size).max(4);
    let wire = Wire::new(script, Length::Fixed(size), frames, 6);
    let receivers: Vec<_> =
        receivers.iter().filter(|(name, ..)| ![bounds::CHAIN, bounds::UNMASK, bounds::TEXT].contains(name)).collect();
    for (name, _, receiver) in receivers.iter().filter(|(_, kind, _)| *kind != Kind::Bound) {
        let mut sink = Sink { digest: Some(Digest::default()), ..Sink::default() };
        receiver.borrow_mut().read(&wire.bytes, frames, &mut sink);
        assert_eq!(sink.digest, Some(wire.digest), "{name}");
    }
    let case = Case {
        group: WHOLE,
        series: script.name().into(),
        label: Length::Fixed(size).to_string(),
        bytes: size as f64,
        times: frames,
    };
    let clock = Clock::like(&bench.clock);
    let contestants = receivers
        .iter()
        .map(|(name, kind, receiver)| {
            let (wire, clock) = (&wire, &clock);
            Contestant {
                name: (*name).into(),
                kind: *kind,
                sample: Box::new(move |_| {
                    let mut receiver = receiver.borrow_mut();
                    let mut sink = Sink::default();
                    let ticks = clock.time(|| receiver.read(&wire.bytes, frames, &mut sink));
                    assert!(*kind == Kind::Bound || sink.count == count(wire));
                    ticks
                }),
            }
        })
        .collect();
    bench.run(bench.effort().times(4.0), case, contestants);
}
