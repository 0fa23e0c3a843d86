//! The validator in pieces, alone and fused with unmasking, held to `core::str::from_utf8` and to table 3-7 of Unicode.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use support::Cuts;
use support::oracle::Utf8;
use websocket_wire::utf8::Validator;
use websocket_wire::{Mask, MaskingKey};

fuzz_target!(|input: ([u8; 4], Cuts, &[u8])| {
    let (key, cuts, text) = input;
    let mut naive = Utf8::new();
    let fault = text.iter().position(|byte| !naive.push(*byte));
    let is_text = fault.is_none() && naive.is_complete();
    assert_eq!(is_text, core::str::from_utf8(text).is_ok());

    let (mut validator, mut at) = (Validator::new(), 0);
    for piece in cuts.pieces(text) {
        match validator.push(piece) {
            Ok(()) => at += piece.len(),
            Err(error) => {
                assert_eq!(Some(at + error.position()), fault);
                break;
            }
        }
    }
    assert!(fault.is_some() || at == text.len());
    assert!(fault.is_some() || validator.finish().is_ok() == is_text);

    // What is "masked" here becomes `text` when it is unmasked.
    let mut buf: Vec<u8> = text.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
    let masked = buf.clone();
    let (mut fused, mut mask, mut at) = (Validator::new(), Mask::new(MaskingKey::new(key)), 0);
    for piece in cuts.pieces(text) {
        match fused.unmask(&mut mask, &mut buf[at..at + piece.len()]) {
            Ok(()) => at += piece.len(),
            Err(error) => {
                at += error.position();
                break;
            }
        }
    }
    assert_eq!(at, fault.unwrap_or(text.len()));
    assert_eq!(buf, [&text[..at], &masked[at..]].concat());
    assert_eq!(fused, validator);
});
