//! Whole streams: roundtrips, cuts, and what an independent zlib makes and reads.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress as deflate_block, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use proptest::prelude::*;

use super::*;

const CASES: u32 = if cfg!(miri) { 2 } else { 48 };

/// Compresses with miniz_oxide, flushed and without the tail, as a message.
pub(super) fn miniz(compressor: &mut CompressorOxide, plain: &[u8]) -> Vec<u8> {
    let mut out = vec![0; plain.len() * 2 + 100];
    let (_, taken, made) = deflate_block(compressor, plain, &mut out, TDEFLFlush::Sync);
    assert_eq!(taken, plain.len());
    out.truncate(made);
    assert_eq!(out.split_off(made - 4), [0, 0, 0xFF, 0xFF]);
    out
}

pub(super) fn miniz_compressor(level: i32) -> CompressorOxide {
    CompressorOxide::new(create_comp_flags_from_zip_params(level, -15, 0))
}

fn agreements() -> impl Strategy<Value = Agreement> {
    let bits = || proptest::option::of(9u8..=15);
    (any::<bool>(), any::<bool>(), bits(), bits()).prop_map(|(server, client, server_bits, client_bits)| Agreement {
        server_no_context_takeover: server,
        client_no_context_takeover: client,
        server_max_window_bits: server_bits,
        client_max_window_bits: client_bits,
    })
}

/// Messages that repeat themselves and each other, with some that do not.
fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let words = proptest::collection::vec(
        prop_oneof![
            Just("alpha "),
            Just("beta beta "),
            Just("γάμμα "),
            Just("\u{0}"),
            Just("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        ],
        0..200,
    );
    let message = prop_oneof![
        3 => words.prop_map(|words| words.concat().into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..3000),
    ];
    proptest::collection::vec(message, 1..6)
}

/// Encodes the messages as server frames, each cut into fragments of `cut` bytes, with a ping behind every fragment.
fn encode(agreement: Agreement, messages: &[Vec<u8>], cut: usize) -> Vec<u8> {
    let (mut sending, mut scratch, mut wire) = (extensions(Role::Server, agreement), Vec::new(), Vec::new());
    for message in messages {
        let count = message.len().div_ceil(cut).max(1);
        for i in 0..count {
            let piece = &message[(i * cut).min(message.len())..((i + 1) * cut).min(message.len())];
            let opcode = if i == 0 { Opcode::Binary } else { Opcode::Continuation };
            let header = Header { fin: i + 1 == count, ..Header::new(opcode) };
            let (header, payload) = sending.encode(header, piece, &mut scratch).unwrap();
            let first = u8::from(header.fin) << 7 | header.rsv.bits() | header.opcode.bits();
            wire.extend(frame(first, payload));
            wire.extend(frame(0x89, b"between"));
        }
    }
    wire
}

fn data(messages: Vec<Message>) -> Vec<Vec<u8>> {
    let data = messages.into_iter().filter_map(|message| match message {
        Message::Binary(payload) => Some(payload.to_vec()),
        _ => None,
    });
    data.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(agreement in agreements(), messages in messages(), cut in 1usize..4000, read in 1usize..5000) {
        let wire = encode(agreement, &messages, cut);
        let received = feed(&mut client(agreement), &wire, read).unwrap();
        prop_assert_eq!(data(received), messages);
    }

    #[test]
    fn a_fault_is_the_same_however_the_stream_is_cut(
        messages in messages(),
        at in any::<prop::sample::Index>(),
        flip in 1u8..=255,
        bits in 9u8..=15,
        read in 1usize..600,
    ) {
        let agreement = Agreement { server_max_window_bits: Some(bits), ..Agreement::DEFAULT };
        let plain = messages.concat();
        let mut payload = deflate(&mut extensions(Role::Server, agreement), &plain).unwrap();
        let at = at.index(payload.len());
        payload[at] ^= flip;
        // Long frames first, short ones next, one byte each last: the frames differ, the verdict on the data may not.
        let whole = feed(&mut client(agreement), &frame(0xC2, &payload), usize::MAX);
        prop_assert_eq!(&feed(&mut client(agreement), &frame(0xC2, &payload), read), &whole);
        prop_assert_eq!(&feed(&mut client(agreement), &fragments(0xC2, &payload, 1), usize::MAX), &whole);
        prop_assert_eq!(&feed(&mut client(agreement), &fragments(0xC2, &payload, read), 1 + read / 2), &whole);
        // An independent zlib agrees where the window is the largest, which is all that it knows.
        if bits == 15 {
            let ended = [&payload[..], &[0, 0, 0xFF, 0xFF, 0x03, 0x00]].concat();
            let limit = 64 << 20;
            if let (Ok(messages), Ok(other)) = (&whole, decompress_to_vec_with_limit(&ended, limit))
                && !payload.is_empty()
            {
                prop_assert!(data(messages.clone())[0].starts_with(&other) || data(messages.clone())[0] == other);
            }
        }
    }

    #[test]
    fn an_independent_zlib_reads_what_is_sent(messages in messages()) {
        let mut sending = extensions(Role::Server, Agreement::DEFAULT);
        let mut stream = Vec::new();
        for message in &messages {
            stream.extend(deflate(&mut sending, message).unwrap());
            stream.extend([0, 0, 0xFF, 0xFF]);
        }
        stream.extend([0x03, 0x00]); // an empty final block
        prop_assert_eq!(decompress_to_vec_with_limit(&stream, 1 << 24).unwrap(), messages.concat());
    }

    #[test]
    fn what_an_independent_zlib_sends_is_read(messages in messages(), level in 0i32..=9, read in 1usize..5000) {
        let (mut compressor, mut wire) = (miniz_compressor(level), Vec::new());
        for message in messages.iter().filter(|message| !message.is_empty()) {
            wire.extend(frame(0xC2, &miniz(&mut compressor, message)));
        }
        let received = feed(&mut client(Agreement::DEFAULT), &wire, read).unwrap();
        let expected: Vec<Vec<u8>> = messages.into_iter().filter(|message| !message.is_empty()).collect();
        prop_assert_eq!(data(received), expected);
    }

    #[test]
    fn no_payload_makes_it_panic_or_go_over_the_limit(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        let result = feed(&mut limited(5000), &frame(0xC2, &payload), usize::MAX);
        if let Ok(messages) = result {
            prop_assert!(data(messages).iter().all(|message| message.len() <= 5000));
        }
    }
}

#[test]
fn long_messages_of_every_kind_are_what_an_independent_zlib_made_them() {
    let lengths = if cfg!(miri) { 1..2 } else { 1..8 };
    for level in [1, 6, 9] {
        let (mut compressor, mut receiving) = (miniz_compressor(level), client(Agreement::DEFAULT));
        for len in lengths.clone().map(|i| i * 37_000) {
            for plain in [json(len), noise(len), vec![7; len]] {
                let wire = frame(0xC2, &miniz(&mut compressor, &plain));
                assert!(feed(&mut receiving, &wire, 4096) == Ok(vec![binary(plain)]), "level {level}, {len} bytes");
            }
        }
    }
}
