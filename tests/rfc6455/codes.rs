//! Close codes: which may stand in a frame, in both directions (§7.4).

use websocket_wire::{
    CloseCode, CloseFrame, Config, DecodeError, Decoder, EncodeError, Encoder, InvalidClose, MaskingKey, Opcode,
};

use crate::{KEY, ROLES, decode, masked, wire};

/// The classes of §7.4.2 and of the IANA registry.
fn may_be_sent(code: u16) -> bool {
    match code {
        0..=999 => false,
        1000..=1003 => true,
        1004..=1006 => false,
        1007..=1011 => true,
        1012..=1014 => true,
        1015 => false,
        1016..=2999 => false,
        3000..=4999 => true,
        5000.. => false,
    }
}

/// Returns every code, or under Miri those at the ends of the classes.
fn codes() -> impl Iterator<Item = u16> {
    (0..=u16::MAX).filter(|code| {
        !cfg!(miri) || [0, 999, 2999, 3000, 4999, 5000, u16::MAX].contains(code) || (1000..=1016).contains(code)
    })
}

#[test]
fn every_code_is_admitted_or_refused_by_its_class_in_both_roles() {
    for (role, code) in ROLES.into_iter().flat_map(|role| codes().map(move |code| (role, code))) {
        let mut buf = wire(role, 0x88, &code.to_be_bytes());
        let mut decoder = Decoder::new(Config::new(role));
        match decoder.decode(&mut buf) {
            Ok(status) => {
                let (frame, _) = status.complete().unwrap();
                assert_eq!(frame.close().map(|close| close.code()), Some(CloseCode(code)));
                assert!(may_be_sent(code), "{role:?} admitted {code}");
            }
            Err(error) => {
                assert_eq!(error, DecodeError::InvalidCloseCode);
                assert!(!may_be_sent(code), "{role:?} refused {code}");
            }
        }
    }
}

#[test]
fn every_code_that_the_autobahn_suite_lists_is_judged_as_there() {
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    for (code, error) in valid.map(|code| (code, None)).into_iter().chain(invalid.map(|code| (code, Some(())))) {
        for reason in [&b""[..], b"Lorem ipsum"] {
            let outcome = decode(
                Config::client(),
                &wire(websocket_wire::Role::Client, 0x88, &[&u16::to_be_bytes(code), reason].concat()),
            );
            assert_eq!(outcome.error, error.map(|()| DecodeError::InvalidCloseCode), "{code}");
        }
    }
}

#[test]
fn an_invalid_code_is_a_protocol_error() {
    assert_eq!(DecodeError::InvalidCloseCode.close_code(), CloseCode::PROTOCOL_ERROR);
    assert_eq!(DecodeError::InvalidCloseLength.close_code(), CloseCode::PROTOCOL_ERROR);
    assert_eq!(DecodeError::InvalidCloseReason.close_code(), CloseCode::INVALID_PAYLOAD);
}

#[test]
fn the_registered_codes_1012_to_1014_are_admitted() {
    for code in [CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER, CloseCode::BAD_GATEWAY] {
        assert!((1012..=1014).contains(&code.0) && code.is_allowed_in_frame());
    }
}

/// 1010 is for clients to send and 1011 was for servers, but no rule refuses the other direction.
#[test]
fn codes_1010_and_1011_are_admitted_in_both_directions() {
    for (role, code) in ROLES.into_iter().flat_map(|role| [1010u16, 1011].map(|code| (role, code))) {
        let outcome = decode(Config::new(role), &wire(role, 0x88, &code.to_be_bytes()));
        assert_eq!((outcome.error, outcome.is_closed), (None, true), "{role:?} {code}");
        let close = Some(CloseFrame::new(CloseCode(code), ""));
        assert_eq!(Encoder::server().close(close, &mut [0; 16]), Ok(4));
        assert_eq!(Encoder::client(|| MaskingKey::new(KEY)).close(close, &mut [0; 16]), Ok(8));
    }
}

/// Read before it is unmasked, a good code would be taken for a bad one, and the reverse.
#[test]
fn the_code_is_read_from_the_unmasked_payload() {
    let key_of = |masked: u16, plain: u16| {
        let [a, b] = (masked ^ plain).to_be_bytes();
        [a, b, 0x77, 0x88]
    };
    for (plain, on_the_wire) in [(1000u16, 1005u16), (4999, 5000), (1011, 0), (3000, 2999)] {
        let stream = masked(0x88, key_of(on_the_wire, plain), &plain.to_be_bytes());
        assert_eq!(stream[6..], on_the_wire.to_be_bytes());
        assert_eq!(decode(Config::server(), &stream).payloads(), [plain.to_be_bytes()]);
        let stream = masked(0x88, key_of(plain, on_the_wire), &on_the_wire.to_be_bytes());
        assert_eq!(decode(Config::server(), &stream).error, Some(DecodeError::InvalidCloseCode), "{on_the_wire}");
    }
}

#[test]
fn the_encoder_refuses_every_code_that_may_not_be_sent_and_writes_nothing() {
    for code in codes() {
        let mut out = [0xA5; 8];
        let mut encoder = Encoder::server();
        let result = encoder.close(Some(CloseFrame::new(CloseCode(code), "r")), &mut out);
        if may_be_sent(code) {
            assert_eq!((result, encoder.is_closed()), (Ok(5), true), "{code}");
            let [high, low] = code.to_be_bytes();
            assert_eq!(out, [0x88, 3, high, low, b'r', 0xA5, 0xA5, 0xA5]);
        } else {
            assert_eq!(result, Err(EncodeError::InvalidClose(InvalidClose::Code(CloseCode(code)))));
            assert_eq!((out, encoder.is_closed()), ([0xA5; 8], false), "{code}");
        }
    }
}

#[test]
fn the_encoder_refuses_a_bad_code_in_a_raw_close_body_too() {
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        let expected = Err(EncodeError::InvalidClose(InvalidClose::Code(CloseCode(code))));
        assert_eq!(Encoder::server().encode(Opcode::Close, &code.to_be_bytes(), &mut [0; 16]), expected);
        let mut buf = [&[0; 14][..], &code.to_be_bytes()].concat();
        let in_place = Encoder::client(|| panic!("no key is drawn")).encode_in_place(Opcode::Close, 14, &mut buf);
        assert_eq!(in_place.map(|_| 0), expected.map(|_: usize| 0));
    }
}
