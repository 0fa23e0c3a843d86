//! What a receiver takes and what it refuses (RFC 7692 §6, §7.2.2, §7.2.3).

use super::*;

const HELLO: &[u8] = &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];

/// Feeds the same wire whole and byte by byte; both must say the same.
fn both(wire: &[u8]) -> Result<Vec<Message>, DecodeError> {
    let whole = feed(&mut client(Agreement::DEFAULT), wire, usize::MAX);
    let trickled = feed(&mut client(Agreement::DEFAULT), wire, 1);
    assert_eq!(whole, trickled);
    whole
}

#[test]
fn vector_7_2_3_1_one_block() {
    assert_eq!(both(&frame(0xC1, HELLO)), Ok(vec![text("Hello")]));
}

#[test]
fn vector_7_2_3_1_two_fragments() {
    let wire = [frame(0x41, &HELLO[..3]), frame(0x80, &HELLO[3..])].concat();
    assert_eq!(both(&wire), Ok(vec![text("Hello")]));
}

#[test]
fn vector_7_2_3_2_the_second_message_refers_to_the_first() {
    let wire = [frame(0xC1, HELLO), frame(0xC1, &[0xF2, 0x00, 0x11, 0x00, 0x00])].concat();
    assert_eq!(both(&wire), Ok(vec![text("Hello"), text("Hello")]));
}

#[test]
fn vector_7_2_3_3_stored_block() {
    let payload = [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00];
    assert_eq!(both(&frame(0xC1, &payload)), Ok(vec![text("Hello")]));
}

#[test]
fn vector_7_2_3_4_bfinal() {
    let payload = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00];
    assert_eq!(both(&frame(0xC1, &payload)), Ok(vec![text("Hello")]));
}

#[test]
fn vector_7_2_3_5_two_blocks() {
    let payload = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00];
    assert_eq!(both(&frame(0xC1, &payload)), Ok(vec![text("Hello")]));
    assert_eq!(both(&fragments(0xC1, &payload, 8)), Ok(vec![text("Hello")]), "cut between the blocks");
}

#[test]
fn vector_7_2_3_6_empty_message() {
    assert_eq!(both(&frame(0xC1, &[0])), Ok(vec![text("")]));
}

#[test]
fn an_empty_payload_with_rsv1_is_an_empty_message() {
    let wire = [frame(0xC1, HELLO), frame(0xC1, &[]), frame(0x41, &[]), frame(0x80, &[]), frame(0xC1, HELLO)].concat();
    assert_eq!(both(&wire), Ok(vec![text("Hello"), text(""), text(""), text("Hello")]));
}

#[test]
fn bfinal_is_followed_by_more_messages_that_share_the_window() {
    let last = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00];
    let shared = [0xF2, 0x00, 0x11, 0x00, 0x00];
    let wire = [frame(0xC1, &last), frame(0xC1, HELLO), frame(0xC1, &last), frame(0xC1, &shared)].concat();
    assert_eq!(both(&wire), Ok(vec![text("Hello"); 4]));
}

#[test]
fn a_final_block_at_the_very_end_of_a_message_needs_no_empty_block_behind_it() {
    let last = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
    let wire = [frame(0xC1, &last), frame(0xC1, HELLO)].concat();
    assert_eq!(both(&wire), Ok(vec![text("Hello"); 2]));
}

#[test]
fn blocks_follow_a_final_block_within_a_message() {
    let twice = [&[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00][..], HELLO].concat();
    assert_eq!(both(&frame(0xC1, &twice)), Ok(vec![text("HelloHello")]));
    assert_eq!(both(&fragments(0xC1, &twice, 1)), Ok(vec![text("HelloHello")]));
}

#[test]
fn garbage_behind_the_final_block_is_refused() {
    for garbage in [&[0x07][..], &[0x06, 1, 2, 3], &[0x01, 0x05, 0x00, 0x00, 0x00]] {
        let payload = [&[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00][..], garbage].concat();
        assert_eq!(both(&frame(0xC1, &payload)), Err(DecodeError::InvalidExtensionData), "{garbage:02x?}");
    }
}

#[test]
fn each_byte_is_a_fragment_and_the_last_one_has_one_byte() {
    for piece in 1..=HELLO.len() {
        assert_eq!(both(&fragments(0xC1, HELLO, piece)), Ok(vec![text("Hello")]), "{piece}");
    }
    let wire = [frame(0x41, &HELLO[..6]), frame(0x80, &HELLO[6..])].concat();
    assert_eq!(both(&wire), Ok(vec![text("Hello")]), "a trailing fragment of one byte");
}

#[test]
fn the_final_fragment_may_be_empty() {
    let wire = [frame(0x41, HELLO), frame(0x00, &[]), frame(0x80, &[]), frame(0xC1, HELLO)].concat();
    assert_eq!(both(&wire), Ok(vec![text("Hello"); 2]));
}

#[test]
fn control_frames_between_compressed_fragments_keep_the_state() {
    let ping = frame(0x89, b"\xF2\x48");
    let mut wire = Vec::new();
    for (i, byte) in HELLO.iter().enumerate() {
        wire.extend(&ping);
        let first = if i == 0 { 0x41 } else { 0 } | if i == 6 { 0x80 } else { 0 };
        wire.extend(frame(first, &[*byte]));
    }
    wire.extend(frame(0x8A, b"pong"));
    let mut expected = vec![Message::Ping((&b"\xF2\x48"[..]).into()); 7];
    expected.extend([text("Hello"), Message::Pong("pong".into())]);
    assert_eq!(both(&wire), Ok(expected));
}

#[test]
fn a_close_frame_inside_a_compressed_message_ends_it() {
    let wire = [frame(0x41, &HELLO[..3]), frame(0x88, b"\x03\xE8")].concat();
    let messages = both(&wire).unwrap();
    assert!(matches!(messages[..], [Message::Close(Some(_))]), "{messages:?}");
}

#[test]
fn rsv1_on_a_continuation_frame_is_refused() {
    let wire = [frame(0x41, &HELLO[..3]), frame(0xC0, &HELLO[3..])].concat();
    assert_eq!(both(&wire), Err(DecodeError::ReservedBits));
}

#[test]
fn rsv1_on_a_control_frame_is_refused() {
    for first in [0xC8, 0xC9, 0xCA] {
        assert_eq!(both(&frame(first, &[])), Err(DecodeError::ReservedBits), "{first:02x}");
    }
}

#[test]
fn the_other_reserved_bits_stay_reserved() {
    for first in [0xA1, 0x91, 0xE1, 0xD1, 0xF2] {
        assert_eq!(both(&frame(first, &[0])), Err(DecodeError::ReservedBits), "{first:02x}");
    }
}

#[test]
fn a_message_without_rsv1_passes_and_the_context_survives_it() {
    let shared = [0xF2, 0x00, 0x11, 0x00, 0x00];
    let wire = [frame(0xC1, HELLO), frame(0x81, "plain é".as_bytes()), frame(0x82, &[0xFF]), frame(0xC1, &shared)];
    assert_eq!(both(&wire.concat()), Ok(vec![text("Hello"), text("plain é"), binary([0xFF]), text("Hello")]));
}

#[test]
fn an_uncompressed_text_is_validated_as_ever() {
    assert_eq!(both(&frame(0x81, &[0xFF])), Err(DecodeError::InvalidUtf8));
}

#[test]
fn without_context_takeover_a_message_cannot_refer_to_the_one_before() {
    let agreement = Agreement { server_no_context_takeover: true, ..Agreement::DEFAULT };
    let shared = [0xF2, 0x00, 0x11, 0x00, 0x00];
    let wire = [frame(0xC1, HELLO), frame(0xC1, HELLO), frame(0xC1, &shared)].concat();
    let mut assembler = client(agreement);
    let mut input = BytesMut::from(&wire[..]);
    for _ in 0..2 {
        assert_eq!(assembler.next_message(&mut input), Ok(Some(text("Hello"))));
    }
    assert_eq!(assembler.next_message(&mut input), Err(DecodeError::InvalidExtensionData));
}

#[test]
fn a_peer_that_may_keep_its_context_may_reset_it() {
    let agreement = Agreement { client_no_context_takeover: true, ..Agreement::DEFAULT };
    let mut sending = extensions(Role::Client, agreement);
    let hello = [deflate(&mut sending, b"Hello").unwrap(), deflate(&mut sending, b"Hello").unwrap()];
    assert_eq!(hello[0], hello[1]);
    let wire = hello.map(|payload| frame(0xC1, &payload)).concat();
    assert_eq!(both(&wire), Ok(vec![text("Hello"); 2]));
}

#[test]
fn invalid_data_fail_with_1007() {
    let invalid: [(&str, &[u8]); 8] = [
        ("block type 3", &[0x06]),
        ("a stored length without its complement", &[0x00, 0x05, 0x00, 0xFA, 0xFE]),
        ("a distance before the first byte", &[0xF2, 0x00, 0x11, 0x00, 0x00]),
        ("287 literals", &[0xF4, 0x00, 0x00]),
        ("31 distances", &[0x04, 0x1E, 0x00]),
        ("a repeat of nothing", &[0x04, 0x00, 0x12, 0x00, 0x00, 0x00, 0x00, 0x00]),
        ("code lengths without a code", &[0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]),
        ("an oversubscribed code", &[0x04, 0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
    ];
    for (what, payload) in invalid {
        let error = both(&frame(0xC2, payload)).expect_err(what);
        assert_eq!(error, DecodeError::InvalidExtensionData, "{what}");
        assert_eq!(error.close_code().0, 1007);
    }
}

#[test]
fn an_incomplete_stream_at_the_end_of_a_message_is_refused() {
    // The last byte but one holds the end of the block; before it, every cut leaves a symbol or a code unfinished.
    for len in 1..HELLO.len() - 1 {
        assert_eq!(both(&frame(0xC1, &HELLO[..len])), Err(DecodeError::InvalidExtensionData), "{len}");
    }
    let stored = [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48];
    assert_eq!(both(&frame(0xC1, &stored)), Err(DecodeError::InvalidExtensionData));
}

#[test]
fn a_failure_is_final() {
    let mut assembler = client(Agreement::DEFAULT);
    let mut input = BytesMut::from(&[frame(0xC1, &[0x06]), frame(0xC1, HELLO)].concat()[..]);
    for _ in 0..3 {
        assert_eq!(assembler.next_message(&mut input), Err(DecodeError::InvalidExtensionData));
    }
    assert_eq!(assembler.error(), Some(DecodeError::InvalidExtensionData));
}

#[test]
fn text_is_validated_after_inflation_as_it_streams() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let mut scratch = Vec::new();
    let start = Header::new(Opcode::Text).fragment();
    let (_, payload) = sending.encode(start, b"valid, and then \xC3\x28", &mut scratch).unwrap();
    // The message is not over; the fault is here all the same.
    assert_eq!(both(&frame(0x41, payload)), Err(DecodeError::InvalidUtf8));
}

#[test]
fn text_may_be_cut_inside_a_code_point_and_not_end_there() {
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let payload = deflate(&mut sending, "für 漢字 🦀".as_bytes()).unwrap();
    assert_eq!(both(&fragments(0xC1, &payload, 1)), Ok(vec![text("für 漢字 🦀")]));
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let payload = deflate(&mut sending, b"ends in \xF0\x9F\xA6").unwrap();
    assert_eq!(both(&frame(0xC1, &payload)), Err(DecodeError::InvalidUtf8));
    assert_eq!(both(&frame(0xC2, &payload)), Ok(vec![binary(*b"ends in \xF0\x9F\xA6")]), "binary is not validated");
}

#[test]
fn validation_can_be_switched_off() {
    let config = Config::client().skip_text_validation();
    let mut assembler = Assembler::with_extensions(config, extensions(Role::Client, Agreement::DEFAULT));
    let mut sending = extensions(Role::Server, Agreement::DEFAULT);
    let payload = deflate(&mut sending, b"\xFF").unwrap();
    let raw = Message::Raw { opcode: Opcode::Text, rsv: Rsv::NONE, payload: (&b"\xFF"[..]).into() };
    assert_eq!(feed(&mut assembler, &frame(0xC1, &payload), 100), Ok(vec![raw]));
}

#[test]
fn a_continuation_without_a_message_is_refused_behind_a_compressed_one() {
    let wire = [frame(0xC1, HELLO), frame(0x80, &[])].concat();
    let error = feed(&mut client(Agreement::DEFAULT), &wire, 100).unwrap_err();
    assert_eq!(error, DecodeError::UnexpectedContinuation);
}

#[test]
fn of_two_faults_the_first_is_told_however_the_message_is_cut() {
    // A stored block with a byte that no text has, then a block of type 3, in one frame.
    let payload = [0x00, 0x01, 0x00, 0xFE, 0xFF, 0xC0, 0x06];
    for wire in [frame(0xC1, &payload), fragments(0xC1, &payload, 1)] {
        assert_eq!(both(&wire), Err(DecodeError::InvalidUtf8));
    }
    assert_eq!(both(&frame(0xC2, &payload)), Err(DecodeError::InvalidExtensionData));
}
