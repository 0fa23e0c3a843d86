//! What messages take of the heap: bounded by the limit and by what has arrived, whatever the peer sends, as the
//! documentation of `Assembler` and `SendQueue` states.
#![cfg(feature = "alloc")]

#[path = "support/heap.rs"]
mod heap;

use bytes::{Bytes, BytesMut};
use websocket_wire::{
    Assembler, Config, DecodeError, Encoder, Fragmenter, Header, Limits, Message, Opcode, PreparedFrame, SendQueue,
};

use heap::heap;

/// How much the tests do: less where each step is interpreted.
const SCALE: usize = if cfg!(miri) { 100 } else { 1 };

/// The input buffer of `feed`, an empty message's allocations, and a control frame.
const CONSTANT: usize = 2 * READ + 512;

const READ: usize = 4096;

fn limited(message_len: u64, fragments: u32) -> Assembler {
    Assembler::new(Config::client().limits(Limits { frame_len: message_len, message_len, fragments }))
}

/// Feeds the wire in reads of 4 KiB; returns the length of the data messages, which it drops.
fn feed<'a>(assembler: &mut Assembler, wire: impl IntoIterator<Item = &'a [u8]>) -> Result<usize, DecodeError> {
    let (mut input, mut total) = (BytesMut::with_capacity(2 * READ), 0);
    for piece in wire.into_iter().flat_map(|piece| piece.chunks(READ)) {
        input.extend_from_slice(piece);
        while let Some(message) = assembler.next_message(&mut input)? {
            total += match message {
                Message::Binary(payload) => payload.len(),
                _ => 0,
            };
        }
    }
    Ok(total)
}

/// A server's message of `len` bytes in frames of `piece`, a ping behind each; without its last frame if `is_open`.
fn message(len: usize, piece: usize, is_open: bool) -> Vec<u8> {
    let (mut encoder, mut wire, payload) = (Encoder::server(), Vec::new(), vec![7; len]);
    for (header, payload) in Fragmenter::new(Opcode::Binary, piece).finish(&payload) {
        if !(is_open && header.fin) {
            encoder.encode_to(header, payload, &mut wire).unwrap();
            encoder.encode_to(Opcode::Ping, b"?", &mut wire).unwrap();
        }
    }
    wire
}

#[test]
fn a_message_takes_its_limit_and_not_more_however_it_is_cut() {
    for limit in [1000, 4096, 65_537, 1_000_000, 1 << 20].map(|limit| limit / SCALE) {
        for len in [limit, limit - 1, limit / 2 + 1, limit / 2] {
            for piece in [1, 100, 5000, usize::MAX].into_iter().filter(|piece| len / piece < 20_000) {
                let wire = message(len, piece, false);
                let mut assembler = limited(limit as u64, u32::MAX);
                let (result, heap) = heap(|| feed(&mut assembler, [&wire[..]]));
                assert_eq!(result, Ok(len));
                let what = format!("limit {limit}, {len} bytes in {piece}: {heap:?}");
                assert!(heap.peak <= limit + CONSTANT, "{what}");
                assert!(heap.peak_copied <= limit + limit / 2 + CONSTANT, "{what}");
                assert_eq!(heap.held, 0, "nothing is held between messages; {what}");
            }
        }
    }
}

#[test]
fn an_empty_fragment_takes_nothing_where_the_message_is_as_long_as_its_limit() {
    for first in [0x01, 0x02] {
        for limit in [64, 1000, 65_536 / SCALE] {
            let start = [&[first, 0xFF][..], &(limit as u64).to_be_bytes(), &[0; 4]].concat();
            // Masked with zeros, in the length of eight bytes; two empty fragments behind it.
            let wire = [start, vec![b'a'; limit], vec![0, 0x80, 1, 2, 3, 4], vec![0x80, 0x80, 1, 2, 3, 4]].concat();
            let config = Config::server().allow_non_minimal_length();
            let limits = Limits { frame_len: limit as u64, message_len: limit as u64, fragments: 3 };
            let mut assembler = Assembler::new(config.limits(limits));
            let (result, heap) = heap(|| feed(&mut assembler, [&wire[..]]));
            assert_eq!(result, Ok(if first == 0x02 { limit } else { 0 }));
            assert!(heap.peak <= limit + CONSTANT, "limit {limit}: {heap:?}");
        }
    }
}

#[test]
fn a_message_that_never_ends_takes_less_than_twice_what_has_arrived() {
    let limit = (16 << 20) / SCALE;
    for len in [1, 100, 5000, 100_000 / SCALE, 3_000_000 / SCALE] {
        for piece in [len.div_ceil(3000), 4096] {
            let wire = message(len + piece, piece, true);
            let mut assembler = limited(limit as u64, u32::MAX);
            let (result, heap) = heap(|| feed(&mut assembler, [&wire[..]]));
            assert_eq!(result, Ok(0));
            assert!(heap.peak <= 2 * (len + piece) + CONSTANT, "{len} bytes in {piece}: {heap:?}");
        }
    }
}

#[test]
fn a_million_fragments_of_one_byte_take_a_million_bytes_and_few_allocations() {
    let count = 1_000_000 / SCALE;
    let (begin, next, end) = (&b"\x02\x01a"[..], b"\x00\x01b".repeat(1000), &b"\x80\x01c"[..]);
    let wire = || [begin].into_iter().chain((0..count / 1000).map(|_| &next[..])).chain([end]);
    let mut assembler = limited(count as u64 + 2, u32::MAX);
    let (result, heap) = heap(|| feed(&mut assembler, wire()));
    assert_eq!(result, Ok(count + 2));
    assert!(heap.peak <= count + CONSTANT, "{heap:?}");
    assert!(heap.allocations < 50, "{heap:?}");
    // By default so many are refused.
    let (result, heap) = heap::heap(|| feed(&mut Assembler::new(Config::client()), wire()));
    assert_eq!(result, if SCALE == 1 { Err(DecodeError::TooManyFragments) } else { Ok(count + 2) });
    assert!(heap.peak <= 2 * count.min(1 << 17) + CONSTANT, "{heap:?}");
}

#[test]
fn empty_fragments_take_nothing_and_are_refused_by_their_count() {
    let next = b"\x00\x00".repeat(10_000);
    let wire = [&b"\x02\x00"[..]].into_iter().chain((0..20).map(|_| &next[..]));
    let (result, heap) = heap(|| feed(&mut Assembler::new(Config::client()), wire));
    assert_eq!(result, Err(DecodeError::TooManyFragments));
    assert!(heap.peak <= CONSTANT, "{heap:?}");
}

#[test]
fn a_declared_length_reserves_no_more_than_has_arrived() {
    let mut header = Header::new(Opcode::Binary);
    header.payload_len = 16 << 20;
    let wire = [&header.encode().unwrap()[..], &[0; 100]].concat();
    for fin in [0x80, 0] {
        let wire = [&[wire[0] & 0x7F | fin], &wire[1..]].concat();
        let mut assembler = Assembler::new(Config::client());
        let (result, heap) = heap(|| feed(&mut assembler, [&wire[..]]));
        assert_eq!(result, Ok(0));
        assert!(heap.peak <= 200 + CONSTANT, "{heap:?}");
    }
}

#[test]
fn a_joined_message_is_held_in_less_than_twice_its_length_and_compacted_in_exactly_that() {
    for len in [1000, 5000, 65_537, 1_000_000].map(|len| len / SCALE) {
        let wire = message(len, len / 2 + 1, false);
        let mut input = BytesMut::from(&wire[..]);
        let mut assembler = Assembler::new(Config::client());
        let next = || loop {
            match assembler.next_message(&mut input).unwrap() {
                Some(Message::Binary(payload)) => break Message::Binary(payload),
                _ => continue,
            }
        };
        let (message, heap) = heap(next);
        assert!(heap.held <= 2 * len as isize + 64, "{len}: {heap:?}");
        let (compacted, heap) = heap::heap(|| message.compacted());
        assert_eq!((&compacted, heap.held), (&message, len as isize));
    }
}

#[test]
fn a_million_short_messages_in_the_queue_take_what_they_are_long() {
    let count = 1_000_000 / SCALE;
    let mut queue = SendQueue::new(Encoder::server());
    let (_, heap) = heap(|| {
        for _ in 0..count {
            queue.push_copy(Opcode::Binary, b"x").unwrap();
        }
    });
    assert_eq!((queue.len(), queue.messages()), (3 * count, count));
    assert!(heap.held as usize <= 3 * count + 3 * count / 10 + (8 << 10), "{heap:?}");
    assert!(heap.peak_copied <= 3 * count + 3 * count / 10 + (8 << 10), "{heap:?}");
    let (written, heap) = heap::heap(|| {
        let mut written = 0;
        while !queue.is_empty() {
            let len = queue.len().min(1009);
            queue.advance(len);
            written += len;
        }
        written
    });
    assert_eq!((written, queue.messages()), (3 * count, 0));
    assert!(heap.allocations == 0, "{heap:?}");
    let ((), heap) = heap::heap(|| drop(queue));
    assert!(-heap.held <= 8 << 10, "an empty queue keeps little: {heap:?}");
}

#[test]
fn shared_payloads_take_a_constant_each() {
    let count = 10_000 / SCALE;
    let payload = Bytes::from(vec![7; 1 << 16]);
    let frame = PreparedFrame::new(Opcode::Binary, &payload).unwrap();
    for is_prepared in [false, true] {
        let mut queue = SendQueue::new(Encoder::server());
        let (_, heap) = heap(|| {
            for _ in 0..count {
                match is_prepared {
                    true => queue.push_prepared(&frame).unwrap(),
                    false => queue.push(Opcode::Binary, payload.clone()).unwrap(),
                }
            }
        });
        assert!(heap.held as usize <= 200 * count + (8 << 10), "{heap:?}");
        let ((), heap) = heap::heap(|| queue.advance(queue.len()));
        assert!(heap.held < -((size_of::<Bytes>() * count) as isize), "{heap:?}");
        let ((), heap) = heap::heap(|| drop(queue));
        assert!(-heap.held <= 8 << 10, "an empty queue keeps little: {heap:?}");
    }
}

/// Payloads that are shared can be longer together than memory.
#[test]
#[cfg(target_pointer_width = "32")]
fn what_cannot_be_counted_is_refused_whole() {
    let payload = Bytes::from(vec![7; 1 << 20]);
    let frame = PreparedFrame::new(Opcode::Binary, &payload).unwrap();
    let mut queue = SendQueue::new(Encoder::server()).fragmenting(1 << 16);
    for _ in 0..2046 {
        queue.push(Opcode::Binary, payload.clone()).unwrap();
    }
    queue.push_prepared(&frame).unwrap();
    let (len, messages) = (queue.len(), queue.messages());
    assert_eq!(len, 2047 * ((1 << 20) + 10));
    assert_eq!(queue.push(Opcode::Binary, payload.clone()), Err(websocket_wire::EncodeError::PayloadTooLong));
    assert_eq!(queue.push_prepared(&frame), Err(websocket_wire::EncodeError::PayloadTooLong));
    assert_eq!(queue.push_message(Message::Binary(payload)), Err(websocket_wire::EncodeError::PayloadTooLong));
    assert_eq!((queue.len(), queue.messages(), queue.encoder().finish()), (len, messages, Ok(())));
    queue.push_copy(Opcode::Binary, b"short").unwrap();
    queue.ping(b"").unwrap();
    queue.advance(queue.len());
    assert!(queue.is_empty());
}

#[test]
fn a_client_masks_a_large_payload_into_one_allocation() {
    let payload = Bytes::from(vec![7; (1 << 20) / SCALE]);
    let mut queue = SendQueue::new(Encoder::client(|| websocket_wire::MaskingKey::new([1, 2, 3, 4])));
    let (result, heap) = heap(|| queue.push(Opcode::Binary, payload.clone()));
    assert_eq!(result, Ok(()));
    assert!(heap.peak_copied <= payload.len() + 1024, "{heap:?}");
}

#[test]
fn a_queue_that_is_filled_and_emptied_allocates_no_more() {
    let mut queue = SendQueue::new(Encoder::server());
    let mut round = || {
        for _ in 0..20 {
            queue.push_copy(Opcode::Text, b"a message of some length").unwrap();
            queue.ping(b"").unwrap();
        }
        queue.advance(queue.len());
    };
    (0..10).for_each(|_| round());
    let ((), heap) = heap(|| (0..100).for_each(|_| round()));
    assert_eq!(heap.allocations, 0);
}
