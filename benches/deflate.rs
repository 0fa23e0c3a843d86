//! permessage-deflate: inflating, beside zlib-rs and miniz_oxide, neither of which is as strict; and the cost of a compressor.
//!
//! `cargo bench --features deflate --bench deflate`

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};
use websocket_wire::extension::deflate::{Agreement, Deflate, Pool, Tuning};
use websocket_wire::{Extension, Opcode, Output, Part, Role};

const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// Messages as they are sent, and their payloads.
struct Stream {
    compressed: Vec<Vec<u8>>,
    plain: Vec<Vec<u8>>,
    takeover: bool,
}

fn agreement(takeover: bool) -> Agreement {
    Agreement { server_no_context_takeover: !takeover, ..Agreement::DEFAULT }
}

fn sender(takeover: bool) -> Deflate {
    Deflate::new(Role::Server, agreement(takeover), Tuning { threshold: 0, ..Tuning::DEFAULT })
}

impl Stream {
    fn new(plain: Vec<Vec<u8>>, takeover: bool) -> Self {
        let mut sender = sender(takeover);
        let compressed = plain.iter().map(|plain| {
            let mut out = Vec::new();
            sender.encode(Part::whole(Opcode::Binary, plain), &mut out).unwrap();
            out
        });
        Self { compressed: compressed.collect(), plain, takeover }
    }

    fn bytes(&self) -> u64 {
        self.plain.iter().map(|plain| plain.len() as u64).sum()
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

/// What a service sends: objects with the same names and other values.
fn json(random: &mut Random, len: usize) -> Vec<u8> {
    let mut text = String::new();
    let words = ["open", "closed", "pending", "limit", "market", "alpha", "bravo", "london", "paris", "tokyo"];
    while text.len() < len {
        let (id, cents, at) = (random.below(1 << 32), random.below(100_000), random.below(1 << 30));
        let (kind, place) = (words[random.below(5) as usize], words[5 + random.below(5) as usize]);
        let (price, rest, ok) = (cents / 100, cents % 100, at % 2 == 0);
        text += &format!(
            r#"{{"id":{id},"kind":"{kind}","place":"{place}","price":{price}.{rest:02},"at":"2026-11-22T{at}Z","ok":{ok}}},"#
        );
    }
    text.truncate(len);
    text.into_bytes()
}

fn streams() -> Vec<(&'static str, Stream)> {
    let random = &mut Random(0x9E37_79B9_7F4A_7C15);
    let small: Vec<_> = (0..64).map(|_| json(random, 1 << 10)).collect();
    let large: Vec<_> = (0..4).map(|_| json(random, 64 << 10)).collect();
    let noise = (0..64 << 10).map(|_| random.below(256) as u8).collect();
    vec![
        ("JSON 1 KiB", Stream::new(small.clone(), true)),
        ("JSON 1 KiB, no takeover", Stream::new(small, false)),
        ("JSON 64 KiB", Stream::new(large.clone(), true)),
        ("JSON 64 KiB, no takeover", Stream::new(large, false)),
        ("noise 64 KiB", Stream::new(vec![noise], true)),
        ("zeros 64 KiB", Stream::new(vec![vec![0; 64 << 10]], true)),
    ]
}

/// Inflates a stream of messages, each given in parts of up to `cut` bytes.
fn ours(receiver: &mut Deflate, stream: &Stream, cut: usize, mut see: impl FnMut(usize, &[u8])) {
    for (i, compressed) in stream.compressed.iter().enumerate() {
        let mut out = Output::new(1 << 20);
        let last = compressed.len().div_ceil(cut) - 1;
        for (at, payload) in compressed.chunks(cut).enumerate() {
            let mut part = Part::whole(Opcode::Binary, payload);
            (part.is_first, part.is_last) = (at == 0, at == last);
            receiver.decode(part, &mut out).unwrap();
        }
        see(i, out.written());
    }
}

fn zlib_rs(zlib: &mut zlib_rs::Inflate, stream: &Stream, out: &mut [u8], mut see: impl FnMut(usize, &[u8])) {
    for (i, compressed) in stream.compressed.iter().enumerate() {
        let before = zlib.total_out();
        zlib.decompress(compressed, out, zlib_rs::InflateFlush::SyncFlush).unwrap();
        let made = (zlib.total_out() - before) as usize;
        zlib.decompress(&TAIL, &mut out[made..], zlib_rs::InflateFlush::SyncFlush).unwrap();
        see(i, &out[..made]);
        if !stream.takeover {
            zlib.reset(false);
        }
    }
}

fn miniz(state: &mut InflateState, stream: &Stream, out: &mut [u8], mut see: impl FnMut(usize, &[u8])) {
    for (i, compressed) in stream.compressed.iter().enumerate() {
        let mut made = 0;
        let mut input = &compressed[..];
        loop {
            let result = inflate(state, input, &mut out[made..], MZFlush::None);
            input = &input[result.bytes_consumed..];
            made += result.bytes_written;
            if result.bytes_written == 0 {
                break;
            }
        }
        inflate(state, &TAIL, &mut out[made..], MZFlush::None).status.unwrap();
        see(i, &out[..made]);
        if !stream.takeover {
            state.reset(DataFormat::Raw);
        }
    }
}

fn inflating(criterion: &mut Criterion) {
    let mut out = vec![0; 1 << 20];
    for (name, stream) in streams() {
        let mut group = group(criterion, &format!("inflate, {name}"), stream.bytes());
        let check = |i: usize, made: &[u8]| assert!(made == stream.plain[i]);
        let seen = |_: usize, made: &[u8]| _ = black_box(made.len());
        let mut receiver = Deflate::new(Role::Client, agreement(stream.takeover), Tuning::DEFAULT);
        ours(&mut receiver, &stream, usize::MAX, check);
        group.bench_function("ours", |b| b.iter(|| ours(&mut receiver, &stream, usize::MAX, seen)));
        ours(&mut receiver, &stream, 1, check);
        group.bench_function("ours, byte by byte", |b| b.iter(|| ours(&mut receiver, &stream, 1, seen)));
        let mut zlib = zlib_rs::Inflate::new(false, 15);
        zlib_rs(&mut zlib, &stream, &mut out, check);
        group.bench_function("zlib-rs", |b| b.iter(|| zlib_rs(&mut zlib, &stream, &mut out, seen)));
        let mut state = InflateState::new_boxed(DataFormat::Raw);
        miniz(&mut state, &stream, &mut out, check);
        group.bench_function("miniz_oxide", |b| b.iter(|| miniz(&mut state, &stream, &mut out, seen)));
        group.finish();
    }
}

/// A message where there is no context: with a compressor of the connection, with one of a pool, and with a new one.
fn compressors(criterion: &mut Criterion) {
    let payload = json(&mut Random(7), 1 << 10);
    let mut group = group(criterion, "deflate, JSON 1 KiB, no takeover", payload.len() as u64);
    let mut out = Vec::new();
    let mut run = |sender: &mut Deflate| {
        out.clear();
        sender.encode(Part::whole(Opcode::Binary, &payload), &mut out).unwrap();
        black_box(out.len());
    };
    let mut own = sender(false);
    group.bench_function("its own", |b| b.iter(|| run(&mut own)));
    let pool = std::sync::Arc::new(Pool::new(15, Tuning::DEFAULT, 1));
    group.bench_function("of a pool", |b| b.iter(|| run(&mut sender(false).with_pool(pool.clone()))));
    group.bench_function("new", |b| b.iter(|| run(&mut sender(false))));
    group.finish();
}

fn group<'a>(criterion: &'a mut Criterion, name: &str, bytes: u64) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes));
    group.warm_up_time(Duration::from_millis(50)).measurement_time(Duration::from_millis(300)).sample_size(20);
    group
}

criterion_group!(benches, inflating, compressors);
criterion_main!(benches);
