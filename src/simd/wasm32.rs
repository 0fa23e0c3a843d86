//! WebAssembly: simd128, where the module is compiled for it.
#![allow(unsafe_code)]

use core::arch::wasm32::*;

use super::{Isa, Kernel, Lookup, Word};

pub(crate) type Baseline = Simd128;

pub(crate) const BASELINE: Baseline = Simd128(());

/// Vectors of 16 bytes.
#[derive(Copy, Clone)]
pub(crate) struct Simd128(());

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
    match super::forced::get().unwrap_or(Level::Simd128) {
        Level::Portable => kernel.run(Word::<u128>::NEW),
        Level::Simd128 => kernel.run_lookup(BASELINE),
    }
}

#[cfg(test)]
#[derive(Copy, Clone, Debug)]
pub(crate) enum Level {
    Portable,
    Simd128,
}

#[cfg(test)]
impl Level {
    pub(crate) const ALL: &[Self] = &[Level::Portable, Level::Simd128];

    pub(crate) fn is_available(self) -> bool {
        true
    }
}

impl Isa for Simd128 {
    type V = v128;

    const BYTES: usize = 16;

    #[inline(always)]
    fn splat(self, word: u32) -> v128 {
        u32x4_splat(word)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> v128 {
        // SAFETY: the caller vouches for 16 readable bytes; this load asks for no alignment.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, v: v128, to: *mut u8) {
        // SAFETY: the caller vouches for 16 writable bytes; this store asks for no alignment.
        unsafe { v128_store(to.cast(), v) }
    }

    #[inline(always)]
    fn xor(self, a: v128, b: v128) -> v128 {
        v128_xor(a, b)
    }

    #[inline(always)]
    fn or(self, a: v128, b: v128) -> v128 {
        v128_or(a, b)
    }

    #[inline(always)]
    fn any_high_bit(self, v: v128) -> bool {
        u8x16_bitmask(v) != 0
    }
}

impl Lookup for Simd128 {
    type Half = Word<u64>;

    #[inline(always)]
    fn half(self) -> Word<u64> {
        Word::NEW
    }

    #[inline(always)]
    fn end_of_halves(self, first: u64, last: u64, len: usize) -> v128 {
        assert!((8..=16).contains(&len));
        let low = first.checked_shl(8 * (16 - len) as u32).unwrap_or(0);
        vector((u128::from(last) << 64 | u128::from(low)).to_le_bytes())
    }

    #[inline(always)]
    fn end_of_word(self, word: u64) -> v128 {
        vector((u128::from(word) << 64).to_le_bytes())
    }

    #[inline(always)]
    fn and(self, a: v128, b: v128) -> v128 {
        v128_and(a, b)
    }

    #[inline(always)]
    fn saturating_sub(self, a: v128, b: v128) -> v128 {
        u8x16_sub_sat(a, b)
    }

    #[inline(always)]
    fn high_nibbles(self, v: v128) -> v128 {
        u8x16_shr(v, 4)
    }

    #[inline(always)]
    fn lookup(self, table: [u8; 16], v: v128) -> v128 {
        u8x16_swizzle(vector(table), v)
    }

    #[inline(always)]
    fn back1(self, before: v128, v: v128) -> v128 {
        i8x16_shuffle::<15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30>(before, v)
    }

    #[inline(always)]
    fn back2(self, before: v128, v: v128) -> v128 {
        i8x16_shuffle::<14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29>(before, v)
    }

    #[inline(always)]
    fn back3(self, before: v128, v: v128) -> v128 {
        i8x16_shuffle::<13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28>(before, v)
    }

    #[inline(always)]
    fn any(self, v: v128) -> bool {
        v128_any_true(v)
    }
}

#[inline(always)]
fn vector(bytes: [u8; 16]) -> v128 {
    // SAFETY: 16 readable bytes.
    unsafe { BASELINE.load(bytes.as_ptr()) }
}
