//! The header alone: parsed from bytes, and encoded.

use std::cell::RefCell;
use std::hint::black_box;

use super::Bench;
use crate::clock::Clock;
use crate::contest::{Case, Contestant, Kind};
use crate::corpus::{self, Length, Random};
use crate::peer::{HeaderWriter, Peer};
use crate::peers::OURS;

pub const PARSE: &str = "header, parse";
pub const ENCODE: &str = "header, encode";

const COUNT: usize = 512;
/// Payload lengths: of each form of the header, and of forms mixed in an order that nothing has learnt.
const LENGTHS: [Length; 4] = [Length::Fixed(20), Length::Fixed(1000), Length::Fixed(100_000), Length::Unlearnt(0, 250)];

pub fn run(bench: &mut Bench, peers: &mut [Peer]) {
    for length in LENGTHS {
        let mut random = Random::new(8);
        let sets = if matches!(length, Length::Unlearnt(..)) { 48 } else { 1 };
        let sets: Vec<Vec<_>> = (0..sets)
            .map(|_| {
                let mut one = || (length.draw(&mut random) as u64, (random.next() as u32).to_ne_bytes());
                (0..COUNT).map(|_| one()).collect()
            })
            .collect();
        if bench.wants(PARSE) {
            parse(bench, peers, length, &sets);
        }
        if bench.wants(ENCODE) {
            encode(bench, peers, length, &sets);
        }
    }
}

/// Which peer, its name, and its encoder.
type Writer<'a> = (usize, &'a str, RefCell<&'a mut Box<dyn HeaderWriter>>);
type Headers = Vec<(u64, [u8; 4])>;

fn case(group: &'static str, length: Length) -> Case {
    Case { group, series: "masked".into(), label: length.to_string(), bytes: 0.0, times: COUNT }
}

fn kind(i: usize) -> Kind {
    if i < OURS { Kind::Ours } else { Kind::Peer }
}

fn parse(bench: &mut Bench, peers: &[Peer], length: Length, sets: &[Headers]) {
    let mut wires = Vec::new();
    for headers in sets {
        let (mut wire, mut places, mut sum) = (Vec::new(), Vec::new(), 0u64);
        for &(len, key) in headers {
            places.push(wire.len());
            corpus::push_header(&mut wire, 0x82, len as usize, Some(key));
            sum = sum.wrapping_add(len ^ u64::from(u32::from_ne_bytes(key)));
        }
        // As if payload followed.
        wire.resize(wire.len() + 16, 0);
        wires.push((wire, places, sum));
    }
    let clock = Clock::like(&bench.clock);
    let contestants = peers
        .iter()
        .enumerate()
        .filter_map(|(i, peer)| {
            let (f, mut next, wires, clock) = (peer.parse.as_ref()?, 0, &wires, &clock);
            wires.iter().for_each(|(wire, places, sum)| assert_eq!(f(wire, places), *sum, "{}", peer.name));
            let sample = Box::new(move |_| {
                next = (next + 1) % wires.len();
                let (wire, places, _) = &wires[next];
                clock.time(|| _ = black_box(f(black_box(wire), places)))
            });
            Some(Contestant { name: peer.name.into(), kind: kind(i), sample })
        })
        .collect();
    bench.run(bench.effort(), case(PARSE, length), contestants);
}

fn encode(bench: &mut Bench, peers: &mut [Peer], length: Length, sets: &[Headers]) {
    let clock = Clock::like(&bench.clock);
    let writers: Vec<Writer<'_>> = peers
        .iter_mut()
        .enumerate()
        .filter_map(|(i, peer)| Some((i, peer.name, RefCell::new(peer.write.as_mut()?))))
        .collect();
    let contestants = writers
        .iter()
        .map(|(i, name, writer)| {
            for &(len, key) in &sets[0] {
                let mut expected = Vec::new();
                corpus::push_header(&mut expected, 0x82, len as usize, Some(key));
                assert_eq!(writer.borrow_mut().one(len, key), expected, "{name}");
            }
            let (mut next, clock) = (0, &clock);
            let sample = Box::new(move |_| {
                next = (next + 1) % sets.len();
                let mut writer = writer.borrow_mut();
                clock.time(|| writer.run(black_box(&sets[next])))
            });
            Contestant { name: (*name).into(), kind: kind(*i), sample }
        })
        .collect();
    bench.run(bench.effort(), case(ENCODE, length), contestants);
}
