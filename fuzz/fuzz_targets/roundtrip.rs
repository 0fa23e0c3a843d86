//! Whatever the encoder takes, in any of its ways, the oracle takes too, and the decoder gives back, however it is cut.
#![no_main]

mod support;

use std::cell::Cell;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use support::build::{Built, frame};
use support::oracle::{Oracle, Rules, Verdict};
use support::send::{self, Way};
use support::{Cuts, harness};
use websocket_wire::{Encoder, Side};

#[derive(Arbitrary, Debug)]
struct Sent {
    first: u8,
    way: u8,
    payload: Vec<u8>,
}

fuzz_target!(|input: (bool, Cuts, Vec<Sent>)| {
    let (from_client, cuts, frames) = input;
    let draws = Cell::new(0);
    let sent = match from_client {
        true => encode(&mut Encoder::client(send::keys(&draws)), &frames),
        false => encode(&mut Encoder::server(), &frames),
    };
    let keyed = |(n, frame): (u32, Built)| Built { key: from_client.then(|| send::key(n)), ..frame };
    let (frames, wires): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
    let expected: Vec<_> = (1..).zip(frames).map(keyed).collect();
    let stream = wires.concat();
    assert_eq!(stream, support::build::stream(&expected));

    // That a payload is text is for the sender to know.
    let rules = Rules { skip_text_validation: true, ..Rules::strict(from_client) };
    let oracle = Oracle::of(&rules, &stream);
    assert!(!matches!(oracle.verdict, Verdict::Failed(_)), "{:?}", oracle.verdict);
    assert_eq!(oracle.consumed, stream.len());
    harness::check(&rules, &stream, cuts.of(stream.len()));
});

/// Returns what the encoder took, and its bytes; a frame that it refused leaves it as it was.
fn encode<S: Side>(encoder: &mut Encoder<S>, frames: &[Sent]) -> Vec<(Built, Vec<u8>)> {
    let send = |sent: &Sent| {
        let opcode = sent.first & 0x0F;
        let frame = Built { fin: sent.first & 0x80 != 0, rsv: sent.first & 0x70, ..frame(opcode, &sent.payload) };
        let ways = send::ways();
        // The header alone says nothing of the code in a close frame.
        let way = if opcode == 8 { Way::Copied } else { ways[usize::from(sent.way) % ways.len()] };
        let wire = send::send(encoder, way, send::header(&frame), &frame.payload).ok()?;
        Some((frame, wire))
    };
    frames.iter().filter_map(send).collect()
}
