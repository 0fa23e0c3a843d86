//! AVX-512.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::{Avx2, zeros_then_places};
use crate::simd::{Isa, Lookup};

/// Vectors of 64 bytes, with table look-ups in each quarter.
#[derive(Copy, Clone)]
pub(crate) struct Avx512(pub(super) ());

impl Isa for Avx512 {
    type V = __m512i;

    const BYTES: usize = 64;

    #[inline(always)]
    fn splat(self, word: u32) -> __m512i {
        // SAFETY: `self` exists, so the CPU has AVX-512.
        unsafe { _mm512_set1_epi32(word.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> __m512i {
        // SAFETY: the caller vouches for 64 readable bytes; this load asks for no alignment; `self` proves AVX-512.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, v: __m512i, to: *mut u8) {
        // SAFETY: the caller vouches for 64 writable bytes; this store asks for no alignment; `self` proves AVX-512.
        unsafe { _mm512_storeu_si512(to.cast(), v) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: as in `splat`.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: as in `splat`.
        unsafe { _mm512_or_si512(a, b) }
    }

    #[inline(always)]
    fn any_high_bit(self, v: __m512i) -> bool {
        // SAFETY: as in `splat`.
        unsafe { _mm512_test_epi8_mask(v, self.splat(0x8080_8080)) != 0 }
    }
}

impl Lookup for Avx512 {
    type Half = Avx2;

    #[inline(always)]
    fn half(self) -> Avx2 {
        Avx2(())
    }

    #[inline(always)]
    fn end_of_halves(self, first: __m256i, last: __m256i, len: usize) -> __m512i {
        // Place 32 is one of the zeros behind `first`.
        static PLACES: [u8; 64] = zeros_then_places(32);
        assert!((32..=64).contains(&len));
        // SAFETY: 32 of the 64 bytes, from one of the first 33 on.
        let from = unsafe { PLACES.as_ptr().add(len - 32) };
        // SAFETY: as above.
        let places = unsafe { Avx2(()).load(from) };
        // SAFETY: `self` exists, so the CPU has AVX-512.
        let places = unsafe { _mm512_zextsi256_si512(places) };
        // SAFETY: as above.
        let first = unsafe { _mm512_zextsi256_si512(first) };
        // SAFETY: `self` exists, so the CPU has VBMI too.
        let low = unsafe { _mm512_permutexvar_epi8(places, first) };
        // SAFETY: as above.
        unsafe { _mm512_inserti64x4::<1>(low, last) }
    }

    #[inline(always)]
    fn end_of_word(self, word: u64) -> __m512i {
        // SAFETY: `self` exists, so the CPU has AVX-512.
        unsafe { _mm512_set_epi64(word as i64, 0, 0, 0, 0, 0, 0, 0) }
    }

    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm512_and_si512(a, b) }
    }

    #[inline(always)]
    fn saturating_sub(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm512_subs_epu8(a, b) }
    }

    #[inline(always)]
    fn high_nibbles(self, v: __m512i) -> __m512i {
        // As with AVX2, the bits that come over from the neighbour are cleared.
        // SAFETY: as in `end_of_word`.
        self.and(unsafe { _mm512_srli_epi16::<4>(v) }, self.splat(0x0f0f_0f0f))
    }

    #[inline(always)]
    fn lookup(self, table: [u8; 16], v: __m512i) -> __m512i {
        let table = u128::from_le_bytes(table);
        let [low, high] = [table as i64, (table >> 64) as i64];
        // SAFETY: as in `end_of_word`.
        let table = unsafe { _mm512_set_epi64(high, low, high, low, high, low, high, low) };
        // SAFETY: as in `end_of_word`.
        unsafe { _mm512_shuffle_epi8(table, v) }
    }

    #[inline(always)]
    fn back1(self, before: __m512i, v: __m512i) -> __m512i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm512_alignr_epi8::<15>(v, self.straddle(before, v)) }
    }

    #[inline(always)]
    fn back2(self, before: __m512i, v: __m512i) -> __m512i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm512_alignr_epi8::<14>(v, self.straddle(before, v)) }
    }

    #[inline(always)]
    fn back3(self, before: __m512i, v: __m512i) -> __m512i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm512_alignr_epi8::<13>(v, self.straddle(before, v)) }
    }

    #[inline(always)]
    fn any(self, v: __m512i) -> bool {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm512_test_epi8_mask(v, v) != 0 }
    }
}

impl Avx512 {
    /// The last quarter of `before` and the first three of `v`: byte shifts stay within a quarter.
    #[inline(always)]
    fn straddle(self, before: __m512i, v: __m512i) -> __m512i {
        // SAFETY: `self` exists, so the CPU has AVX-512.
        unsafe { _mm512_alignr_epi64::<6>(v, before) }
    }
}
