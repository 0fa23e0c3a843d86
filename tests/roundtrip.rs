//! What is encoded is decoded again, and every way to encode a frame gives the bytes that the RFC gives.

mod support;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::Index;
use support::arbitrary;
use support::build::{Built, frame};
use support::harness;
use support::oracle::Rules;
use support::send::{self, Way};
use websocket_wire::{Claims, Decoder, EncodeError, Encoder, Opcode, Rsv, Side, Status};

fn claims() -> Claims {
    Claims::NONE.message_rsv(Rsv::RSV1).opcode(Opcode::Data4)
}

/// Returns the rules of the end that receives from a client, or from a server.
fn rules(from_client: bool) -> Rules {
    Rules { message_rsv: 0x40, opcodes: vec![4], ..Rules::strict(from_client) }
}

/// Encodes all frames with a fresh encoder; `way` says how each is to be encoded.
fn encode(frames: &[Built], from_client: bool, way: impl Fn(usize) -> Way) -> Vec<u8> {
    fn all<S: Side>(encoder: &mut Encoder<S>, frames: &[Built], way: impl Fn(usize) -> Way) -> Vec<u8> {
        let send = |(i, frame): (usize, &Built)| send::send(encoder, way(i), send::header(frame), &frame.payload);
        frames.iter().enumerate().map(send).collect::<Result<Vec<_>, EncodeError>>().unwrap().concat()
    }
    let draws = Cell::new(0);
    if from_client {
        all(&mut Encoder::client(send::keys(&draws)).claims(claims()), frames, way)
    } else {
        all(&mut Encoder::server().claims(claims()), frames, way)
    }
}

/// Returns the frames as the naive encoder is to write them: from a client, with the keys in the order of the draws.
fn expected(frames: &[Built], from_client: bool) -> Vec<Built> {
    let keyed = |(n, frame): (u32, &Built)| Built { key: from_client.then(|| send::key(n)), ..frame.clone() };
    (1..).zip(frames).map(keyed).collect()
}

/// Decodes a stream that is all here into frames, which must be whole.
fn decode(mut bytes: Vec<u8>, rules: &Rules) -> Vec<Built> {
    let (mut decoder, mut at, mut frames) = (Decoder::new(rules.config()), 0, Vec::new());
    while let Status::Complete { value, consumed } = decoder.decode(&mut bytes[at..]).unwrap() {
        assert!(value.is_first_part() && value.is_last_part());
        let header = *value.header();
        let key = header.mask.map(|key| key.to_bytes());
        let frame = frame(header.opcode.bits(), value.payload()).rsv(header.rsv.bits());
        frames.push(Built { fin: header.fin, key, ..frame });
        at += consumed;
    }
    assert_eq!(at, bytes.len());
    frames
}

proptest! {
    #![proptest_config(support::cases(1500))]

    #[test]
    fn every_way_to_encode_gives_the_same_bytes_and_they_decode_to_the_same_frames(
        frames in arbitrary::valid_stream(),
        from_client in any::<bool>(),
        mix in prop::collection::vec(any::<Index>(), 1..9),
        cuts in prop::collection::vec(any::<Index>(), 0..5),
    ) {
        let expected = expected(&frames, from_client);
        let bytes = support::build::stream(&expected);
        let ways = send::ways();
        for way in &ways {
            prop_assert_eq!(&encode(&frames, from_client, |_| *way), &bytes, "{:?}", way);
        }
        let mixed = encode(&frames, from_client, |i| *mix[i % mix.len()].get(&ways));
        prop_assert_eq!(&mixed, &bytes);
        prop_assert_eq!(decode(bytes.clone(), &rules(from_client)), expected);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        harness::check(&rules(from_client), &bytes, cuts);
    }
}

#[test]
fn every_length_around_a_vector_and_around_a_length_form_survives() {
    let boundaries = [65_534, 65_535, 65_536, 65_537].into_iter().filter(|_| !cfg!(miri));
    for len in (0..300).step_by(if cfg!(miri) { 37 } else { 1 }).chain(boundaries) {
        let payload: Vec<u8> = (0..len).map(|i| (i * 7 + i / 256) as u8).collect();
        let frames = [frame(2, payload)];
        for from_client in [false, true] {
            let expected = expected(&frames, from_client);
            for way in send::ways() {
                let bytes = encode(&frames, from_client, |_| way);
                assert_eq!(bytes, expected[0].wire(), "{way:?}, {len}");
                assert_eq!(decode(bytes, &rules(from_client)), expected, "{way:?}, {len}");
            }
        }
    }
}
