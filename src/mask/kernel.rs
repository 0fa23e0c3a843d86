//! XOR with a key of four bytes, at the speed at which memory takes the result.
//!
//! A payload of one byte apart, no byte is handled alone: [`short`](super::short) payloads are groups of words or of
//! vectors that may overlap, and so are those of up to 256 bytes with vectors of 32, of up to 128 with vectors of 16.
//! Longer ones:
//!
//! ```text
//! load the first vector; load the last one
//! from the first aligned place on, until at most one vector is left:
//!     eight vectors at a time, then four, two, one; four of 64 bytes where each block is tested
//!     (a copy whose destination is a little further on in its page than the source: from the back)
//! store the first vector; store the last one
//! ```
//!
//! What overlaps is loaded before anything there is stored, and both stores write the same bytes. So it is right in
//! place as well as from one buffer into another.
//!
//! What bounds it, measured on Golden Cove with 64-byte vectors, in L1 and in one process with a bare loop of eight
//! aligned loads, XORs and stores:
//!
//! - The bare loop does 55 to 60 bytes a core cycle of the 64 that one store a cycle allows, 0.95 to 1.0 of
//!   `slice::fill`. The loop here is as fast, because it steps a pointer: with an index, an XOR that loads is two
//!   micro-operations, and 8 KiB took 3 to 14 % longer. Blocks of sixteen vectors were no faster, of four 4 % slower.
//! - Vectors of 64 bytes have two ports, and there a load counts nearly as an operation does, one that crosses a line
//!   twice. On Redwood Cove four stores, four loads and 4, 6, 8 or 10 operations take 4.5, 5.3, 6.0 and 6.8 cycles. So
//!   what has no key is copied without the XOR: 1 KiB into a growing buffer took 37 cycles with it and takes 29, 16 KiB
//!   376 and 325.
//! - The ASCII test adds half an OR and a part of a test to each vector, for these two ports. The bare loop then has
//!   0.80 of its speed with four vectors to a test, 0.82 with eight and 0.87 with sixteen. To store first and test
//!   afterwards, or to fold the last OR into 32 bytes, won nothing. From L2 on the test is free.
//! - On Zen 5, with four vectors to a test the loop is as fast as without one, from L1 and from L2; with sixteen it
//!   takes 1.2 to 1.4 of the time, because that many loads and then as many stores do not overlap. So 256 bytes go to a
//!   test. To test the first and the last vector with each block, which joins three as quickly as two, instead of by
//!   themselves won nothing; nor did to store first and mask again what is not ASCII.
//! - 32-byte vectors have 0.58 of the speed of `fill` at 4 KiB, 0.51 at 16 KiB and 0.57 at 32 KiB; 64-byte ones 0.9 and
//!   more. From 64 KiB on both are as fast as `fill`.
//! - 257 to 512 bytes with 64-byte vectors take a loop of aligned stores: as four vectors from the front and four from
//!   the back, of which nearly every store crosses two lines, they took 19 to 22 cycles on Zen 5 and take 12.5 to 18;
//!   but 256 bytes took 11 instead of 10 that way. Up to 256 bytes the vectors are of 32, of which every other one
//!   crosses a line: on Zen 4 12.9 cycles instead of 14.8, and as ASCII text 16.3 instead of 18.8; at places that are a
//!   multiple of 64, 10.1 instead of 9.7. On Redwood Cove they take 14.8, 18 and 10.2, vectors of 64 bytes 13.5, 19 and
//!   11.5, and aligned ones of 32 in a loop 13.6, 21.5 and 12.8.
//! - From the next multiple of 32 on instead of 64, since Zen 4 stores 64 bytes in halves: 64 KiB and more took 4 to
//!   6 % longer there, and 1 KiB that begins at a multiple of 64 34.9 cycles instead of 32.9.
//! - The last vectors are blocks of four, two and one: as a loop of ones, 129 bytes took 20 % longer.
//! - A load waits for a store before it whose address has the same lowest twelve bits. From one page-aligned buffer
//!   into another, behind a header, each load met the store of the vector before: a copy of 4 KiB took 220 cycles on
//!   Cascade Lake, 360 with 64 bytes between the two and 132 with 2 KiB; from the back to the front it takes 137 to
//!   144, and the C library's 140 to 250. With eight loads before eight stores the next eight would meet these.
//! - To prefetch what lies 256 bytes to 2 KiB ahead won nothing in decoding reads of 64 KiB, which come from L2.
//! - Beyond the caches all loops are alike. Of 16 MiB on Zen 3 loops of one, two, four and eight vectors, in either
//!   order of loads and stores, and this one did 24 to 33 GB/s, by turns.
#![allow(unsafe_code)]

use super::{Mask, short::SHORT, span::Span};
use crate::simd::{Isa, Kernel, Parts};

/// Unmasks a span longer than [`SHORT`]; with `ASCII_ONLY`, what precedes the first block that is not ASCII, or
/// nothing. Without `STORE` it only looks, and without `KEY` it only copies: that key is zero.
#[derive(Copy, Clone)]
pub(crate) struct Long<'a, const IN_PLACE: bool, const ASCII_ONLY: bool, const STORE: bool, const KEY: bool> {
    span: Span<'a>,
}

impl<'a, const ASCII_ONLY: bool> Long<'a, true, ASCII_ONLY, true, true> {
    #[inline(always)]
    pub(crate) fn in_place(bytes: &'a mut [u8], mask: Mask) -> Self {
        assert!(bytes.len() > SHORT);
        Long { span: mask.span(bytes).onto_itself() }
    }
}

impl<'a> Long<'a, true, true, false, true> {
    #[inline(always)]
    pub(crate) fn reading(bytes: &'a [u8]) -> Self {
        assert!(bytes.len() > SHORT);
        Long { span: Span::read_only(bytes) }
    }
}

impl<'a, const ASCII_ONLY: bool, const KEY: bool> Long<'a, false, ASCII_ONLY, true, KEY> {
    #[inline(always)]
    pub(crate) fn copying(span: Span<'a>) -> Self {
        assert!(span.len() > SHORT);
        Long { span }
    }
}

impl<const IN_PLACE: bool, const ASCII_ONLY: bool, const STORE: bool, const KEY: bool>
    Long<'_, IN_PLACE, ASCII_ONLY, STORE, KEY>
{
    /// Unmasks the front of `rest` until at most a vector is left, or up to a block that is not ASCII; returns what is
    /// left.
    #[inline(always)]
    fn middle<I: Isa>(isa: I, mut rest: Span<'_>) -> Span<'_> {
        let key = rest.key(isa, 0);
        if !IN_PLACE && !ASCII_ONLY && rest.loads_meet_stores() {
            return Self::middle_backwards(isa, key, rest);
        }
        let by_four = ASCII_ONLY && I::BYTES == 64;
        while by_four && 4 * I::BYTES < rest.len() {
            if !Self::block::<I, 4>(isa, key, &mut rest) {
                return rest;
            }
        }
        while !by_four && 8 * I::BYTES < rest.len() {
            if !Self::block::<I, 8>(isa, key, &mut rest) {
                return rest;
            }
        }
        Self::last_eight(isa, key, &mut rest);
        rest
    }

    /// Does what [`middle`](Self::middle) does, for a copy of any bytes, from the back to the front.
    #[inline(always)]
    fn middle_backwards<I: Isa>(isa: I, key: I::V, rest: Span<'_>) -> Span<'_> {
        let mut at = (rest.len() - 1) / (8 * I::BYTES) * (8 * I::BYTES);
        // SAFETY: `at` is less than `len`.
        let mut behind = unsafe { rest.skip(at) };
        Self::last_eight(isa, key, &mut behind);
        while at > 0 {
            at -= 8 * I::BYTES;
            for i in (0..8).rev() {
                // SAFETY: eight vectors from here on end where the ones before began, or at what is behind.
                unsafe { Self::pass(isa, key, rest, at + i * I::BYTES) };
            }
        }
        behind
    }

    /// Unmasks the front of `rest`, which is eight vectors at most, until at most a vector is left, or up to a block
    /// that is not ASCII.
    #[inline(always)]
    fn last_eight<I: Isa>(isa: I, key: I::V, rest: &mut Span<'_>) {
        let _ = Self::block::<I, 4>(isa, key, rest)
            && Self::block::<I, 2>(isa, key, rest)
            && Self::block::<I, 1>(isa, key, rest);
    }

    /// Unmasks `N` vectors at the front of `rest`, if more than these are left. Returns false, with nothing stored, for
    /// what was to be ASCII and is not.
    #[inline(always)]
    fn block<I: Isa, const N: usize>(isa: I, key: I::V, rest: &mut Span<'_>) -> bool {
        if N * I::BYTES < rest.len() {
            if ASCII_ONLY {
                // SAFETY: the condition.
                let plain = unsafe { load::<I, N>(*rest, isa, 0, key) };
                if isa.any_high_bit(join(isa, plain)) {
                    return false;
                }
                if STORE {
                    // SAFETY: the condition.
                    unsafe { store(*rest, isa, 0, plain) };
                }
            } else if STORE {
                // Each is stored before the next one is loaded: from the second-level cache, eight that were all loaded
                // first took 4 % longer on Zen 5.
                for i in 0..N {
                    // SAFETY: the condition.
                    unsafe { Self::pass(isa, key, *rest, i * I::BYTES) };
                }
            }
            // SAFETY: the condition.
            *rest = unsafe { rest.skip(N * I::BYTES) };
        }
        true
    }

    /// Unmasks the vector at `at`.
    ///
    /// # Safety
    ///
    /// `at + I::BYTES <= span.len()`, and the span is not read-only.
    #[inline(always)]
    unsafe fn pass<I: Isa>(isa: I, key: I::V, span: Span<'_>, at: usize) {
        // SAFETY: the caller's word.
        let bytes = unsafe { span.read(isa, at) };
        let plain = if KEY { isa.xor(bytes, key) } else { bytes };
        // SAFETY: as for its load.
        unsafe { span.store(isa, at, plain) };
    }
}

impl<const IN_PLACE: bool, const ASCII_ONLY: bool, const STORE: bool, const KEY: bool> Kernel
    for Long<'_, IN_PLACE, ASCII_ONLY, STORE, KEY>
{
    /// How many bytes have been unmasked.
    type Output = usize;
    type Rest = ();

    const LOOKS_UP: bool = false;

    #[inline(always)]
    fn into_parts(self) -> (Parts, ()) {
        (self.span.into_parts(), ())
    }

    #[inline(always)]
    unsafe fn from_parts(parts: Parts, (): ()) -> Self {
        // SAFETY: the caller's word.
        let span = unsafe { Span::from_parts(parts) };
        // SAFETY: who made it has seen to it.
        unsafe { core::hint::assert_unchecked(span.len() > SHORT) };
        Long { span }
    }

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> usize {
        let span = if IN_PLACE { self.span.onto_itself() } else { self.span };
        if I::BYTES < 64 && span.len() <= 8 * I::BYTES {
            // SAFETY: who made it asserted more than `SHORT`, which is four vectors of 32 bytes or more.
            let is_done = unsafe { edges::<_, 4, ASCII_ONLY, STORE>(span, isa) };
            return if is_done { span.len() } else { 0 };
        }
        let tail = span.len() - I::BYTES;
        // SAFETY: who made it asserted more than `SHORT`, which is two vectors or more of any set.
        let first = unsafe { load::<I, 1>(span, isa, 0, span.key(isa, 0)) };
        // SAFETY: this vector ends at `len`.
        let last = unsafe { load::<I, 1>(span, isa, tail, span.key(isa, tail)) };
        if ASCII_ONLY && isa.any_high_bit(isa.or(first[0], last[0])) {
            return 0;
        }
        // SAFETY: a vector at most.
        let rest = Self::middle(isa, unsafe { span.skip(span.bytes_to_aligned(I::BYTES)) });
        if STORE {
            // SAFETY: as for the load.
            unsafe { store(span, isa, 0, first) };
        }
        if ASCII_ONLY && rest.len() > I::BYTES {
            return (span.len() - rest.len()).max(I::BYTES);
        }
        if STORE {
            // SAFETY: as for the load.
            unsafe { store(span, isa, tail, last) };
        }
        span.len()
    }
}

/// Unmasks `N` vectors at the front and `N` at the back, which is everything if these meet.
///
/// # Safety
///
/// The span has `N` vectors or more.
#[inline(always)]
pub(super) unsafe fn edges<I: Isa, const N: usize, const ASCII_ONLY: bool, const STORE: bool>(
    span: Span<'_>,
    isa: I,
) -> bool {
    let tail = span.len() - N * I::BYTES;
    // SAFETY: the caller's word.
    let front = unsafe { load::<I, N>(span, isa, 0, span.key(isa, 0)) };
    // SAFETY: `N` vectors from `tail` on end at `len`.
    let back = unsafe { load::<I, N>(span, isa, tail, span.key(isa, tail)) };
    if ASCII_ONLY && isa.any_high_bit(isa.or(join(isa, front), join(isa, back))) {
        return false;
    }
    if !STORE {
        return true;
    }
    // SAFETY: the caller's word.
    unsafe { store(span, isa, 0, front) };
    // SAFETY: `N` vectors from `tail` on end at `len`.
    unsafe { store(span, isa, tail, back) };
    true
}

/// Reads and unmasks `N` vectors from `at` on; `key` is [`Span::key`] at `at`.
///
/// # Safety
///
/// `at + N * I::BYTES <= span.len()`.
#[inline(always)]
pub(crate) unsafe fn load<I: Isa, const N: usize>(span: Span<'_>, isa: I, at: usize, key: I::V) -> [I::V; N] {
    let mut vectors = [key; N];
    for (i, v) in vectors.iter_mut().enumerate() {
        // SAFETY: this vector is one of the `N` from `at` on, which the caller vouches for.
        *v = unsafe { span.load(isa, at + i * I::BYTES, key) };
    }
    vectors
}

/// Writes `N` vectors from `at` on.
///
/// # Safety
///
/// `at + N * I::BYTES <= span.len()`, and the span is not read-only.
#[inline(always)]
pub(crate) unsafe fn store<I: Isa, const N: usize>(span: Span<'_>, isa: I, at: usize, vectors: [I::V; N]) {
    for (i, v) in vectors.into_iter().enumerate() {
        // SAFETY: this vector is one of the `N` from `at` on, which the caller vouches for.
        unsafe { span.store(isa, at + i * I::BYTES, v) };
    }
}

/// Returns the vector in which every bit is set that is set in one of `vectors`, of which there is at least one.
#[inline(always)]
pub(crate) fn join<I: Isa, const N: usize>(isa: I, vectors: [I::V; N]) -> I::V {
    let mut joined = vectors[0];
    for &v in &vectors[1..] {
        joined = isa.or(joined, v);
    }
    joined
}
