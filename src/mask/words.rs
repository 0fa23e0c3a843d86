//! XOR word by word: the kernel of machines without vectors.
//!
//! Words are read where they are aligned. A RISC-V core without unaligned access loads a word from elsewhere byte by byte.
#![allow(unsafe_code)]

use super::rotate;
use crate::simd::{Isa, Word};

/// A register.
#[cfg(target_pointer_width = "64")]
type Lane = u64;
#[cfg(not(target_pointer_width = "64"))]
type Lane = u32;

const HIGH_BITS: Lane = Lane::MAX / 0xff * 0x80;

/// Unmasks `bytes`, or with `ASCII_ONLY` what precedes the first block that is not ASCII. Returns how many bytes that were.
#[inline(never)]
pub(super) fn apply<const ASCII_ONLY: bool>(bytes: &mut [u8], key: u32) -> usize {
    // SAFETY: any bytes are an integer, and any integer is bytes.
    let (head, words, tail) = unsafe { bytes.align_to_mut::<Lane>() };
    let mut at = one_by_one::<ASCII_ONLY>(head, key);
    if at < head.len() {
        return at;
    }
    let narrow = rotate(key, at);
    let key = Word::<Lane>::NEW.splat(narrow);
    let (blocks, rest) = words.as_chunks_mut();
    for block in blocks {
        // Written out, because nobody unrolls a loop where programs are to be small.
        let [a, b, c, d] = *block;
        let [a, b, c, d] = [a ^ key, b ^ key, c ^ key, d ^ key];
        if ASCII_ONLY && (a | b | c | d) & HIGH_BITS != 0 {
            return at;
        }
        *block = [a, b, c, d];
        at += size_of_val(block);
    }
    for word in rest {
        let plain = *word ^ key;
        if ASCII_ONLY && plain & HIGH_BITS != 0 {
            return at;
        }
        *word = plain;
        at += size_of_val(word);
    }
    at + one_by_one::<ASCII_ONLY>(tail, narrow)
}

/// Unmasks `bytes` if the result is ASCII; else they are left as they were.
#[inline(never)]
pub(super) fn apply_if_ascii(bytes: &mut [u8], key: u32) -> bool {
    let count = apply::<true>(bytes, key);
    if count < bytes.len() {
        apply::<false>(&mut bytes[..count], key);
    }
    count == bytes.len()
}

/// Does what [`apply`] does to the few bytes before and behind the words.
#[inline(always)]
fn one_by_one<const ASCII_ONLY: bool>(bytes: &mut [u8], mut key: u32) -> usize {
    let len = bytes.len();
    for (at, byte) in bytes.iter_mut().enumerate() {
        let plain = *byte ^ key.to_ne_bytes()[0];
        if ASCII_ONLY && plain >= 0x80 {
            return at;
        }
        *byte = plain;
        key = rotate(key, 1);
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Under Miri only every so many steps of a loop are taken.
    const STEP: usize = if cfg!(miri) { 13 } else { 1 };

    /// Byte by byte.
    fn naive(bytes: &[u8], key: [u8; 4]) -> Vec<u8> {
        bytes.iter().zip(key.into_iter().cycle()).map(|(byte, key)| byte ^ key).collect()
    }

    #[test]
    fn every_length_at_every_alignment_is_unmasked_as_byte_by_byte() {
        let key = [0x9d, 0x12, 0xe7, 0x5c];
        for start in 0..8 {
            for len in (0..70).step_by(STEP) {
                let mut buf: Vec<u8> = (0..start + len + 8).map(|i| (i * 37) as u8).collect();
                let mut expected = buf.clone();
                expected[start..start + len].copy_from_slice(&naive(&buf[start..start + len], key));
                assert_eq!(apply::<false>(&mut buf[start..start + len], u32::from_ne_bytes(key)), len);
                assert_eq!(buf, expected, "{len} bytes at {start}");
            }
        }
    }

    #[test]
    fn what_is_not_ascii_stops_it_before_and_is_left_masked() {
        let (key, plain) = ([0x9d, 0x12, 0xe7, 0x5c], [b'a'; 64]);
        for start in 0..8 {
            for len in (0..plain.len() - 8).step_by(STEP) {
                for at in (0..=len).step_by(STEP) {
                    let mut text = plain;
                    if at < len {
                        text[start + at] = 0xc3;
                    }
                    let mut buf = text;
                    buf[start..start + len].copy_from_slice(&naive(&text[start..start + len], key));
                    let masked = buf;
                    let count = apply::<true>(&mut buf[start..start + len], u32::from_ne_bytes(key));
                    assert!(
                        count <= at && at - count < 4 * size_of::<Lane>() && (at < len || count == len),
                        "{count} of {at} and {len}"
                    );
                    assert_eq!(buf[..start + count], text[..start + count]);
                    assert_eq!(buf[start + count..], masked[start + count..]);

                    let mut whole = masked;
                    let is_ascii = apply_if_ascii(&mut whole[start..start + len], u32::from_ne_bytes(key));
                    assert_eq!(is_ascii, at == len);
                    assert_eq!(whole, if is_ascii { text } else { masked });
                }
            }
        }
    }
}
