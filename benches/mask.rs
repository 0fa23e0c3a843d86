//! Masking: in place and copying, against filling and copying memory, which write as much and compute nothing.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_wire::{Mask, MaskingKey};

const KEY: MaskingKey = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);

/// A payload begins 6, 8 or 14 bytes after the start of a masked frame; most often 6.
const OFFSET: usize = 6;

const SIZES: [usize; 14] =
    [4, 8, 16, 31, 64, 125, 256, 1000, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 4 << 20, 16 << 20];

/// A buffer whose bytes from `offset` on are at that offset from a multiple of 64.
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    fn new(offset: usize, len: usize) -> Self {
        let bytes: Vec<u8> = (0..offset + len + 64).map(|i| (i * 31) as u8).collect();
        let start = bytes.as_ptr().align_offset(64) + offset;
        Buffer { bytes, start }
    }

    fn payload(&mut self, len: usize) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + len]
    }
}

fn assert_masked(src: &[u8], masked: &[u8]) {
    let key = KEY.to_bytes();
    assert!(src.iter().zip(masked).enumerate().all(|(i, (a, b))| a ^ key[i % 4] == *b));
}

fn in_place(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask/in place");
    for len in SIZES {
        let mut buffer = Buffer::new(OFFSET, len);
        let payload = buffer.payload(len);
        let plain = payload.to_vec();
        Mask::new(KEY).apply(payload);
        assert_masked(&plain, payload);

        group.throughput(Throughput::Bytes(len as u64));
        group.bench_with_input(BenchmarkId::new("mask", len), &len, |b, _| {
            b.iter(|| Mask::new(black_box(KEY)).apply(black_box(&mut *payload)));
        });
        group.bench_with_input(BenchmarkId::new("fill", len), &len, |b, _| {
            b.iter(|| black_box(&mut *payload).fill(black_box(7)));
        });
    }
    group.finish();
}

fn offsets(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask/4 KiB at offset");
    group.throughput(Throughput::Bytes(4096));
    for offset in [0, 1, 4, 6, 8, 14, 33, 63] {
        let mut buffer = Buffer::new(offset, 4096);
        let payload = buffer.payload(4096);
        let plain = payload.to_vec();
        Mask::new(KEY).apply(payload);
        assert_masked(&plain, payload);
        group.bench_function(BenchmarkId::from_parameter(offset), |b| {
            b.iter(|| Mask::new(black_box(KEY)).apply(black_box(&mut *payload)));
        });
    }
    group.finish();
}

fn copying(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask/copying");
    for len in SIZES {
        let mut src = Buffer::new(0, len);
        let mut dst = Buffer::new(OFFSET, len);
        let (src, dst) = (&*src.payload(len), dst.payload(len));
        Mask::new(KEY).apply_to(src, dst);
        assert_masked(src, dst);

        group.throughput(Throughput::Bytes(len as u64));
        group.bench_with_input(BenchmarkId::new("mask", len), &len, |b, _| {
            b.iter(|| Mask::new(black_box(KEY)).apply_to(black_box(src), black_box(&mut *dst)));
        });
        group.bench_with_input(BenchmarkId::new("copy", len), &len, |b, _| {
            b.iter(|| black_box(&mut *dst).copy_from_slice(black_box(src)));
        });
    }
    group.finish();
}

/// Lengths that a branch predictor cannot have learnt; the figure is for 10 000 payloads.
fn unlearnt_lengths(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask/unlearnt lengths");
    for (low, high) in [(1, 16), (1, 32), (0, 126), (100, 300), (200, 1000)] {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let lengths: Vec<usize> = (0..10_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                low + (state >> 20) as usize % (high - low)
            })
            .collect();
        let mut buffer = Buffer::new(OFFSET, high);
        let payload = buffer.payload(high);
        let plain = payload.to_vec();
        lengths.iter().for_each(|&len| Mask::new(KEY).apply(&mut payload[..len]));
        lengths.iter().for_each(|&len| Mask::new(KEY).apply(&mut payload[..len]));
        assert_eq!(plain, payload, "twice is not at all");

        group.throughput(Throughput::Elements(lengths.len() as u64));
        group.bench_function(format!("{low}..{high}"), |b| {
            b.iter(|| lengths.iter().for_each(|&len| Mask::new(black_box(KEY)).apply(&mut payload[..len])));
        });
    }
    group.finish();
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(20)
}

criterion_group!(name = benches; config = config(); targets = in_place, offsets, copying, unlearnt_lengths);
criterion_main!(benches);
