//! What a sender makes (RFC 7692 §6.1, §7.2.1).

use super::*;

/// Sends a message in these fragments; returns header and payload of each frame.
fn send(extensions: &mut Extensions, opcode: Opcode, pieces: &[&[u8]]) -> Vec<(Header, Vec<u8>)> {
    let mut scratch = Vec::new();
    let count = pieces.len();
    let frames = pieces.iter().enumerate().map(|(i, piece)| {
        let opcode = if i == 0 { opcode } else { Opcode::Continuation };
        let header = Header { fin: i + 1 == count, ..Header::new(opcode) };
        let (header, payload) = extensions.encode(header, piece, &mut scratch).unwrap();
        (header, payload.to_vec())
    });
    frames.collect()
}

fn wire(frames: &[(Header, Vec<u8>)]) -> Vec<u8> {
    let first = |header: &Header| u8::from(header.fin) << 7 | header.rsv.bits() | header.opcode.bits();
    frames.iter().flat_map(|(header, payload)| frame(first(header), payload)).collect()
}

#[test]
fn an_empty_message_is_a_single_zero_byte() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    for _ in 0..3 {
        assert_eq!(deflate(&mut sending, b"").unwrap(), [0]);
        assert_ne!(deflate(&mut sending, b"x").unwrap(), [0]);
    }
}

#[test]
fn hello_is_compressed_as_the_rfc_has_it() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    assert_eq!(deflate(&mut sending, b"Hello").unwrap(), [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]);
    assert_eq!(deflate(&mut sending, b"Hello").unwrap(), [0xF2, 0x00, 0x11, 0x00, 0x00]);
}

#[test]
fn the_tail_is_left_out_at_the_end_of_a_message_and_only_there() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let frames = send(&mut sending, Opcode::Text, &[&json(300), &json(500), &json(100)]);
    let ends_in_tail = |i: usize| frames[i].1.ends_with(&[0, 0, 0xFF, 0xFF]);
    assert!(ends_in_tail(0) && ends_in_tail(1) && !ends_in_tail(2));
    assert_eq!(frames[2].1.last(), Some(&0));
}

#[test]
fn rsv1_is_on_the_first_frame_and_fin_on_the_last() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let frames = send(&mut sending, Opcode::Binary, &[b"one", b"two", b""]);
    let rsv: Vec<Rsv> = frames.iter().map(|(header, _)| header.rsv).collect();
    assert_eq!(rsv, [Rsv::RSV1, Rsv::NONE, Rsv::NONE]);
    assert_eq!(frames.iter().map(|(header, _)| header.fin).collect::<Vec<_>>(), [false, false, true]);
    let opcodes: Vec<Opcode> = frames.iter().map(|(header, _)| header.opcode).collect();
    assert_eq!(opcodes, [Opcode::Binary, Opcode::Continuation, Opcode::Continuation]);
}

#[test]
fn fragments_join_to_the_message_wherever_they_are_empty() {
    let cuts: [&[&[u8]]; 6] =
        [&[b""], &[b"", b""], &[b"ab", b""], &[b"", b"ab"], &[b"", b"a", b"", b"b", b""], &[b"a", b"b"]];
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let mut receiving = client(Agreement::DEFAULT);
    for _ in 0..2 {
        for cut in cuts {
            let frames = send(&mut sending, Opcode::Binary, cut);
            let received = feed(&mut receiving, &wire(&frames), usize::MAX);
            assert_eq!(received, Ok(vec![binary(cut.concat())]), "{cut:?}");
        }
    }
}

#[test]
fn a_fragment_can_be_read_when_it_arrives() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let frames = send(&mut sending, Opcode::Text, &[b"the first half", b"\xFF"]);
    let start = wire(&frames[..1]);
    // The fault in the second half shows that the first has been inflated to its end before.
    let mut receiving = client(Agreement::DEFAULT);
    assert_eq!(feed(&mut receiving, &start, usize::MAX), Ok(vec![]));
    assert_eq!(feed(&mut receiving, &wire(&frames[1..]), usize::MAX), Err(DecodeError::InvalidUtf8));
}

#[test]
fn control_frames_are_never_compressed() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let mut scratch = Vec::new();
    let start = Header::new(Opcode::Text).fragment();
    assert!(sending.encode(start, b"Hel", &mut scratch).unwrap().0.rsv == Rsv::RSV1);
    for opcode in [Opcode::Ping, Opcode::Pong, Opcode::Close] {
        let (header, payload) = sending.encode(opcode, b"payload", &mut scratch).unwrap();
        assert_eq!((header, payload), (Header::new(opcode), &b"payload"[..]));
    }
    let (header, payload) = sending.encode(Opcode::Continuation, b"lo", &mut scratch).unwrap();
    assert_eq!(header, Header::new(Opcode::Continuation));
    assert_ne!(payload, b"lo", "the message goes on compressed");
}

#[test]
fn a_message_below_the_threshold_goes_as_it_is() {
    let mut sending = Extensions::new();
    let tuning = Tuning { threshold: 10, ..Tuning::DEFAULT };
    sending.register(Box::new(Deflate::new(Role::Server, Agreement::DEFAULT, tuning))).unwrap();
    let mut scratch = Vec::new();
    for (len, rsv) in [(9, Rsv::NONE), (10, Rsv::RSV1), (0, Rsv::NONE)] {
        let payload = vec![b'a'; len];
        assert_eq!(sending.encode(Opcode::Text, &payload, &mut scratch).unwrap().0.rsv, rsv, "{len}");
    }
    let fragment = sending.encode(Header::new(Opcode::Text).fragment(), b"a", &mut scratch);
    assert_eq!(fragment.unwrap().0.rsv, Rsv::RSV1, "how long the message gets is not known");
}

#[test]
fn context_takeover_is_kept_and_given_up() {
    let plain = json(2000);
    for (no_takeover, smaller) in [(false, true), (true, false)] {
        let agreement = Agreement { server_no_context_takeover: no_takeover, ..Agreement::DEFAULT };
        let mut sending = extensions(Role::Server, agreement);
        let first = deflate(&mut sending, &plain).unwrap();
        let second = deflate(&mut sending, &plain).unwrap();
        assert_eq!(second.len() < first.len() / 4, smaller);
        assert_eq!(second == first, no_takeover);
    }
}

#[test]
fn each_role_sends_with_its_own_parameters() {
    let agreement = Agreement { client_no_context_takeover: true, ..Agreement::DEFAULT };
    for (role, is_reset) in [(Role::Client, true), (Role::Server, false)] {
        let mut sending = extensions(role, agreement);
        let (first, second) =
            (deflate(&mut sending, b"Hello, Hello").unwrap(), deflate(&mut sending, b"Hello, Hello").unwrap());
        assert_eq!(first == second, is_reset, "{role:?}");
    }
}

#[test]
fn misuse_is_refused_before_anything_changes() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let mut scratch = Vec::new();
    let orphan = sending.encode(Opcode::Continuation, b"x", &mut scratch);
    assert_eq!(orphan, Err(EncodeError::UnexpectedContinuation));
    assert_eq!(sending.encode(Opcode::Data3, b"x", &mut scratch), Err(EncodeError::ReservedOpcode));
    sending.encode(Header::new(Opcode::Text).fragment(), b"Hel", &mut scratch).unwrap();
    assert_eq!(sending.encode(Opcode::Binary, b"x", &mut scratch), Err(EncodeError::UnfinishedMessage));
    assert_eq!(
        sending.encode(Header::new(Opcode::Ping).fragment(), b"", &mut scratch),
        Err(EncodeError::FragmentedControl)
    );
    assert!(sending.encode(Opcode::Continuation, b"lo", &mut scratch).is_ok());
}

#[test]
fn connections_without_context_share_the_compressors_of_a_pool() {
    use std::sync::Arc;
    use websocket_wire::extension::deflate::Pool;

    let agreement = Agreement { server_no_context_takeover: true, ..Agreement::DEFAULT };
    let pool = Arc::new(Pool::new(15, TUNING, 1));
    let mut connections: Vec<Extensions> = (0..3).map(|_| Extensions::new()).collect();
    for extensions in &mut connections {
        let deflate = Deflate::new(Role::Server, agreement, TUNING).with_pool(pool.clone());
        extensions.register(Box::new(deflate)).unwrap();
    }
    let mut own = extensions(Role::Server, agreement);
    let mut scratch = Vec::new();
    for extensions in &mut connections {
        assert_eq!(deflate(extensions, b"shared").unwrap(), deflate(&mut own, b"shared").unwrap());
        assert_eq!(pool.idle(), 1);
        // An unfinished message keeps what it has been lent.
        extensions.encode(Header::new(Opcode::Text).fragment(), b"start", &mut scratch).unwrap();
        assert_eq!(pool.idle(), 0);
        extensions.encode(Opcode::Continuation, b"", &mut scratch).unwrap();
    }
    let mut keeping = Extensions::new();
    keeping.register(Box::new(Deflate::new(Role::Server, Agreement::DEFAULT, TUNING).with_pool(pool.clone()))).unwrap();
    deflate(&mut keeping, b"own").unwrap();
    assert_eq!(pool.idle(), 1, "a context that is kept needs a compressor of its own");
}

#[test]
fn without_context_takeover_every_message_can_be_read_alone_at_every_level() {
    let agreement = Agreement { server_no_context_takeover: true, ..Agreement::DEFAULT };
    let plain = [json(3000), json(3000), vec![], json(70_000), json(70_000), b"Hello".to_vec()];
    for level in 0..=9 {
        let mut sending = Extensions::new();
        let deflate = Deflate::new(Role::Server, agreement, Tuning { level, ..TUNING });
        sending.register(Box::new(deflate)).unwrap();
        for plain in &plain {
            let mut scratch = Vec::new();
            let (_, payload) = sending.encode(Opcode::Binary, plain, &mut scratch).unwrap();
            let received = feed(&mut client(agreement), &frame(0xC2, payload), usize::MAX);
            assert!(received == Ok(vec![binary(&plain[..])]), "level {level}, {} bytes", plain.len());
        }
    }
}
