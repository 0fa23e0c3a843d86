//! The endpoint, rule by rule: pongs, the closing handshake, faults, and what may be sent when (RFC 6455 §5.5, §7).

mod support;

use support::build::{frame, masked, stream};
use websocket_wire::{
    Claims, Client, CloseCode, CloseFrame, Config, Connection, DecodeError, EncodeError, Header, MaskingKey, Opcode,
    Rsv, Server, Side, Status,
};

fn client() -> Connection<Client<impl FnMut() -> MaskingKey>> {
    Connection::client(|| MaskingKey::new([0; 4]))
}

fn close_frame(code: CloseCode, reason: &str) -> Option<CloseFrame<'_>> {
    Some(CloseFrame::new(code, reason))
}

/// Gives `bytes` in pieces of `piece`; returns opcode and payload of the frames, parts joined, and the fault.
fn feed<S: Side>(
    connection: &mut Connection<S>,
    bytes: &[u8],
    piece: usize,
) -> (Vec<(u8, Vec<u8>)>, Option<DecodeError>) {
    let (mut buf, mut frames) = (Vec::new(), Vec::<(u8, Vec<u8>)>::new());
    for piece in bytes.chunks(piece) {
        buf.extend(piece);
        loop {
            match connection.receive(&mut buf) {
                Ok(Status::Complete { value, consumed }) => {
                    match frames.last_mut() {
                        Some((_, payload)) if !value.is_first_part() => payload.extend(value.payload()),
                        _ => frames.push((value.header().opcode.bits(), value.payload().to_vec())),
                    }
                    buf.drain(..consumed);
                }
                Ok(Status::Partial { .. }) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// Takes all that is pending, `piece` bytes at a time.
fn flush<S: Side, R>(connection: &mut Connection<S, R>, piece: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while !connection.pending_output().is_empty() {
        let n = piece.min(connection.pending_output().len());
        out.extend(&connection.pending_output()[..n]);
        connection.consume_output(n);
    }
    out
}

/// Runs `check` for input whole and bytewise, and for output whole and bytewise.
fn every_way(check: impl Fn(usize, usize)) {
    for input in [1, 2, 7, usize::MAX] {
        for output in [1, usize::MAX] {
            check(input, output);
        }
    }
}

#[test]
fn a_connection_stays_small() {
    // The size on a 64-bit machine, as its documentation says.
    assert!(size_of::<Connection<Server>>() <= 392, "{}", size_of::<Connection<Server>>());
}

#[test]
fn a_close_frame_is_answered_with_its_code_and_an_empty_one_with_an_empty_one() {
    let bodies: [(&[u8], &[u8], u16); 5] = [
        (b"", b"", 1005),
        (b"\x03\xE8", b"\x03\xE8", 1000),
        (b"\x03\xE9bye", b"\x03\xE9", 1001),
        (b"\x0B\xB8", b"\x0B\xB8", 3000),
        (b"\x13\x87\xC3\xA9", b"\x13\x87", 4999),
    ];
    for (body, answer, code) in bodies {
        every_way(|input, output| {
            let mut server = Connection::server();
            let (frames, error) = feed(&mut server, &stream(&masked(&[frame(8, body)])), input);
            assert_eq!((frames, error), (vec![(8, body.to_vec())], None));
            assert!(server.is_close_received() && server.is_close_sent() && !server.should_close_tcp());
            assert_eq!(flush(&mut server, output), frame(8, answer).wire());
            assert_eq!((server.close_code(), server.should_close_tcp()), (Some(CloseCode(code)), true));
            // Once: neither the caller nor the end of the stream sends another.
            server.close(close_frame(CloseCode::NORMAL, "")).unwrap();
            assert_eq!(server.receive_eof(), CloseCode(code));
            assert_eq!(server.pending_output(), []);
        });
    }
}

#[test]
fn nothing_is_delivered_behind_a_close_frame() {
    let behind = [frame(1, "late"), frame(9, "ping"), frame(8, b"\x03\xE9"), frame(3, "")];
    every_way(|input, output| {
        let mut server = Connection::server();
        let wire = stream(&masked(&[&[frame(8, b"\x03\xE8")], &behind[..]].concat()));
        assert_eq!(feed(&mut server, &wire, input), (vec![(8, b"\x03\xE8".to_vec())], None));
        assert_eq!(flush(&mut server, output), b"\x88\x02\x03\xE8");
        assert_eq!(server.close_code(), Some(CloseCode::NORMAL));
    });
}

#[test]
fn behind_our_close_frame_data_is_delivered_and_nothing_is_answered() {
    every_way(|input, output| {
        let mut server = Connection::server();
        server.close(close_frame(CloseCode::GOING_AWAY, "bye")).unwrap();
        assert_eq!(flush(&mut server, output), b"\x88\x05\x03\xE9bye");
        let frames = [frame(1, "in flight"), frame(9, "ping"), frame(10, "pong"), frame(8, b"\x03\xE9")];
        let (received, error) = feed(&mut server, &stream(&masked(&frames)), input);
        assert_eq!((received.len(), &received[0], error), (4, &(1, b"in flight".to_vec()), None));
        assert_eq!(server.pending_output(), [], "no pong, no second close frame");
        assert!(server.should_close_tcp());
    });
}

#[test]
fn a_second_close_sends_nothing() {
    let mut server = Connection::server();
    server.close(None).unwrap();
    server.close(close_frame(CloseCode::NORMAL, "again")).unwrap();
    assert_eq!(server.pending_output(), [0x88, 0]);
    assert_eq!(flush(&mut server, 1), [0x88, 0]);
    server.close(None).unwrap();
    assert_eq!(server.pending_output(), []);
}

#[test]
fn codes_that_are_only_reported_are_never_sent() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let mut server = Connection::server();
        let error = server.close(close_frame(CloseCode(code), "")).unwrap_err();
        assert!(matches!(error, EncodeError::InvalidClose(_)), "{code}");
        assert!(!server.is_close_sent() && server.pending_output().is_empty());
        server.close(None).unwrap();
        assert_eq!(server.pending_output(), [0x88, 0], "refused, the connection is as it was");
    }
}

#[test]
fn a_fault_is_answered_once_with_its_code_and_a_short_reason() {
    let faults: [(&[u8], u16); 14] = [
        (b"\xC1\x00", 1002),
        (b"\x83\x00", 1002),
        (b"\x09\x00", 1002),
        (b"\x89\x7E", 1002),
        (b"\x82\x7E\x00\x01", 1002),
        (b"\x82\x7F\x80\0\0\0\0\0\0\0", 1002),
        (b"\x82\x80\0\0\0\0", 1002),
        (b"\x80\x00", 1002),
        (b"\x01\x00\x81\x00", 1002),
        (b"\x82\x7F\x7F\0\0\0\0\0\0\0", 1009),
        (b"\x81\x01\xFF", 1007),
        (b"\x88\x01\x03", 1002),
        (b"\x88\x02\x03\xEC", 1002),
        (b"\x88\x03\x03\xE8\xFF", 1007),
    ];
    for (wire, code) in faults {
        every_way(|input, output| {
            let mut client = client();
            let (_, error) = feed(&mut client, wire, input);
            let error = error.expect("a fault");
            assert_eq!((error.close_code(), client.error()), (CloseCode(code), Some(error)));
            for behind in [&b"\x89\x00"[..], b"\x88\x00", b""] {
                assert_eq!(client.receive(&mut behind.to_vec()).unwrap_err(), error);
            }
            assert!(!client.should_close_tcp() && !client.is_close_received());
            let out = flush(&mut client, output);
            let mut server = Connection::server();
            let (frames, None) = feed(&mut server, &out, usize::MAX) else { panic!("a valid frame") };
            assert_eq!(frames.len(), 1, "one close frame");
            let close = CloseFrame::parse(&frames[0].1).unwrap().unwrap();
            assert_eq!((close.code(), close.reason()), (CloseCode(code), &*error.to_string()));
            assert!(client.should_close_tcp());
            assert_eq!(client.receive_eof(), CloseCode::ABNORMAL);
        });
    }
}

#[test]
fn a_fault_behind_our_close_frame_sends_nothing_more() {
    let mut server = Connection::server();
    server.close(None).unwrap();
    assert!(server.receive(&mut [0x81, 0]).is_err());
    assert_eq!(flush(&mut server, 1), [0x88, 0]);
    assert!(server.should_close_tcp());
}

#[test]
fn pings_are_answered_with_their_payload_also_between_fragments() {
    let frames = [frame(1, "a").fragment(), frame(9, [b'p'; 125]), frame(0, "b"), frame(10, "unasked"), frame(9, "")];
    every_way(|input, output| {
        let (mut server, mut out, mut delivered) = (Connection::server(), Vec::new(), 0);
        for frame in masked(&frames) {
            delivered += feed(&mut server, &frame.wire(), input).0.len();
            out.extend(flush(&mut server, output));
        }
        assert_eq!((out, delivered), (stream(&[frame(10, [b'p'; 125]), frame(10, "")]), 5));
    });
}

#[test]
fn pongs_can_be_left_to_the_caller() {
    let (mut server, mut out) = (Connection::server().leave_pings(), [0; 4]);
    feed(&mut server, b"\x89\x81\0\0\0\0p", usize::MAX);
    assert_eq!(server.pending_output(), []);
    assert_eq!(server.encoder().unwrap().pong(b"p", &mut out), Ok(3));
    feed(&mut server, b"\x88\x80\0\0\0\0", usize::MAX);
    assert_eq!(server.pending_output(), [0x88, 0]);
}

#[test]
fn a_flood_of_pings_leaves_the_newest_pong_and_never_touches_one_that_has_begun() {
    let mut server = Connection::server();
    let flood = |server: &mut Connection<Server>, first: u8| {
        for i in 0..100 {
            feed(server, &frame(9, [first + i; 125]).key([1, 2, 3, 4]).wire(), usize::MAX);
        }
    };
    flood(&mut server, 0);
    assert_eq!(server.pending_output(), frame(10, [99; 125]).wire());
    server.consume_output(1);
    flood(&mut server, 100);
    assert_eq!(server.pending_output(), &stream(&[frame(10, [99; 125]), frame(10, [199; 125])])[1..]);
    // There is room for the longest close frame; it takes the place of the pong that has not begun.
    server.close(close_frame(CloseCode::NORMAL, &"x".repeat(123))).unwrap();
    let close = [&b"\x03\xE8"[..], &[b'x'; 123]].concat();
    assert_eq!(flush(&mut server, 3), stream(&[frame(10, [99; 125]), frame(8, close)])[1..]);
}

#[test]
fn a_pong_that_waits_alone_goes_out_before_the_close_frame() {
    let mut client = client();
    feed(&mut client, &frame(9, [b'p'; 125]).wire(), usize::MAX);
    client.close(close_frame(CloseCode::NORMAL, &"x".repeat(123))).unwrap();
    assert_eq!(client.pending_output().len(), 2 * 131);
    let (frames, error) = feed(&mut Connection::server(), &flush(&mut client, 5), 1);
    assert_eq!((frames[0].0, frames[1].0, frames.len(), error), (10, 8, 2, None));
}

#[test]
fn no_frame_gets_into_the_middle_of_a_reply() {
    let (mut server, mut out) = (Connection::server(), [0; 8]);
    feed(&mut server, b"\x89\x81\0\0\0\0p", usize::MAX);
    assert_eq!(server.encoder().unwrap().text("a", &mut out), Ok(3), "in front of it is no harm");
    for _ in 0..2 {
        server.consume_output(1);
        assert_eq!(server.encoder().unwrap_err(), EncodeError::ReplyUnfinished);
    }
    server.consume_output(1);
    assert_eq!(server.encoder().unwrap().text("a", &mut out), Ok(3));
}

#[test]
fn what_may_be_sent_follows_the_state() {
    let (mut server, mut out) = (Connection::server(), [0; 16]);
    let fragment = Header::new(Opcode::Text).fragment();
    assert_eq!(server.encoder().unwrap().encode(fragment, b"a", &mut out), Ok(3));
    feed(&mut server, b"\x88\x80\0\0\0\0", usize::MAX);
    assert_eq!(server.encoder().unwrap().encode(Opcode::Continuation, b"b", &mut out), Err(EncodeError::Closed));
    assert_eq!(server.encoder().unwrap().ping(b"", &mut out), Err(EncodeError::Closed));
    assert_eq!(flush(&mut server, 1), [0x88, 0]);
}

#[test]
fn a_close_frame_given_out_by_the_encoder_is_the_last_one() {
    let (mut server, mut out) = (Connection::server(), [0; 16]);
    feed(&mut server, b"\x89\x81\0\0\0\0p", usize::MAX);
    assert_eq!(server.encoder().unwrap().close(None, &mut out), Ok(2));
    assert_eq!(server.pending_output(), [], "no pong behind it");
    feed(&mut server, b"\x88\x80\0\0\0\0", usize::MAX);
    assert!(server.pending_output().is_empty() && server.should_close_tcp());
}

#[test]
fn a_lost_connection_reports_1006_and_sends_nothing() {
    let (mut server, mut out) = (Connection::server(), [0; 16]);
    feed(&mut server, b"\x89\x81\0\0\0\0p\x81", usize::MAX);
    server.consume_output(1);
    assert_eq!(server.receive_eof(), CloseCode::ABNORMAL);
    assert_eq!((server.pending_output(), server.should_close_tcp()), (&[][..], true));
    server.close(None).unwrap();
    assert_eq!(server.pending_output(), []);
    assert_eq!(server.encoder().map(|encoder| encoder.text("a", &mut out)).unwrap_err(), EncodeError::Closed);
    assert!(!server.is_close_received() && !server.is_close_sent());
}

#[test]
fn an_answer_that_is_partly_written_outlives_the_end_of_the_stream() {
    let mut server = Connection::server();
    feed(&mut server, b"\x88\x82\0\0\0\0\x03\xE8", usize::MAX);
    server.consume_output(1);
    assert_eq!(server.receive_eof(), CloseCode::NORMAL);
    assert!(!server.should_close_tcp());
    assert_eq!(flush(&mut server, 1), [2, 3, 0xE8]);
    assert!(server.should_close_tcp());
}

#[test]
fn the_close_frame_of_a_fault_outlives_the_end_of_the_stream() {
    for begun in [0, 1] {
        let mut server = Connection::server();
        feed(&mut server, b"\x89\x81\0\0\0\0p", usize::MAX);
        server.consume_output(begun);
        assert!(server.receive(&mut [0x83, 0x80]).is_err());
        let pending = server.pending_output().to_vec();
        assert_eq!((server.receive_eof(), server.should_close_tcp()), (CloseCode::ABNORMAL, false));
        assert_eq!(server.pending_output(), pending, "a peer that has closed its half still reads");
        let out = [&[0x8A][..begun], &flush(&mut server, 1)].concat();
        let (frames, None) = feed(&mut client(), &out, usize::MAX) else { panic!("valid frames") };
        assert_eq!((frames[0].0, frames[1].0, &frames[1].1[..2]), (10, 8, &[0x03, 0xEA][..]));
        assert!(server.should_close_tcp());
        assert_eq!(server.encoder().unwrap_err(), EncodeError::Closed);
    }
}

#[test]
fn the_server_closes_tcp_first_and_the_client_behind_it() {
    for server_begins in [true, false] {
        let (mut server, mut client) = (Connection::server(), client());
        let begins = close_frame(CloseCode::NORMAL, "");
        if server_begins { server.close(begins) } else { client.close(begins) }.unwrap();
        for _ in 0..2 {
            feed(&mut client, &flush(&mut server, usize::MAX), 1);
            feed(&mut server, &flush(&mut client, usize::MAX), 1);
        }
        assert!(server.should_close_tcp() && !client.should_close_tcp());
        assert_eq!((client.receive_eof(), client.should_close_tcp()), (CloseCode::NORMAL, true));
    }
}

#[test]
fn claims_hold_for_both_directions_and_the_role_is_the_constructors() {
    let claims = Claims::NONE.message_rsv(Rsv::RSV1).opcode(Opcode::Control11);
    let mut server = Connection::server_with(Config::client().claims(claims));
    let (frames, error) = feed(&mut server, &stream(&masked(&[frame(2, "x").rsv(0x40), frame(11, "c")])), 1);
    assert_eq!((frames, error), (vec![(2, b"x".to_vec()), (11, b"c".to_vec())], None));
    assert_eq!(server.pending_output(), [], "a custom control frame is the caller's");
    let mut out = [0; 4];
    assert_eq!(server.encoder().unwrap().encode(Header::new(Opcode::Text).with_rsv(Rsv::RSV1), b"x", &mut out), Ok(3));
    let mut client = Connection::client_with(Config::server().claims(claims), || MaskingKey::new([0; 4]));
    assert_eq!(feed(&mut client, &[0x8B, 0], 1), (vec![(11, vec![])], None));
}

#[test]
#[should_panic(expected = "more was consumed than is pending")]
fn more_than_is_pending_cannot_be_consumed() {
    Connection::server().consume_output(1);
}

#[cfg(feature = "alloc")]
#[test]
fn what_is_pending_is_pending_still_where_whole_messages_are_asked_for() {
    let mut connection = Connection::server();
    connection.close(close_frame(CloseCode::GOING_AWAY, "")).unwrap();
    let connection = connection.messages();
    assert_eq!(connection.pending_output(), b"\x88\x02\x03\xE9");
    assert!(connection.is_close_sent());

    let mut connection = Connection::server();
    connection.receive_eof();
    let connection = connection.messages();
    assert_eq!((connection.close_code(), connection.should_close_tcp()), (Some(CloseCode::ABNORMAL), true));
}

#[cfg(feature = "alloc")]
#[test]
fn whole_messages_are_answered_as_frames_are() {
    use bytes::BytesMut;
    use websocket_wire::Message;

    let claims = Claims::NONE.frame_rsv(Rsv::RSV2);
    let frames = [frame(1, "he").fragment(), frame(9, "p").rsv(0x20), frame(0, "llo"), frame(8, b"\x03\xE9x")];
    for piece in [1, usize::MAX] {
        let mut server = Connection::server_with(Config::server().claims(claims)).messages();
        let (mut input, mut messages, mut out) = (BytesMut::new(), Vec::new(), Vec::new());
        for piece in stream(&masked(&frames)).chunks(piece) {
            input.extend_from_slice(piece);
            while let Some(message) = server.next_message(&mut input).unwrap() {
                messages.push(message);
                out.extend(flush(&mut server, 1));
            }
        }
        assert_eq!(messages[1], Message::Text("hello".into()));
        assert_eq!((messages.len(), out), (3, stream(&[frame(10, "p"), frame(8, b"\x03\xE9")])));
        assert!(server.should_close_tcp() && server.close_code() == Some(CloseCode::GOING_AWAY));
    }
    let mut server = Connection::server().leave_pings().messages();
    assert_eq!(server.next_message(&mut b"\x89\x80\0\0\0\0"[..].into()), Ok(Some(Message::Ping("".into()))));
    assert_eq!(server.pending_output(), []);
    assert!(server.next_message(&mut b"\x83\x80"[..].into()).is_err());
    assert!(server.pending_output().starts_with(b"\x88") && server.error().is_some());
}
