//! What earlier WebSocket libraries got wrong or pin in their own tests, and no other test here looks at.
//! docs/coverage.md says which of their capabilities is shown where.
#![cfg(all(feature = "alloc", feature = "handshake"))]

use bytes::BytesMut;
use websocket_wire::handshake::{Key, Uri, client, client::Outcome, server};
use websocket_wire::{
    Assembler, CloseCode, CloseFrame, Config, DecodeError, Decoder, Encoder, Header, MaskingKey, Message, Opcode, Rsv,
    Status,
};

const KEY: MaskingKey = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);

fn client() -> Encoder<websocket_wire::Client<fn() -> MaskingKey>> {
    Encoder::client(|| KEY)
}

/// The messages in `wire`, which a client sent.
fn messages(wire: &[u8]) -> Vec<Message> {
    let (mut assembler, mut input) = (Assembler::new(Config::server()), BytesMut::from(wire));
    let mut messages = Vec::new();
    while let Some(message) = assembler.next_message(&mut input).expect("a right stream") {
        messages.push(message);
    }
    messages
}

#[test]
fn setting_reserved_bits_leaves_fin_alone() {
    for bits in 0..8 {
        let rsv = Rsv::from_first_byte(bits << 4);
        let header = Header::new(Opcode::Text).fragment().with_rsv(rsv);
        assert_eq!((header.fin, header.rsv), (false, rsv));
        assert_eq!(header.encode().unwrap()[0], bits << 4 | 1);
        assert_eq!(Header::new(Opcode::Text).with_rsv(rsv).encode().unwrap()[0], 0x81 | bits << 4);
    }
}

#[test]
fn messages_that_look_like_nothing_come_out_like_all_others() {
    let mut wire = Vec::new();
    let mut encoder = client();
    for payload in ["", "0", "\0", " ", "x"] {
        encoder.encode_to(Opcode::Text, payload.as_bytes(), &mut wire).unwrap();
        encoder.encode_to(Opcode::Binary, payload.as_bytes(), &mut wire).unwrap();
    }
    let out = messages(&wire);
    assert_eq!(out.len(), 10);
    assert!(matches!(&out[0], Message::Text(text) if text.as_str().is_empty()));
    assert!(matches!(&out[2], Message::Text(text) if text.as_str() == "0"));
    assert!(matches!(&out[9], Message::Binary(bytes) if bytes == "x"));
}

#[test]
fn payloads_of_every_byte_and_of_32_kib_come_back() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let text = "Aé漢🦀\0\u{7f}\u{fffe}".repeat(2_341);
    assert!(text.len() > 1 << 15);
    let mut wire = Vec::new();
    let mut encoder = client();
    encoder.encode_to(Opcode::Binary, &every_byte, &mut wire).unwrap();
    encoder.encode_to(Opcode::Text, text.as_bytes(), &mut wire).unwrap();
    encoder.encode_to(Opcode::Binary, &vec![0; 1 << 15], &mut wire).unwrap();
    let out = messages(&wire);
    assert!(matches!(&out[0], Message::Binary(bytes) if bytes[..] == every_byte));
    assert!(matches!(&out[1], Message::Text(back) if back.as_str() == text));
    assert!(matches!(&out[2], Message::Binary(bytes) if bytes.len() == 1 << 15));
}

#[test]
fn a_message_in_four_long_fragments_is_joined() {
    let lens = [130_997, 131_072, 131_072, 11_919];
    let (mut wire, mut expected) = (Vec::new(), Vec::new());
    let mut encoder = client();
    for (i, len) in lens.into_iter().enumerate() {
        let opcode = if i == 0 { Opcode::Binary } else { Opcode::Continuation };
        let header = Header::new(opcode);
        let payload = vec![b'a' + i as u8; len];
        encoder.encode_to(if i == 3 { header } else { header.fragment() }, &payload, &mut wire).unwrap();
        expected.extend(payload);
    }
    let [Message::Binary(bytes)] = &messages(&wire)[..] else { panic!("not one binary message") };
    assert!(bytes[..] == expected);
}

#[test]
fn a_close_reason_in_pieces_of_two_bytes_is_validated_whole() {
    let mut frame = [&[0x88, 9][..], &4567_u16.to_be_bytes(), b"dun\xff\xffno"].concat();
    let mut decoder = Decoder::client();
    for end in (2..frame.len()).step_by(2) {
        assert!(matches!(decoder.decode(&mut frame[..end]), Ok(Status::Partial { .. })), "{end}");
    }
    assert_eq!(decoder.decode(&mut frame).unwrap_err(), DecodeError::InvalidCloseReason);
}

#[test]
fn a_close_is_answered_unmasked_by_a_server_with_the_code_and_the_reason_that_came() {
    let mut wire = [0; 64];
    let len = client().close(Some(CloseFrame::new(CloseCode(4567), "dunno")), &mut wire).unwrap();
    let mut decoder = Decoder::server();
    let (frame, _) = decoder.decode(&mut wire[..len]).unwrap().complete().unwrap();
    let mut out = [0; 64];
    let len = Encoder::server().close(frame.close(), &mut out).unwrap();
    assert_eq!(out[..len], *b"\x88\x07\x11\xd7dunno");
}

#[test]
fn an_empty_payload_behind_an_extended_length_needs_no_byte_more() {
    for mut frame in [&[0x82, 126, 0, 0][..], &[0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0]].map(<[u8]>::to_vec) {
        let mut decoder = Decoder::new(Config::client().allow_non_minimal_length());
        let len = frame.len();
        assert!(matches!(decoder.decode(&mut frame[..len - 1]), Ok(Status::Partial { needed: 1 })));
        let (value, consumed) = decoder.decode(&mut frame).unwrap().complete().unwrap();
        assert!(value.ends_message() && value.payload().is_empty());
        assert_eq!(consumed, len);
    }
}

#[test]
fn a_64_bit_length_that_is_partly_here_is_waited_for() {
    for end in 2..10 {
        let mut frame = [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0, 7];
        let mut decoder = Decoder::client();
        let waits = matches!(decoder.decode(&mut frame[..end]), Ok(Status::Partial { needed }) if needed <= 11 - end);
        assert!(waits, "{end}");
        let (value, consumed) = decoder.decode(&mut frame).unwrap().complete().unwrap();
        assert_eq!((value.header().payload_len, value.payload(), consumed), (65_536, &[7][..], 11));
    }
}

#[test]
fn frames_that_came_with_the_request_or_the_answer_are_not_lost() {
    let request = client::Request::new(Uri::parse("ws://h").unwrap(), Key::new([3; 16]));
    let mut early = [0; 256];
    let len = request.encode(&mut early).unwrap();
    let sent = client().encode(Opcode::Text, b"early", &mut early[len..]).unwrap();
    let wire = &mut early[..len + sent];

    let (received, consumed) = server::Request::parse(wire).unwrap().complete().unwrap();
    let mut answer = [0; 256];
    let len = received.accept().encode(&mut answer).unwrap();
    let (frame, _) = Decoder::server().decode(&mut wire[consumed..]).unwrap().complete().unwrap();
    assert_eq!(frame.text(), Some("early"));

    let sent = Encoder::server().encode(Opcode::Text, b"at once", &mut answer[len..]).unwrap();
    let wire = &mut answer[..len + sent];
    let (outcome, consumed) = request.parse_response(wire).unwrap().complete().unwrap();
    assert!(matches!(outcome, Outcome::Upgraded(_)));
    let (frame, _) = Decoder::client().decode(&mut wire[consumed..]).unwrap().complete().unwrap();
    assert_eq!(frame.text(), Some("at once"));
}

#[test]
fn the_origin_and_the_cookies_are_there_to_decide_before_anything_is_answered() {
    let text = "GET /room HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://evil\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nCookie: id=1\r\n\r\n";
    let (request, _) = server::Request::parse(text.as_bytes()).unwrap().complete().unwrap();
    assert_eq!((request.origin(), request.header("cookie")), (Some("http://evil"), Some(&b"id=1"[..])));
    let mut out = [0; 128];
    let len = server::Refusal::new(403).headers(&[("X-Reason", "origin")]).encode(&mut out).unwrap();
    assert!(out[..len].starts_with(b"HTTP/1.1 403 Forbidden\r\n"));
}
