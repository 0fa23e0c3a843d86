//! Every instruction set of this machine against the byte loop.

use std::vec::Vec;

use super::*;
use crate::simd;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const GUARD: usize = 64;
const MAX_LEN: usize = if cfg!(miri) { 300 } else { 512 };

/// RFC 6455 §5.3, byte for byte.
fn byte_loop(bytes: &mut [u8], phase: usize) {
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte ^= KEY[(phase + i) % 4];
    }
}

fn mask_at(phase: usize) -> Mask {
    let mut mask = Mask::new(MaskingKey::new(KEY));
    mask.advance(phase);
    mask
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 251 + 1) as u8).collect()
}

/// A buffer whose first byte is 64-byte aligned, so that an offset is an alignment.
#[repr(align(64))]
struct Aligned([u8; GUARD + 64 + MAX_LEN + GUARD]);

impl Aligned {
    fn new() -> Self {
        Aligned([0xa5; GUARD + 64 + MAX_LEN + GUARD])
    }

    /// Puts `bytes` at `offset` between two guards, and returns them for `body` to change; then looks at the guards.
    fn with(&mut self, offset: usize, bytes: &[u8], body: impl FnOnce(&mut [u8])) {
        self.0.fill(0xa5);
        let range = GUARD + offset..GUARD + offset + bytes.len();
        self.0[range.clone()].copy_from_slice(bytes);
        body(&mut self.0[range.clone()]);
        let before = &self.0[range.start - GUARD..range.start];
        let after = &self.0[range.end..range.end + GUARD];
        assert!(before.iter().chain(after).all(|&byte| byte == 0xa5), "a guard byte changed");
    }
}

fn offsets() -> impl Iterator<Item = usize> {
    (0..64).step_by(if cfg!(miri) { 21 } else { 1 })
}

fn lengths(max: usize) -> impl Iterator<Item = usize> {
    (0..=max).step_by(if cfg!(miri) { 19 } else { 1 })
}

#[test]
fn in_place_at_every_length_and_offset() {
    simd::for_each(|level| {
        let mut buffer = Aligned::new();
        for len in lengths(MAX_LEN) {
            let plain = payload(len);
            for offset in offsets() {
                let phase = (len + offset / 4) % 4;
                let mut expected = plain.clone();
                byte_loop(&mut expected, phase);
                let mut mask = mask_at(phase);
                buffer.with(offset, &plain, |bytes| {
                    mask.apply(bytes);
                    assert_eq!(bytes, expected, "{level:?}, length {len}, offset {offset}");
                });
                assert_eq!(mask, mask_at(phase + len));
            }
        }
    });
}

#[test]
fn copying_at_every_length_and_offset() {
    simd::for_each(|level| {
        let mut buffer = Aligned::new();
        for len in lengths(MAX_LEN) {
            let plain = payload(len + 64);
            for offset in offsets() {
                let (phase, src) = (offset % 4, &plain[offset * 5 % 64..][..len]);
                let mut expected = src.to_vec();
                byte_loop(&mut expected, phase);
                let mut mask = mask_at(phase);
                let old = [0x5a; MAX_LEN];
                buffer.with(offset, &old[..len], |dst| {
                    mask.apply_to(src, dst);
                    assert_eq!(dst, expected, "{level:?}, length {len}, offset {offset}");
                });
                assert_eq!(mask, mask_at(phase + len));
            }
        }
    });
}

#[test]
fn every_split_of_short_payloads() {
    simd::for_each(|level| {
        for len in lengths(if cfg!(miri) { 40 } else { 300 }) {
            let plain = payload(len);
            let mut expected = plain.clone();
            byte_loop(&mut expected, 0);
            for split in 0..=len {
                let (mut bytes, mut mask) = (plain.clone(), mask_at(0));
                let (head, tail) = bytes.split_at_mut(split);
                mask.apply(head);
                mask.apply(tail);
                assert_eq!(bytes, expected, "{level:?}, length {len}, split {split}");
            }
        }
    });
}

/// Around the length from which stores are aligned, and long enough for every loop to run.
#[test]
fn long_payloads() {
    simd::for_each(|level| {
        let lengths: &[usize] = if cfg!(miri) { &[1025] } else { &[1000, 1023, 1024, 1025, 1500, 4096, 4099, 70_001] };
        for &len in lengths {
            for offset in offsets() {
                let plain = payload(len + offset);
                let mut expected = plain.clone();
                byte_loop(&mut expected[offset..], 3);
                let mut bytes = plain.clone();
                mask_at(3).apply(&mut bytes[offset..]);
                assert!(bytes == expected, "{level:?}, length {len}, offset {offset}");
                bytes.fill(0);
                mask_at(3).apply_to(&plain[offset..], &mut bytes[offset..]);
                assert!(bytes[offset..] == expected[offset..], "{level:?}, copying, length {len}, offset {offset}");
            }
        }
    });
}

#[test]
fn short_text_is_unmasked_only_if_it_is_ascii() {
    for len in lengths(kernel::SHORT) {
        for phase in 0..if cfg!(miri) { 1 } else { 4 } {
            let ascii: Vec<u8> = (0..len).map(|i| b' ' + (i % 90) as u8).collect();
            let mut bytes = ascii.clone();
            byte_loop(&mut bytes, phase);
            let mut mask = mask_at(phase);
            assert!(mask.apply_if_ascii(&mut bytes));
            assert_eq!((bytes, mask), (ascii.clone(), mask_at(phase + len)));

            for high in (0..len).step_by(if cfg!(miri) { 13 } else { 1 }) {
                let mut masked = ascii.clone();
                masked[high] |= 0x80;
                byte_loop(&mut masked, phase);
                let (mut bytes, mut mask) = (masked.clone(), mask_at(phase));
                assert!(!mask.apply_if_ascii(&mut bytes), "length {len}, high bit at {high}");
                assert_eq!((bytes, mask), (masked, mask_at(phase)));
            }
        }
    }
}
