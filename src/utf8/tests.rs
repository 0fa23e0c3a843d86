//! Every instruction set of this machine against a naive automaton, and that against the standard library.

use std::{string::String, vec, vec::Vec};

use super::*;
use crate::{mask::MaskingKey, simd};

const KEY: [u8; 4] = [0x80, 0x21, 0xff, 0x3d];

const FILLERS: [&str; 5] = ["a", "я", "語", "🦀", "a é"];

/// What the validator must say of a text: the place of the first impossible byte, if there is one, and how many bytes
/// of a code point are pending there or at the end. Written from the table in RFC 3629 §4, and from nothing else.
fn oracle(text: &[u8]) -> (Option<usize>, usize) {
    let mut start = 0;
    while start < text.len() {
        let tail: &[std::ops::RangeInclusive<u8>] = match text[start] {
            0x00..=0x7f => &[],
            0xc2..=0xdf => &[0x80..=0xbf],
            0xe0 => &[0xa0..=0xbf, 0x80..=0xbf],
            0xe1..=0xec | 0xee | 0xef => &[0x80..=0xbf, 0x80..=0xbf],
            0xed => &[0x80..=0x9f, 0x80..=0xbf],
            0xf0 => &[0x90..=0xbf, 0x80..=0xbf, 0x80..=0xbf],
            0xf1..=0xf3 => &[0x80..=0xbf, 0x80..=0xbf, 0x80..=0xbf],
            0xf4 => &[0x80..=0x8f, 0x80..=0xbf, 0x80..=0xbf],
            _ => return (Some(start), 0),
        };
        for (i, range) in tail.iter().enumerate() {
            match text.get(start + 1 + i) {
                None => return (None, i + 1),
                Some(byte) if !range.contains(byte) => return (Some(start + 1 + i), i + 1),
                Some(_) => {}
            }
        }
        start += 1 + tail.len();
    }
    (None, 0)
}

/// The standard library's view of the same: it names the start of the bad sequence and, if bytes can no longer save it,
/// how long its acceptable prefix is.
fn by_std(text: &[u8]) -> (Option<usize>, usize) {
    let Err(error) = core::str::from_utf8(text) else {
        return (None, 0);
    };
    let start = error.valid_up_to();
    match error.error_len() {
        None => (None, text.len() - start),
        // One byte: it may be bad itself, or a good first byte that the next one does not continue.
        Some(1) if !matches!(text[start], 0xc2..=0xf4) => (Some(start), 0),
        Some(seen) => (Some(start + seen), seen),
    }
}

/// Checks all ways to give a text, in one piece or in two.
fn check(text: &[u8], split: usize) {
    let expected = oracle(text);
    check_push(text, split, expected);
    check_unmask(text, split, expected, Validator::unmask);
    if split == 0 {
        check_whole(text, expected == (None, 0));
        assert_eq!(is_whole(text), expected == (None, 0), "{text:x?}");
        assert_eq!(state::is_whole(text), expected == (None, 0), "{text:x?}");
    }
}

fn check_whole(text: &[u8], is_valid: bool) {
    let mask = Mask::new(MaskingKey::new(KEY));
    let mut masked = text.to_vec();
    { mask }.apply(&mut masked);
    let mut bytes = masked.clone();
    assert_eq!(unmask_by_words(mask, true, &mut bytes), is_valid, "{text:x?}");
    assert_eq!(bytes, if is_valid { text } else { &masked }, "all is unmasked, or nothing");
    let mut bytes = masked.clone();
    assert!(unmask_by_words(mask, false, &mut bytes), "{text:x?}");
    assert_eq!(bytes, text);
    if !simd::VECTORS {
        return;
    }
    let mut bytes = masked.clone();
    assert_eq!(unmask_whole(mask, &mut bytes, true), is_valid, "{text:x?}");
    assert_eq!(bytes, if is_valid { text } else { &masked }, "all is unmasked, or nothing");
    if text.len() > SHORT {
        let mut bytes = masked.clone();
        assert_eq!(unmask_whole_ascii(mask, &mut bytes, true), is_valid, "{text:x?}");
        assert_eq!(bytes, if is_valid { text } else { &masked }, "all is unmasked, or nothing");
    }
}

fn check_push(text: &[u8], split: usize, (fault, pending): (Option<usize>, usize)) {
    let (head, tail) = text.split_at(split);
    let mut validator = Validator::new();
    let pushed = validator
        .push(head)
        .map_err(|e| e.position())
        .and_then(|()| validator.push(tail).map_err(|e| split + e.position()));
    assert_eq!((pushed.err(), validator.pending()), (fault, pending), "{text:x?} at {split}");
    #[cfg(feature = "alloc")]
    assert_eq!(validator.is_boundary(), pending == 0);
    assert_eq!(fault.is_none() && validator.finish().is_ok(), core::str::from_utf8(text).is_ok());
}

type Unmask = fn(&mut Validator, &mut Mask, &mut [u8]) -> Result<(), Utf8Error>;

fn check_unmask(text: &[u8], split: usize, (fault, pending): (Option<usize>, usize), unmask: Unmask) {
    let mut masked = text.to_vec();
    Mask::new(MaskingKey::new(KEY)).apply(&mut masked);
    let mut bytes = masked.clone();
    let (head, tail) = bytes.split_at_mut(split);
    let (mut validator, mut mask) = (Validator::new(), Mask::new(MaskingKey::new(KEY)));
    let unmasked = unmask(&mut validator, &mut mask, head)
        .map_err(|e| e.position())
        .and_then(|()| unmask(&mut validator, &mut mask, tail).map_err(|e| split + e.position()));
    assert_eq!((unmasked.err(), validator.pending()), (fault, pending), "{text:x?} at {split}");

    let until = fault.unwrap_or(text.len());
    assert_eq!(bytes[..until], text[..until], "what precedes the fault is unmasked");
    assert_eq!(bytes[until..], masked[until..], "the rest is as it was");
    let mut expected = Mask::new(MaskingKey::new(KEY));
    expected.advance(until);
    assert_eq!(mask, expected, "the mask stands at the fault");
}

/// Every first and every second byte, and those third and fourth ones that begin or end a range.
fn sequences(mut visit: impl FnMut(&[u8])) {
    const EDGES: [u8; 14] = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xf0, 0xf5, 0xff];
    let all: Vec<u8> =
        if cfg!(miri) { vec![0x41, 0x80, 0x9f, 0xbf, 0xc1, 0xd0, 0xe0, 0xed, 0xf4] } else { (0..=0xff).collect() };
    for &first in &all {
        visit(&[first]);
        for &second in &all {
            visit(&[first, second]);
            for third in EDGES.into_iter().step_by(if cfg!(miri) { 9 } else { 1 }) {
                visit(&[first, second, third]);
                // What follows a sequence of up to three bytes is judged by its first byte alone. No text has F5 to FF;
                // a kernel might take them for the start of four bytes.
                if first >= 0xf0 {
                    [0x7f, 0x80, 0xbf, 0xc0, 0xff].iter().for_each(|&fourth| visit(&[first, second, third, fourth]));
                }
            }
        }
    }
}

/// Code points of one script, cut at a boundary, and ASCII up to exactly `len` bytes.
fn filler(script: &str, len: usize) -> Vec<u8> {
    let mut text: String = script.repeat(len / script.len());
    while text.len() < len {
        text.insert(0, '.');
    }
    text.into_bytes()
}

#[test]
fn oracle_agrees_with_std() {
    sequences(|sequence| assert_eq!(oracle(sequence), by_std(sequence), "{sequence:x?}"));
}

#[test]
fn every_sequence_alone_at_every_split() {
    sequences(|sequence| (0..=sequence.len()).for_each(|split| check(sequence, split)));
}

/// Sequences at a place that moves through a text of every script: at the start, across the edges of vectors and
/// blocks, and at the end. Every pair that does not begin with ASCII, and one in 41 of the others.
#[test]
fn every_pair_within_a_text() {
    let one_in = if cfg!(miri) { 199 } else { 41 };
    simd::for_each(|_| {
        let mut turn = 0_usize;
        sequences(|sequence| {
            turn += 1;
            if !turn.is_multiple_of(one_in) && (cfg!(miri) || sequence.len() != 2 || sequence[0] < 0x80) {
                return;
            }
            let mut text = filler(FILLERS[turn % 5], turn * 7 % 231);
            text.extend_from_slice(sequence);
            text.extend(filler(FILLERS[turn / 5 % 5], turn * 5 % 67 * (turn % 3)));
            check(&text, turn * 3 % text.len() * (turn % 2));
        });
    });
}

/// What machines without vectors do, whatever this one has.
#[test]
fn by_the_automaton_every_sequence_at_every_split() {
    let mut turn = 0_usize;
    sequences(|sequence| {
        turn += 1;
        let mut text = filler(FILLERS[turn % 5], turn % 8);
        text.extend_from_slice(sequence);
        text.extend(filler(FILLERS[turn / 5 % 5], turn / 3 % 7));
        // Every place where a sequence of two bytes can be cut, and one in seven of the others.
        let step = if sequence.len() == 2 { 1 } else { 7 };
        (turn % step..=text.len()).step_by(step).for_each(|split| check_take(&text, split));
    });
}

fn check_take(text: &[u8], split: usize) {
    let (head, tail) = text.split_at(split);
    let mut state = State::BOUNDARY;
    let taken = state.take(head).and_then(|()| state.take(tail).map_err(|i| split + i));
    assert_eq!((taken.err(), state.seen()), oracle(text), "{text:x?} at {split}");
    check_unmask(text, split, oracle(text), Validator::unmask_and_take);
}

#[test]
fn every_place_of_a_fault_in_every_length() {
    const FAULTS: [&[u8]; 9] =
        [b"\xc0", b"\xf5", b"\xbf", b"\xe0\x80", b"\xed\xa0", b"\xf4\x90", b"\xf0\x8f", b"\xe2\x82", b"\xf0\x9f\x98"];
    let step = if cfg!(miri) { 67 } else { 1 };
    simd::for_each(|_| {
        for len in (1..300).step_by(step) {
            for at in (0..len).step_by(step.max(1 + len / 60)) {
                let fault = FAULTS[(len + at) % FAULTS.len()];
                let mut text = filler(FILLERS[at % 5], at);
                text.extend_from_slice(fault);
                let left = len.saturating_sub(text.len());
                text.extend(filler(FILLERS[len % 5], left));
                check(&text, 0);
            }
        }
    });
}

#[test]
fn valid_text_of_every_length_at_every_split() {
    let step = if cfg!(miri) { 41 } else { 1 };
    simd::for_each(|_| {
        for script in FILLERS {
            for len in (0..100).step_by(step) {
                let text = filler(script, len);
                for split in (0..=len).step_by(step) {
                    check(&text, split);
                }
            }
        }
    });
}

#[test]
fn long_texts() {
    let lengths: &[usize] = if cfg!(miri) { &[300] } else { &[1023, 1024, 1025, 1500, 2048, 5000] };
    simd::for_each(|_| {
        for script in FILLERS {
            for &len in lengths {
                let mut text = filler(script, len);
                check(&text, len / 3);
                check(&text, 0);
                for at in (0..len).rev().step_by(if cfg!(miri) { 130 } else { 37 }) {
                    text[at] ^= 0x80;
                    check(&text, 0);
                }
            }
        }
    });
}

/// The kernels that read, that unmask, and that do so while it is ASCII, at both ends of a page: a text of each script
/// and length, whole, and with its last byte bad.
#[cfg(all(unix, not(miri)))]
#[test]
fn no_byte_beside_the_text_is_touched() {
    simd::for_each(|_| {
        let mut memory = simd::guard::Guarded::new();
        for (len, script) in (0..=512).flat_map(|len| FILLERS.map(|script| (len, script))) {
            let mut text = filler(script, len);
            within_its_memory(&mut memory, &text);
            if let Some(last) = text.last_mut() {
                *last ^= 0x80;
                within_its_memory(&mut memory, &text);
            }
        }
    });
}

#[cfg(all(unix, not(miri)))]
fn within_its_memory(memory: &mut simd::guard::Guarded, text: &[u8]) {
    let (fault, pending) = oracle(text);
    for end in simd::guard::End::BOTH {
        let mut validator = Validator::new();
        let pushed = validator.push(memory.readable(end, text));
        assert_eq!((pushed.err().map(|e| e.position()), validator.pending()), (fault, pending), "{text:x?}, {end:?}");

        let (mut validator, mut mask) = (Validator::new(), Mask::new(MaskingKey::new(KEY)));
        let mut masked = text.to_vec();
        { mask }.apply(&mut masked);
        let bytes = memory.writable(end, &masked);
        let unmasked = validator.unmask(&mut mask, bytes);
        assert_eq!((unmasked.err().map(|e| e.position()), validator.pending()), (fault, pending), "{text:x?}, {end:?}");
        let until = fault.unwrap_or(text.len());
        assert_eq!((&bytes[..until], &bytes[until..]), (&text[..until], &masked[until..]), "{end:?}");
    }
}
