//! What a `Connection` costs over a `Decoder` and an `Encoder`: runs of small frames through both, side by side.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_wire::{Connection, Decoder, Encoder, MaskingKey, Opcode, Server, Status};

const COUNT: usize = 512;

/// Frames of a client. Their key is zero, so that unmasking in place leaves the input as it was and every round is the
/// same.
fn wire(opcode: Opcode, len: usize) -> Vec<u8> {
    let mut encoder = Encoder::client(|| MaskingKey::new([0; 4]));
    let mut wire = vec![0; COUNT * (len + 6)];
    for frame in wire.chunks_mut(len + 6) {
        assert_eq!(encoder.encode(opcode, &vec![b'x'; len], frame), Ok(len + 6));
    }
    wire
}

/// A loop that takes all frames of `wire` with one method; returns the messages and the bytes of payload.
macro_rules! drain {
    ($receiver:expr, $method:ident, $wire:expr) => {{
        let (mut at, mut messages, mut bytes) = (0, 0, 0);
        while let Status::Complete { value: frame, consumed } = $receiver.$method(&mut $wire[at..]).unwrap() {
            bytes += black_box(frame.payload()).len();
            messages += usize::from(frame.ends_message());
            at += consumed;
        }
        (messages, bytes)
    }};
}

#[inline(never)]
fn decode(decoder: &mut Decoder, wire: &mut [u8]) -> (usize, usize) {
    drain!(decoder, decode, wire)
}

#[inline(never)]
fn receive(connection: &mut Connection<Server>, wire: &mut [u8]) -> (usize, usize) {
    drain!(connection, receive, wire)
}

#[inline(never)]
fn encode(encoder: &mut Encoder<Server>, payload: &[u8], out: &mut [u8]) -> usize {
    (0..COUNT).fold(0, |at, _| at + encoder.binary(payload, &mut out[at..]).unwrap())
}

#[inline(never)]
fn send(connection: &mut Connection<Server>, payload: &[u8], out: &mut [u8]) -> usize {
    (0..COUNT).fold(0, |at, _| at + connection.encoder().unwrap().binary(payload, &mut out[at..]).unwrap())
}

fn benches(c: &mut Criterion) {
    let (mut decoder, mut encoder, mut connection) = (Decoder::server(), Encoder::server(), Connection::server());
    for len in [20, 64, 125] {
        for opcode in [Opcode::Binary, Opcode::Text] {
            let mut wire = wire(opcode, len);
            assert_eq!(decode(&mut decoder, &mut wire), (COUNT, COUNT * len));
            assert_eq!(receive(&mut connection, &mut wire), (COUNT, COUNT * len));
            let mut group = c.benchmark_group(format!("connection/receive {opcode:?}"));
            group.throughput(Throughput::Elements(COUNT as u64));
            group.bench_function(BenchmarkId::new("Decoder", len), |b| b.iter(|| decode(&mut decoder, &mut wire)));
            group.bench_function(BenchmarkId::new("Connection", len), |b| {
                b.iter(|| receive(&mut connection, &mut wire))
            });
        }
        let (payload, mut out) = (vec![7; len], vec![0; COUNT * (len + 2)]);
        assert_eq!(encode(&mut encoder, &payload, &mut out), out.len());
        assert_eq!(send(&mut connection, &payload, &mut out), out.len());
        let mut group = c.benchmark_group("connection/send");
        group.throughput(Throughput::Elements(COUNT as u64));
        group.bench_function(BenchmarkId::new("Encoder", len), |b| b.iter(|| encode(&mut encoder, &payload, &mut out)));
        group.bench_function(BenchmarkId::new("Connection", len), |b| {
            b.iter(|| send(&mut connection, &payload, &mut out))
        });
    }
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(250))
        .sample_size(20)
}

criterion_group!(name = all; config = config(); targets = benches);
criterion_main!(all);
