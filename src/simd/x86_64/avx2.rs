//! AVX2.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::{BASELINE, Sse2, zeros_then_places};
use crate::simd::{Isa, Lookup};

/// Vectors of 32 bytes, with table look-ups in each half.
#[derive(Copy, Clone)]
pub(crate) struct Avx2(pub(super) ());

impl Isa for Avx2 {
    type V = __m256i;

    const BYTES: usize = 32;

    #[inline(always)]
    fn splat(self, word: u32) -> __m256i {
        // SAFETY: `self` exists, so the CPU has AVX2.
        unsafe { _mm256_set1_epi32(word.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> __m256i {
        // SAFETY: the caller vouches for 32 readable bytes; this load asks for no alignment; `self` proves AVX2.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, v: __m256i, to: *mut u8) {
        // SAFETY: the caller vouches for 32 writable bytes; this store asks for no alignment; `self` proves AVX2.
        unsafe { _mm256_storeu_si256(to.cast(), v) }
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: as in `splat`.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    fn or(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: as in `splat`.
        unsafe { _mm256_or_si256(a, b) }
    }

    #[inline(always)]
    fn any_high_bit(self, v: __m256i) -> bool {
        // SAFETY: as in `splat`.
        unsafe { _mm256_movemask_epi8(v) != 0 }
    }
}

impl Lookup for Avx2 {
    type Half = Sse2;

    #[inline(always)]
    fn half(self) -> Sse2 {
        BASELINE
    }

    #[inline(always)]
    fn end_of_halves(self, first: __m128i, last: __m128i, len: usize) -> __m256i {
        // What is looked up at a place with its high bit set is zero.
        static PLACES: [u8; 32] = zeros_then_places(0x80);
        assert!((16..=32).contains(&len));
        // SAFETY: 16 of the 32 bytes, from one of the first 17 on.
        let from = unsafe { PLACES.as_ptr().add(len - 16) };
        // SAFETY: as above.
        let places = unsafe { BASELINE.load(from) };
        // SAFETY: `self` exists, so the CPU has AVX2, which includes SSSE3.
        let low = unsafe { _mm_shuffle_epi8(first, places) };
        // SAFETY: `self` exists, so the CPU has AVX2.
        unsafe { _mm256_set_m128i(last, low) }
    }

    #[inline(always)]
    fn end_of_word(self, word: u64) -> __m256i {
        // SAFETY: `self` exists, so the CPU has AVX2.
        unsafe { _mm256_set_epi64x(word as i64, 0, 0, 0) }
    }

    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm256_and_si256(a, b) }
    }

    #[inline(always)]
    fn saturating_sub(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm256_subs_epu8(a, b) }
    }

    #[inline(always)]
    fn high_nibbles(self, v: __m256i) -> __m256i {
        // There is no shift of bytes: the bits that come over from the neighbour are cleared.
        // SAFETY: as in `end_of_word`.
        self.and(unsafe { _mm256_srli_epi16::<4>(v) }, self.splat(0x0f0f_0f0f))
    }

    #[inline(always)]
    fn lookup(self, table: [u8; 16], v: __m256i) -> __m256i {
        let table = u128::from_le_bytes(table);
        let [low, high] = [table as i64, (table >> 64) as i64];
        // SAFETY: as in `end_of_word`.
        let table = unsafe { _mm256_set_epi64x(high, low, high, low) };
        // SAFETY: as in `end_of_word`.
        unsafe { _mm256_shuffle_epi8(table, v) }
    }

    #[inline(always)]
    fn back1(self, before: __m256i, v: __m256i) -> __m256i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm256_alignr_epi8::<15>(v, self.straddle(before, v)) }
    }

    #[inline(always)]
    fn back2(self, before: __m256i, v: __m256i) -> __m256i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm256_alignr_epi8::<14>(v, self.straddle(before, v)) }
    }

    #[inline(always)]
    fn back3(self, before: __m256i, v: __m256i) -> __m256i {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm256_alignr_epi8::<13>(v, self.straddle(before, v)) }
    }

    #[inline(always)]
    fn any(self, v: __m256i) -> bool {
        // SAFETY: as in `end_of_word`.
        unsafe { _mm256_testz_si256(v, v) == 0 }
    }
}

impl Avx2 {
    /// The upper half of `before` and the lower half of `v`: byte shifts stay within a half.
    #[inline(always)]
    fn straddle(self, before: __m256i, v: __m256i) -> __m256i {
        // SAFETY: `self` exists, so the CPU has AVX2.
        unsafe { _mm256_permute2x128_si256::<0x21>(before, v) }
    }
}
