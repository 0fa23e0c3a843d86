//! The decoder on any bytes, whole, byte by byte and cut anywhere, held to the oracle of the tests after every piece:
//! the same frames, the same verdict at the same byte, progress with every call, nothing changed behind `consumed`.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use support::{Setup, harness};

fuzz_target!(|input: (Setup, &[u8])| {
    let (setup, stream) = input;
    let rules = setup.rules();
    harness::check(&rules, stream, []);
    harness::check(&rules, stream, setup.cuts(stream.len()));
    if stream.len() < 128 {
        harness::check(&rules, stream, 1..stream.len());
    }
});
