//! x86-64: SSE2, which all of them have, and SSSE3, AVX2 and AVX-512 where the CPU tells that it has them.
//!
//! Vectors of 64 bytes cost some CPUs that have them their clock (Skylake-SP to Cooper Lake). On Cascade Lake the first
//! 64 KiB that were masked by them stopped the core for 10 microseconds, the time in which vectors of 32 bytes mask a
//! MiB, and left it at 2.69 GHz instead of 3.09 for 0.7 milliseconds, whatever else the program did. Vectors of 32
//! bytes with the instructions of AVX-512 left it as it was: twice as many registers and three operands at once took
//! 14 % of the time from texts of other scripts of 125 bytes and more, 7 % from those of 33 to 64, and 5 % from ASCII
//! of 256 to 1024 bytes.
//!
//! CPUs of that kind, and the other ones of Skylake's, also decode anew what lies around a jump that touches a multiple
//! of 32 (Intel's JCC erratum). The place that the linker gives the same instructions is worth up to a third of a short
//! text there, and of a loop. These figures are of `-C llvm-args=-x86-branches-within-32B-boundaries`, which keeps
//! jumps away from there.
#![allow(unsafe_code)]

mod avx2;
mod avx512;
mod ssse3;

use core::arch::x86_64::*;
use core::sync::atomic::{AtomicU8, Ordering};

use super::{Isa, Kernel};
use avx2::Avx2;
use avx512::Avx512;
use ssse3::Ssse3;

cpufeatures::new!(has_ssse3, "ssse3");
cpufeatures::new!(has_avx2, "avx2");
cpufeatures::new!(has_avx512vl, "avx2", "fma", "avx512f", "avx512bw", "avx512vl");
// VBMI is used for short texts alone. But it tells the CPUs whose clock does not suffer from vectors of 64 bytes (Ice
// Lake, Zen 4 and later).
cpufeatures::new!(has_avx512, "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512vbmi");

pub(crate) type Baseline = Sse2;

pub(crate) const BASELINE: Baseline = Sse2(());

/// Vectors of 16 bytes.
#[derive(Copy, Clone)]
pub(crate) struct Sse2(());

#[inline(always)]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    let level = Level::now();
    let ((dst, len, key, src), rest) = kernel.into_parts();
    match level {
        // SAFETY: the parts are those of `kernel`, which is gone; what a level says the CPU has said.
        Some(level @ (Level::Avx512 | Level::Avx2 | Level::Avx512Vl)) => unsafe {
            run_at::<K>(level, dst, len, key, src, rest)
        },
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
        // SAFETY: the caller's word: the CPU has AVX-512F, BW, VL and VBMI, and AVX2 and FMA, which AVX-512 implies to
        // the compiler; it implies F16C too, which every CPU with AVX2 has.
        Level::Avx512 => unsafe { run_avx512::<K>(dst, len, key, src, rest) },
        // SAFETY: the caller's word.
        Level::Avx2 => unsafe { run_avx2::<K>(dst, len, key, src, rest) },
        // SAFETY: as for AVX-512 above, but for VBMI, which is not asked for.
        Level::Avx512Vl => unsafe { run_avx512vl::<K>(dst, len, key, src, rest) },
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
    run_narrow(unsafe { K::from_parts((dst, len, key, src), rest) }, len, Avx2(()))
}

/// # Safety
///
/// The arguments are the parts of a kernel of this type, and the CPU has AVX-512F, BW and VL.
#[target_feature(enable = "avx512bw,avx512vl")]
unsafe fn run_avx512vl<K: Kernel>(dst: *mut u8, len: usize, key: u32, src: *const u8, rest: K::Rest) -> K::Output {
    // SAFETY: the caller's word.
    run_narrow(unsafe { K::from_parts((dst, len, key, src), rest) }, len, Avx2(()))
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
    if len <= narrow { run_narrow(kernel, len, Avx2(())) } else { kernel.run_lookup(Avx512(())) }
}

/// Runs with vectors of 32 bytes, or of 16 where these suffice: AVX2 implies SSSE3.
#[inline(always)]
fn run_narrow<K: Kernel>(kernel: K, len: usize, avx2: Avx2) -> K::Output {
    if len <= Ssse3::BYTES { kernel.run_lookup(Ssse3(())) } else { kernel.run_lookup(avx2) }
}

/// What a CPU has. Only what this one has is ever the value of a variable.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Level {
    // The compiler asks in this order.
    Avx512 = 1,
    Avx2,
    Avx512Vl,
    Ssse3,
    Sse2,
    #[cfg(test)]
    Portable,
}

/// As far as CPUID tells, all CPUs of this level are Skylake-SP or its like.
#[inline(always)]
pub(crate) fn string_copies_are_fast() -> bool {
    matches!(Level::now(), Some(Level::Avx512Vl))
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
            AVX512VL => Some(Level::Avx512Vl),
            SSSE3 => Some(Level::Ssse3),
            SSE2 => Some(Level::Sse2),
            _ => None,
        }
    }
}

const SSE2: u8 = Level::Sse2 as u8;
const SSSE3: u8 = Level::Ssse3 as u8;
const AVX2: u8 = Level::Avx2 as u8;
const AVX512VL: u8 = Level::Avx512Vl as u8;
const AVX512: u8 = Level::Avx512 as u8;

fn ask() -> Level {
    let level = if has_avx512::get() {
        Level::Avx512
    } else if has_avx512vl::get() {
        Level::Avx512Vl
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
    pub(crate) const ALL: &[Self] =
        &[Level::Portable, Level::Sse2, Level::Ssse3, Level::Avx2, Level::Avx512Vl, Level::Avx512];

    pub(crate) fn is_available(self) -> bool {
        match self {
            Level::Portable | Level::Sse2 => true,
            Level::Ssse3 => has_ssse3::get(),
            Level::Avx2 => has_avx2::get(),
            Level::Avx512Vl => has_avx512vl::get(),
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
