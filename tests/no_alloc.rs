//! The frame codec allocates nothing, and its values stay small.

#[path = "support/heap.rs"]
mod heap;

use std::hint::black_box;

use websocket_wire::{
    CloseCode, CloseFrame, Config, Connection, DecodeError, Decoder, EncodeError, Encoder, Fragmenter, Frame, Header,
    HeaderBuf, MaskingKey, MessageRef, Opcode, RawFrame, RawFrames, Sequence, Server, Side, SliceAssembler, Status,
};

/// Returns how often `run` allocates.
fn allocations<T>(run: impl FnOnce() -> T) -> usize {
    heap::heap(|| black_box(run())).1.allocations
}

/// Feeds `bytes` in pieces of `piece`; returns how many parts came out.
fn decode(mut decoder: Decoder, bytes: &mut [u8], piece: usize) -> Result<usize, DecodeError> {
    let (mut at, mut end, mut parts) = (0, 0, 0);
    while end < bytes.len() {
        end = (end + piece).min(bytes.len());
        while let Status::Complete { value, consumed } = decoder.decode(&mut bytes[at..end])? {
            black_box((value.text(), value.close(), value.payload(), value.range()));
            at += consumed;
            parts += 1;
        }
    }
    Ok(parts)
}

/// Encodes one frame of every kind in every way that needs no heap; returns the length of them all.
fn encode<S: Side>(encoder: &mut Encoder<S>, long: &str, out: &mut [u8]) -> Result<usize, EncodeError> {
    let mut at = encoder.text("short é", out)?;
    at += encoder.text(long, &mut out[at..])?;
    at += encoder.encode(Header::new(Opcode::Binary).fragment(), long.as_bytes(), &mut out[at..])?;
    at += encoder.ping(b"ping", &mut out[at..])?;
    at += encoder.encode(Opcode::Continuation, b"end", &mut out[at..])?;
    // In place: the frame begins where the one before ended.
    let header = encoder.header(Opcode::Binary, 0)?;
    out[at..at + header.len()].copy_from_slice(&header);
    at += header.len();
    let start = encoder.encode_in_place(Opcode::Pong, 14, &mut out[at..at + 14 + 20])?;
    out.copy_within(at + start..at + 34, at);
    at += 34 - start;
    assert_eq!(encoder.encode(Opcode::Continuation, b"", out), Err(EncodeError::UnexpectedContinuation));
    assert!(matches!(encoder.text(long, &mut out[..9]), Err(EncodeError::BufferTooSmall { .. })));
    at += encoder.close(Some(CloseFrame::new(CloseCode::NORMAL, long)), &mut out[at..])?;
    Ok(at)
}

fn long_text() -> String {
    "aé€😀 and plain ASCII, ".repeat(if cfg!(miri) { 20 } else { 4000 })
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| vec![1u8; 9]), 1);
    assert_eq!(allocations(|| 1), 0);
}

#[test]
fn a_server_stream_is_encoded_and_decoded_without_an_allocation() {
    let (long, mut out) = (long_text(), vec![0; 1 << 20]);
    for piece in [1 << 20, 1000, 131, 7, 1] {
        let mut len = 0;
        assert_eq!(allocations(|| len = encode(&mut Encoder::server(), &long, &mut out).unwrap()), 0);
        let mut parts = 0;
        assert_eq!(allocations(|| parts = decode(Decoder::client(), &mut out[..len], piece).unwrap()), 0);
        assert!(parts >= 8, "{parts} parts");
    }
}

#[test]
fn a_client_stream_is_encoded_and_decoded_without_an_allocation() {
    let (long, mut out) = (long_text(), vec![0; 1 << 20]);
    let mut seed = 0u32;
    let mut key = move || {
        seed = seed.wrapping_add(0x9E37_79B9);
        MaskingKey::new(seed.to_be_bytes())
    };
    for piece in [1 << 20, 1000, 131, 7, 1] {
        let mut len = 0;
        assert_eq!(allocations(|| len = encode(&mut Encoder::client(&mut key), &long, &mut out).unwrap()), 0);
        let mut parts = 0;
        assert_eq!(allocations(|| parts = decode(Decoder::server(), &mut out[..len], piece).unwrap()), 0);
        assert!(parts >= 8, "{parts} parts");
    }
}

#[test]
fn a_message_is_cut_into_frames_and_joined_again_without_an_allocation() {
    let long = long_text();
    let (mut memory, mut wire) = (vec![0; long.len()], vec![0; 2 * long.len()]);
    let run = || {
        let (mut encoder, mut len, mut at) = (Encoder::server(), 0, 0);
        for (header, payload) in Fragmenter::new(Opcode::Text, 100).finish(long.as_bytes()) {
            len += encoder.encode(header, payload, &mut wire[len..]).unwrap();
        }
        let mut assembler = SliceAssembler::new(Config::client(), &mut memory);
        while let Status::Complete { value, consumed } = assembler.decode(&mut wire[at..len]).unwrap() {
            at += consumed;
            assert!(value.is_none_or(|message| at == len && message == MessageRef::Text(&long)));
        }
        assert_eq!(at, len);
    };
    assert_eq!(allocations(run), 0);
}

#[test]
fn a_connection_answers_without_an_allocation() {
    let mut wire = *b"\x89\x82\0\0\0\0hi\x81\x82\0\0\0\0yo\x88\x82\0\0\0\0\x03\xE8";
    let run = || {
        let (mut connection, mut at) = (Connection::server(), 0);
        while let Status::Complete { consumed, .. } = connection.receive(&mut wire[at..]).unwrap() {
            at += consumed;
        }
        assert_eq!(connection.pending_output(), b"\x8A\x02hi\x88\x02\x03\xE8");
        connection.consume_output(8);
        assert!(connection.should_close_tcp());
    };
    assert_eq!(allocations(run), 0);
}

#[test]
fn faults_are_found_without_an_allocation() {
    let faults: [(&[u8], DecodeError); 6] = [
        (b"\x81\x05ab\xFFcd", DecodeError::InvalidUtf8),
        (b"\x81\x02a\xC3", DecodeError::InvalidUtf8),
        (b"\x88\x03\x03\xE8\xFF", DecodeError::InvalidCloseReason),
        (b"\xC2\x00", DecodeError::ReservedBits),
        (b"\x82\x7F\xFF\0\0\0\0\0\0\0", DecodeError::LengthTopBit),
        (b"\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", DecodeError::FrameTooLong),
    ];
    for (wire, error) in faults {
        for piece in [100, 1] {
            let (mut wire, mut result) = (wire.to_vec(), Ok(0));
            assert_eq!(allocations(|| result = decode(Decoder::new(Config::client()), &mut wire, piece)), 0);
            assert_eq!(result, Err(error));
        }
    }
}

#[test]
fn raw_frames_are_read_without_an_allocation() {
    let wire = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x00\x82\x02";
    let mut plain = [0; 5];
    let counted = allocations(|| {
        let mut frames = RawFrames::new(wire);
        frames.next().unwrap().unwrap().unmask_to(&mut plain);
        frames.count()
    });
    assert_eq!((counted, &plain), (0, b"Hello"));
}

#[test]
fn values_stay_small() {
    // The bounds are those of a 64-bit machine; where pointers are shorter, the values are no longer.
    assert!(size_of::<Decoder>() <= 96, "{}", size_of::<Decoder>());
    assert!(size_of::<Encoder<Server>>() <= 24, "{}", size_of::<Encoder<Server>>());
    assert!(size_of::<Frame<'_>>() <= 40, "{}", size_of::<Frame<'_>>());
    assert!(size_of::<RawFrame<'_>>() <= 40, "{}", size_of::<RawFrame<'_>>());
    assert!(size_of::<Header>() <= 16, "{}", size_of::<Header>());
    assert!(size_of::<HeaderBuf>() <= 16, "{}", size_of::<HeaderBuf>());
    assert!(size_of::<Sequence>() <= 16, "{}", size_of::<Sequence>());
    assert!(size_of::<DecodeError>() <= 1, "{}", size_of::<DecodeError>());
    assert!(size_of::<EncodeError>() <= 16, "{}", size_of::<EncodeError>());
    assert!(size_of::<Result<Status<Frame<'_>>, DecodeError>>() <= 48);
    assert!(size_of::<Config>() <= 32, "{}", size_of::<Config>());
}
