//! The encoder: what it refuses, that a refusal leaves no trace, how much room it takes, and that no key serves twice.

mod support;

use std::cell::Cell;
use std::fmt::Debug;

use support::build::{Built, frame};
use support::send::{self, Way};
use websocket_wire::{
    Claims, CloseCode, CloseFrame, EncodeError, Encoder, Header, InvalidClose, MaskingKey, Opcode, Rsv, Side,
};

const GUARD: u8 = 0xA5;

/// Encodes `before`, then sees `refused` refused with `error` in each of `ways`, and shows that nothing has changed.
fn check_refusal<S: Side>(
    mut encoder: Encoder<S>,
    draws: &Cell<u32>,
    [before, refused]: [&[Built]; 2],
    ways: &[Way],
    error: EncodeError,
) where
    Encoder<S>: Debug,
{
    for frame in before {
        send::send(&mut encoder, Way::Copied, send::header(frame), &frame.payload).unwrap();
    }
    let state = (format!("{encoder:?}"), draws.get());
    for frame in refused {
        for way in ways {
            let result = send::send(&mut encoder, *way, send::header(frame), &frame.payload);
            assert_eq!(result, Err(error), "{way:?} of {frame:?}");
            assert_eq!((format!("{encoder:?}"), draws.get()), state, "{way:?} of {frame:?} left a trace");
        }
    }
}

/// Sees `refused` refused by a server and by a client, behind the frames `before`.
fn refuses(before: &[Built], refused: &[Built], ways: &[Way], error: EncodeError) {
    let draws = Cell::new(0);
    check_refusal(Encoder::server(), &draws, [before, refused], ways, error);
    check_refusal(Encoder::client(send::keys(&draws)), &draws, [before, refused], ways, error);
}

#[test]
fn reserved_bits_are_refused_on_every_opcode() {
    for rsv in (1..8).step_by(if cfg!(miri) { 3 } else { 1 }) {
        let frames = [1, 2, 8, 9, 10].map(|opcode| frame(opcode, "").rsv(rsv << 4));
        refuses(&[], &frames, &send::ways(), EncodeError::ReservedBits);
        let open = [frame(2, "").fragment()];
        refuses(&open, &[frame(0, "").rsv(rsv << 4)], &send::ways(), EncodeError::ReservedBits);
    }
}

#[test]
fn reserved_opcodes_are_refused() {
    let frames = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(|opcode| frame(opcode, "x"));
    refuses(&[], &frames, &send::ways(), EncodeError::ReservedOpcode);
}

#[test]
fn control_frames_without_fin_or_over_125_bytes_are_refused() {
    // §5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
    let fragments = [8, 9, 10].map(|opcode| frame(opcode, "").fragment());
    refuses(&[], &fragments, &send::ways(), EncodeError::FragmentedControl);
    let long = [8, 9, 10].map(|opcode| frame(opcode, [3; 126]));
    refuses(&[], &long, &send::ways(), EncodeError::ControlTooLong);
}

#[test]
fn a_continuation_of_nothing_is_refused_also_after_the_final_fragment() {
    let continuations = [frame(0, "x"), frame(0, "").fragment()];
    for before in [&[][..], &[frame(1, "a")], &[frame(1, "a").fragment(), frame(9, ""), frame(0, "b")]] {
        refuses(before, &continuations, &send::ways(), EncodeError::UnexpectedContinuation);
    }
}

#[test]
fn a_new_message_inside_another_is_refused() {
    let news = [frame(1, "x"), frame(2, ""), frame(2, "x").fragment()];
    for before in [&[frame(1, "a").fragment()][..], &[frame(2, "").fragment(), frame(9, ""), frame(0, "").fragment()]] {
        refuses(before, &news, &send::ways(), EncodeError::UnfinishedMessage);
    }
}

#[test]
fn nothing_is_sent_after_a_close_frame() {
    // §5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."
    let all = [0, 1, 2, 8, 9, 10].map(|opcode| frame(opcode, ""));
    for before in [&[frame(8, "")][..], &[frame(8, [3, 232])], &[frame(1, "a").fragment(), frame(8, "")]] {
        refuses(before, &all, &send::ways(), EncodeError::Closed);
    }
}

#[test]
fn close_bodies_that_may_not_be_sent_are_refused() {
    let refuses = |body: &[u8], why| refuses(&[], &[frame(8, body)], send::WHOLE, EncodeError::InvalidClose(why));
    refuses(&[3], InvalidClose::Length);
    refuses(&[3, 232, 0xFF], InvalidClose::Reason);
    refuses(&[3, 232, 0xE2, 0x82], InvalidClose::Reason);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        refuses(&u16::to_be_bytes(code), InvalidClose::Code(CloseCode(code)));
    }
}

/// The codes of §7.4 and of the registry that may stand in a close frame.
fn may_be_sent(code: u16) -> bool {
    !matches!(code, 0..=999 | 1004 | 1005 | 1006 | 1015 | 1016..=2999 | 5000..)
}

#[test]
fn close_takes_exactly_the_codes_that_may_stand_in_a_frame() {
    for code in (0..=u16::MAX).step_by(if cfg!(miri) { 501 } else { 1 }) {
        let (mut encoder, mut out) = (Encoder::server(), [GUARD; 9]);
        let result = encoder.close(Some(CloseFrame::new(CloseCode(code), "why")), &mut out);
        if may_be_sent(code) {
            let [high, low] = code.to_be_bytes();
            assert_eq!((result, out), (Ok(7), [0x88, 5, high, low, b'w', b'h', b'y', GUARD, GUARD]));
        } else {
            assert_eq!(result, Err(InvalidClose::Code(CloseCode(code)).into()));
            assert_eq!((out, encoder.is_closed()), ([GUARD; 9], false), "{code}");
        }
    }
}

#[test]
fn a_close_reason_is_cut_at_a_code_point_and_fills_the_frame_at_most() {
    for (reason, cut) in [("é".repeat(70), 122), ("€".repeat(50), 123), ("😀".repeat(40), 120), ("x".repeat(200), 123)]
    {
        let mut out = [GUARD; 130];
        let close = CloseFrame::new(CloseCode::NORMAL, &reason);
        let len = Encoder::server().close(Some(close), &mut out).unwrap();
        assert_eq!((len, &out[4..len]), (4 + cut, &reason.as_bytes()[..cut]));
        assert!(out[len..].iter().all(|byte| *byte == GUARD));
    }
}

#[test]
fn a_close_without_a_code_has_no_body() {
    let mut out = [GUARD; 4];
    assert_eq!(Encoder::server().close(None, &mut out), Ok(2));
    assert_eq!(out, [0x88, 0, GUARD, GUARD]);
}

#[test]
fn a_close_header_for_a_body_of_one_byte_is_refused() {
    let mut encoder = Encoder::server();
    assert_eq!(encoder.header(Opcode::Close, 1), Err(EncodeError::InvalidClose(InvalidClose::Length)));
    assert!(!encoder.is_closed());
    assert!(encoder.header(Opcode::Close, 2).is_ok());
}

#[test]
fn a_payload_of_two_to_the_63_is_refused() {
    let draws = Cell::new(0);
    let mut encoder = Encoder::client(send::keys(&draws));
    for len in [1 << 63, (1 << 63) + 1, u64::MAX] {
        assert_eq!(encoder.header(Opcode::Binary, len), Err(EncodeError::PayloadTooLong));
    }
    assert_eq!(draws.get(), 0);
    assert!(encoder.header(Opcode::Binary, (1 << 63) - 1).is_ok());
}

#[test]
fn a_stream_that_ends_inside_a_message_is_unfinished_until_the_final_fragment() {
    let (mut encoder, mut out) = (Encoder::server(), [0; 9]);
    assert_eq!(encoder.finish(), Ok(()));
    encoder.encode(Header::new(Opcode::Text).fragment(), b"a", &mut out).unwrap();
    assert_eq!(encoder.finish(), Err(EncodeError::UnfinishedMessage));
    encoder.ping(b"", &mut out).unwrap();
    encoder.encode(Header::new(Opcode::Continuation).fragment(), b"", &mut out).unwrap();
    assert_eq!(encoder.finish(), Err(EncodeError::UnfinishedMessage));
    encoder.encode(Opcode::Continuation, b"", &mut out).unwrap();
    assert_eq!(encoder.finish(), Ok(()));
}

/// The payload lengths at which the header grows, and what is around them.
const LENGTHS: [usize; 9] = [0, 1, 124, 125, 126, 127, 65_535, 65_536, 65_537];

/// Returns what a frame of `len` bytes takes.
fn frame_len(len: usize, is_masked: bool) -> usize {
    let header = match len {
        0..=125 => 2,
        126..=65_535 => 4,
        _ => 10,
    };
    header + if is_masked { 4 } else { 0 } + len
}

/// Encodes a payload into exactly the room it takes, into one byte less and into none, and watches the bytes around.
fn check_room<S: Side>(make: impl Fn() -> Encoder<S>, draws: &Cell<u32>, len: usize, is_masked: bool) {
    let (payload, needed) = (vec![7; len], frame_len(len, is_masked));
    let too_small = Err(EncodeError::BufferTooSmall { needed });
    for room in [0, 1, needed - 1] {
        let (mut encoder, mut out) = (make(), vec![GUARD; needed + 5]);
        draws.set(0);
        assert_eq!(encoder.encode(Opcode::Binary, &payload, &mut out[..room]), too_small, "{len} in {room}");
        assert_eq!((draws.get(), out), (0, vec![GUARD; needed + 5]));
        #[cfg(feature = "alloc")]
        {
            let mut out = vec![GUARD; needed + 5];
            let mut room = &mut out[..room];
            let before = room.len();
            assert_eq!(encoder.encode_to(Opcode::Binary, &payload, &mut room).map(|()| 0), too_small);
            assert_eq!((room.len(), draws.get(), out), (before, 0, vec![GUARD; needed + 5]));
        }
    }
    let mut out = vec![GUARD; needed + 5];
    assert_eq!(make().encode(Opcode::Binary, &payload, &mut out[..needed]), Ok(needed));
    assert_eq!((out[0], &out[needed..]), (0x82, &[GUARD; 5][..]));
    #[cfg(feature = "alloc")]
    {
        let mut out = vec![GUARD; needed + 5];
        let mut room = &mut out[..needed];
        assert_eq!(make().encode_to(Opcode::Binary, &payload, &mut room), Ok(()));
        assert_eq!((room.len(), out[0], &out[needed..]), (0, 0x82, &[GUARD; 5][..]));
    }
}

/// Encodes in place with exactly the headroom it takes, with less, and with more.
fn check_headroom<S: Side>(make: impl Fn() -> Encoder<S>, draws: &Cell<u32>, len: usize, is_masked: bool) {
    let needed = frame_len(len, is_masked) - len;
    for headroom in 0..needed + 3 {
        let mut buf = [vec![GUARD; headroom], vec![7; len]].concat();
        let before = buf.clone();
        draws.set(0);
        let result = make().encode_in_place(Opcode::Binary, headroom, &mut buf);
        if let Some(start) = headroom.checked_sub(needed) {
            assert_eq!(result, Ok(start));
            assert_eq!((&buf[..start], buf[start]), (&before[..start], 0x82));
        } else {
            assert_eq!(result, Err(EncodeError::BufferTooSmall { needed }), "{len} behind {headroom}");
            assert_eq!((buf, draws.get()), (before, 0));
        }
    }
}

#[test]
fn a_frame_takes_exactly_the_room_it_says_and_touches_nothing_around() {
    let draws = Cell::new(0);
    for len in LENGTHS.into_iter().filter(|len| !cfg!(miri) || *len < 1000) {
        check_room(Encoder::server, &draws, len, false);
        check_room(|| Encoder::client(send::keys(&draws)), &draws, len, true);
        check_headroom(Encoder::server, &draws, len, false);
        check_headroom(|| Encoder::client(send::keys(&draws)), &draws, len, true);
    }
}

/// Appends one frame to `buf`, which has the room, and returns how much of the room is left.
#[cfg(feature = "alloc")]
fn append(payload: &[u8], is_client: bool, mut buf: impl bytes::BufMut) -> usize {
    if is_client {
        Encoder::client(|| MaskingKey::new(send::key(1))).encode_to(Opcode::Binary, payload, &mut buf).unwrap();
    } else {
        Encoder::server().encode_to(Opcode::Binary, payload, &mut buf).unwrap();
    }
    buf.remaining_mut()
}

#[cfg(feature = "alloc")]
#[test]
fn a_frame_is_appended_whole_wherever_the_pieces_of_the_buffer_meet() {
    use bytes::BufMut;
    for (len, is_client) in [0, 1, 9, 130, 1300]
        .into_iter()
        .take(if cfg!(miri) { 4 } else { 5 })
        .flat_map(|len| [(len, false), (len, true)])
    {
        let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let built = frame(2, &payload);
        let wire = if is_client { built.key(send::key(1)).wire() } else { built.wire() };
        let step = if cfg!(miri) { 41 } else { 1 };
        for (meet, spare) in (0..=wire.len()).step_by(step).flat_map(|meet| [0, 1, 20].map(|spare| (meet, spare))) {
            let mut out = vec![GUARD; wire.len() + spare];
            let (front, back) = out.split_at_mut(meet);
            assert_eq!(append(&payload, is_client, front.chain_mut(back)), spare);
            assert_eq!(out[..wire.len()], wire, "{len} bytes in pieces that meet at {meet}");
            let mut grown = Vec::with_capacity(meet + spare);
            grown.push(GUARD);
            append(&payload, is_client, &mut grown);
            assert_eq!((grown[0], &grown[1..]), (GUARD, &wire[..]), "a capacity of {}", meet + spare);
        }
    }
}

#[test]
fn a_broken_rule_is_told_before_a_lack_of_room() {
    let mut encoder = Encoder::server();
    assert_eq!(encoder.encode(Opcode::Data3, b"", &mut []), Err(EncodeError::ReservedOpcode));
    assert_eq!(encoder.encode_in_place(Opcode::Continuation, 0, &mut []), Err(EncodeError::UnexpectedContinuation));
    let close = CloseFrame::new(CloseCode::ABNORMAL, "");
    assert_eq!(encoder.close(Some(close), &mut []), Err(InvalidClose::Code(CloseCode::ABNORMAL).into()));
}

#[test]
fn a_lack_of_room_leaves_the_encoder_as_it_was() {
    let mut encoder = Encoder::server();
    let before = format!("{encoder:?}");
    let fragment = Header::new(Opcode::Text).fragment();
    assert_eq!(encoder.encode(fragment, b"abc", &mut [0; 4]), Err(EncodeError::BufferTooSmall { needed: 5 }));
    assert_eq!(encoder.encode_in_place(fragment, 1, &mut [0; 4]), Err(EncodeError::BufferTooSmall { needed: 2 }));
    assert_eq!(encoder.close(None, &mut [0; 1]), Err(EncodeError::BufferTooSmall { needed: 2 }));
    assert_eq!((format!("{encoder:?}"), encoder.is_closed()), (before, false));
    assert_eq!(encoder.finish(), Ok(()));
}

#[test]
#[should_panic]
fn a_headroom_longer_than_the_buffer_panics() {
    let _ = Encoder::server().encode_in_place(Opcode::Text, 15, &mut [0; 14]);
}

#[test]
fn every_frame_of_a_client_has_a_fresh_key_and_draws_it_once() {
    // §5.3: "When preparing a masked frame, the client MUST pick a fresh masking key from the set of allowed 32-bit
    // values."
    let frames = [
        frame(1, "a"),
        frame(2, ""),
        frame(9, "p"),
        frame(1, "").fragment(),
        frame(10, ""),
        frame(0, [1; 300]),
        frame(2, vec![2; if cfg!(miri) { 300 } else { 70_000 }]),
        frame(8, [3, 232]),
    ];
    for way in send::ways() {
        let draws = Cell::new(0);
        let mut encoder = Encoder::client(send::keys(&draws));
        for (n, frame) in (1..).zip(&frames) {
            let wire = send::send(&mut encoder, way, send::header(frame), &frame.payload).unwrap();
            assert_eq!(draws.get(), n, "{way:?}");
            assert_eq!(wire, frame.clone().key(send::key(n)).wire(), "{way:?}");
        }
    }
}

#[test]
fn the_encoder_sets_length_and_key_whatever_the_header_says() {
    let mask = Some(MaskingKey::new([9; 4]));
    let header = Header { mask, payload_len: u64::MAX, ..Header::new(Opcode::Binary) };
    for way in send::ways() {
        assert_eq!(send::send(&mut Encoder::server(), way, header, &[1]).unwrap(), [0x82, 1, 1]);
        let mut client = Encoder::client(|| MaskingKey::new([1, 2, 3, 4]));
        assert_eq!(send::send(&mut client, way, header, &[1]).unwrap(), [0x82, 0x81, 1, 2, 3, 4, 0]);
    }
}

#[test]
fn the_short_forms_give_what_encode_gives() {
    type Short = fn(&mut Encoder<websocket_wire::Server>, &mut [u8]) -> Result<usize, EncodeError>;
    let shorts: [(Short, &[u8]); 6] = [
        (|encoder, out| encoder.text("é", out), b"\x81\x02\xC3\xA9"),
        (|encoder, out| encoder.binary(&[0xFF], out), b"\x82\x01\xFF"),
        (|encoder, out| encoder.ping(b"p", out), b"\x89\x01p"),
        (|encoder, out| encoder.pong(b"p", out), b"\x8A\x01p"),
        (|encoder, out| encoder.close(None, out), b"\x88\x00"),
        (|encoder, out| encoder.close(Some(CloseFrame::new(CloseCode(4000), "x")), out), b"\x88\x03\x0F\xA0x"),
    ];
    for (short, wire) in shorts {
        let mut out = [GUARD; 9];
        assert_eq!(short(&mut Encoder::server(), &mut out), Ok(wire.len()));
        assert_eq!((&out[..wire.len()], out[wire.len()]), (wire, GUARD));
        assert_eq!(
            short(&mut Encoder::server(), &mut out[..wire.len() - 1]),
            Err(EncodeError::BufferTooSmall { needed: wire.len() })
        );
    }
}

#[test]
fn claims_admit_what_they_name_where_it_may_stand() {
    let claims =
        Claims::NONE.message_rsv(Rsv::RSV1).frame_rsv(Rsv::RSV3).opcode(Opcode::Data3).opcode(Opcode::Control12);
    let mut encoder = Encoder::server().claims(claims);
    let mut send = |frame: Built| send::send(&mut encoder, Way::Copied, send::header(&frame), &frame.payload);
    assert_eq!(send(frame(3, "a").rsv(0x50).fragment()).unwrap(), [0x53, 1, b'a']);
    assert_eq!(send(frame(12, "").rsv(0x10)).unwrap(), [0x9C, 0]);
    // RFC 7692 §6: "An endpoint MUST NOT set the "Per-Message Compressed" bit of control frames and non-first
    // fragments of a data message."
    assert_eq!(send(frame(0, "").rsv(0x40)), Err(EncodeError::ReservedBits));
    assert_eq!(send(frame(9, "").rsv(0x40)), Err(EncodeError::ReservedBits));
    assert_eq!(send(frame(12, "").fragment()), Err(EncodeError::FragmentedControl));
    assert_eq!(send(frame(3, "")), Err(EncodeError::UnfinishedMessage));
    assert_eq!(send(frame(0, "b").rsv(0x10)).unwrap(), [0x90, 1, b'b']);
    assert_eq!(send(frame(4, "")), Err(EncodeError::ReservedOpcode));
}
