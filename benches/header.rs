//! The frame header alone: parsing and encoding, each form of the length, and forms mixed in an order not learnt.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_wire::{Header, MaskingKey, Opcode, Status};

const COUNT: usize = 4096;

/// The payload lengths of a bench.
fn lengths(name: &str) -> Vec<u64> {
    let mut state = 1u64;
    let mut draw = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let one = |len| vec![len; COUNT];
    match name {
        "7-bit" => one(20),
        "16-bit" => one(1000),
        "64-bit" => one(100_000),
        _ => (0..COUNT).map(|_| [20, 1000, 100_000][(draw() % 3) as usize]).collect(),
    }
}

const NAMES: [&str; 4] = ["7-bit", "16-bit", "64-bit", "unlearnt"];

fn header(payload_len: u64) -> Header {
    let mask = Some(MaskingKey::new((payload_len as u32 | 1 << 31).to_be_bytes()));
    Header { mask, payload_len, ..Header::new(Opcode::Text) }
}

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("header/parse");
    group.throughput(Throughput::Elements(COUNT as u64));
    for name in NAMES {
        let lengths = lengths(name);
        let (mut wire, mut places) = (Vec::new(), Vec::new());
        for &len in &lengths {
            places.push(wire.len());
            wire.extend_from_slice(&header(len).encode().unwrap());
        }
        let sum = |wire: &[u8], places: &[usize]| {
            places.iter().fold(0, |sum, &at| match Header::parse(&wire[at..]) {
                Ok(Status::Complete { value, .. }) => sum + value.payload_len,
                _ => unreachable!("whole headers"),
            })
        };
        assert_eq!(sum(&wire, &places), lengths.iter().sum::<u64>());
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| sum(black_box(&wire), black_box(&places)));
        });
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("header/encode");
    group.throughput(Throughput::Elements(COUNT as u64));
    for name in NAMES {
        let headers: Vec<_> = lengths(name).into_iter().map(header).collect();
        for header in &headers {
            let bytes = header.encode().unwrap();
            assert_eq!(Header::parse(&bytes), Ok(Status::Complete { value: *header, consumed: bytes.len() }));
        }
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| black_box(&headers).iter().for_each(|header| _ = black_box(header.encode())));
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

criterion_group!(name = benches; config = config(); targets = parse, encode);
criterion_main!(benches);
