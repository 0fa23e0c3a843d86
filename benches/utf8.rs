//! Unmasking fused with UTF-8 validation, against unmasking alone and against one pass after the other.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_wire::{Mask, MaskingKey, utf8::Validator};

/// With this key the payload stays the same text, so that every round does the same work.
const KEY: MaskingKey = MaskingKey::new([0; 4]);

const OFFSET: usize = 6;

const SIZES: [usize; 12] = [8, 16, 31, 48, 63, 125, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20];

const SCRIPTS: [(&str, &str); 5] = [
    ("ASCII", "the quick brown fox jumps over the lazy dog "),
    ("Latin", "größe café à la crème naïve "),
    ("Cyrillic", "съешь ещё этих мягких булок "),
    ("Chinese", "你好世界今天天气怎么样"),
    ("emoji", "😀🦀🎉🚀"),
];

/// As many whole characters of the sample as there is room for, and dots.
fn text(sample: &str, len: usize) -> Vec<u8> {
    let mut text = String::new();
    for c in sample.chars().cycle() {
        if text.len() + c.len_utf8() > len {
            break;
        }
        text.push(c);
    }
    text.extend(std::iter::repeat_n('.', len - text.len()));
    text.into_bytes()
}

fn fused(bytes: &mut [u8]) -> bool {
    let mut validator = Validator::new();
    validator.unmask(&mut Mask::new(black_box(KEY)), bytes).is_ok() && validator.finish().is_ok()
}

fn pushed(bytes: &[u8]) -> bool {
    let mut validator = Validator::new();
    validator.push(bytes).is_ok() && validator.finish().is_ok()
}

fn then<T>(bytes: &mut [u8], judge: impl Fn(&[u8]) -> T) -> T {
    Mask::new(black_box(KEY)).apply(bytes);
    judge(bytes)
}

fn scripts(c: &mut Criterion) {
    for (name, sample) in SCRIPTS {
        let mut group = c.benchmark_group(format!("utf8/{name}"));
        for len in SIZES {
            let mut buffer = vec![0; OFFSET + len + 64];
            let start = buffer.as_ptr().align_offset(64) + OFFSET;
            let payload = &mut buffer[start..start + len];
            payload.copy_from_slice(&text(sample, len));
            assert!(fused(payload) && pushed(payload) && payload == text(sample, len));

            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::new("fused", len), |b| b.iter(|| fused(black_box(payload))));
            group.bench_function(BenchmarkId::new("mask", len), |b| b.iter(|| then(black_box(payload), |_| true)));
            group.bench_function(BenchmarkId::new("mask, then simdutf8", len), |b| {
                b.iter(|| then(black_box(payload), |text| simdutf8::basic::from_utf8(text).is_ok()));
            });
            group.bench_function(BenchmarkId::new("mask, then std", len), |b| {
                b.iter(|| then(black_box(payload), |text| core::str::from_utf8(text).is_ok()));
            });
            group.bench_function(BenchmarkId::new("validate", len), |b| b.iter(|| pushed(black_box(payload))));
        }
        group.finish();
    }
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200))
        .sample_size(20)
}

criterion_group!(name = benches; config = config(); targets = scripts);
criterion_main!(benches);
