//! SSSE3: look-ups in vectors of 16 bytes.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::{BASELINE, zeros_then_places};
use crate::simd::{Isa, Lookup};

/// Vectors of 8 bytes: the lower half of a register, the upper one may be anything.
#[derive(Copy, Clone)]
pub(crate) struct HalfSse2(());

/// Vectors of 16 bytes, with table look-ups.
#[derive(Copy, Clone)]
pub(crate) struct Ssse3(pub(super) ());

impl Isa for HalfSse2 {
    type V = __m128i;

    const BYTES: usize = 8;

    #[inline(always)]
    fn splat(self, word: u32) -> __m128i {
        BASELINE.splat(word)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> __m128i {
        // SAFETY: the caller vouches for 8 readable bytes; this load asks for no alignment.
        unsafe { _mm_loadl_epi64(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, v: __m128i, to: *mut u8) {
        // SAFETY: the caller vouches for 8 writable bytes; this store asks for no alignment.
        unsafe { _mm_storel_epi64(to.cast(), v) }
    }

    #[inline(always)]
    fn xor(self, a: __m128i, b: __m128i) -> __m128i {
        BASELINE.xor(a, b)
    }

    #[inline(always)]
    fn or(self, a: __m128i, b: __m128i) -> __m128i {
        BASELINE.or(a, b)
    }

    #[inline(always)]
    fn any_high_bit(self, v: __m128i) -> bool {
        // SAFETY: as in `splat`.
        unsafe { _mm_movemask_epi8(v) & 0xff != 0 }
    }
}

impl Isa for Ssse3 {
    type V = __m128i;

    const BYTES: usize = 16;

    #[inline(always)]
    fn splat(self, word: u32) -> __m128i {
        BASELINE.splat(word)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> __m128i {
        // SAFETY: the caller's word.
        unsafe { BASELINE.load(from) }
    }

    #[inline(always)]
    unsafe fn store(self, v: __m128i, to: *mut u8) {
        // SAFETY: the caller's word.
        unsafe { BASELINE.store(v, to) }
    }

    #[inline(always)]
    fn xor(self, a: __m128i, b: __m128i) -> __m128i {
        BASELINE.xor(a, b)
    }

    #[inline(always)]
    fn or(self, a: __m128i, b: __m128i) -> __m128i {
        BASELINE.or(a, b)
    }

    #[inline(always)]
    fn any_high_bit(self, v: __m128i) -> bool {
        BASELINE.any_high_bit(v)
    }
}

impl Lookup for Ssse3 {
    type Half = HalfSse2;

    #[inline(always)]
    fn half(self) -> HalfSse2 {
        HalfSse2(())
    }

    #[inline(always)]
    fn end_of_halves(self, first: __m128i, last: __m128i, len: usize) -> __m128i {
        // What is looked up at a place with its high bit set is zero.
        static PLACES: [u8; 16] = zeros_then_places(0x80);
        assert!((8..=16).contains(&len));
        // SAFETY: 8 of the 16 bytes, from one of the first 9 on.
        let from = unsafe { PLACES.as_ptr().add(len - 8) };
        // SAFETY: as above.
        let places = unsafe { HalfSse2(()).load(from) };
        // SAFETY: `self` exists, so the CPU has SSSE3.
        let low = unsafe { _mm_shuffle_epi8(first, places) };
        // SAFETY: as in `BASELINE.splat`.
        unsafe { _mm_unpacklo_epi64(low, last) }
    }

    #[inline(always)]
    fn end_of_word(self, word: u64) -> __m128i {
        // SAFETY: as in `BASELINE.splat`.
        unsafe { _mm_set_epi64x(word as i64, 0) }
    }

    #[inline(always)]
    fn and(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm_and_si128(a, b) }
    }

    #[inline(always)]
    fn saturating_sub(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm_subs_epu8(a, b) }
    }

    #[inline(always)]
    fn high_nibbles(self, v: __m128i) -> __m128i {
        // There is no shift of bytes: the bits that come over from the neighbour are cleared.
        // SAFETY: as in `end_of_word`.
        self.and(unsafe { _mm_srli_epi16::<4>(v) }, self.splat(0x0f0f_0f0f))
    }

    #[inline(always)]
    fn lookup(self, table: [u8; 16], v: __m128i) -> __m128i {
        let table = u128::from_le_bytes(table);
        // SAFETY: as in `end_of_word`.
        let table = unsafe { _mm_set_epi64x((table >> 64) as i64, table as i64) };
        // SAFETY: `self` exists, so the CPU has SSSE3.
        unsafe { _mm_shuffle_epi8(table, v) }
    }

    #[inline(always)]
    fn back1(self, before: __m128i, v: __m128i) -> __m128i {
        // SAFETY: as in `lookup`.
        unsafe { _mm_alignr_epi8::<15>(v, before) }
    }

    #[inline(always)]
    fn back2(self, before: __m128i, v: __m128i) -> __m128i {
        // SAFETY: as in `lookup`.
        unsafe { _mm_alignr_epi8::<14>(v, before) }
    }

    #[inline(always)]
    fn back3(self, before: __m128i, v: __m128i) -> __m128i {
        // SAFETY: as in `lookup`.
        unsafe { _mm_alignr_epi8::<13>(v, before) }
    }

    #[inline(always)]
    fn any(self, v: __m128i) -> bool {
        // SAFETY: as in `end_of_word`.
        let zeros = unsafe { _mm_cmpeq_epi8(v, self.splat(0)) };
        // SAFETY: as in `end_of_word`.
        unsafe { _mm_movemask_epi8(zeros) != 0xffff }
    }
}
