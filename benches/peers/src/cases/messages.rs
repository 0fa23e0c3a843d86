//! Whole messages: fragments joined, and permessage-deflate in both directions, with context takeover and without.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::Bench;
use crate::clock::Clock;
use crate::contest::{Case, Contestant, Kind};
use crate::corpus::{self, Digest, Random, Wire};
use crate::peer::{Count, Deal, End, Peer, Sink};

pub const ASSEMBLE: &str = "assemble, 64 KiB reads";
pub const RECEIVE: &str = "deflate, receive";
pub const SEND: &str = "deflate, send";

/// A message, and its fragments.
const FRAGMENTED: [(usize, usize); 5] =
    [(1 << 10, 1 << 10), (1 << 10, 128), (64 << 10, 64 << 10), (64 << 10, 4 << 10), (1 << 20, 16 << 10)];
const COMPRESSED: [usize; 2] = [1 << 10, 64 << 10];
const DEALS: [(Deal, &str); 2] = [(Deal::Takeover, "takeover"), (Deal::NoTakeover, "no takeover")];
const BYTES: usize = 512 << 10;
/// What is sent in a sample: compressing is slow.
const SENT: usize = 64 << 10;

/// RFC 7692 §7.2.1.
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

type Ends<'a> = Vec<(&'a str, Kind, RefCell<End>)>;

pub fn run(bench: &mut Bench, peers: &[Peer]) {
    if bench.wants(ASSEMBLE) {
        for (size, fragment) in FRAGMENTED {
            assemble(bench, &ends(peers, Deal::Plain), size, fragment);
        }
    }
    for (deal, series) in DEALS {
        for size in COMPRESSED {
            if bench.wants(RECEIVE) {
                let wire = compressed(deal, size);
                receive(bench, &ends(peers, deal), &wire, case(RECEIVE, series, size, wire.frames));
            }
            if bench.wants(SEND) {
                send(bench, &ends(peers, deal), deal, case(SEND, series, size, (SENT / size).max(2)));
            }
        }
    }
}

fn ends(peers: &[Peer], deal: Deal) -> Ends<'_> {
    let ends = peers.iter().enumerate().filter_map(|(i, peer)| {
        let kind = if i == 0 { Kind::Ours } else { Kind::Peer };
        Some((peer.name, kind, RefCell::new(peer.messages.as_ref()?(deal)?)))
    });
    ends.collect()
}

fn case(group: &'static str, series: &str, size: usize, times: usize) -> Case {
    Case { group, series: series.into(), label: corpus::size(size), bytes: size as f64, times }
}

fn assemble(bench: &mut Bench, ends: &Ends<'_>, size: usize, fragment: usize) {
    let (mut random, mut bytes, mut digest) = (Random::new(8), Vec::new(), Digest::default());
    let messages = BYTES.div_ceil(size).max(2);
    for _ in 0..messages {
        let payload = corpus::json(size, &mut random);
        digest.take(&payload);
        digest.end();
        for (i, piece) in payload.chunks(fragment).enumerate() {
            let first = u8::from((i + 1) * fragment >= size) << 7 | u8::from(i == 0);
            push(&mut bytes, first, piece, &mut random);
        }
    }
    let wire = Wire { bytes: bytes.into(), frames: messages, digest };
    let series = format!("fragments of {}", corpus::size(fragment));
    let series = if size == fragment { "whole" } else { &series };
    receive(bench, ends, &wire, case(ASSEMBLE, series, size, messages));
}

/// A client's frames, compressed by zlib-rs at level 6, as flate2 has it.
fn compressed(deal: Deal, size: usize) -> Wire {
    let (mut random, mut bytes, mut digest) = (Random::new(9), Vec::new(), Digest::default());
    let frames = BYTES / size;
    let mut zlib = Compress::new(Compression::new(6), false);
    for _ in 0..frames {
        let payload = corpus::json(size, &mut random);
        digest.take(&payload);
        digest.end();
        let mut made = Vec::with_capacity(2 * size);
        zlib.compress_vec(&payload, &mut made, FlushCompress::Sync).expect("enough room");
        push(&mut bytes, 0xC1, made.strip_suffix(&TAIL).expect("a flush"), &mut random);
        if deal == Deal::NoTakeover {
            zlib.reset();
        }
    }
    Wire { bytes: bytes.into(), frames, digest }
}

fn push(bytes: &mut Vec<u8>, first: u8, payload: &[u8], random: &mut Random) {
    let key = (random.next() as u32).to_ne_bytes();
    corpus::push_header(bytes, first, payload.len(), Some(key));
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    corpus::mask(&mut bytes[start..], key);
}

fn receive(bench: &mut Bench, ends: &Ends<'_>, wire: &Wire, case: Case) {
    for (name, _, end) in ends {
        let mut sink = Sink { digest: Some(Digest::default()), ..Sink::default() };
        end.borrow_mut().receiver.read(&wire.bytes, wire.frames, &mut sink);
        assert_eq!(sink.digest, Some(wire.digest), "{name}");
    }
    let clock = Clock::like(&bench.clock);
    let contestants = contestants(ends, |end| {
        let mut sink = Sink::default();
        let ticks = clock.time(|| end.receiver.read(&wire.bytes, wire.frames, &mut sink));
        assert_eq!(sink.count, Count { messages: wire.frames, bytes: wire.digest.bytes });
        ticks
    });
    bench.run(bench.effort().times(8.0), case, contestants);
}

fn send(bench: &mut Bench, ends: &Ends<'_>, deal: Deal, case: Case) {
    let mut random = Random::new(10);
    let payloads: Vec<_> = (0..case.times).map(|_| corpus::json(case.bytes as usize, &mut random)).collect();
    let mut expected = Digest::default();
    for payload in &payloads {
        expected.take(payload);
        expected.end();
    }
    for (name, _, end) in ends {
        let sender = &mut end.borrow_mut().sender;
        let mut wire = Vec::new();
        for payload in &payloads {
            sender.load(true, payload);
            sender.send(1);
            sender.finish(&mut |out| wire.extend_from_slice(out));
        }
        assert_eq!(inflated(&wire, deal), expected, "{name}");
    }
    let clock = Clock::like(&bench.clock);
    let contestants = contestants(ends, |end| {
        let sender = &mut end.sender;
        payloads
            .iter()
            .map(|payload| {
                sender.load(true, payload);
                let ticks = clock.time(|| sender.send(1));
                sender.finish(&mut |out| assert!(out.len() < payload.len() / 2));
                ticks
            })
            .sum()
    });
    bench.run(bench.effort().times(8.0), case, contestants);
}

fn contestants<'a>(ends: &'a Ends<'_>, sample: impl Fn(&mut End) -> u64 + Copy + 'a) -> Vec<Contestant<'a>> {
    let contestants = ends.iter().map(|(name, kind, end)| Contestant {
        name: (*name).into(),
        kind: *kind,
        sample: Box::new(move |_| sample(&mut end.borrow_mut())),
    });
    contestants.collect()
}

/// Reads a server's compressed frames with zlib-rs, as flate2 has it; returns what is in them.
fn inflated(wire: &[u8], deal: Deal) -> Digest {
    let (mut digest, mut zlib) = (Digest::default(), Decompress::new(false));
    for payload in corpus::frames(wire, 0xC1, false) {
        let mut made = Vec::with_capacity(1 << 20);
        for input in [&payload[..], &TAIL] {
            zlib.decompress_vec(input, &mut made, FlushDecompress::Sync).expect("a DEFLATE stream");
        }
        digest.take(&made);
        digest.end();
        if deal == Deal::NoTakeover {
            zlib.reset(false);
        }
    }
    digest
}
