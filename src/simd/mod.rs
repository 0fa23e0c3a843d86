//! Vectors of bytes: what the kernels of masking and of UTF-8 validation need, written once for each instruction set.
//!
//! An algorithm is written once, as a [`Kernel`] that is generic over [`Isa`]; [`run`] is the only place that chooses.
//! **A value of a type that implements [`Isa`] is the proof that the CPU has those instructions**: it can be made only
//! by [`run`], after it has looked, or for an instruction set that the target is compiled for. That is why arithmetic
//! on vectors is safe here, and only the access to memory is not.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod aarch64;
#[cfg(all(test, unix, not(miri)))]
pub(crate) mod guard;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
mod word;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86_64;

pub(crate) use word::Word;

#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
use aarch64 as isa;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use wasm32 as isa;
#[cfg(not(any(
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(target_arch = "x86_64", target_feature = "sse2"),
)))]
use word as isa;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
use x86_64 as isa;

/// Whether this target has vectors that are known here.
pub(crate) const VECTORS: bool = cfg!(any(
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(target_arch = "x86_64", target_feature = "sse2"),
));

/// Calls the kernel with the best instruction set that this CPU has.
pub(crate) use isa::run;

/// Tells whether this CPU is known to copy by a string instruction, as the C library does, what is too long for the
/// first-level cache faster than by vectors.
pub(crate) use isa::string_copies_are_fast;

/// The 16-byte vectors that every CPU of this target has: no look at the CPU, and code that can be inlined.
pub(crate) use isa::{BASELINE, Baseline};

#[cfg(test)]
pub(crate) use forced::for_each;

/// An instruction set, and a vector of it.
///
/// Every method is inlined into the function with the right `target_feature` that [`run`] enters, so the intrinsics in
/// it become single instructions.
pub(crate) trait Isa: Copy {
    /// A vector.
    type V: Copy;

    /// The bytes in a vector: a multiple of 4, so that a vector further on in the payload meets the key at the same
    /// phase.
    const BYTES: usize;

    /// Fills a vector with the four bytes of `word` as they lie in memory.
    fn splat(self, word: u32) -> Self::V;

    /// Reads a vector, at any alignment.
    ///
    /// # Safety
    ///
    /// `BYTES` bytes from `from` on can be read.
    unsafe fn load(self, from: *const u8) -> Self::V;

    /// Writes a vector, at any alignment.
    ///
    /// # Safety
    ///
    /// `BYTES` bytes from `to` on can be written.
    unsafe fn store(self, v: Self::V, to: *mut u8);

    fn xor(self, a: Self::V, b: Self::V) -> Self::V;

    fn or(self, a: Self::V, b: Self::V) -> Self::V;

    /// Tells whether any byte is 0x80 or more, which is to say not ASCII.
    fn any_high_bit(self, v: Self::V) -> bool;
}

/// An instruction set that can look 16 or more bytes up in a table at once.
///
/// All of them are little-endian.
#[allow(dead_code, reason = "a target without vectors has no look-ups")]
pub(crate) trait Lookup: Isa {
    /// The vectors of which two, overlapping, hold a text that is longer than one of them and fits into one of these.
    type Half: Isa;

    fn half(self) -> Self::Half;

    /// Returns the vector that ends with a text of `len` bytes and begins with zeros: `first` is the first half vector
    /// of the text and `last` its last one.
    fn end_of_halves(self, first: <Self::Half as Isa>::V, last: <Self::Half as Isa>::V, len: usize) -> Self::V;

    /// Returns the vector that ends with these 8 bytes, the lowest one first, and begins with zeros.
    fn end_of_word(self, word: u64) -> Self::V;

    fn and(self, a: Self::V, b: Self::V) -> Self::V;

    /// Subtracts byte by byte; what would be negative becomes zero.
    fn saturating_sub(self, a: Self::V, b: Self::V) -> Self::V;

    /// Shifts every byte right by four bits.
    fn high_nibbles(self, v: Self::V) -> Self::V;

    /// Replaces every byte, which is less than 16, by that entry of the table.
    fn lookup(self, table: [u8; 16], v: Self::V) -> Self::V;

    /// Returns the vector that begins one byte before `v`, which follows `before` in the text.
    fn back1(self, before: Self::V, v: Self::V) -> Self::V;

    /// Returns the vector that begins two bytes before `v`.
    fn back2(self, before: Self::V, v: Self::V) -> Self::V;

    /// Returns the vector that begins three bytes before `v`.
    fn back3(self, before: Self::V, v: Self::V) -> Self::V;

    /// Tells whether any bit is set.
    fn any(self, v: Self::V) -> bool;
}

/// What a kernel works on: where to write, the length, a key, and where to read. These go to another function in
/// registers, those of a slice and a key where they are already; a struct of them goes through memory, and is not
/// always loaded as it was stored: 200 bytes to be copied then took 55 cycles instead of 16.
pub(crate) type Parts = (*mut u8, usize, u32, *const u8);

/// An algorithm over vectors of any width. What makes one is inlined always, for the same reason.
#[allow(dead_code, reason = "a target without vectors neither chooses nor has look-ups")]
pub(crate) trait Kernel: Sized {
    type Output;

    /// What else it has, two registers at most: what its end needs, so that whoever runs it has nothing left to do, and
    /// saves nothing for that.
    type Rest;

    /// Whether there is a [`run_lookup`](Self::run_lookup) of its own.
    const LOOKS_UP: bool;

    fn into_parts(self) -> (Parts, Self::Rest);

    /// Undoes [`into_parts`](Self::into_parts).
    ///
    /// # Safety
    ///
    /// The parts are those of a kernel of this type, which lives on as long as this one does and is not used meanwhile.
    unsafe fn from_parts(parts: Parts, rest: Self::Rest) -> Self;

    /// Runs with plain vectors. To be marked `#[inline(always)]`.
    fn run<I: Isa>(self, isa: I) -> Self::Output;

    /// Runs with vectors that have table look-ups. To be marked `#[inline(always)]`.
    #[inline(always)]
    fn run_lookup<I: Lookup>(self, isa: I) -> Self::Output {
        self.run(isa)
    }
}

/// The choice that tests impose on [`run`], so that the public functions can be tested with every instruction set.
#[cfg(test)]
mod forced {
    use core::cell::Cell;

    std::thread_local! {
        static LEVEL: Cell<Option<super::isa::Level>> = const { Cell::new(None) };
    }

    #[allow(dead_code, reason = "a target without vectors does not choose")]
    pub(super) fn get() -> Option<super::isa::Level> {
        LEVEL.get()
    }

    /// Calls `body` once for each instruction set that this CPU has, the portable one included, while [`super::run`]
    /// uses that one on this thread.
    pub(crate) fn for_each(mut body: impl FnMut(super::isa::Level)) {
        for &level in super::isa::Level::ALL {
            if level.is_available() {
                LEVEL.set(Some(level));
                body(level);
            }
        }
        LEVEL.set(None);
    }

    #[test]
    fn every_instruction_set_that_this_is_compiled_for_is_tested() {
        let mut levels = std::vec::Vec::new();
        for_each(|level| levels.push(std::format!("{level:?}")));
        assert!(levels.iter().any(|level| level == "Portable"));
        assert!(cfg!(not(target_feature = "ssse3")) || levels.iter().any(|level| level == "Ssse3"), "{levels:?}");
        assert!(cfg!(not(target_feature = "avx2")) || levels.iter().any(|level| level == "Avx2"), "{levels:?}");
        assert!(cfg!(not(target_feature = "avx512vl")) || levels.iter().any(|level| level == "Avx512Vl"), "{levels:?}");
        assert!(cfg!(not(target_feature = "avx512vbmi")) || levels.iter().any(|level| level == "Avx512"), "{levels:?}");
    }
}
