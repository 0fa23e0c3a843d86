//! The close frame: its body, its reason, and what lies behind it (sections 1.4, 5.5.1, 7.1.5, 7.1.6).

use websocket_wire::{
    CloseCode, CloseFrame, Config, DecodeError, Decoder, EncodeError, Encoder, InvalidClose, MaskingKey, Opcode, Status,
};

use crate::{KEY, ROLES, decode, fault, feed, mask_bit, masked, unmasked, wire};

/// "If this Close control frame contains no status code, _The WebSocket Connection Close Code_ is considered to be
/// 1005." (§7.1.5)
#[test]
fn an_empty_body_has_no_code_and_1005_is_never_sent_for_it() {
    for role in ROLES {
        let mut buf = wire(role, 0x88, b"");
        let mut decoder = Decoder::new(Config::new(role));
        let (frame, _) = decoder.decode(&mut buf).unwrap().complete().unwrap();
        assert_eq!((frame.message_opcode(), frame.close()), (Opcode::Close, None));
    }
    let mut out = [0xA5; 4];
    assert_eq!(Encoder::server().close(None, &mut out), Ok(2));
    assert_eq!(out, [0x88, 0, 0xA5, 0xA5]);
    let no_status = Some(CloseFrame::new(CloseCode::NO_STATUS, ""));
    assert!(Encoder::server().close(no_status, &mut out).is_err());
}

/// "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer" (§5.5.1)
#[test]
fn a_body_of_one_byte_is_refused_at_the_second_byte_of_the_header() {
    for role in ROLES {
        let found = fault(Config::new(role), &wire(role, 0x88, &[3]));
        assert_eq!(found, Some((DecodeError::InvalidCloseLength, 2)));
        let found = fault(Config::new(role), &[0x88, mask_bit(role) | 1]);
        assert_eq!(found, Some((DecodeError::InvalidCloseLength, 2)));
    }
}

#[test]
fn bodies_of_every_length_from_2_to_125_are_admitted_with_their_reason() {
    for (role, len) in crate::thinned(ROLES.into_iter().flat_map(|role| (2..=125).map(move |len| (role, len)))) {
        let body = [&[0x03, 0xE8][..], &vec![b'r'; len - 2]].concat();
        let mut buf = wire(role, 0x88, &body);
        let mut decoder = Decoder::new(Config::new(role));
        let (frame, _) = decoder.decode(&mut buf).unwrap().complete().unwrap();
        let close = frame.close().unwrap();
        assert_eq!((close.code(), close.reason()), (CloseCode::NORMAL, "r".repeat(len - 2).as_str()));
    }
    assert_eq!(fault(Config::client(), &[0x88, 126]), Some((DecodeError::ControlTooLong, 2)));
}

/// "Following the 2-byte integer, the body MAY contain UTF-8-encoded data" (§5.5.1)
#[test]
fn a_reason_that_is_not_utf_8_is_refused_with_1007() {
    let bad: [&[u8]; 12] = [
        b"\xFF",
        b"\x80",
        b"ok\xC3",
        b"\xC3(",
        b"\xC0\xAF",
        b"\xE0\x9F\xBF",
        b"\xF0\x8F\xBF\xBF",
        b"\xED\xA0\x80",
        b"\xED\xBF\xBF",
        b"\xF4\x90\x80\x80",
        b"\xF5\x80\x80\x80",
        b"\xE2\x82",
    ];
    for (role, reason) in ROLES.into_iter().flat_map(|role| bad.map(|reason| (role, reason))) {
        let stream = wire(role, 0x88, &[&[0x03, 0xE8], reason].concat());
        assert_eq!(fault(Config::new(role), &stream), Some((DecodeError::InvalidCloseReason, stream.len())));
        assert_eq!(decode(Config::new(role), &stream).payloads(), [b""; 0]);
    }
    assert_eq!(DecodeError::InvalidCloseReason.close_code(), CloseCode::INVALID_PAYLOAD);
}

#[test]
fn a_reason_may_hold_any_code_points() {
    for reason in ["é", "€uro", "😀", "\0", "\u{FEFF}bom", "\u{FFFF}", "κόσμε", "\u{10FFFF}"] {
        let body = [&[0x0F, 0xA0], reason.as_bytes()].concat();
        let mut buf = masked(0x88, KEY, &body);
        let mut decoder = Decoder::server();
        let (frame, _) = decoder.decode(&mut buf).unwrap().complete().unwrap();
        assert_eq!(frame.close().map(|close| (close.code(), close.reason())), Some((CloseCode(4000), reason)));
    }
}

#[test]
fn a_reason_too_long_is_cut_where_a_code_point_begins_when_it_is_sent() {
    for (point, lead) in ["a", "é", "€", "😀"].into_iter().flat_map(|point| (0..4).map(move |lead| (point, lead)))
    {
        let reason = "x".repeat(lead) + &point.repeat(124);
        let kept = lead + (123 - lead) / point.len() * point.len();
        let mut out = [0xA5; 140];
        let len = Encoder::server().close(Some(CloseFrame::new(CloseCode::NORMAL, &reason)), &mut out).unwrap();
        assert_eq!(len, 2 + 2 + kept, "{point} behind {lead}");
        assert_eq!(out[..4], [0x88, 2 + kept as u8, 0x03, 0xE8]);
        assert_eq!(out[4..len], reason.as_bytes()[..kept]);
        assert!(out[len..].iter().all(|byte| *byte == 0xA5));
    }
}

#[test]
fn a_reason_of_123_bytes_is_sent_whole() {
    let reason = "€".repeat(41);
    let close = CloseFrame::new(CloseCode::GOING_AWAY, &reason);
    assert_eq!(close.reason(), reason);
    let mut out = [0; 127];
    assert_eq!(Encoder::server().close(Some(close), &mut out), Ok(127));
    assert_eq!(fault(Config::client(), &out), None);
}

#[test]
fn a_received_close_is_answered_with_its_own_code() {
    for code in [1000, 1001, 1003, 1011, 1014, 3000, 4999] {
        let mut buf = masked(0x88, KEY, &[&u16::to_be_bytes(code)[..], b"reason"].concat());
        let mut decoder = Decoder::server();
        let (frame, _) = decoder.decode(&mut buf).unwrap().complete().unwrap();
        let mut out = [0; 131];
        let len = Encoder::server().close(frame.close(), &mut out).unwrap();
        assert_eq!(out[..len], unmasked(0x88, &[&u16::to_be_bytes(code)[..], b"reason"].concat()));
    }
    let mut out = [0; 131];
    let mut client = Encoder::client(|| MaskingKey::new(KEY));
    assert_eq!(client.close(None, &mut out), Ok(6));
    assert_eq!(out[..6], [0x88, 0x80, 0x37, 0xFA, 0x21, 0x3D]);
}

/// "After receiving a control frame indicating the connection should be closed, a peer [...] discards any further data
/// received." (§1.4)
#[test]
fn bytes_behind_a_close_are_neither_looked_at_nor_a_fault() {
    let behind: [&[u8]; 8] = [
        &[0xFF; 40],
        &[0x88, 0x02, 0x03, 0xE8],
        &[0x88, 0x01, 0x00],
        &[0x89, 0x01, 0x61],
        &[0x81, 0x01, 0xFF],
        &[0x80, 0x00],
        &[0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0],
        &[0x00],
    ];
    for (role, behind) in ROLES.into_iter().flat_map(|role| behind.map(|behind| (role, behind))) {
        let close = wire(role, 0x88, &[0x03, 0xE8]);
        let outcome = decode(Config::new(role), &[&close[..], behind].concat());
        assert_eq!((outcome.payloads(), outcome.error), (vec![&[0x03, 0xE8][..]], None));
        assert!(outcome.is_closed && !outcome.is_idle);
        assert_eq!(outcome.consumed, close.len());
    }
}

#[test]
fn behind_a_close_every_call_waits_and_leaves_its_buffer_alone() {
    let mut decoder = Decoder::client();
    assert!(decoder.decode(&mut [0x88, 0]).unwrap().complete().is_some());
    for stream in [vec![], vec![0x89, 0], vec![0xFF; 300], unmasked(0x88, &[3, 0xE8])] {
        let mut buf = stream.clone();
        assert!(matches!(decoder.decode(&mut buf), Ok(Status::Partial { needed: 1 })));
        assert!(decoder.is_closed() && decoder.error().is_none());
        assert_eq!(buf, stream);
    }
}

#[test]
fn a_ping_behind_a_close_is_not_delivered_and_so_not_answered() {
    for role in ROLES {
        let stream = [wire(role, 0x88, b""), wire(role, 0x89, b"ping")].concat();
        assert_eq!(decode(Config::new(role), &stream).opcodes(), [Opcode::Close]);
    }
}

#[test]
fn a_second_close_is_not_delivered_whatever_it_holds() {
    for second in [&[0x88, 0x02, 0x03, 0xE9][..], &[0x88, 0x02, 0x03, 0xED], &[0x88, 0x01], &[0x08, 0x00]] {
        let outcome = decode(Config::client(), &[&[0x88, 0x02, 0x03, 0xE8], second].concat());
        assert_eq!((outcome.payloads(), outcome.error), (vec![&[0x03, 0xE8][..]], None));
    }
}

#[test]
fn a_close_waits_until_all_of_its_body_is_here() {
    for role in ROLES {
        let stream = wire(role, 0x88, b"\x03\xE8bye");
        for end in 0..stream.len() {
            let outcome = feed(Config::new(role), [&stream[..end]]);
            assert_eq!((outcome.frames.len(), outcome.is_closed, outcome.error), (0, false, None), "{role:?} {end}");
        }
    }
}

/// "The application MUST NOT send any more data frames after sending a Close frame." (§5.5.1)
#[test]
fn nothing_is_sent_behind_a_close() {
    let mut encoder = Encoder::server();
    let mut out = [0xA5; 16];
    assert_eq!(encoder.close(None, &mut out), Ok(2));
    let before = out;
    assert_eq!(encoder.text("a", &mut out), Err(EncodeError::Closed));
    assert_eq!(encoder.binary(b"a", &mut out), Err(EncodeError::Closed));
    assert_eq!(encoder.ping(b"", &mut out), Err(EncodeError::Closed));
    assert_eq!(encoder.pong(b"", &mut out), Err(EncodeError::Closed));
    assert_eq!(encoder.close(None, &mut out), Err(EncodeError::Closed));
    assert_eq!(encoder.header(Opcode::Text, 1).err(), Some(EncodeError::Closed));
    assert_eq!(encoder.encode_in_place(Opcode::Text, 14, &mut out).err(), Some(EncodeError::Closed));
    assert_eq!((out, encoder.is_closed()), (before, true));
}

#[test]
fn a_close_may_be_sent_in_the_middle_of_a_message() {
    let mut encoder = Encoder::server();
    let mut out = [0; 16];
    let fragment = websocket_wire::Header::new(Opcode::Text).fragment();
    assert_eq!(encoder.encode(fragment, b"a", &mut out), Ok(3));
    assert_eq!(encoder.close(Some(CloseFrame::new(CloseCode::GOING_AWAY, "")), &mut out), Ok(4));
    assert_eq!(encoder.encode(Opcode::Continuation, b"b", &mut out), Err(EncodeError::Closed));
}

#[test]
fn the_encoder_refuses_a_close_body_that_no_decoder_would_take() {
    let cases: [(&[u8], InvalidClose); 3] = [
        (&[0x03], InvalidClose::Length),
        (&[0x03, 0xE8, 0xFF], InvalidClose::Reason),
        (&[0x03, 0xE8, 0xC3], InvalidClose::Reason),
    ];
    for (body, error) in cases {
        let mut encoder = Encoder::server();
        assert_eq!(encoder.encode(Opcode::Close, body, &mut [0; 16]), Err(EncodeError::InvalidClose(error)));
        assert!(!encoder.is_closed());
        assert_eq!(encoder.ping(b"", &mut [0; 2]), Ok(2));
    }
}
