//! The queue of what is to be written: what goes ahead of what, what is shared, and what is refused.
#![cfg(feature = "alloc")]

mod support;

use bytes::{Buf, Bytes};
use support::build::frame;
use support::oracle::{Oracle, Rules};
use support::send::all;
use websocket_wire::{
    Claims, CloseCode, CloseFrame, DecodeError, EncodeError, Encoder, Extension, Extensions, Fragmenter, Header,
    InvalidClose, MaskingKey, Message, Opcode, Output, Part, PreparedFrame, Rsv, SendQueue, Server, Side,
};
fn server() -> SendQueue<Server> {
    SendQueue::new(Encoder::server())
}

#[test]
fn control_frames_go_between_fragments_and_never_into_a_frame() {
    let wire = |begun: usize| {
        let mut queue = server().fragmenting(3);
        queue.push_message(Message::Text("abcdef".into())).unwrap();
        let mut wire = all(&queue)[..begun].to_vec();
        queue.advance(begun);
        queue.ping(b"!").unwrap();
        wire.extend(all(&queue));
        wire
    };
    for begun in 0..=10 {
        let expected = match begun {
            0 => &b"\x89\x01!\x01\x03abc\x80\x03def"[..],
            1..=5 => b"\x01\x03abc\x89\x01!\x80\x03def",
            _ => b"\x01\x03abc\x80\x03def\x89\x01!",
        };
        assert_eq!(wire(begun), expected, "{begun} bytes were written");
    }
}

#[test]
fn a_control_frame_that_has_begun_is_not_overtaken() {
    let mut queue = server();
    queue.ping(b"one").unwrap();
    queue.advance(1);
    queue.ping(b"two").unwrap();
    queue.push_message(Message::Text("x".into())).unwrap();
    queue.close_now(None).unwrap();
    assert_eq!(all(&queue), b"\x03one\x89\x03two\x88\x00");
}

#[test]
fn large_payloads_of_a_server_are_shared_and_small_ones_are_joined() {
    let payload = Bytes::from(vec![7; 2048]);
    let mut queue = server();
    queue.push_message(Message::Binary(payload.clone())).unwrap();
    for _ in 0..10 {
        queue.push_message(Message::Binary(payload.slice(..9))).unwrap();
    }
    let mut slices = [&[][..]; 4];
    assert_eq!(queue.slices(&mut slices), 3);
    assert_eq!((slices[0], slices[1].as_ptr(), slices[2].len()), (&b"\x82\x7E\x08\x00"[..], payload.as_ptr(), 110));
    queue.advance(4 + 2048);
    assert!(payload.is_unique(), "what is written is let go");
}

#[test]
fn fragments_of_a_large_payload_are_shared() {
    let payload = Bytes::from(vec![7; 10_000]);
    let mut queue = server().fragmenting(4096);
    queue.push_message(Message::Binary(payload.clone())).unwrap();
    let mut slices = [&[][..]; 9];
    assert_eq!(queue.slices(&mut slices), 5); // 4096, 4096, and the rest is short
    assert_eq!((slices[1].as_ptr(), slices[3].as_ptr()), (payload.as_ptr(), payload[4096..].as_ptr()));
}

#[test]
fn a_stream_of_unknown_length_is_pushed_as_it_comes() {
    let mut queue = server();
    let mut fragmenter = Fragmenter::new(Opcode::Text, 100);
    for chunk in ["one", "two"] {
        for (header, payload) in fragmenter.chunk(chunk.as_bytes()) {
            queue.push_copy(header, payload).unwrap();
        }
        queue.ping(b"").unwrap();
    }
    assert_eq!((queue.encoder().finish(), queue.messages()), (Err(EncodeError::UnfinishedMessage), 0));
    let other = Message::Text("x".into());
    assert_eq!(queue.push_message(other), Err(EncodeError::UnfinishedMessage));
    for (header, payload) in fragmenter.finish(b"") {
        queue.push_copy(header, payload).unwrap();
    }
    assert_eq!(all(&queue), b"\x89\x00\x89\x00\x01\x03one\x00\x03two\x80\x00");
    assert_eq!((queue.encoder().finish(), queue.messages()), (Ok(()), 1));
}

#[test]
fn what_breaks_a_rule_is_refused_and_nothing_changes() {
    let mut queue = server();
    queue.push_message(Message::Text("a".into())).unwrap();
    let long = Bytes::from(vec![0; 3000]);
    let raw = |opcode, rsv| Message::Raw { opcode, rsv, payload: Bytes::from(vec![0; 3000]) };
    for (result, error) in [
        (queue.push(Opcode::Continuation, long.clone()), EncodeError::UnexpectedContinuation),
        (queue.push_copy(Opcode::Data3, b""), EncodeError::ReservedOpcode),
        (queue.push_message(raw(Opcode::Binary, Rsv::RSV1)), EncodeError::ReservedBits),
        (queue.push_message(raw(Opcode::Ping, Rsv::NONE)), EncodeError::ControlTooLong),
        (queue.ping(&long[..126]), EncodeError::ControlTooLong),
        (queue.pong(&long[..126]), EncodeError::ControlTooLong),
        (queue.push_copy(Header::new(Opcode::Ping).fragment(), b""), EncodeError::FragmentedControl),
        (queue.push_copy(Header::new(Opcode::Close).fragment(), b""), EncodeError::FragmentedControl),
        (queue.push_copy(Header::new(Opcode::Close).with_rsv(Rsv::RSV3), b""), EncodeError::ReservedBits),
        (queue.push_copy(Opcode::Close, &[3]), EncodeError::InvalidClose(InvalidClose::Length)),
        (
            queue.close(Some(CloseFrame::new(CloseCode::NO_STATUS, ""))),
            EncodeError::InvalidClose(InvalidClose::Code(CloseCode::NO_STATUS)),
        ),
        (
            queue.close_now(Some(CloseFrame::new(CloseCode(1), ""))),
            EncodeError::InvalidClose(InvalidClose::Code(CloseCode(1))),
        ),
    ] {
        assert_eq!(result, Err(error));
    }
    assert_eq!((all(&queue), queue.messages(), queue.is_closed()), (b"\x81\x01a".to_vec(), 1, false));
}

#[test]
fn behind_a_close_frame_data_is_refused_and_control_frames_are_dropped() {
    let mut queue = server();
    queue.close(None).unwrap();
    let expected = all(&queue);
    queue.ping(b"").unwrap();
    queue.pong(b"").unwrap();
    queue.close(Some(CloseFrame::new(CloseCode::NORMAL, ""))).unwrap();
    queue.close_now(Some(CloseFrame::new(CloseCode::NORMAL, ""))).unwrap();
    let text = PreparedFrame::new(Opcode::Text, &[b'x'; 5000]).unwrap();
    assert_eq!(queue.push_prepared(&text), Err(EncodeError::Closed));
    assert_eq!(queue.push(Opcode::Text, Bytes::from(vec![0; 5000])), Err(EncodeError::Closed));
    assert_eq!(queue.push_copy(Opcode::Text, b""), Err(EncodeError::Closed));
    assert_eq!((all(&queue), &expected[..]), (expected.clone(), &b"\x88\x00"[..]));
}

#[test]
fn pings_are_answered_until_the_close_frame_goes_out() {
    let mut queue = server();
    queue.push_message(Message::Text("data".into())).unwrap();
    queue.close(None).unwrap();
    queue.pong(b"1").unwrap();
    assert_eq!(all(&queue), b"\x8A\x011\x81\x04data");
    queue.advance(9);
    assert_eq!((all(&queue), queue.is_closed()), (b"\x88\x00".to_vec(), true));
}

#[test]
fn a_prepared_close_frame_closes() {
    let frame = PreparedFrame::new(Opcode::Close, &[3, 233]).unwrap();
    let mut queue = server();
    queue.push_prepared(&frame).unwrap();
    assert_eq!((all(&queue), queue.is_closed()), (b"\x88\x02\x03\xE9".to_vec(), true));
}

#[test]
fn one_frame_goes_to_many_and_each_connection_judges_it() {
    let payload = vec![b'x'; 5000];
    let frame = PreparedFrame::new(Header::new(Opcode::Text).with_rsv(Rsv::RSV1), &payload).unwrap();
    assert_eq!(server().push_prepared(&frame), Err(EncodeError::ReservedBits));
    let claims = Claims::NONE.message_rsv(Rsv::RSV1);
    let mut queues = [(); 3].map(|()| SendQueue::new(Encoder::server().claims(claims)));
    for queue in &mut queues {
        queue.push_prepared(&frame).unwrap();
        assert_eq!((queue.len(), queue.messages()), (5004, 1));
    }
    queues[1].push_copy(Header::new(Opcode::Text).fragment(), b"").unwrap();
    assert_eq!(queues[1].push_prepared(&frame), Err(EncodeError::UnfinishedMessage));
    let places: Vec<_> = queues.iter().map(|queue| queue.chunk().as_ptr()).collect();
    assert!(places.iter().all(|place| *place == places[0]), "the same memory for all");
}

#[test]
fn a_prepared_frame_is_what_an_encoder_gives() {
    for len in [0, 1, 125, 126, 65_535, 65_536] {
        let payload = vec![5; len];
        let prepared = PreparedFrame::new(Opcode::Binary, &payload).unwrap();
        assert_eq!(prepared.payload(), payload);
        assert_eq!(Encoder::server().prepared(&prepared).unwrap(), frame(2, &payload).wire());
    }
    assert_eq!(PreparedFrame::new(Header::new(Opcode::Ping).fragment(), b""), Err(EncodeError::FragmentedControl));
    assert_eq!(PreparedFrame::new(Opcode::Close, &[3]), Err(EncodeError::InvalidClose(InvalidClose::Length)));
    let mask = Some(MaskingKey::new([1; 4]));
    let prepared = PreparedFrame::new(Header { mask, ..Header::new(Opcode::Text) }, b"a").unwrap();
    assert_eq!(Encoder::server().prepared(&prepared).unwrap(), &b"\x81\x01a"[..]);
}

/// A peer that pings and never reads.
fn flood<S: Side>(mut queue: SendQueue<S>, pong: impl Fn(&[u8]) -> Vec<u8>) {
    for count in 0..1000u32 {
        let payload = vec![count as u8; (count % 126) as usize];
        queue.pong(&payload).unwrap();
        let waiting = all(&queue);
        assert!(waiting.len() < 2048 + 3 * 131, "{} bytes behind {count} pings", waiting.len());
        assert!(waiting.ends_with(&pong(&payload)), "the last ping is answered");
    }
}

#[test]
fn a_flood_of_pings_does_not_grow_the_queue_and_the_last_one_is_answered() {
    flood(server(), |payload| frame(10, payload).wire());
    let key = [1, 2, 3, 4];
    let client = SendQueue::new(Encoder::client(|| MaskingKey::new(key)));
    flood(client, |payload| frame(10, payload).key(key).wire());
    let mut queue = server();
    queue.ping(&[0; 125]).unwrap();
    queue.advance(1);
    flood(queue, |payload| frame(10, payload).wire());
}

#[test]
fn some_pings_at_once_are_all_answered() {
    let mut queue = server();
    for count in 0..16u8 {
        queue.pong(&[count; 125]).unwrap();
    }
    let oracle = Oracle::of(&Rules::strict(false), &all(&queue));
    assert!(oracle.frames.iter().map(|frame| frame.payload[0]).eq(0..16));
}

#[test]
fn a_pong_does_not_take_the_place_of_a_ping() {
    let mut queue = server();
    for count in 0..20u8 {
        queue.pong(&[count; 125]).unwrap();
        queue.ping(&[count; 125]).unwrap();
    }
    assert_eq!(Oracle::of(&Rules::strict(false), &all(&queue)).frames.len(), 40);
}

#[test]
fn a_pong_does_not_take_the_place_of_one_that_has_begun() {
    for left in 1..260 {
        let mut queue = server();
        (0..50).for_each(|_| queue.pong(&[7; 125]).unwrap());
        queue.advance(queue.len() - left);
        let expected = [all(&queue), frame(10, "new").wire()].concat();
        queue.pong(b"new").unwrap();
        assert_eq!(all(&queue), expected, "{left} bytes were left");
    }
}

/// Doubles every byte of a binary message.
struct Doubling;

impl Extension for Doubling {
    fn claims(&self) -> Claims {
        Claims::NONE.message_rsv(Rsv::RSV1)
    }

    fn encode(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> {
        out.extend(part.payload.iter().flat_map(|byte| [*byte; 2]));
        Ok((part.opcode == Opcode::Binary).then_some(Rsv::RSV1))
    }

    fn decode(&mut self, part: Part<'_>, out: &mut Output) -> Result<(), DecodeError> {
        part.payload.iter().step_by(2).try_for_each(|byte| out.put(&[*byte]))
    }
}

#[test]
fn messages_pass_the_extensions_and_are_fragmented_behind_them() {
    let mut extensions = Extensions::new();
    extensions.register(Box::new(Doubling)).unwrap();
    let mut queue = SendQueue::new(Encoder::server().claims(extensions.claims())).fragmenting(3);
    for message in [Message::Binary("ab".into()), Message::Text("abcd".into()), Message::Ping("abcd".into())] {
        queue.push_message_with(&mut extensions, message).unwrap();
    }
    assert_eq!(all(&queue), b"\x89\x04abcd\x42\x03aab\x80\x01b\x01\x03abc\x80\x01d");
    queue.close(None).unwrap();
    let late = Message::Binary("x".into());
    assert_eq!(queue.push_message_with(&mut extensions, late), Err(EncodeError::Closed));
}

#[test]
#[should_panic(expected = "cannot be written")]
fn more_than_there_is_cannot_be_written() {
    server().advance(1);
}

#[cfg(feature = "std")]
#[test]
fn it_is_a_buffer_of_io_slices() {
    let mut queue = server();
    queue.push_message(Message::Binary(vec![1; 5000].into())).unwrap();
    queue.ping(b"p").unwrap();
    let mut slices = [std::io::IoSlice::new(&[]); 8];
    let count = queue.chunks_vectored(&mut slices);
    let joined: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
    assert_eq!((count, &joined), (3, &all(&queue)));
    let len = queue.remaining();
    assert_eq!(queue.copy_to_bytes(len), joined);
    assert!(queue.is_empty());
}
