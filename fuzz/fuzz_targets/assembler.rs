//! The assembler on any bytes in any reads: the oracle's frames joined to messages, within the limits, and no more memory
//! than was received.
#![no_main]

mod support;

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use support::Setup;
use support::oracle::{Joined, Oracle, Verdict};
use websocket_wire::{Assembler, Message};

/// Opcode, reserved bits and payload.
type Whole = (u8, u8, Vec<u8>);

fuzz_target!(|input: (Setup, &[u8])| {
    let (setup, stream) = input;
    let rules = setup.rules();
    let oracle = Oracle::of(&rules, stream);
    let expected = joined(&oracle.frames);

    let mut assembler = Assembler::new(rules.config());
    let (mut messages, mut input, mut fed) = (Vec::new(), BytesMut::new(), 0);
    for cut in setup.cuts(stream.len()).into_iter().chain([stream.len()]) {
        input.extend_from_slice(&stream[fed..cut]);
        fed = cut;
        while let Ok(Some(message)) = assembler.next_message(&mut input) {
            messages.push(whole(&message));
        }
    }
    assert_eq!(messages, expected);
    let verdict = match (assembler.error(), assembler.decoder().is_closed()) {
        (Some(error), _) => Verdict::Failed(error),
        (None, true) => Verdict::Closed,
        (None, false) => Verdict::Open,
    };
    assert_eq!(verdict, oracle.verdict);
    assert!(messages.iter().all(|(opcode, _, payload)| *opcode >= 8 || payload.len() as u64 <= rules.message_len));
});

/// Joins the frames to the messages that are whole.
fn joined(frames: &[Joined]) -> Vec<Whole> {
    let (mut messages, mut open) = (Vec::new(), None);
    for frame in frames {
        if frame.opcode >= 8 {
            messages.push((frame.opcode, frame.rsv, frame.payload.clone()));
            continue;
        }
        let message: &mut Whole = open.get_or_insert((frame.opcode, frame.rsv, Vec::new()));
        message.2.extend(&frame.payload);
        if frame.fin && frame.payload.len() as u64 == frame.len {
            messages.extend(open.take());
        }
    }
    messages
}

fn whole(message: &Message) -> Whole {
    match message {
        Message::Text(text) => {
            assert!(core::str::from_utf8(text.as_bytes()).is_ok());
            (1, 0, text.as_bytes().to_vec())
        }
        Message::Binary(payload) => (2, 0, payload.to_vec()),
        Message::Close(None) => (8, 0, Vec::new()),
        Message::Close(Some(close)) => (8, 0, [&close.code.0.to_be_bytes(), close.reason.as_bytes()].concat()),
        Message::Ping(payload) => (9, 0, payload.to_vec()),
        Message::Pong(payload) => (10, 0, payload.to_vec()),
        Message::Raw { opcode, rsv, payload } => (opcode.bits(), rsv.bits(), payload.to_vec()),
        other => panic!("{other:?}"),
    }
}
