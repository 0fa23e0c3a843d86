//! Decoding: runs of small frames, and frames of any size, from one buffer; every check on.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_wire::{Config, Decoder, Encoder, Limits, MaskingKey, Opcode, Status};

const SIZES: [usize; 10] = [4, 16, 31, 64, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20];

const TEXTS: [(&str, &str); 5] = [
    ("ASCII", "see you at six, by the door; "),
    ("Latin", "Größe, forêt, mañana, façade; "),
    ("Cyrillic", "Увидимся завтра в шесть часов. "),
    ("Chinese", "明天下午三点在老地方见面好吗。"),
    ("emoji", "🚀🎉👍😂🔥🙏"),
];

/// Frames of a client. Their key is zero, so that unmasking in place leaves the input as it was and every round is the same;
/// the decoder does not look.
fn wire(opcode: Opcode, payloads: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = Encoder::client(|| MaskingKey::new([0; 4]));
    let mut wire = Vec::new();
    for payload in payloads {
        let start = wire.len();
        wire.resize(start + payload.len() + 14, 0);
        let len = encoder.encode(opcode, &payload, &mut wire[start..]).unwrap();
        wire.truncate(start + len);
    }
    wire
}

/// Text of at most `len` bytes.
fn text(phrase: &str, len: usize) -> Vec<u8> {
    let mut text = String::new();
    text.extend(phrase.chars().cycle().scan(0, |taken, c| {
        *taken += c.len_utf8();
        (*taken <= len).then_some(c)
    }));
    text.into_bytes()
}

/// Decodes all that is there; returns the frames that ended a message, and the bytes of payload.
fn decode(decoder: &mut Decoder, wire: &mut [u8]) -> (usize, usize) {
    let (mut at, mut messages, mut bytes) = (0, 0, 0);
    while let Status::Complete { value: frame, consumed } = decoder.decode(&mut wire[at..]).unwrap() {
        bytes += black_box(frame.payload()).len();
        messages += usize::from(frame.ends_message());
        at += consumed;
    }
    assert_eq!(at, wire.len());
    (messages, bytes)
}

fn bench(c: &mut Criterion, group: &str, id: BenchmarkId, mut wire: Vec<u8>, expected: (usize, usize)) {
    let mut decoder = Decoder::new(Config::server().limits(Limits::NONE));
    let before = wire.clone();
    assert_eq!(decode(&mut decoder, &mut wire), expected);
    assert!(wire == before);
    let mut group = c.benchmark_group(group);
    match expected {
        (1, bytes) => group.throughput(Throughput::Bytes(bytes as u64)),
        (messages, _) => group.throughput(Throughput::Elements(messages as u64)),
    };
    group.bench_function(id, |b| b.iter(|| decode(black_box(&mut decoder), black_box(&mut wire))));
    group.finish();
}

fn sizes(c: &mut Criterion) {
    for len in SIZES {
        let count = (16 << 10 >> len.ilog2()).clamp(1, 512);
        let binary = wire(Opcode::Binary, (0..count).map(|_| vec![0xa5; len]));
        bench(c, "decode/binary", BenchmarkId::from_parameter(len), binary, (count, count * len));
        for (script, phrase) in TEXTS {
            let payload = text(phrase, len);
            let bytes = count * payload.len();
            let wire = wire(Opcode::Text, (0..count).map(|_| payload.clone()));
            bench(c, "decode/text", BenchmarkId::new(script, len), wire, (count, bytes));
        }
    }
}

fn unlearnt_lengths(c: &mut Criterion) {
    for (max, opcode) in [(64, Opcode::Binary), (64, Opcode::Text), (125, Opcode::Binary), (125, Opcode::Text)] {
        let mut state = 7u64;
        let payloads: Vec<_> = (0..8192)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text(TEXTS[0].1, (state >> 33) as usize % (max + 1))
            })
            .collect();
        let expected = (payloads.len(), payloads.iter().map(Vec::len).sum());
        let id = BenchmarkId::new(format!("{opcode:?}"), format!("0-{max}"));
        bench(c, "decode/unlearnt lengths", id, wire(opcode, payloads.into_iter()), expected);
    }
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(250))
        .sample_size(20)
}

criterion_group!(name = benches; config = config(); targets = sizes, unlearnt_lengths);
criterion_main!(benches);
