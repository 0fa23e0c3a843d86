//! Masking in pieces, in place and copying, at any alignment, held to one XOR a byte; the bytes around stay as they are.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use support::Cuts;
use websocket_wire::{Mask, MaskingKey};

const GUARD: usize = 80;

fuzz_target!(|input: ([u8; 4], u8, Cuts, &[u8])| {
    let (key, offset, cuts, payload) = input;
    let naive: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
    let start = GUARD + usize::from(offset % 64);
    let guarded = |middle: &[u8]| [&vec![0xA5; start][..], middle, &[0x5A; GUARD]].concat();

    let (mut buf, mut mask, mut at) = (guarded(payload), Mask::new(MaskingKey::new(key)), start);
    for piece in cuts.pieces(payload) {
        mask.apply(&mut buf[at..at + piece.len()]);
        at += piece.len();
    }
    assert_eq!(buf, guarded(&naive));

    let (mut buf, mut mask, mut at) = (guarded(&vec![0; payload.len()]), Mask::new(MaskingKey::new(key)), start);
    for piece in cuts.pieces(payload) {
        mask.apply_to(piece, &mut buf[at..at + piece.len()]);
        at += piece.len();
    }
    assert_eq!(buf, guarded(&naive));
});
