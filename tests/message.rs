//! Whole messages: what the assembler makes of frames, what it keeps, and when it says `Text`.
#![cfg(feature = "alloc")]

use bytes::{Bytes, BytesMut};
use websocket_wire::{
    Assembler, Claims, Close, CloseCode, Config, DecodeError, Encoder, Header, MaskingKey, Message, Opcode, Rsv, Text,
};

/// Feeds `wire` in pieces of `size` bytes; returns the messages and how it ended.
fn assemble(config: Config, wire: &[u8], size: usize) -> (Vec<Message>, Option<DecodeError>) {
    let (mut assembler, mut input, mut messages) = (Assembler::new(config), BytesMut::new(), Vec::new());
    for piece in wire.chunks(size) {
        input.extend_from_slice(piece);
        loop {
            match assembler.next_message(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

/// A payload whose length takes eight bytes in a header; under Miri two.
const LONG: usize = if cfg!(miri) { 700 } else { 70_000 };

/// Checks that `wire` gives the same however it is cut.
fn check(config: Config, wire: &[u8], messages: &[Message], error: Option<DecodeError>) {
    for size in 1..=wire.len() {
        assert_eq!(assemble(config, wire, size), (messages.to_vec(), error), "in pieces of {size}");
    }
}

fn raw(opcode: Opcode, rsv: Rsv, payload: &'static [u8]) -> Message {
    Message::Raw { opcode, rsv, payload: Bytes::from_static(payload) }
}

#[test]
fn every_kind_of_message_comes_out_whole_at_every_cut() {
    let wire = b"\x81\x02hi\x82\x01\x00\x89\x01p\x8A\x01q\x81\x00\x82\x00\x88\x05\x03\xE8bye";
    let expected = [
        Message::Text("hi".into()),
        Message::Binary(Bytes::from_static(&[0])),
        Message::Ping("p".into()),
        Message::Pong("q".into()),
        Message::Text("".into()),
        Message::Binary(Bytes::new()),
        Message::Close(Some(Close { code: CloseCode::NORMAL, reason: "bye".into() })),
    ];
    check(Config::client(), wire, &expected, None);
    check(Config::client(), b"\x88\x00", &[Message::Close(None)], None);
}

#[test]
fn fragments_are_joined_and_control_frames_between_them_come_first() {
    let wire = b"\x01\x01\xC3\x89\x01p\x00\x00\x80\x02\xA9!";
    check(Config::client(), wire, &[Message::Ping("p".into()), Message::Text("é!".into())], None);
    let wire = b"\x02\x01a\x80\x00\x82\x01b";
    let expected = [Message::Binary("a".into()), Message::Binary("b".into())];
    check(Config::client(), wire, &expected, None);
}

#[test]
fn text_that_is_not_utf_8_is_never_a_text() {
    for wire in [&b"\x81\x02a\xFF"[..], b"\x01\x01a\x80\x01\xFF", b"\x81\x01\xC3", b"\x01\x01\xC3\x80\x00"] {
        check(Config::client(), wire, &[], Some(DecodeError::InvalidUtf8));
    }
}

#[test]
fn text_whose_validation_is_switched_off_is_raw() {
    let config = Config::client().skip_text_validation();
    check(config, b"\x81\x01\xFF", &[raw(Opcode::Text, Rsv::NONE, b"\xFF")], None);
    check(config, b"\x01\x01\xFF\x80\x01\xFE", &[raw(Opcode::Text, Rsv::NONE, b"\xFF\xFE")], None);
}

#[test]
fn messages_that_an_extension_transformed_are_raw_and_the_next_one_is_not() {
    let config = Config::client().claims(Claims::NONE.message_rsv(Rsv::RSV1));
    let wire = b"\x41\x01\xFF\x89\x00\x80\x01\xFE\x01\x01a\x80\x01b\xC2\x01\xFF\x82\x01c";
    let expected = [
        Message::Ping(Bytes::new()),
        raw(Opcode::Text, Rsv::RSV1, b"\xFF\xFE"),
        Message::Text("ab".into()),
        raw(Opcode::Binary, Rsv::RSV1, b"\xFF"),
        Message::Binary("c".into()),
    ];
    check(config, wire, &expected, None);
}

#[test]
fn the_reserved_bits_of_a_control_frame_are_not_those_of_the_message_around_it() {
    let config = Config::client().claims(Claims::NONE.frame_rsv(Rsv::RSV3));
    let wire = b"\x01\x01a\x99\x00\x80\x01b";
    check(config, wire, &[raw(Opcode::Ping, Rsv::RSV3, b""), Message::Text("ab".into())], None);
}

#[test]
fn claimed_opcodes_are_raw() {
    let config = Config::client().claims(Claims::NONE.opcode(Opcode::Data3).opcode(Opcode::Control11));
    let wire = b"\x03\x01a\x8B\x01c\x80\x01b";
    let expected = [raw(Opcode::Control11, Rsv::NONE, b"c"), raw(Opcode::Data3, Rsv::NONE, b"ab")];
    check(config, wire, &expected, None);
}

#[test]
fn messages_before_a_fault_come_out_and_the_fault_is_said_again() {
    let (mut assembler, mut input) = (Assembler::new(Config::client()), BytesMut::from(&b"\x82\x01a\x83\x00"[..]));
    assert_eq!(assembler.next_message(&mut input), Ok(Some(Message::Binary("a".into()))));
    for _ in 0..2 {
        assert_eq!(assembler.next_message(&mut input), Err(DecodeError::ReservedOpcode));
        assert_eq!(&input[..], b"\x83\x00");
    }
}

#[test]
fn input_behind_a_close_frame_is_dropped() {
    let (mut assembler, mut input) = (Assembler::new(Config::client()), BytesMut::from(&b"\x88\x00\x82\x01a"[..]));
    assert_eq!(assembler.next_message(&mut input), Ok(Some(Message::Close(None))));
    assert_eq!(assembler.next_message(&mut input), Ok(None));
    assert!(input.is_empty() && assembler.decoder().is_closed());
}

/// Assembles one binary message of `len` bytes; tells whether it is a view of the buffer that it came in.
fn is_shared(assembler: &mut Assembler, len: usize) -> bool {
    let mut wire = Vec::new();
    Encoder::server().message_to(&Message::Binary(vec![7; len].into()), &mut wire).unwrap();
    let mut input = BytesMut::from(&wire[..]);
    let place = input[wire.len() - len..].as_ptr();
    let message = assembler.next_message(&mut input).unwrap();
    let Some(Message::Binary(payload)) = message else { panic!("{message:?}") };
    assert_eq!(payload, vec![7; len]);
    assert!(input.is_empty());
    payload.as_ptr() == place
}

#[test]
fn a_long_message_in_one_frame_and_one_buffer_is_a_view_of_it_and_a_short_one_is_not() {
    let assembler = || Assembler::new(Config::client());
    assert!(!is_shared(&mut assembler(), 1) && !is_shared(&mut assembler(), 512));
    assert!(is_shared(&mut assembler(), 513) && is_shared(&mut assembler(), LONG));
    assert!(is_shared(&mut assembler().share_above(0), 1));
    assert!(!is_shared(&mut assembler().share_above(usize::MAX), LONG));
}

#[test]
fn a_long_message_of_another_kind_is_a_view_too() {
    let claims = Claims::NONE.opcode(Opcode::Data3).message_rsv(Rsv::RSV1);
    let relaxed = Config::client().claims(claims).allow_non_minimal_length().allow_mask_mismatch();
    // A claimed opcode, a claimed bit, a longer form of the length than is needed, and a mask that is not asked for.
    for header in
        [&b"\x83\x7E\x02\x01"[..], b"\xC2\x7E\x02\x01", b"\x82\x7F\0\0\0\0\0\0\x02\x01", b"\x82\xFE\x02\x01\0\0\0\0"]
    {
        let mut input = BytesMut::from(&[header, &[7; 513]].concat()[..]);
        let place = input[header.len()..].as_ptr();
        let message = Assembler::new(relaxed).next_message(&mut input).unwrap();
        let Some(Message::Binary(payload) | Message::Raw { payload, .. }) = message else { panic!("{message:?}") };
        assert_eq!((payload.as_ptr(), &payload[..]), (place, &[7; 513][..]), "{header:x?}");
    }
}

#[test]
fn a_short_message_does_not_keep_the_buffer_that_it_came_in() {
    let mut input = BytesMut::with_capacity(1 << 16);
    input.extend_from_slice(b"\x81\x02hi\x89\x01p\x88\x05\x03\xE8bye");
    let (mut assembler, mut messages) = (Assembler::new(Config::client()), Vec::new());
    while let Some(message) = assembler.next_message(&mut input).unwrap() {
        messages.push(message);
    }
    assert_eq!(messages.len(), 3);
    // Had a message a share of it, the buffer could not be had back whole.
    assert!(input.try_reclaim(1 << 16));
}

#[test]
fn compacted_messages_are_equal_and_share_nothing() {
    let makes: [fn(Bytes) -> Message; 7] = [
        |bytes| Message::Text(Text::try_from(bytes).unwrap()),
        Message::Binary,
        Message::Ping,
        Message::Pong,
        |_| Message::Close(None),
        |bytes| Message::Close(Some(Close { code: CloseCode::NORMAL, reason: Text::try_from(bytes).unwrap() })),
        |payload| Message::Raw { opcode: Opcode::Data3, rsv: Rsv::RSV2, payload },
    ];
    let buffer = Bytes::from("é and so on".to_owned());
    for make in makes {
        let message = make(buffer.slice(..2));
        let compacted = message.compacted();
        assert_eq!(compacted, message);
        drop(message);
        assert!(buffer.is_unique(), "{compacted:?}");
    }
}

#[test]
fn every_message_survives_encoding_and_assembling() {
    let messages = [
        Message::Text("Grüße".into()),
        Message::Binary(Bytes::from(vec![7; LONG])),
        Message::Ping("p".into()),
        Message::Pong("q".into()),
        Message::Close(Some(Close { code: CloseCode(4000), reason: "späte".into() })),
    ];
    let (mut encoder, mut wire) = (Encoder::client(|| MaskingKey::new([9, 8, 7, 6])), Vec::new());
    for message in &messages {
        encoder.message_to(message, &mut wire).unwrap();
    }
    for size in [1, 2, 3, 131, 4096, wire.len()] {
        assert_eq!(assemble(Config::server(), &wire, size), (messages.to_vec(), None));
    }
}

#[test]
fn a_raw_message_is_sent_with_its_opcode_and_bits() {
    let claims = Claims::NONE.message_rsv(Rsv::RSV2).opcode(Opcode::Data5);
    let (mut encoder, mut wire) = (Encoder::server().claims(claims), Vec::new());
    encoder.message_to(&raw(Opcode::Data5, Rsv::RSV2, b"x"), &mut wire).unwrap();
    assert_eq!(wire, [0xA5, 1, b'x']);
}

#[test]
fn a_declared_length_takes_no_memory() {
    let mut header = Header::new(Opcode::Binary);
    header.payload_len = 16 << 20;
    let mut input = BytesMut::from(&header.encode().unwrap()[..]);
    let mut assembler = Assembler::new(Config::client());
    input.extend_from_slice(&[0; 100]);
    assert_eq!(assembler.next_message(&mut input), Ok(None));
    assert!(input.is_empty(), "what has come is taken");
}

#[test]
fn text_is_made_of_valid_bytes_only_and_shares_them() {
    assert!(Text::try_from(Bytes::from_static(b"\xED\xA0\x80")).is_err());
    let bytes = Bytes::from(String::from("shared"));
    let text = Text::try_from(bytes.clone()).unwrap();
    assert_eq!(text.as_str().as_ptr(), bytes.as_ptr());
    assert_eq!(Bytes::from(text.clone()).as_ptr(), bytes.as_ptr());
    assert_eq!((String::from(text.clone()), format!("{text} {text:?}")), ("shared".into(), "shared \"shared\"".into()));
}
