//! XOR with a key of four bytes, at the speed at which memory takes the result.
//!
//! No byte is handled alone. Short payloads are two groups of vectors, one from the front and one from the back, which may
//! overlap:
//!
//! ```text
//! edges, N vectors each:   load front; load back; store front; store back
//!
//! long:   load the first vector; load the last one
//!         from the first aligned place (or after the first vector) on:
//!             four vectors at a time, then one at a time, until at most one vector is left
//!         store the first vector; store the last one
//! ```
//!
//! What overlaps is loaded before anything there is stored, and both stores write the same bytes. So it is right in place as
//! well as from one buffer into another.
#![allow(unsafe_code)]

use super::span::Span;
use crate::simd::{BASELINE, Baseline, Isa, Kernel, Word};

/// The longest payload that [`short`] takes, in bytes.
pub(crate) const SHORT: usize = 8 * Baseline::BYTES;

/// From this length on, in bytes, the stores of the long loop are aligned.
///
/// With 1024 instead, 1000 bytes took 61 cycles, and 1024 took 31.
const ALIGNED_FROM: usize = 256;

/// Unmasks at most [`SHORT`] bytes; to be inlined, and without a look at the CPU.
///
/// With `ASCII_ONLY` nothing is stored unless the result is ASCII. Returns whether it was stored.
#[inline(always)]
pub(crate) fn short<const ASCII_ONLY: bool>(span: Span<'_>) -> bool {
    debug_assert!(span.len() <= SHORT);
    match span.len() {
        // SAFETY: 64 bytes or more.
        65.. => unsafe { edges::<_, 4, ASCII_ONLY>(span, BASELINE) },
        // SAFETY: 32 bytes or more.
        33.. => unsafe { edges::<_, 2, ASCII_ONLY>(span, BASELINE) },
        // SAFETY: 16 bytes or more.
        16.. => unsafe { edges::<_, 1, ASCII_ONLY>(span, BASELINE) },
        // SAFETY: 8 bytes or more.
        8.. => unsafe { edges::<_, 1, ASCII_ONLY>(span, Word::<u64>::NEW) },
        // SAFETY: 4 bytes or more.
        4.. => unsafe { edges::<_, 1, ASCII_ONLY>(span, Word::<u32>::NEW) },
        // SAFETY: 1 byte or more.
        1.. => unsafe { bytes::<ASCII_ONLY>(span) },
        0 => true,
    }
}

/// Unmasks `N` vectors at the front and `N` at the back, which is everything if these meet.
///
/// # Safety
///
/// The span has `N` vectors or more.
#[inline(always)]
unsafe fn edges<I: Isa, const N: usize, const ASCII_ONLY: bool>(span: Span<'_>, isa: I) -> bool {
    let tail = span.len() - N * I::BYTES;
    // SAFETY: the caller's word.
    let front = unsafe { load::<I, N>(span, isa, 0, span.key(isa, 0)) };
    // SAFETY: `N` vectors from `tail` on end at `len`.
    let back = unsafe { load::<I, N>(span, isa, tail, span.key(isa, tail)) };
    if ASCII_ONLY && isa.any_high_bit(isa.or(join(isa, front), join(isa, back))) {
        return false;
    }
    // SAFETY: the caller's word.
    unsafe { store(span, isa, 0, front) };
    // SAFETY: `N` vectors from `tail` on end at `len`.
    unsafe { store(span, isa, tail, back) };
    true
}

/// Unmasks one to three bytes: the first, the middle and the last one, which may be the same.
///
/// # Safety
///
/// The span has 1 to 3 bytes.
#[inline(always)]
unsafe fn bytes<const ASCII_ONLY: bool>(span: Span<'_>) -> bool {
    let isa = Word::<u8>::NEW;
    let (middle, end) = (span.len() / 2, span.len() - 1);
    // SAFETY: there is a byte at 0.
    let a = unsafe { span.load(isa, 0, span.key(isa, 0)) };
    // SAFETY: `middle` is less than `len`, which is not zero.
    let b = unsafe { span.load(isa, middle, span.key(isa, middle)) };
    // SAFETY: `end` is less than `len`.
    let c = unsafe { span.load(isa, end, span.key(isa, end)) };
    if ASCII_ONLY && isa.any_high_bit(a | b | c) {
        return false;
    }
    // SAFETY: as for its load.
    unsafe { span.store(isa, 0, a) };
    // SAFETY: as for its load.
    unsafe { span.store(isa, middle, b) };
    // SAFETY: as for its load.
    unsafe { span.store(isa, end, c) };
    true
}

/// Unmasks a span longer than [`SHORT`].
#[derive(Copy, Clone)]
pub(crate) struct Long<'a> {
    span: Span<'a>,
}

impl<'a> Long<'a> {
    pub(crate) fn new(span: Span<'a>) -> Self {
        assert!(span.len() > SHORT);
        Long { span }
    }
}

impl Kernel for Long<'_> {
    type Output = ();

    #[inline(always)]
    fn len(&self) -> usize {
        self.span.len()
    }

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let span = self.span;
        let tail = span.len() - I::BYTES;
        // SAFETY: `new` saw that there are more bytes than a vector of any instruction set has.
        let first = unsafe { load::<I, 1>(span, isa, 0, span.key(isa, 0)) };
        // SAFETY: this vector ends at `len`.
        let last = unsafe { load::<I, 1>(span, isa, tail, span.key(isa, tail)) };
        let mut at = body_start(span, isa);
        let key = span.key(isa, at);
        while at + 4 * I::BYTES <= tail {
            // SAFETY: the condition of the loop.
            unsafe { body::<I, 4>(span, isa, at, key) };
            at += 4 * I::BYTES;
        }
        while at < tail {
            // SAFETY: `at < tail`, so that a vector ends before `len`.
            unsafe { body::<I, 1>(span, isa, at, key) };
            at += I::BYTES;
        }
        // SAFETY: as for the load.
        unsafe { store(span, isa, 0, first) };
        // SAFETY: as for the load.
        unsafe { store(span, isa, tail, last) };
    }
}

/// Returns where the loop begins: 1 to `I::BYTES` bytes into the span, and aligned where that pays.
#[inline(always)]
pub(crate) fn body_start<I: Isa>(span: Span<'_>, _: I) -> usize {
    if span.len() < ALIGNED_FROM { I::BYTES } else { span.bytes_to_aligned(I::BYTES) }
}

/// Unmasks `N` vectors from `at` on; `key` is [`Span::key`] at `at`.
///
/// # Safety
///
/// `at + N * I::BYTES <= span.len()`.
#[inline(always)]
unsafe fn body<I: Isa, const N: usize>(span: Span<'_>, isa: I, at: usize, key: I::V) {
    // SAFETY: the caller's word.
    let plain = unsafe { load::<I, N>(span, isa, at, key) };
    // SAFETY: the caller's word.
    unsafe { store(span, isa, at, plain) };
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
