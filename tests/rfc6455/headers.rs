//! Where reads end: inside of a header, a key, a payload, or behind several frames (sections 5.2, 6.2).

use websocket_wire::{Config, Decoder, Opcode, Status};

use crate::{KEY, ROLES, decode, feed, masked, unmasked, wire};

/// A frame with the longest header there is: 2 bytes, a 64-bit length, a masking key.
fn longest() -> (Vec<u8>, Vec<u8>) {
    let payload: Vec<u8> = (0..65_536u32).map(|i| (i * 7) as u8).collect();
    (masked(0x82, KEY, &payload), payload)
}

#[test]
fn a_header_split_at_each_of_its_13_inner_positions_is_the_same_header() {
    let (stream, payload) = longest();
    for cut in 1..14 {
        let outcome = feed(Config::server(), [&stream[..cut], &stream[cut..]]);
        assert_eq!(outcome.payloads(), [&payload[..]], "cut at {cut}");
        assert!(outcome.is_idle && outcome.error.is_none());
    }
}

#[test]
fn a_header_split_in_three_at_each_pair_of_inner_positions_is_the_same_header() {
    let stream = [masked(0x82, KEY, &[0x5A; 200]), wire(websocket_wire::Role::Server, 0x89, b"end")].concat();
    for (a, b) in (1..8).flat_map(|a| (a + 1..9).map(move |b| (a, b))) {
        let outcome = feed(Config::server(), [&stream[..a], &stream[a..b], &stream[b..]]);
        assert_eq!(outcome.payloads(), [&[0x5A; 200][..], b"end"], "cut at {a} and {b}");
    }
}

#[test]
fn a_header_that_is_not_all_here_changes_nothing_and_says_how_much_is_missing() {
    let (stream, _) = longest();
    // The bytes at which something can be said next: two, all of the length, the key and one byte of payload.
    for (here, needed) in [(0, 2), (1, 1), (2, 8), (9, 1), (10, 5), (13, 2), (14, 1)] {
        let mut buf = stream[..here].to_vec();
        let mut decoder = Decoder::server();
        assert!(matches!(decoder.decode(&mut buf), Ok(Status::Partial { needed: n }) if n == needed), "{here} here");
        assert_eq!(buf, stream[..here]);
    }
}

#[test]
fn reads_of_one_byte_give_the_same_frames() {
    for role in ROLES {
        let frames =
            [(0x81, &b"text"[..]), (0x82, &[0xFF; 300]), (0x89, b""), (0x01, b"a"), (0x8A, b"p"), (0x80, b"b")];
        let stream: Vec<u8> = frames.iter().flat_map(|(first, payload)| wire(role, *first, payload)).collect();
        let outcome = feed(Config::new(role), stream.chunks(1));
        assert_eq!(outcome.payloads(), frames.map(|(_, payload)| payload));
        assert!(outcome.is_idle && outcome.consumed == stream.len());
    }
}

#[test]
fn several_frames_in_one_read_come_out_in_order_and_leave_the_rest_alone() {
    let payloads: [&[u8]; 4] = [b"one", b"", b"three", &[3; 126]];
    let mut buf: Vec<u8> = payloads.iter().flat_map(|payload| unmasked(0x82, payload)).collect();
    let (mut decoder, mut at) = (Decoder::client(), 0);
    for payload in payloads {
        let behind = buf.clone();
        let (frame, consumed) = decoder.decode(&mut buf[at..]).unwrap().complete().unwrap();
        assert_eq!(frame.payload(), payload);
        at += consumed;
        assert_eq!(buf[at..], behind[at..]);
    }
    assert_eq!(at, buf.len());
}

#[test]
fn a_read_that_ends_inside_of_the_next_header_delivers_the_frame_before_it() {
    let (next, _) = longest();
    let first = masked(0x81, KEY, b"first");
    for here in 0..14 {
        let outcome = feed(Config::server(), [&[&first[..], &next[..here]].concat()[..]]);
        assert_eq!(outcome.payloads(), [b"first"], "{here} bytes of the next header");
        assert_eq!((outcome.consumed, outcome.error, outcome.is_idle), (first.len(), None, here == 0));
        // The bytes of the header are kept by the caller and given again with the rest.
        let rest = [&[&first[..], &next[..here]].concat()[..], &next[here..]];
        assert_eq!(feed(Config::server(), rest).opcodes(), [Opcode::Text, Opcode::Binary]);
    }
}

#[test]
fn payloads_of_every_size_at_a_boundary_of_the_length_forms_are_delivered() {
    let sizes = [0, 1, 2, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537];
    for (role, size) in ROLES.into_iter().flat_map(|role| sizes.map(|size| (role, size))) {
        let payload: Vec<u8> = (0..size).map(|i| (i % 253) as u8).collect();
        for opcode in [0x82, 0x81] {
            let payload: Vec<u8> =
                payload.iter().map(|byte| if opcode == 0x81 { byte & 0x7F } else { *byte }).collect();
            let outcome = feed(Config::new(role), [&wire(role, opcode, &payload)[..]]);
            assert_eq!(outcome.payloads(), [&payload[..]], "{role:?}, {size} bytes");
            assert!(outcome.is_idle && outcome.frames[0].is_whole);
        }
    }
}

#[test]
fn a_data_frame_is_delivered_as_far_as_it_is_here_and_a_control_frame_whole() {
    let (mut decoder, mut start) = (Decoder::client(), [0x82, 3, b'a']);
    let (part, consumed) = decoder.decode(&mut start).unwrap().complete().unwrap();
    assert_eq!((part.payload(), part.is_first_part(), part.is_last_part(), consumed), (&b"a"[..], true, false, 3));
    let mut rest = *b"bc\x89\x02p";
    let (part, consumed) = decoder.decode(&mut rest).unwrap().complete().unwrap();
    assert_eq!((part.payload(), part.is_first_part(), part.is_last_part(), consumed), (&b"bc"[..], false, true, 2));
    assert!(matches!(decoder.decode(&mut rest[2..]), Ok(Status::Partial { needed: 1 })));
}

#[test]
fn a_stream_that_ends_early_is_not_idle_and_not_a_fault() {
    for role in ROLES {
        let stream = [wire(role, 0x01, b"ab"), wire(role, 0x89, b"p"), wire(role, 0x80, b"c")].concat();
        for end in 1..stream.len() {
            let outcome = decode(Config::new(role), &stream[..end]);
            assert_eq!((outcome.error, outcome.is_idle, outcome.is_closed), (None, false, false), "{role:?} {end}");
        }
        assert!(decode(Config::new(role), &stream).is_idle);
    }
}
