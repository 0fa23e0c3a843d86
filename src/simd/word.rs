//! Integers as vectors: the portable kernel, and the short pieces that are less than a vector.
#![allow(unsafe_code)]

use core::marker::PhantomData;

use super::Isa;

/// An unsigned integer taken as a vector of its bytes. Every CPU has it, so that anybody may make one.
#[derive(Copy, Clone)]
pub(crate) struct Word<T>(PhantomData<T>);

impl<T> Word<T> {
    pub(crate) const NEW: Self = Word(PhantomData);
}

macro_rules! word {
    ($t:ty) => {
        impl Isa for Word<$t> {
            type V = $t;

            const BYTES: usize = size_of::<$t>();

            #[inline(always)]
            fn splat(self, word: u32) -> $t {
                // One 1 in each group of four bytes. Of what comes first in memory a word keeps as much as it is wide:
                // the low end where the machine is little-endian, the high end where it is big-endian.
                const ONES: u128 = u128::MAX / u32::MAX as u128;
                let skipped = if cfg!(target_endian = "big") { u128::BITS - <$t>::BITS } else { 0 };
                (ONES * word as u128 >> skipped) as $t
            }

            #[inline(always)]
            unsafe fn load(self, from: *const u8) -> $t {
                // SAFETY: the caller vouches for `BYTES` readable bytes; no alignment is asked for.
                unsafe { from.cast::<$t>().read_unaligned() }
            }

            #[inline(always)]
            unsafe fn store(self, v: $t, to: *mut u8) {
                // SAFETY: the caller vouches for `BYTES` writable bytes; no alignment is asked for.
                unsafe { to.cast::<$t>().write_unaligned(v) }
            }

            #[inline(always)]
            fn xor(self, a: $t, b: $t) -> $t {
                a ^ b
            }

            #[inline(always)]
            fn or(self, a: $t, b: $t) -> $t {
                a | b
            }

            #[inline(always)]
            fn any_high_bit(self, v: $t) -> bool {
                const HIGH_BITS: $t = <$t>::MAX / 0xff * 0x80;
                v & HIGH_BITS != 0
            }
        }
    };
}

word!(u8);
word!(u16);
word!(u32);
word!(u64);
word!(u128);

/// What stands in for vectors where the target has none that are known here.
#[cfg(not(any(
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(target_arch = "x86_64", target_feature = "sse2"),
)))]
mod fallback {
    use super::Word;
    use crate::simd::Kernel;

    pub(crate) type Baseline = Word<u128>;

    pub(crate) const BASELINE: Baseline = Word::NEW;

    pub(crate) const fn string_copies_are_fast() -> bool {
        false
    }

    #[inline]
    pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(BASELINE)
    }

    #[cfg(test)]
    #[derive(Copy, Clone, Debug)]
    pub(crate) enum Level {
        Portable,
    }

    #[cfg(test)]
    impl Level {
        pub(crate) const ALL: &[Self] = &[Level::Portable];

        pub(crate) fn is_available(self) -> bool {
            true
        }
    }
}

#[cfg(not(any(
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(target_arch = "x86_64", target_feature = "sse2"),
)))]
pub(crate) use fallback::*;
