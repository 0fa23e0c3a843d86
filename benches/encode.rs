//! Encoding: a client's and a server's frames, into a slice, in front of a payload that lies in its place, and appended to a
//! buffer that grows.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_wire::{Decoder, Encoder, Header, MaskingKey, Opcode, Side, Status};

const SIZES: [usize; 10] = [4, 16, 31, 64, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20];

/// A weak source of keys: this is about the encoder.
fn keys() -> impl FnMut() -> MaskingKey {
    let mut state = 1u32;
    move || {
        state = state.wrapping_mul(0x915f_77f5).wrapping_add(1);
        MaskingKey::new(state.to_ne_bytes())
    }
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31) as u8).collect()
}

fn assert_frame(mut decoder: Decoder, frame: &mut [u8], payload: &[u8]) {
    let len = frame.len();
    let Ok(Status::Complete { value, consumed }) = decoder.decode(frame) else { panic!("a whole frame") };
    assert_eq!((value.message_opcode(), consumed), (Opcode::Binary, len));
    assert!(value.payload() == payload);
}

fn one_side<S: Side>(c: &mut Criterion, name: &str, mut encoder: Encoder<S>, decoder: fn() -> Decoder) {
    for len in SIZES {
        let payload = payload(len);
        let mut out = vec![0; len + Header::MAX_LEN];
        let mut group = c.benchmark_group(format!("encode/{name}"));
        group.throughput(Throughput::Bytes(len as u64));

        let n = encoder.binary(&payload, &mut out).unwrap();
        assert_frame(decoder(), &mut out[..n], &payload);
        group.bench_function(BenchmarkId::new("into a slice", len), |b| {
            b.iter(|| encoder.binary(black_box(&payload), black_box(&mut out)).unwrap());
        });

        out[Header::MAX_LEN..].copy_from_slice(&payload);
        let start = encoder.encode_in_place(Opcode::Binary, Header::MAX_LEN, &mut out).unwrap();
        assert_frame(decoder(), &mut out[start..], &payload);
        group.bench_function(BenchmarkId::new("in place", len), |b| {
            b.iter(|| encoder.encode_in_place(Opcode::Binary, Header::MAX_LEN, black_box(&mut out)).unwrap());
        });

        let mut grown = Vec::new();
        encoder.encode_to(Opcode::Binary, &payload, &mut grown).unwrap();
        assert_frame(decoder(), &mut grown, &payload);
        group.bench_function(BenchmarkId::new("appended", len), |b| {
            b.iter(|| {
                grown.clear();
                encoder.encode_to(Opcode::Binary, black_box(&payload), black_box(&mut grown)).unwrap();
            });
        });
        group.finish();
    }
}

fn client(c: &mut Criterion) {
    one_side(c, "client", Encoder::client(keys()), Decoder::server);
}

fn server(c: &mut Criterion) {
    one_side(c, "server", Encoder::server(), Decoder::client);
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(250))
        .sample_size(20)
}

criterion_group!(name = benches; config = config(); targets = client, server);
criterion_main!(benches);
