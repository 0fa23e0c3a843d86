//! Encoding whole messages into one growing buffer, as a client and as a server.

use std::cell::RefCell;

use super::Bench;
use crate::clock::Clock;
use crate::contest::{Case, Contestant, Kind};
use crate::corpus::{self, Random, Script};
use crate::peer::{Peer, Sender};
use crate::peers::OURS;

pub const CLIENT: &str = "encode, client";
pub const SERVER: &str = "encode, server";

const SIZES: [usize; 8] = [16, 64, 125, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20];
const BYTES: usize = 16 << 10;

type Senders<'a> = Vec<(&'a str, Kind, RefCell<&'a mut Box<dyn Sender>>)>;

fn kind(i: usize, peers: usize) -> Kind {
    match i {
        _ if i >= peers => Kind::Bound,
        _ if i < OURS => Kind::Ours,
        _ => Kind::Peer,
    }
}

pub fn run(bench: &mut Bench, peers: &mut [Peer], bounds: &mut [Peer]) {
    let count = peers.len();
    for (side, group) in [CLIENT, SERVER].into_iter().enumerate() {
        if !bench.wants(group) {
            continue;
        }
        let senders: Senders<'_> = peers
            .iter_mut()
            .chain(&mut *bounds)
            .enumerate()
            .map(|(i, peer)| (peer.name, kind(i, count), &mut peer.senders))
            .filter_map(|(name, kind, senders)| Some((name, kind, RefCell::new(&mut senders.as_mut()?[side]))))
            .collect();
        for size in SIZES {
            one(bench, &senders, group, size);
        }
    }
}

fn one(bench: &mut Bench, senders: &Senders<'_>, group: &'static str, size: usize) {
    let is_client = group == CLIENT;
    let script = Script::Binary;
    let payload = script.payload(size, &mut Random::new(7));
    let times = (BYTES / (size + 8)).clamp(1, 256);
    let mut expected = corpus::Digest::default();
    for _ in 0..times {
        expected.take(&payload);
        expected.end();
    }
    let mut written = 0;
    for (name, _, sender) in senders {
        let mut sender = sender.borrow_mut();
        sender.load(script.is_text(), &payload);
        sender.send(times);
        sender.finish(&mut |out| {
            assert_eq!(corpus::read_frames(out, 0x82, is_client), expected, "{name}");
            written = out.len();
        });
    }
    let case = Case { group, series: script.name().into(), label: corpus::size(size), bytes: size as f64, times };
    let clock = &Clock::like(&bench.clock);
    let payload = payload.as_slice();
    let contestants = senders
        .iter()
        .map(|(name, kind, sender)| {
            let mut loaded_in = 0;
            let sample = move |round| {
                let mut sender = sender.borrow_mut();
                if loaded_in != round {
                    loaded_in = round;
                    // The payload moves to another place of the page, away from the one of the buffer.
                    let _spacer = vec![0x5a_u8; 7 * 64 * round + 16];
                    sender.load(script.is_text(), payload);
                }
                let ticks = clock.time(|| sender.send(times));
                sender.finish(&mut |out| assert_eq!(out.len(), written));
                ticks
            };
            Contestant { name: (*name).into(), kind: *kind, sample: Box::new(sample) }
        })
        .collect();
    bench.run(bench.effort(), case, contestants);
}
