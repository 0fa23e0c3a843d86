//! x86-64: SSE2, which all of them have, and SSSE3, AVX2 and AVX-512 where the CPU tells that it has them.
#![allow(unsafe_code)]

use core::arch::x86_64::*;
use core::sync::atomic::{AtomicU8, Ordering};

use super::{Isa, Kernel, Lookup};

cpufeatures::new!(has_ssse3, "ssse3");
cpufeatures::new!(has_avx2, "avx2");
// VBMI is used for short texts alone. But it tells the CPUs whose clock does not suffer from wide vectors (Ice Lake,
// Zen 4 and later).
cpufeatures::new!(has_avx512, "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512vbmi");

pub(crate) type Baseline = Sse2;

pub(crate) const BASELINE: Baseline = Sse2(());

/// Vectors of 16 bytes.
#[derive(Copy, Clone)]
pub(crate) struct Sse2(());

/// Vectors of 8 bytes: the lower half of a register, the upper one may be anything.
#[derive(Copy, Clone)]
pub(crate) struct HalfSse2(());

/// Vectors of 16 bytes, with table look-ups.
#[derive(Copy, Clone)]
pub(crate) struct Ssse3(());

/// Vectors of 32 bytes, with table look-ups in each half.
#[derive(Copy, Clone)]
pub(crate) struct Avx2(());

/// Vectors of 64 bytes, with table look-ups in each quarter.
#[derive(Copy, Clone)]
pub(crate) struct Avx512(());

#[inline(always)]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    let level = Level::now();
    let ((dst, len, key, src), rest) = kernel.into_parts();
    match level {
        // SAFETY: the parts are those of `kernel`, which is gone; what a level says the CPU has said.
        Some(level @ (Level::Avx512 | Level::Avx2)) => unsafe { run_at::<K>(level, dst, len, key, src, rest) },
        // SAFETY: the parts are those of `kernel`, which is gone.
        _ => unsafe { ask_and_run::<K>(dst, len, key, src, rest) },
    }
}

/// # Safety
///
/// The arguments are the parts of a kernel of this type, and the CPU has what the level says.
#[inline(always)]
unsafe fn run_at<K: Kernel>(
    level: Level,
    dst: *mut u8,
    len: usize,
    key: u32,
    src: *const u8,
    rest: K::Rest,
) -> K::Output {
    match level {
        // SAFETY: the caller's word: the CPU has AVX-512F, BW, VL and VBMI, and AVX2 and FMA, which these imply to the
        // compiler; it implies F16C too, which every CPU with AVX2 has.
        Level::Avx512 => unsafe { run_avx512::<K>(dst, len, key, src, rest) },
        // SAFETY: the caller's word.
        Level::Avx2 => unsafe { run_avx2::<K>(dst, len, key, src, rest) },
        // SAFETY: the caller's word.
        Level::Ssse3 if K::LOOKS_UP => unsafe { run_ssse3::<K>(dst, len, key, src, rest) },
        // SAFETY: the caller's word.
        Level::Ssse3 | Level::Sse2 => unsafe { run_sse2::<K>(dst, len, key, src, rest) },
        #[cfg(test)]
        Level::Portable => {
            // SAFETY: the caller's word.
            unsafe { K::from_parts((dst, len, key, src), rest) }.run(super::Word::<u128>::NEW)
        }
    }
}

/// The first run of all, and the runs of an older CPU. A function of its own, as the last act of who runs: a call in
/// the middle, only to ask, had each run save three registers for it.
///
/// # Safety
///
/// The arguments are the parts of a kernel of this type.
#[cold]
#[inline(never)]
unsafe fn ask_and_run<K: Kernel>(dst: *mut u8, len: usize, key: u32, src: *const u8, rest: K::Rest) -> K::Output {
    let level = Level::now().unwrap_or_else(ask);
    // SAFETY: the caller's word; what the level says the CPU has said.
    unsafe { run_at::<K>(level, dst, len, key, src, rest) }
}

// Out of line as the others are, so that what calls them saves no registers for its sake.
/// # Safety
///
/// The arguments are the parts of a kernel of this type.
#[inline(never)]
unsafe fn run_sse2<K: Kernel>(dst: *mut u8, len: usize, key: u32, src: *const u8, rest: K::Rest) -> K::Output {
    // SAFETY: the caller's word.
    unsafe { K::from_parts((dst, len, key, src), rest) }.run(BASELINE)
}

/// # Safety
///
/// The arguments are the parts of a kernel of this type, and the CPU has SSSE3.
#[target_feature(enable = "ssse3")]
unsafe fn run_ssse3<K: Kernel>(dst: *mut u8, len: usize, key: u32, src: *const u8, rest: K::Rest) -> K::Output {
    // SAFETY: the caller's word.
    unsafe { K::from_parts((dst, len, key, src), rest) }.run_lookup(Ssse3(()))
}

/// # Safety
///
/// The arguments are the parts of a kernel of this type, and the CPU has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn run_avx2<K: Kernel>(dst: *mut u8, len: usize, key: u32, src: *const u8, rest: K::Rest) -> K::Output {
    // SAFETY: the caller's word.
    let kernel = unsafe { K::from_parts((dst, len, key, src), rest) };
    if len <= Ssse3::BYTES { kernel.run_lookup(Ssse3(())) } else { kernel.run_lookup(Avx2(())) }
}

/// # Safety
///
/// The arguments are the parts of a kernel of this type, and the CPU has AVX-512F, BW, VL and VBMI.
#[target_feature(enable = "avx512bw,avx512vl,avx512vbmi")]
unsafe fn run_avx512<K: Kernel>(dst: *mut u8, len: usize, key: u32, src: *const u8, rest: K::Rest) -> K::Output {
    // SAFETY: the caller's word.
    let kernel = unsafe { K::from_parts((dst, len, key, src), rest) };
    // For shorter vectors too the compiler has here the instructions of AVX-512: one for three operands, and one that
    // fills a vector from a register. What looks up takes what fits; the others are measured in the masking kernel.
    let narrow = if K::LOOKS_UP { Avx2::BYTES } else { 8 * Avx2::BYTES };
    if len <= Ssse3::BYTES {
        kernel.run_lookup(Ssse3(()))
    } else if len <= narrow {
        kernel.run_lookup(Avx2(()))
    } else {
        kernel.run_lookup(Avx512(()))
    }
}

/// What a CPU has. Only what this one has is ever the value of a variable.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Level {
    // The compiler asks in this order.
    Avx512 = 1,
    Avx2,
    Ssse3,
    Sse2,
    #[cfg(test)]
    Portable,
}

/// The level of this CPU as a number, or zero before it has been asked.
///
/// `cpufeatures` keeps an answer for each of its questions; to look at two of them took eight instructions more, of the
/// forty that 20 bytes of text take.
static LEVEL: AtomicU8 = AtomicU8::new(0);

impl Level {
    /// What is to be used, if the CPU has been asked.
    #[inline(always)]
    fn now() -> Option<Self> {
        #[cfg(test)]
        if let Some(level) = super::forced::get() {
            return Some(level);
        }
        Level::of_this_cpu()
    }

    /// What the CPU has said, if it has been asked.
    #[inline(always)]
    fn of_this_cpu() -> Option<Self> {
        // Relaxed: whoever finds nothing asks the CPU again, and gets the same answer.
        match LEVEL.load(Ordering::Relaxed) {
            AVX512 => Some(Level::Avx512),
            AVX2 => Some(Level::Avx2),
            SSSE3 => Some(Level::Ssse3),
            SSE2 => Some(Level::Sse2),
            _ => None,
        }
    }
}

const SSE2: u8 = Level::Sse2 as u8;
const SSSE3: u8 = Level::Ssse3 as u8;
const AVX2: u8 = Level::Avx2 as u8;
const AVX512: u8 = Level::Avx512 as u8;

fn ask() -> Level {
    let level = if has_avx512::get() {
        Level::Avx512
    } else if has_avx2::get() {
        Level::Avx2
    } else if has_ssse3::get() {
        Level::Ssse3
    } else {
        Level::Sse2
    };
    LEVEL.store(level as u8, Ordering::Relaxed);
    level
}

#[cfg(test)]
impl Level {
    pub(crate) const ALL: &[Self] = &[Level::Portable, Level::Sse2, Level::Ssse3, Level::Avx2, Level::Avx512];

    pub(crate) fn is_available(self) -> bool {
        match self {
            Level::Portable | Level::Sse2 => true,
            Level::Ssse3 => has_ssse3::get(),
            Level::Avx2 => has_avx2::get(),
            Level::Avx512 => has_avx512::get(),
        }
    }
}

/// Half of the entries are `zero`, the others 0, 1, 2 and so on. Of a text that is looked up at `N / 2` of them, the
/// further on these begin the more comes, behind zeros.
const fn zeros_then_places<const N: usize>(zero: u8) -> [u8; N] {
    let mut places = [zero; N];
    let mut i = 0;
    while i < N / 2 {
        places[N / 2 + i] = i as u8;
        i += 1;
    }
    places
}

impl Isa for Sse2 {
    type V = __m128i;

    const BYTES: usize = 16;

    #[inline(always)]
    fn splat(self, word: u32) -> __m128i {
        // SAFETY: this file is compiled only for targets with SSE2.
        unsafe { _mm_set1_epi32(word.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u8) -> __m128i {
        // SAFETY: the caller vouches for 16 readable bytes; this load asks for no alignment.
        unsafe { _mm_loadu_si128(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, v: __m128i, to: *mut u8) {
        // SAFETY: the caller vouches for 16 writable bytes; this store asks for no alignment.
        unsafe { _mm_storeu_si128(to.cast(), v) }
    }

    #[inline(always)]
    fn xor(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: as in `splat`.
        unsafe { _mm_xor_si128(a, b) }
    }

    #[inline(always)]
    fn or(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: as in `splat`.
        unsafe { _mm_or_si128(a, b) }
    }

    #[inline(always)]
    fn any_high_bit(self, v: __m128i) -> bool {
        // SAFETY: as in `splat`.
        unsafe { _mm_movemask_epi8(v) != 0 }
    }
}

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
