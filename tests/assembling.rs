//! Messages joined from parts: whatever the script, the fragments, the masks and the reads, they are those of a text that
//! is joined first and looked at as a whole.
#![cfg(feature = "alloc")]

mod support;

use bytes::BytesMut;
use proptest::prelude::*;
use support::build::{Built, frame};
use websocket_wire::{Assembler, Config, DecodeError, Message};

#[derive(Clone, Debug)]
struct Sent {
    is_text: bool,
    payload: Vec<u8>,
    /// How long its fragments are, in turn.
    fragments: Vec<usize>,
    keys: Vec<[u8; 4]>,
}

/// Texts that begin with ASCII, as long as one vector or many, and go on in scripts of one to four bytes; some with one
/// byte that is changed.
fn sent() -> impl Strategy<Value = Sent> {
    let ascii = prop_oneof![3 => 0usize..40, 2 => 100usize..300, 2 => 500usize..1300];
    let rest = prop_oneof!["", "[a-zé]{1,40}", "[а-я]{1,200}", "[一-龥]{1,200}", "[😀-😎]{1,100}", ".{0,60}"];
    let change = prop_oneof![5 => Just(None), 1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(Some)];
    let fragments = prop::collection::vec(prop_oneof![0usize..4, 60usize..140, 200usize..1500], 1..4);
    (any::<bool>(), ascii, rest, change, fragments, prop::collection::vec(any::<[u8; 4]>(), 1..3)).prop_map(
        |(is_text, ascii, rest, change, fragments, keys)| {
            let mut payload = [&vec![b'a'; ascii], rest.as_bytes()].concat();
            if let Some((index, byte)) = change
                && !payload.is_empty()
            {
                let at = index.index(payload.len());
                payload[at] = byte;
            }
            Sent { is_text, payload, fragments, keys }
        },
    )
}

impl Sent {
    /// Its frames, a ping in front of each but the first.
    fn wire(&self, is_masked: bool) -> Vec<u8> {
        let (mut wire, mut rest, mut lens) = (Vec::new(), &self.payload[..], self.fragments.iter().cycle());
        for i in 0.. {
            // Twenty at most, for a length may be zero each time.
            let len = if i < 20 { rest.len().min(*lens.next().unwrap()) } else { rest.len() };
            let (piece, behind) = rest.split_at(len);
            rest = behind;
            let opcode = if i > 0 { 0 } else { 2 - u8::from(self.is_text) };
            let key = self.keys[i % self.keys.len()];
            let mut built = Built { fin: rest.is_empty(), ..frame(opcode, piece) };
            let mut ping = frame(9, b"?");
            if is_masked {
                (built, ping) = (built.key(key), ping.key(key));
            }
            if i > 0 {
                wire.extend(ping.wire());
            }
            wire.extend(built.wire());
            if rest.is_empty() {
                break;
            }
        }
        wire
    }

    fn expected(&self) -> Result<Message, DecodeError> {
        if !self.is_text {
            return Ok(Message::Binary(self.payload.clone().into()));
        }
        match std::str::from_utf8(&self.payload) {
            Ok(text) => Ok(Message::Text(text.to_owned().into())),
            Err(_) => Err(DecodeError::InvalidUtf8),
        }
    }
}

/// Feeds `wire` in pieces of these lengths, in turn; returns what came but for pings, and how it ended.
fn assemble(config: Config, wire: &[u8], reads: &[usize]) -> (Vec<Message>, Option<DecodeError>) {
    let (mut assembler, mut input, mut messages) = (Assembler::new(config), BytesMut::new(), Vec::new());
    let (mut rest, mut reads) = (wire, reads.iter().cycle());
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(*reads.next().unwrap()));
        rest = behind;
        input.extend_from_slice(piece);
        loop {
            match assembler.next_message(&mut input) {
                Ok(Some(Message::Ping(payload))) => assert_eq!(payload, "?"),
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

proptest! {
    #![proptest_config(support::cases(600))]

    #[test]
    fn parts_are_joined_to_what_was_sent_or_fail_as_it_does(
        sent in prop::collection::vec(sent(), 1..4),
        reads in prop::collection::vec(prop_oneof![1usize..9, 100usize..700, 1000usize..9000], 1..4),
        is_masked in any::<bool>(),
    ) {
        let wire: Vec<u8> = sent.iter().flat_map(|sent| sent.wire(is_masked)).collect();
        let valid = sent.iter().map_while(|sent| sent.expected().ok()).collect::<Vec<_>>();
        let error = sent.iter().find_map(|sent| sent.expected().err());
        let config = if is_masked { Config::server() } else { Config::client() };
        prop_assert_eq!(assemble(config, &wire, &reads), (valid, error));
    }
}

/// However long it is: from that place on nothing but the rest of the code point is looked for, by whichever kernel.
#[test]
fn ascii_in_place_of_the_rest_of_a_code_point_is_a_fault() {
    for head in
        ["é", "€", "😀"].map(str::as_bytes).into_iter().flat_map(|point| (1..point.len()).map(|at| &point[..at]))
    {
        for len in [1, 2, 3, 4, 5, 15, 16, 17, 64, 65, 124, 125, 126, 300, 5000] {
            for is_masked in [false, true] {
                let (keys, config) = (vec![[0x37, 0xFA, 0x21, 0x3D], [1, 2, 3, 4]], Config::client());
                let config = if is_masked { Config::server() } else { config };
                let sent = Sent {
                    is_text: true,
                    payload: [head, &vec![b'a'; len]].concat(),
                    fragments: vec![head.len(), usize::MAX],
                    keys,
                };
                let result = assemble(config, &sent.wire(is_masked), &[usize::MAX]);
                assert_eq!(result.1, Some(DecodeError::InvalidUtf8), "{head:x?}, {len}, {is_masked}");
                assert!(result.0.is_empty(), "{result:?}");
            }
        }
    }
}

/// What is logged by `{:?}` is the state and no payload: 115 is `s`.
#[test]
fn debug_shows_no_payload() {
    let mut assembler = Assembler::new(Config::client());
    assert_eq!(assembler.next_message(&mut BytesMut::from(&b"\x01\x06ssssss"[..])), Ok(None));
    let shown = format!("{assembler:?}");
    assert!(shown.contains("delivered: 6") && !shown.contains("115"), "{shown}");

    let mut output = websocket_wire::Output::new(9);
    output.put(b"ssssss").unwrap();
    let shown = format!("{output:?}");
    assert!(shown.contains("len: 6") && !shown.contains("115"), "{shown}");
}
