//! AArch64: NEON, where the target is compiled for it, which is the rule.
#![allow(unsafe_code)]

use core::arch::aarch64::*;

use super::{Isa, Kernel, Lookup, Word};

pub(crate) type Baseline = Neon;

pub(crate) const BASELINE: Baseline = Neon(());

/// Vectors of 16 bytes.
#[derive(Copy, Clone)]
pub(crate) struct Neon(());

pub(crate) const fn string_copies_are_fast() -> bool {
    false
}

#[cfg(not(test))]
#[inline]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run_lookup(BASELINE)
}

#[cfg(test)]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    match super::forced::get().unwrap_or(Level::Neon) {
        Level::Portable => kernel.run(Word::<u128>::NEW),
        Level::Neon => kernel.run_lookup(BASELINE),
    }
}

#[cfg(test)]
#[derive(Copy, Clone, Debug)]
pub(crate) enum Level {
    Portable,
    Neon,
}

#[cfg(test)]
impl Level {
    pub(crate) const ALL: &[Self] = &[Level::Portable, Level::Neon];

    pub(crate) fn is_available(self) -> bool {
        true
    }
}

impl Isa for Neon {
    type V = uint8x16_t;

    const BYTES: usize = 16;

    #[inline(always)]
    fn splat(self, word: u32) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        let words = unsafe { vdupq_n_u32(word) };
        // SAFETY: as above.
        unsafe { vreinterpretq_u8_u32(words) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> uint8x16_t {
        // SAFETY: the caller vouches for 16 readable bytes; this load asks for no alignment.
        unsafe { vld1q_u8(from) }
    }

    #[inline(always)]
    unsafe fn store(self, v: uint8x16_t, to: *mut u8) {
        // SAFETY: the caller vouches for 16 writable bytes; this store asks for no alignment.
        unsafe { vst1q_u8(to, v) }
    }

    #[inline(always)]
    fn xor(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { veorq_u8(a, b) }
    }

    #[inline(always)]
    fn or(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vorrq_u8(a, b) }
    }

    #[inline(always)]
    fn any_high_bit(self, v: uint8x16_t) -> bool {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vmaxvq_u8(v) >= 0x80 }
    }
}

impl Lookup for Neon {
    type Half = Word<u64>;

    #[inline(always)]
    fn half(self) -> Word<u64> {
        Word::NEW
    }

    #[inline(always)]
    fn end_of_halves(self, first: u64, last: u64, len: usize) -> uint8x16_t {
        assert!((8..=16).contains(&len));
        let low = first.checked_shl(8 * (16 - len) as u32).unwrap_or(0);
        vector((u128::from(last) << 64 | u128::from(low)).to_le_bytes())
    }

    #[inline(always)]
    fn end_of_word(self, word: u64) -> uint8x16_t {
        vector((u128::from(word) << 64).to_le_bytes())
    }

    #[inline(always)]
    fn and(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vandq_u8(a, b) }
    }

    #[inline(always)]
    fn saturating_sub(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vqsubq_u8(a, b) }
    }

    #[inline(always)]
    fn high_nibbles(self, v: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vshrq_n_u8::<4>(v) }
    }

    #[inline(always)]
    fn lookup(self, table: [u8; 16], v: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vqtbl1q_u8(vector(table), v) }
    }

    #[inline(always)]
    fn back1(self, before: uint8x16_t, v: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vextq_u8::<15>(before, v) }
    }

    #[inline(always)]
    fn back2(self, before: uint8x16_t, v: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vextq_u8::<14>(before, v) }
    }

    #[inline(always)]
    fn back3(self, before: uint8x16_t, v: uint8x16_t) -> uint8x16_t {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vextq_u8::<13>(before, v) }
    }

    #[inline(always)]
    fn any(self, v: uint8x16_t) -> bool {
        // SAFETY: this file is compiled only for targets with NEON.
        unsafe { vmaxvq_u8(v) != 0 }
    }
}

#[inline(always)]
fn vector(bytes: [u8; 16]) -> uint8x16_t {
    // SAFETY: 16 readable bytes.
    unsafe { BASELINE.load(bytes.as_ptr()) }
}
