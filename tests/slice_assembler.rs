//! The assembler without a heap: the same messages and the same verdicts as the oracle's, at any cut, in any memory.

mod support;

use proptest::prelude::*;
use proptest::sample::Index;
use support::arbitrary;
use support::build::{frame, masked, stream};
use support::oracle::{Oracle, Rules, Verdict};
use websocket_wire::{
    Claims, CloseCode, CloseFrame, Config, DecodeError, MessageRef, Opcode, Rsv, SliceAssembler, Status,
};

/// A message, copied out.
#[derive(Debug, PartialEq, Eq)]
enum Owned {
    Text(String),
    Other(u8, u8, Vec<u8>),
}

fn owned(message: MessageRef<'_>) -> Owned {
    let other = |opcode: Opcode, payload: &[u8]| Owned::Other(opcode.bits(), 0, payload.to_vec());
    match message {
        MessageRef::Text(text) => Owned::Text(text.to_owned()),
        MessageRef::Binary(payload) => other(Opcode::Binary, payload),
        MessageRef::Ping(payload) => other(Opcode::Ping, payload),
        MessageRef::Pong(payload) => other(Opcode::Pong, payload),
        MessageRef::Close(None) => other(Opcode::Close, &[]),
        MessageRef::Close(Some(close)) => other(Opcode::Close, close.encode(&mut [0; CloseFrame::MAX_LEN])),
        MessageRef::Raw { opcode, rsv, payload } => Owned::Other(opcode.bits(), rsv.bits(), payload.to_vec()),
        other => panic!("{other:?}"),
    }
}

/// Feeds `wire` up to each of `cuts` in turn and then to its end; returns the messages and the fault.
fn assemble(config: Config, memory: usize, wire: &[u8], cuts: &[usize]) -> (Vec<Owned>, Option<DecodeError>) {
    let (mut memory, mut wire) = (vec![0xA5; memory], wire.to_vec());
    let mut assembler = SliceAssembler::new(config, &mut memory);
    let (mut at, mut messages, len) = (0, Vec::new(), wire.len());
    for cut in cuts.iter().copied().chain([len]) {
        loop {
            match assembler.decode(&mut wire[at..cut.max(at)]) {
                Ok(Status::Complete { value, consumed }) => {
                    messages.extend(value.map(owned));
                    at += consumed;
                }
                Ok(Status::Partial { .. }) => break,
                Err(error) => {
                    assert_eq!(assembler.decode(&mut [0x89, 0]), Err(error), "the fault is said again");
                    assert_eq!(assembler.decoder().error(), Some(error));
                    return (messages, Some(error));
                }
            }
        }
    }
    (messages, None)
}

/// What the oracle makes of the wire: its frames, joined naively.
fn expected(rules: &Rules, wire: &[u8]) -> (Vec<Owned>, Option<DecodeError>) {
    let oracle = Oracle::of(rules, wire);
    let (mut messages, mut open, mut rsv) = (Vec::new(), Vec::new(), 0);
    for frame in &oracle.frames {
        if frame.payload.len() as u64 != frame.len {
            continue;
        }
        if frame.opcode >= 8 {
            messages.push(Owned::Other(frame.opcode, frame.rsv, frame.payload.clone()));
            continue;
        }
        if frame.opcode != 0 {
            (open, rsv) = (Vec::new(), frame.rsv);
        }
        open.extend(&frame.payload);
        if frame.fin {
            let is_text = frame.message_opcode == 1 && rsv == 0 && !rules.skip_text_validation;
            messages.push(match is_text {
                true => Owned::Text(String::from_utf8(open.clone()).unwrap()),
                false => Owned::Other(frame.message_opcode, rsv, open.clone()),
            });
        }
    }
    let error = match oracle.verdict {
        Verdict::Failed(error) => Some(error),
        _ => None,
    };
    (messages, error)
}

proptest! {
    #![proptest_config(support::cases(1500))]

    #[test]
    fn any_stream_gives_the_oracles_messages_and_verdict(
        frames in prop_oneof![arbitrary::valid_stream(), arbitrary::broken_stream()],
        is_server in any::<bool>(),
        skip in prop::bool::weighted(0.2),
        memory in prop_oneof![3 => Just(1usize << 17), 2 => 0usize..60],
        cuts in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let wire = stream(&if is_server { masked(&frames) } else { frames });
        let rules = Rules {
            message_rsv: 0x40,
            opcodes: vec![4],
            skip_text_validation: skip,
            ..Rules::strict(is_server)
        };
        // The memory is a limit like any other.
        let limited = Rules { message_len: rules.message_len.min(memory as u64), ..rules.clone() };
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
        cuts.sort_unstable();
        let expected = expected(&limited, &wire);
        prop_assert_eq!(&assemble(rules.config(), memory, &wire, &cuts), &expected);
        prop_assert_eq!(&assemble(rules.config(), memory, &wire, &[]), &expected);
    }
}

#[test]
fn every_cut_of_a_stream_of_all_kinds_gives_the_same() {
    let config = Config::client().claims(Claims::NONE.message_rsv(Rsv::RSV1).frame_rsv(Rsv::RSV3));
    let wire =
        b"\x01\x01\xC3\x89\x01p\x00\x00\x80\x02\xA9!\x42\x01\xFF\x80\x00\x91\x01t\x82\x03abc\x81\x00\x88\x02\x03\xE8";
    let expected = [
        Owned::Other(9, 0, b"p".to_vec()),
        Owned::Text("é!".into()),
        Owned::Other(2, 0x40, b"\xFF".to_vec()),
        Owned::Other(1, 0x10, b"t".to_vec()),
        Owned::Other(2, 0, b"abc".to_vec()),
        Owned::Text("".into()),
        Owned::Other(8, 0, vec![3, 232]),
    ];
    for memory in [3, 4, 100] {
        for one in 0..=wire.len() {
            for other in one..=wire.len() {
                let (messages, error) = assemble(config, memory, wire, &[one, other]);
                assert!(messages == expected && error.is_none(), "{one}, {other}: {messages:?} {error:?}");
            }
        }
        let bytewise: Vec<_> = (0..wire.len()).collect();
        assert_eq!(assemble(config, memory, wire, &bytewise).0, expected);
    }
}

#[test]
fn a_message_that_is_longer_than_the_memory_is_refused_by_its_header_and_nothing_is_copied() {
    for wire in [&b"\x82\x05"[..], b"\x02\x04abcd\x80\x01", b"\x02\x05", b"\x02\x7E\x01\x00"] {
        let mut memory = [0xA5; 4];
        let mut assembler = SliceAssembler::new(Config::client(), &mut memory);
        let (mut wire, mut at, mut result) = (wire.to_vec(), 0, Ok(()));
        while result.is_ok() {
            match assembler.decode(&mut wire[at..]) {
                Ok(Status::Complete { consumed, .. }) => at += consumed,
                Ok(partial) => panic!("{partial:?}"),
                Err(error) => result = Err(error),
            }
        }
        assert_eq!(result, Err(DecodeError::MessageTooLong));
        assert_eq!(result.unwrap_err().close_code(), CloseCode::MESSAGE_TOO_BIG);
        let copied = if at > 0 { *b"abcd" } else { [0xA5; 4] };
        assert_eq!(memory, copied);
    }
}

#[test]
fn control_frames_need_no_memory() {
    let wire = stream(&[frame(9, [b'x'; 125]), frame(2, ""), frame(8, [3, 232, b'!'])]);
    let (messages, error) = assemble(Config::client(), 0, &wire, &[]);
    assert_eq!((messages.len(), error), (3, None));
}

#[test]
fn the_next_message_begins_at_the_front_of_the_memory() {
    let wire = stream(&[frame(1, "abcd").fragment(), frame(0, "efgh")]).repeat(3);
    let (messages, error) = assemble(Config::client(), 8, &wire, &[1, 8, 17]);
    assert_eq!((messages, error), ((0..3).map(|_| Owned::Text("abcdefgh".into())).collect(), None));
}
