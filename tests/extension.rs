//! Extensions of a user's own, from end to end: claims, conflicts, order, limits (RFC 6455 §9).
#![cfg(feature = "alloc")]

use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use proptest::prelude::*;
use websocket_wire::{
    Assembler, ClaimConflict, Claims, Config, DecodeError, EncodeError, Encoder, Extension, Extensions, Header, Limits,
    MaskingKey, Message, Opcode, Output, Part, Rsv,
};

/// Adds a number to every byte, and says in a log when it was asked for what.
struct Shift {
    name: &'static str,
    claims: Claims,
    bits: Rsv,
    by: u8,
    log: Log,
}

type Log = Arc<Mutex<Vec<String>>>;

impl Extension for Shift {
    fn claims(&self) -> Claims {
        self.claims
    }

    fn encode(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> {
        if part.payload == b"refuse" {
            return Err(EncodeError::PayloadTooLong);
        }
        if part.is_first && part.payload == b"pass" {
            return Ok(None);
        }
        self.log.lock().unwrap().push(format!("{} encodes {:?} of {:?}", self.name, part.payload.len(), part.opcode));
        out.extend(part.payload.iter().map(|b| b.wrapping_add(self.by)));
        Ok(Some(if part.opcode.is_data() { self.bits } else { Rsv::NONE }))
    }

    fn decode(&mut self, part: Part<'_>, out: &mut Output) -> Result<(), DecodeError> {
        self.log.lock().unwrap().push(format!("{} decodes {:?} of {:?}", self.name, part.payload.len(), part.opcode));
        part.payload.iter().try_for_each(|b| out.put(&[b.wrapping_sub(self.by)]))
    }
}

/// Doubles every byte.
struct Double;

impl Extension for Double {
    fn claims(&self) -> Claims {
        Claims::NONE.message_rsv(Rsv::RSV1)
    }

    fn encode(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> {
        out.extend(part.payload.iter().step_by(2));
        Ok(Some(Rsv::RSV1))
    }

    fn decode(&mut self, part: Part<'_>, out: &mut Output) -> Result<(), DecodeError> {
        part.payload.iter().try_for_each(|&b| out.put(&[b, b]))
    }
}

fn shift(bits: Rsv, by: u8) -> Shift {
    Shift { name: "shift", claims: Claims::NONE.message_rsv(bits), bits, by, log: Log::default() }
}

/// RSV2 on messages, a data opcode and a control opcode.
fn own() -> Shift {
    let claims = Claims::NONE.message_rsv(Rsv::RSV2).opcode(Opcode::Data5).opcode(Opcode::Control12);
    Shift { claims, ..shift(Rsv::RSV2, 1) }
}

fn all(list: Vec<Box<dyn Extension>>) -> Extensions {
    let mut extensions = Extensions::new();
    list.into_iter().for_each(|extension| extensions.register(extension).unwrap());
    extensions
}

fn one(extension: impl Extension + 'static) -> Extensions {
    all(vec![Box::new(extension)])
}

fn raw(opcode: Opcode, payload: &'static [u8]) -> Message {
    Message::Raw { opcode, rsv: Rsv::NONE, payload: payload.into() }
}

fn text(text: &'static str) -> Message {
    Message::Text(text.into())
}

fn feed(assembler: &mut Assembler, wire: &[u8], piece: usize) -> Result<Vec<Message>, DecodeError> {
    let (mut input, mut messages) = (BytesMut::new(), Vec::new());
    for piece in wire.chunks(piece) {
        input.extend_from_slice(piece);
        while let Some(message) = assembler.next_message(&mut input)? {
            messages.push(message);
        }
    }
    Ok(messages)
}

#[test]
fn an_own_extension_carries_text_data_and_control_messages_end_to_end() {
    let messages = [
        text("Hello"),
        Message::Binary((&[0xFF, 0][..]).into()),
        raw(Opcode::Data5, b"own data"),
        raw(Opcode::Control12, b"own control"),
        Message::Ping("ping".into()),
        Message::Close(None),
    ];
    let mut sending = one(own());
    let mut encoder = Encoder::client(|| MaskingKey::new([1, 2, 3, 4])).claims(sending.claims());
    let mut wire = Vec::new();
    for message in &messages {
        encoder.message_with(&mut sending, message, &mut wire).unwrap();
    }
    assert_eq!(wire[..2], [0xA1, 0x85], "FIN, RSV2, text, masked");
    for piece in [1, 2, 3, usize::MAX] {
        let mut assembler = Assembler::with_extensions(Config::server(), one(own()));
        assert_eq!(feed(&mut assembler, &wire, piece), Ok(messages.to_vec()), "reads of {piece}");
    }
}

#[test]
fn without_the_extension_the_same_frames_are_refused() {
    for (wire, error) in [
        (&b"\xA1\x01b"[..], DecodeError::ReservedBits),
        (b"\x85\x01b", DecodeError::ReservedOpcode),
        (b"\x8C\x01b", DecodeError::ReservedOpcode),
    ] {
        assert_eq!(feed(&mut Assembler::new(Config::client()), wire, 9), Err(error));
    }
    let mut none = Extensions::new();
    let mut encoder = Encoder::server().claims(none.claims());
    let result = encoder.message_with(&mut none, &raw(Opcode::Data5, b""), &mut Vec::new());
    assert_eq!(result, Err(EncodeError::ReservedOpcode));
}

#[test]
fn an_own_control_frame_between_fragments_leaves_the_message_as_it_is() {
    let log = Log::default();
    let extension = Shift { log: log.clone(), ..own() };
    let mut assembler = Assembler::with_extensions(Config::client(), one(extension));
    let wire = b"\x21\x02ab\x8C\x01d\x00\x00\x89\x00\x80\x01c";
    let expected = vec![raw(Opcode::Control12, b"c"), Message::Ping("".into()), text("`ab")];
    assert_eq!(feed(&mut assembler, wire, 99), Ok(expected));
    let asked = ["decodes 2 of Text", "decodes 1 of Control12", "decodes 0 of Text", "decodes 1 of Text"];
    assert_eq!(*log.lock().unwrap(), asked.map(|line| format!("shift {line}")));
}

#[test]
fn messages_that_nobody_owns_are_not_transformed() {
    let log = Log::default();
    let extension = Shift { log: log.clone(), ..own() };
    let mut assembler = Assembler::with_extensions(Config::client(), one(extension));
    let wire = b"\x81\x02ab\x02\x01c\x80\x01d\x8A\x00";
    let expected = vec![text("ab"), Message::Binary("cd".into()), Message::Pong("".into())];
    assert_eq!(feed(&mut assembler, wire, 99), Ok(expected));
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn two_owners_of_a_bit_or_an_opcode_conflict() {
    let claims = |claims: Claims| Box::new(Shift { claims, ..shift(Rsv::NONE, 0) });
    let taken =
        Claims::NONE.message_rsv(Rsv::RSV1).frame_rsv(Rsv::RSV3).opcode(Opcode::Data3).opcode(Opcode::Control15);
    let mut extensions = Extensions::new();
    assert_eq!(extensions.register(claims(taken)), Ok(()));
    for (second, conflict) in [
        (Claims::NONE.message_rsv(Rsv::RSV1), ClaimConflict::Rsv(Rsv::RSV1)),
        (Claims::NONE.frame_rsv(Rsv::RSV1), ClaimConflict::Rsv(Rsv::RSV1)),
        (Claims::NONE.message_rsv(Rsv::RSV3 | Rsv::RSV2), ClaimConflict::Rsv(Rsv::RSV3)),
        (Claims::NONE.opcode(Opcode::Data3), ClaimConflict::Opcode(Opcode::Data3)),
        (Claims::NONE.opcode(Opcode::Control15), ClaimConflict::Opcode(Opcode::Control15)),
    ] {
        assert_eq!(extensions.register(claims(second)), Err(conflict));
        assert_eq!(extensions.claims(), taken, "what was refused claims nothing");
    }
    let free = Claims::NONE.message_rsv(Rsv::RSV2).opcode(Opcode::Data4);
    assert_eq!(extensions.register(claims(free)), Ok(()));
    assert_eq!(extensions.claims(), taken.with(free));
}

#[test]
fn the_opcodes_of_the_rfc_are_no_claim() {
    let mut extensions = Extensions::new();
    for _ in 0..2 {
        let claims = Claims::NONE.opcode(Opcode::Text);
        assert_eq!(extensions.register(Box::new(Shift { claims, ..shift(Rsv::NONE, 0) })), Ok(()));
    }
}

#[test]
fn extensions_encode_in_order_and_decode_in_reverse() {
    let log = Log::default();
    let three = || -> Extensions {
        let named =
            |name, bits, by| -> Box<dyn Extension> { Box::new(Shift { name, log: log.clone(), ..shift(bits, by) }) };
        all(vec![named("first", Rsv::RSV3, 1), named("second", Rsv::RSV1, 2), named("third", Rsv::RSV2, 3)])
    };
    let (mut sending, mut wire) = (three(), BytesMut::new());
    let mut encoder = Encoder::server().claims(sending.claims());
    encoder.message_with(&mut sending, &text("abc"), &mut wire).unwrap();
    assert_eq!(wire, &b"\xF1\x03ghi"[..]);
    let mut assembler = Assembler::with_extensions(Config::client(), three());
    assert_eq!(assembler.next_message(&mut wire), Ok(Some(text("abc"))));
    let names: Vec<String> =
        log.lock().unwrap().iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        names,
        ["first encodes", "second encodes", "third encodes", "third decodes", "second decodes", "first decodes"]
    );
}

#[test]
fn order_counts_where_extensions_do_not_commute() {
    // What is sent passes the shift first, so what is received is doubled first and then shifted.
    let both = || all(vec![Box::new(shift(Rsv::RSV2, 1)), Box::new(Double)]);
    let (mut sending, mut scratch) = (both(), Vec::new());
    let (header, payload) = sending.encode(Opcode::Binary, b"aabb", &mut scratch).unwrap();
    assert_eq!((header.rsv, payload), (Rsv::RSV1 | Rsv::RSV2, &b"bc"[..]));
    for piece in [1, 99] {
        let mut assembler = Assembler::with_extensions(Config::client(), both());
        assert_eq!(feed(&mut assembler, b"\x72\x01b\x00\x00\x80\x01c", piece).unwrap_err(), DecodeError::ReservedBits);
        let mut assembler = Assembler::with_extensions(Config::client(), both());
        let messages = feed(&mut assembler, b"\x62\x01b\x00\x00\x80\x01c", piece);
        assert_eq!(messages, Ok(vec![Message::Binary("aabb".into())]));
    }
}

#[test]
fn an_extension_that_passes_takes_no_part_in_the_rest_of_the_message() {
    let (mut sending, mut scratch) = (one(own()), Vec::new());
    let start = Header::new(Opcode::Text).fragment();
    assert_eq!(sending.encode(start, b"pass", &mut scratch), Ok((start, &b"pass"[..])));
    let end = sending.encode(Opcode::Continuation, b"abc", &mut scratch);
    assert_eq!(end, Ok((Header::new(Opcode::Continuation), &b"abc"[..])));
    assert_eq!(sending.encode(Opcode::Text, b"abc", &mut scratch).unwrap().1, b"bcd", "the next message is a new one");
}

#[test]
fn what_an_extension_refuses_is_not_sent() {
    let (mut sending, mut wire) = (one(own()), Vec::new());
    let mut encoder = Encoder::server().claims(sending.claims());
    let refused = encoder.message_with(&mut sending, &text("refuse"), &mut wire);
    assert_eq!((refused, wire.len()), (Err(EncodeError::PayloadTooLong), 0));
    assert_eq!(encoder.message_with(&mut sending, &text("abc"), &mut wire), Ok(()));
}

#[test]
fn the_limit_holds_at_every_stage() {
    // Shifted first on the way in, then doubled: each stage is held to the limit of the message.
    let both = || all(vec![Box::new(Double), Box::new(shift(Rsv::RSV2, 1))]);
    for (limit, expected) in [(8, Ok(1)), (7, Err(DecodeError::MessageTooLong))] {
        for (wire, piece) in [(&b"\xE2\x04abcd"[..], 99), (b"\x62\x02ab\x00\x01c\x80\x01d", 1)] {
            let config = Config::client().limits(Limits { message_len: limit, ..Limits::DEFAULT });
            let mut assembler = Assembler::with_extensions(config, both());
            assert_eq!(feed(&mut assembler, wire, piece).map(|messages| messages.len()), expected, "{limit}");
        }
    }
}

#[test]
fn of_two_faults_in_a_chain_the_first_is_told_however_the_message_is_cut() {
    /// Refuses a zero behind what came before it.
    struct NoZero;
    impl Extension for NoZero {
        fn claims(&self) -> Claims {
            Claims::NONE.message_rsv(Rsv::RSV3)
        }

        fn encode(&mut self, _: Part<'_>, _: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> {
            Ok(None)
        }

        fn decode(&mut self, part: Part<'_>, out: &mut Output) -> Result<(), DecodeError> {
            let sound = part.payload.split(|&b| b == 0).next().unwrap_or_default();
            out.put(sound)?;
            if sound.len() < part.payload.len() { Err(DecodeError::InvalidExtensionData) } else { Ok(()) }
        }
    }
    for (wire, error) in
        [(b"\xB1\x03\xFFb\x00", DecodeError::InvalidUtf8), (b"\xB1\x03bc\x00", DecodeError::InvalidExtensionData)]
    {
        for piece in [1, 99] {
            let chain = all(vec![Box::new(shift(Rsv::RSV2, 1)), Box::new(NoZero)]);
            let mut assembler = Assembler::with_extensions(Config::client(), chain);
            assert_eq!(feed(&mut assembler, wire, piece), Err(error), "reads of {piece}");
        }
    }
}

#[test]
fn text_is_validated_behind_the_last_extension_only() {
    // On the wire and between the two stages the bytes are no UTF-8.
    let both = || all(vec![Box::new(shift(Rsv::RSV1, 0x55)), Box::new(shift(Rsv::RSV2, 0x99))]);
    let (mut sending, mut wire) = (both(), BytesMut::new());
    let mut encoder = Encoder::server().claims(sending.claims());
    encoder.message_with(&mut sending, &text("größer 漢字"), &mut wire).unwrap();
    assert!(std::str::from_utf8(&wire[2..]).is_err());
    let mut assembler = Assembler::with_extensions(Config::client(), both());
    assert_eq!(assembler.next_message(&mut wire), Ok(Some(text("größer 漢字"))));
    let mut assembler = Assembler::with_extensions(Config::client(), one(own()));
    assert_eq!(
        feed(&mut assembler, b"\x21\x02\xC4\x29", 99),
        Err(DecodeError::InvalidUtf8),
        "in an unfinished message"
    );
}

#[test]
fn an_output_that_an_extension_replaces_proves_no_text() {
    struct Cheat;
    impl Extension for Cheat {
        fn claims(&self) -> Claims {
            Claims::NONE.message_rsv(Rsv::RSV2)
        }

        fn encode(&mut self, _: Part<'_>, _: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> {
            Ok(None)
        }

        fn decode(&mut self, _: Part<'_>, out: &mut Output) -> Result<(), DecodeError> {
            *out = Output::new(9);
            out.put(b"\xFF")
        }
    }
    let mut assembler = Assembler::with_extensions(Config::client(), one(Cheat));
    assert_eq!(feed(&mut assembler, b"\xA1\x00", 99), Ok(vec![raw(Opcode::Text, b"\xFF")]));
}

#[test]
fn bits_on_frames_are_for_the_application() {
    let claims = Claims::NONE.frame_rsv(Rsv::RSV3);
    let mut assembler = Assembler::with_extensions(Config::client(), one(Shift { claims, ..shift(Rsv::NONE, 1) }));
    let raw = |opcode, payload: &'static str| Message::Raw { opcode, rsv: Rsv::RSV3, payload: payload.into() };
    let messages = feed(&mut assembler, b"\x91\x01a\x99\x01b", 99);
    assert_eq!(messages, Ok(vec![raw(Opcode::Text, "a"), raw(Opcode::Ping, "b")]));
}

#[test]
fn nothing_is_encoded_behind_a_close_frame() {
    let log = Log::default();
    let mut sending = one(Shift { log: log.clone(), ..own() });
    let (mut encoder, mut wire) = (Encoder::server().claims(sending.claims()), Vec::new());
    encoder.message_with(&mut sending, &Message::Close(None), &mut wire).unwrap();
    assert_eq!(encoder.message_with(&mut sending, &text("late"), &mut wire), Err(EncodeError::Closed));
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn what_the_encoder_refuses_the_extensions_do_not_see() {
    let log = Log::default();
    let mut sending = one(Shift { log: log.clone(), ..own() });
    let (mut encoder, mut wire) = (Encoder::server().claims(sending.claims()), Vec::new());
    let bits = Message::Raw { opcode: Opcode::Text, rsv: Rsv::ALL, payload: "abc".into() };
    let refused = [
        (bits, EncodeError::ReservedBits),
        (raw(Opcode::Data7, b"abc"), EncodeError::ReservedOpcode),
        (raw(Opcode::Continuation, b"abc"), EncodeError::UnexpectedContinuation),
    ];
    for (message, error) in refused {
        assert_eq!(encoder.message_with(&mut sending, &message, &mut wire), Err(error), "{message:?}");
    }
    encoder.header(Header::new(Opcode::Binary).fragment(), 0).unwrap();
    for message in [text("abc"), raw(Opcode::Continuation, b"abc")] {
        let refused = encoder.message_with(&mut sending, &message, &mut wire);
        assert_eq!(refused, Err(EncodeError::UnfinishedMessage), "{message:?}");
    }
    assert_eq!((log.lock().unwrap().len(), wire.len()), (0, 0));
    encoder.message_with(&mut sending, &Message::Ping("p".into()), &mut wire).unwrap();
    assert_eq!(wire, b"\x89\x01p", "a control frame goes between the fragments");
}

#[test]
fn a_buffer_that_cannot_take_the_message_is_left_as_it_was() {
    let mut sending = one(own());
    let mut encoder = Encoder::server().claims(sending.claims());
    let mut room = [0xA5; 4];
    let mut small = &mut room[..];
    let refused = encoder.message_with(&mut sending, &text("abc"), &mut small);
    assert_eq!((refused, small.len()), (Err(EncodeError::BufferTooSmall { needed: 5 }), 4));
    assert_eq!(room, [0xA5; 4]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 64 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_through_a_chain_gives_the_same_message(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..8),
        read in 1usize..50,
    ) {
        let chain = || all(vec![Box::new(shift(Rsv::RSV1, 7)), Box::new(own()), Box::new(shift(Rsv::RSV3, 100))]);
        let (mut sending, mut scratch, mut wire) = (chain(), Vec::new(), Vec::new());
        let mut encoder = Encoder::server().claims(sending.claims());
        for (i, piece) in pieces.iter().enumerate() {
            let opcode = if i == 0 { Opcode::Binary } else { Opcode::Continuation };
            let header = Header { fin: i + 1 == pieces.len(), ..Header::new(opcode) };
            let (header, payload) = sending.encode(header, piece, &mut scratch).unwrap();
            encoder.encode_to(header, payload, &mut wire).unwrap();
            let (header, payload) = sending.encode(Opcode::Control12, b"between", &mut scratch).unwrap();
            encoder.encode_to(header, payload, &mut wire).unwrap();
        }
        let mut assembler = Assembler::with_extensions(Config::client(), chain());
        let messages = feed(&mut assembler, &wire, read).unwrap();
        prop_assert_eq!(messages.iter().filter(|&message| *message == raw(Opcode::Control12, b"between")).count(), pieces.len());
        prop_assert!(messages.contains(&Message::Binary(pieces.concat().into())));
        prop_assert_eq!(messages.len(), pieces.len() + 1);
    }
}
