//! XOR word by word: the kernel of machines without vectors.
//!
//! Words are read where they are aligned. A RISC-V core without unaligned access loads a word from elsewhere byte by
//! byte.
#![allow(unsafe_code)]

use super::rotate;
use crate::simd::{Isa, Word};

/// A register.
#[cfg(target_pointer_width = "64")]
type Lane = u64;
#[cfg(not(target_pointer_width = "64"))]
type Lane = u32;

const HIGH_BITS: Lane = Lane::MAX / 0xff * 0x80;

/// Unmasks `bytes` and tells whether they are ASCII now.
///
/// It looks at all of them whatever the first is: what stops where ASCII ends needs a branch in every step, and is
/// another function than the one for bytes of any kind.
#[inline(never)]
pub(super) fn apply(bytes: &mut [u8], key: u32) -> bool {
    // SAFETY: any bytes are an integer, and any integer is bytes.
    let (head, words, tail) = unsafe { bytes.align_to_mut::<Lane>() };
    let (mut seen, mut narrow) = (0, key);
    one_by_one(head, &mut narrow, &mut seen);
    let key = Word::<Lane>::NEW.splat(narrow);
    let mut rest = words;
    // Written out, because nobody unrolls a loop where programs are to be small.
    while let [a, b, c, d, tail @ ..] = rest {
        [*a, *b, *c, *d] = [*a ^ key, *b ^ key, *c ^ key, *d ^ key];
        seen |= *a | *b | *c | *d;
        rest = tail;
    }
    for word in rest {
        *word ^= key;
        seen |= *word;
    }
    one_by_one(tail, &mut narrow, &mut seen);
    seen & HIGH_BITS == 0
}

/// Does what [`apply`] does to the few bytes before and behind the words.
#[inline(always)]
fn one_by_one(bytes: &mut [u8], key: &mut u32, seen: &mut Lane) {
    for byte in bytes {
        *byte ^= key.to_ne_bytes()[0];
        *seen |= Lane::from(*byte);
        *key = rotate(*key, 1);
    }
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
                apply(&mut buf[start..start + len], u32::from_ne_bytes(key));
                assert_eq!(buf, expected, "{len} bytes at {start}");
            }
        }
    }

    #[test]
    fn whether_all_is_ascii_is_told_whatever_the_place_of_the_other_byte() {
        let (key, plain) = ([0x9d, 0x12, 0xe7, 0x5c], [b'a'; 64]);
        for start in 0..8 {
            for len in (0..plain.len() - 8).step_by(STEP) {
                for at in (0..=len).step_by(STEP) {
                    let mut text = plain;
                    if at < len {
                        text[start + at] = 0x80;
                    }
                    let mut buf = text;
                    buf[start..start + len].copy_from_slice(&naive(&text[start..start + len], key));
                    let is_ascii = apply(&mut buf[start..start + len], u32::from_ne_bytes(key));
                    assert_eq!((is_ascii, buf), (at == len, text), "{at} of {len} at {start}");
                }
            }
        }
    }
}
