//! Fragmenting: any message, cut into any chunks, decodes to the same message from either side.

mod support;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::Index;
use support::build::{Built, frame, stream};
use support::harness;
use support::oracle::{Oracle, Rules, Verdict};
use support::send;
use websocket_wire::{Claims, EncodeError, Encoder, Fragmenter, Header, Opcode, Rsv, Side};

/// What the fragmenter is to do, written down naively: chunk after chunk in pieces of `max_len`, and FIN on the last.
fn expected(opcode: u8, chunks: &[Vec<u8>], max_len: usize) -> Vec<Built> {
    let (last, chunks) = chunks.split_last().unwrap();
    let mut pieces: Vec<&[u8]> = chunks.iter().flat_map(|chunk| chunk.chunks(max_len)).collect();
    pieces.extend(last.chunks(max_len));
    if last.is_empty() {
        pieces.push(&[]);
    }
    let count = pieces.len();
    let built = |(i, piece)| Built { fin: i + 1 == count, ..frame(if i == 0 { opcode } else { 0 }, piece) };
    pieces.into_iter().enumerate().map(built).collect()
}

/// Sends the chunks as one message, with a ping behind every frame where `pings`.
fn wire<S: Side>(mut encoder: Encoder<S>, header: Header, chunks: &[Vec<u8>], max_len: usize, pings: bool) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut put = |header, payload: &[u8]| {
        let mut out = vec![0; Header::MAX_LEN + payload.len()];
        let len = encoder.encode(header, payload, &mut out).unwrap();
        wire.extend_from_slice(&out[..len]);
    };
    let mut send = |frames: websocket_wire::Fragments<'_>| {
        let count = frames.len();
        let sent = frames.map(|(header, payload)| {
            assert_eq!(header.payload_len, payload.len() as u64);
            put(header, payload);
            if pings {
                put(Opcode::Ping.into(), b"?");
            }
        });
        assert_eq!(sent.count(), count);
    };
    let (last, chunks) = chunks.split_last().unwrap();
    let mut fragmenter = Fragmenter::new(header, max_len);
    chunks.iter().for_each(|chunk| send(fragmenter.chunk(chunk)));
    send(fragmenter.finish(last));
    assert_eq!(encoder.finish(), Ok(()));
    wire
}

fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let chunk = prop_oneof![Just(String::new()), "[aé€😀]{0,40}", "[a-z]{0,300}"];
    // Chunks are cut at bytes, also within code points.
    (prop::collection::vec(chunk, 1..5), any::<Index>()).prop_map(|(chunks, cut)| {
        let whole = chunks.concat().into_bytes();
        let (front, back) = whole.split_at(cut.index(whole.len() + 1));
        let mut chunks: Vec<_> = front.chunks(7).map(<[u8]>::to_vec).collect();
        chunks.push(Vec::new());
        chunks.push(back.to_vec());
        chunks
    })
}

proptest! {
    #![proptest_config(support::cases(400))]

    #[test]
    fn chunks_become_frames_that_decode_to_the_message(
        chunks in chunks(),
        max_len in prop_oneof![1usize..9, 100usize..200, Just(usize::MAX)],
        is_text in any::<bool>(),
        pings in any::<bool>(),
        cuts in prop::collection::vec(any::<Index>(), 0..5),
    ) {
        let opcode = if is_text { 1 } else { 2 };
        let mut frames = expected(opcode, &chunks, max_len);
        if pings {
            frames = frames.into_iter().flat_map(|built| [built, frame(9, "?")]).collect();
        }
        let header = Header::new(Opcode::from_bits(opcode).unwrap());
        let from_server = wire(Encoder::server(), header, &chunks, max_len, pings);
        prop_assert_eq!(&from_server, &stream(&frames));

        let draws = Cell::new(0);
        let from_client = wire(Encoder::client(send::keys(&draws)), header, &chunks, max_len, pings);
        let keyed: Vec<_> = (1..).zip(&frames).map(|(n, frame)| frame.clone().key(send::key(n))).collect();
        prop_assert_eq!(&from_client, &stream(&keyed));

        for (is_server, bytes) in [(false, from_server), (true, from_client)] {
            let rules = Rules::strict(is_server);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.sort_unstable();
            harness::check(&rules, &bytes, cuts);
            let oracle = Oracle::of(&rules, &bytes);
            prop_assert_eq!(oracle.verdict, Verdict::Open);
            let data = oracle.frames.iter().filter(|frame| frame.opcode < 8);
            prop_assert_eq!(data.flat_map(|frame| frame.payload.clone()).collect::<Vec<_>>(), chunks.concat());
        }
    }
}

#[test]
fn every_length_around_a_multiple_is_cut_into_the_fewest_frames() {
    for max_len in 1..6 {
        for len in 0..20usize {
            let message = vec![7; len];
            let frames: Vec<_> = Fragmenter::new(Opcode::Binary, max_len).finish(&message).collect();
            assert_eq!(frames.len(), len.div_ceil(max_len).max(1), "{len} by {max_len}");
            assert!(frames.iter().all(|(_, payload)| payload.len() <= max_len));
            assert!(frames.iter().enumerate().all(|(i, (header, _))| header.fin == (i + 1 == frames.len())));
            let payloads: Vec<_> = frames.iter().map(|(_, payload)| *payload).collect();
            assert_eq!(payloads.concat(), message);
        }
    }
}

#[test]
fn reserved_bits_stand_on_the_first_frame_only_also_behind_empty_chunks() {
    let header = Header::new(Opcode::Text).with_rsv(Rsv::RSV1);
    let claims = Claims::NONE.message_rsv(Rsv::RSV1);
    let chunks = [vec![], b"ab".to_vec(), vec![], b"c".to_vec()];
    let bytes = wire(Encoder::server().claims(claims), header, &chunks, 1, false);
    assert_eq!(bytes, b"\x41\x01a\x00\x01b\x80\x01c");
    let bytes = wire(Encoder::server().claims(claims), header, &[vec![]], 1, false);
    assert_eq!(bytes, b"\xC1\x00");
}

#[test]
fn fin_and_mask_of_the_header_that_is_given_do_not_matter() {
    let header = Header { fin: false, payload_len: 99, ..Header::new(Opcode::Binary) };
    assert_eq!(wire(Encoder::server(), header, &[b"x".to_vec()], 5, false), b"\x82\x01x");
}

#[test]
fn what_is_no_message_is_refused_by_the_encoder() {
    let mut out = [0; 16];
    let mut first = |opcode| {
        let (header, payload) = Fragmenter::new(opcode, 2).finish(b"abc").next().unwrap();
        Encoder::server().encode(header, payload, &mut out)
    };
    assert_eq!(first(Opcode::Ping), Err(EncodeError::FragmentedControl));
    assert_eq!(first(Opcode::Continuation), Err(EncodeError::UnexpectedContinuation));
    assert_eq!(first(Opcode::Data3), Err(EncodeError::ReservedOpcode));
}

#[test]
fn a_message_begun_within_another_is_refused_and_the_first_goes_on() {
    let (mut encoder, mut out) = (Encoder::server(), [0; 16]);
    let mut one = Fragmenter::new(Opcode::Text, 9);
    let (header, payload) = one.chunk(b"a").next().unwrap();
    encoder.encode(header, payload, &mut out).unwrap();
    let (header, payload) = Fragmenter::new(Opcode::Text, 9).finish(b"b").next().unwrap();
    assert_eq!(encoder.encode(header, payload, &mut out), Err(EncodeError::UnfinishedMessage));
    assert_eq!(encoder.finish(), Err(EncodeError::UnfinishedMessage));
    let (header, payload) = one.finish(b"c").next().unwrap();
    assert_eq!(encoder.encode(header, payload, &mut out), Ok(3));
    assert_eq!((&out[..3], encoder.finish()), (&b"\x80\x01c"[..], Ok(())));
}

#[test]
#[should_panic(expected = "0 bytes")]
fn fragments_of_no_bytes_panic() {
    let _ = Fragmenter::new(Opcode::Text, 0);
}
