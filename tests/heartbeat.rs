//! The heartbeat: which pongs count, and when it gives up.

use std::collections::HashSet;

use websocket_wire::{CloseCode, Connection, EncodeError, Heartbeat, MaskingKey, Opcode, Server, Status};

/// Ticks a server's heartbeat; returns the payload of the ping, or `None` where there was none.
fn tick(heartbeat: &mut Heartbeat, connection: &mut Connection<Server>) -> Option<Vec<u8>> {
    let mut out = [0xA5; Heartbeat::MAX_FRAME_LEN];
    match heartbeat.tick(connection, &mut out).unwrap() {
        0 => None,
        len => {
            assert_eq!((&out[..2], len), (&[0x89, 8][..], 10));
            Some(out[2..len].to_vec())
        }
    }
}

#[test]
fn three_unanswered_pings_close_with_1008_in_place_of_the_fourth() {
    let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new());
    for unanswered in 1..=3 {
        assert!(tick(&mut heartbeat, &mut connection).is_some());
        assert_eq!((heartbeat.unanswered(), connection.is_close_sent()), (unanswered, false));
    }
    assert_eq!(tick(&mut heartbeat, &mut connection), None);
    assert_eq!(connection.pending_output()[2..4], CloseCode::POLICY_VIOLATION.0.to_be_bytes());
    let pending = connection.pending_output().to_vec();
    assert_eq!(tick(&mut heartbeat, &mut connection), None, "and again nothing");
    assert_eq!(connection.pending_output(), pending);
}

#[test]
fn every_limit_is_kept() {
    for max in 0..20 {
        let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new().max_unanswered(max));
        for _ in 0..max {
            assert!(tick(&mut heartbeat, &mut connection).is_some());
        }
        assert_eq!(tick(&mut heartbeat, &mut connection), None);
        assert!(connection.is_close_sent());
    }
}

#[test]
fn every_ping_has_a_payload_of_its_own_and_the_salt_wraps() {
    for salt in [0, 7, u64::MAX - 1] {
        let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new().salt(salt));
        let mut seen = HashSet::new();
        for _ in 0..1000 {
            let payload = tick(&mut heartbeat, &mut connection).unwrap();
            assert!(heartbeat.pong(&payload));
            assert!(seen.insert(payload));
        }
    }
}

#[test]
fn a_pong_of_any_unanswered_ping_settles_all_and_counts_once() {
    for which in 0..3 {
        let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new().salt(u64::MAX));
        let pings: Vec<_> = (0..3).map(|_| tick(&mut heartbeat, &mut connection).unwrap()).collect();
        assert!(heartbeat.pong(&pings[which]));
        assert_eq!(heartbeat.unanswered(), 0);
        for ping in &pings {
            assert!(!heartbeat.pong(ping), "none is unanswered any more");
        }
    }
}

#[test]
fn a_peer_that_sends_only_other_pongs_times_out() {
    let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new().salt(100));
    let answered = tick(&mut heartbeat, &mut connection).unwrap();
    assert!(heartbeat.pong(&answered));
    for _ in 0..3 {
        assert!(tick(&mut heartbeat, &mut connection).is_some());
        // Unasked, one answered before, one that is still to be sent, and those that are cut or too long.
        for pong in [&b""[..], b"unasked", &answered, &200u64.to_be_bytes(), &[0; 125], &[0, 0, 0, 0, 0, 0, 0]] {
            assert!(!heartbeat.pong(pong));
        }
        assert!(!heartbeat.pong(&105u64.to_be_bytes()));
    }
    assert_eq!(tick(&mut heartbeat, &mut connection), None);
}

#[test]
fn traffic_is_a_sign_of_life_where_the_caller_says_so() {
    let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new());
    for _ in 0..100 {
        assert!(tick(&mut heartbeat, &mut connection).is_some());
        heartbeat.alive();
    }
}

#[test]
fn a_ping_that_could_not_be_written_is_not_counted() {
    let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new());
    let too_small = heartbeat.tick(&mut connection, &mut [0; 9]);
    assert_eq!(too_small, Err(EncodeError::BufferTooSmall { needed: 10 }));
    assert_eq!(heartbeat.unanswered(), 0);
    connection.receive_eof();
    let at_eof = heartbeat.tick(&mut connection, &mut [0; Heartbeat::MAX_FRAME_LEN]);
    assert_eq!((at_eof, heartbeat.unanswered()), (Err(EncodeError::Closed), 0));

    // Nor where this interval would have been one too many.
    let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new().max_unanswered(1));
    assert!(tick(&mut heartbeat, &mut connection).is_some());
    connection.receive_eof();
    for _ in 0..3 {
        let at_eof = heartbeat.tick(&mut connection, &mut [0; Heartbeat::MAX_FRAME_LEN]);
        assert_eq!((at_eof, heartbeat.unanswered()), (Err(EncodeError::Closed), 1));
    }
}

#[test]
fn a_peer_that_reads_nothing_behind_the_first_byte_of_a_reply_is_given_up() {
    for max in 0..5 {
        let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new().max_unanswered(max));
        assert!(connection.receive(&mut [0x89, 0x80, 1, 2, 3, 4]).is_ok());
        connection.consume_output(1);
        for unanswered in 0..max {
            assert_eq!((heartbeat.unanswered(), connection.is_close_sent()), (unanswered, false));
            assert_eq!(tick(&mut heartbeat, &mut connection), None);
        }
        for _ in 0..=max {
            assert_eq!(tick(&mut heartbeat, &mut connection), None);
            assert!(connection.is_close_sent() && !connection.should_close_tcp());
            assert_eq!(connection.pending_output()[..3], [0, 0x88, 18], "the rest of the pong, and the close frame");
        }
        assert_eq!(tick(&mut heartbeat, &mut connection), None);
        assert_eq!((connection.pending_output(), connection.should_close_tcp()), (&[][..], true));
        assert_eq!(connection.close_code(), Some(CloseCode::ABNORMAL));
        assert_eq!(tick(&mut heartbeat, &mut connection), None, "and so it stays");
    }
}

#[test]
fn a_reply_that_gets_out_after_all_lets_the_next_ping_through() {
    let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new());
    assert!(connection.receive(&mut [0x89, 0x80, 1, 2, 3, 4]).is_ok());
    connection.consume_output(1);
    assert_eq!((tick(&mut heartbeat, &mut connection), heartbeat.unanswered()), (None, 1));
    connection.consume_output(1);
    assert!(!heartbeat.pong(&0u64.to_be_bytes()), "no ping was sent yet");
    let ping = tick(&mut heartbeat, &mut connection).unwrap();
    assert_eq!(heartbeat.unanswered(), 2);
    assert!(!heartbeat.pong(&0u64.to_be_bytes()), "the interval without a ping has no payload");
    assert!(heartbeat.pong(&ping));
    assert_eq!(heartbeat.unanswered(), 0);
}

#[test]
fn a_close_frame_or_a_fault_that_the_peer_does_not_read_is_given_up_too() {
    let closed = |connection: &mut Connection<Server>| connection.close(None).unwrap();
    let failed = |connection: &mut Connection<Server>| assert!(connection.receive(&mut [0x81, 0]).is_err());
    let half_closed = |connection: &mut Connection<Server>| {
        assert!(connection.receive(&mut [0x81, 0]).is_err());
        connection.receive_eof();
    };
    let ends: [fn(&mut Connection<Server>); 3] = [closed, failed, half_closed];
    for end in ends {
        let (mut connection, mut heartbeat) = (Connection::server(), Heartbeat::new());
        end(&mut connection);
        for _ in 0..4 {
            assert!(!connection.should_close_tcp() && !connection.pending_output().is_empty());
            assert_eq!(tick(&mut heartbeat, &mut connection), None);
        }
        assert!(connection.should_close_tcp() && connection.pending_output().is_empty());
    }
}

#[test]
fn a_client_waits_for_the_end_of_tcp_as_long_as_for_an_answer() {
    let mut client = Connection::client(|| MaskingKey::new([0; 4]));
    let mut heartbeat = Heartbeat::new().max_unanswered(2);
    assert!(client.receive(&mut [0x88, 2, 0x03, 0xE8]).is_ok());
    client.consume_output(client.pending_output().len());
    for _ in 0..3 {
        assert!(!client.should_close_tcp());
        assert_eq!(heartbeat.tick(&mut client, &mut [0; Heartbeat::MAX_FRAME_LEN]), Ok(0));
    }
    assert_eq!((client.should_close_tcp(), client.close_code()), (true, Some(CloseCode::NORMAL)));
}

#[test]
fn a_heartbeat_lives_on_the_answers_of_the_other_end() {
    let mut client = Connection::client(|| MaskingKey::new([9, 8, 7, 6]));
    let (mut server, mut heartbeat) = (Connection::server(), Heartbeat::new().max_unanswered(1));
    for _ in 0..50 {
        let mut out = [0; Heartbeat::MAX_FRAME_LEN];
        let len = heartbeat.tick(&mut client, &mut out).unwrap();
        assert_eq!(len, Heartbeat::MAX_FRAME_LEN);
        assert!(server.receive(&mut out[..len]).unwrap().complete().is_some());
        let mut answer = server.pending_output().to_vec();
        server.consume_output(answer.len());
        let Ok(Status::Complete { value, .. }) = client.receive(&mut answer) else { panic!() };
        assert_eq!(value.message_opcode(), Opcode::Pong);
        assert!(heartbeat.pong(value.payload()));
    }
}
