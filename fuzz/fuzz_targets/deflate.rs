//! Messages compressed in fragments, by any agreement, are what they were for our receiver and for the naive DEFLATE.
#![no_main]

mod support;

use arbitrary::Arbitrary;
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use support::Cuts;
use support::inflate::Naive;
use websocket_wire::extension::deflate::{Agreement, Deflate, Tuning};
use websocket_wire::{Assembler, Config, Encoder, Extensions, Header, Message, Opcode, Role};

#[derive(Arbitrary, Debug)]
struct Setup {
    takeover: bool,
    window_bits: u8,
    level: u8,
    mem_level: u8,
    fragments: Cuts,
    messages: Vec<Vec<u8>>,
}

fuzz_target!(|setup: Setup| {
    let window_bits = 9 + setup.window_bits % 7;
    let agreement = Agreement {
        server_no_context_takeover: !setup.takeover,
        server_max_window_bits: Some(window_bits),
        ..Agreement::DEFAULT
    };
    let tuning = Tuning { level: setup.level % 10, mem_level: 1 + setup.mem_level % 9, threshold: 0 };
    let extensions = |role| {
        let mut extensions = Extensions::new();
        extensions.register(Box::new(Deflate::new(role, agreement, tuning))).unwrap();
        extensions
    };
    let (mut sending, mut scratch, mut wire) = (extensions(Role::Server), Vec::new(), BytesMut::new());
    let mut encoder = Encoder::server().claims(sending.claims());
    let mut assembler = Assembler::with_extensions(Config::client(), extensions(Role::Client));
    let mut naive = Naive { window_bits, takeover: setup.takeover, limit: 1 << 20, history: Vec::new() };

    for message in &setup.messages {
        let (pieces, mut compressed) = (setup.fragments.pieces(message), Vec::new());
        for (i, piece) in pieces.iter().enumerate() {
            let opcode = if i == 0 { Opcode::Binary } else { Opcode::Continuation };
            let header = Header { fin: i + 1 == pieces.len(), ..Header::new(opcode) };
            let (header, payload) = sending.encode(header, piece, &mut scratch).unwrap();
            compressed.extend_from_slice(payload);
            encoder.encode_to(header, payload, &mut wire).unwrap();
        }
        assert_eq!(naive.message(&compressed, false).as_ref(), Ok(message));
        let received = assembler.next_message(&mut wire).unwrap();
        assert_eq!(received, Some(Message::Binary(message.clone().into())));
        assert!(wire.is_empty());
    }
});
