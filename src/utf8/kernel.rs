//! Unmasking and UTF-8 validation in one pass.
//!
//! Unmasking is bound by its stores, so looking at the bytes while they are in registers is nearly free:
//!
//! ```text
//! first and last vector as in masking; between them, from the first aligned place on:
//!     load four vectors; XOR; store
//!     if these and the one before them are ASCII: next block
//!     judge each of the four, with its predecessor; if one is bad: stop and name this block
//! ```
//!
//! A vector is judged by the method of Keiser and Lemire ("Validating UTF-8 in less than one instruction per byte",
//! 2021): each pair of neighbouring bytes is looked up by three nibbles, and every look-up says which faults the nibble
//! allows; a fault that all three allow is there. A second test compares where a third or fourth byte must stand with
//! where one does. Both tests show a fault at the impossible byte or, if that can begin no code point, at the one after
//! it.
//!
//! Text that is ASCII from its start on is unmasked by the masking kernel and does not come here.
//!
//! A text of one vector or less is put together in registers, at the end of a vector that begins with zeros: by a
//! masked load where there is one, else, up to 32 bytes, from two overlapping words. So nothing follows the text that
//! would look like a fault of its end, which may be in the middle of a code point.
#![allow(unsafe_code)]
#![allow(dead_code, reason = "a target without vectors has no look-ups")]

use super::state::State;
use crate::mask::{
    kernel::{body_start, join, load, short as unmask_short, store},
    span::Span,
};
use crate::simd::{Isa, Kernel, Lookup, Parts, Word};

/// Where to look for the first impossible byte: it is one of `from - 1..until`, and `..until` has been unmasked.
#[derive(Copy, Clone, Debug)]
pub(super) struct Fault {
    pub(super) from: usize,
    pub(super) until: usize,
}

/// A text that begins with a code point, of 4 bytes or more; `STORE` tells whether the unmasked bytes are stored.
#[derive(Copy, Clone)]
pub(super) struct Text<'a, const STORE: bool> {
    span: Span<'a>,
}

impl<'a> Text<'a, true> {
    pub(super) fn unmasking(span: Span<'a>) -> Self {
        assert!(span.len() >= 4);
        Text { span }
    }
}

impl<'a> Text<'a, false> {
    pub(super) fn reading(bytes: &'a [u8]) -> Self {
        assert!(bytes.len() >= 4);
        Text { span: Span::read_only(bytes) }
    }
}

impl<const STORE: bool> Kernel for Text<'_, STORE> {
    /// Valid, except perhaps for a very last byte that begins no code point.
    type Output = Result<(), Fault>;

    // In scripts other than ASCII, 64-byte vectors do 9 bytes a cycle and 32-byte ones 5.
    const WIDE_FROM: usize = 0;

    #[inline(always)]
    fn len(&self) -> usize {
        self.span.len()
    }

    #[inline(always)]
    fn into_parts(self) -> Parts {
        self.span.into_parts()
    }

    #[inline(always)]
    unsafe fn from_parts(parts: Parts) -> Self {
        // SAFETY: the caller's word.
        Text { span: unsafe { Span::from_parts(parts) } }
    }

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Result<(), Fault> {
        self.without_lookup(isa)
    }

    #[inline(always)]
    fn run_lookup<I: Lookup>(self, isa: I) -> Result<(), Fault> {
        if self.span.len() <= I::BYTES
            // SAFETY: the condition, and 4 bytes or more, as both constructors have seen.
            && let Some(plain) = unsafe { self.span.load_end(isa) }
        {
            return self.single(isa, plain);
        }
        if self.span.len() <= 32 { self.short(isa) } else { self.long(isa) }
    }
}

impl<const STORE: bool> Text<'_, STORE> {
    /// Vectors skip what is ASCII; the rest is judged byte by byte.
    #[inline(always)]
    fn without_lookup<I: Isa>(self, isa: I) -> Result<(), Fault> {
        let (len, key) = (self.span.len(), self.span.key(isa, 0));
        let (mut at, mut state) = (0, State::BOUNDARY);
        while at + I::BYTES <= len {
            // SAFETY: the condition of the loop.
            let [plain] = unsafe { self.unmask::<I, 1>(isa, at, key) };
            if !state.is_boundary() || isa.any_high_bit(plain) {
                let mut bytes = [0; 16];
                assert!(I::BYTES <= bytes.len());
                // SAFETY: the array has room for a vector.
                unsafe { isa.store(plain, bytes.as_mut_ptr()) };
                let Ok(next) = state.after_all(&bytes[..I::BYTES]) else {
                    return Err(Fault { from: at, until: at + I::BYTES });
                };
                state = next;
            }
            at += I::BYTES;
        }
        while at < len {
            // SAFETY: the condition of the loop.
            let [byte] = unsafe { self.unmask(Word::<u8>::NEW, at, self.span.key(Word::<u8>::NEW, at)) };
            let Some(next) = state.after(byte) else {
                return Err(Fault { from: at, until: at + 1 });
            };
            state = next;
            at += 1;
        }
        Ok(())
    }

    /// The whole text is in one vector, after zeros.
    #[inline(always)]
    fn single<I: Lookup>(self, isa: I, plain: I::V) -> Result<(), Fault> {
        if STORE {
            unmask_short::<false, true>(self.span);
        }
        if isa.any(faults(isa, isa.splat(0), plain)) { Err(Fault { from: 0, until: self.span.len() }) } else { Ok(()) }
    }

    /// 4 to 32 bytes, as a vector (or two) that begins with zeros.
    #[inline(always)]
    fn short<I: Lookup>(self, isa: I) -> Result<(), Fault> {
        let (low, high) = self.at_the_end_of_zeros();
        let (a, b) = isa.halves(low, high);
        let faults = isa.or(faults(isa, isa.splat(0), a), faults(isa, a, b));
        if isa.any(faults) { Err(Fault { from: 0, until: self.span.len() }) } else { Ok(()) }
    }

    /// Puts the 4 to 32 bytes of the text at the end of 32 bytes, after zeros: the low 16 bytes and the high ones.
    ///
    /// The pieces are two overlapping words. Of the first one only that is kept which the second one does not have: it
    /// is shifted up, which on a little-endian machine is towards the second one.
    #[inline(always)]
    fn at_the_end_of_zeros(self) -> (u128, u128) {
        let len = self.span.len();
        let shift = |bytes: usize| 8 * (bytes - len) as u32;
        if len >= 16 {
            // SAFETY: 16 bytes or more.
            let (low, high) = unsafe { self.ends(Word::<u128>::NEW) };
            (low.checked_shl(shift(32)).unwrap_or(0), high)
        } else if len >= 8 {
            // SAFETY: 8 bytes or more.
            let (low, high) = unsafe { self.ends(Word::<u64>::NEW) };
            let low = low.checked_shl(shift(16)).unwrap_or(0);
            (0, u128::from(high) << 64 | u128::from(low))
        } else {
            // SAFETY: 4 bytes or more, as both constructors have seen.
            let (low, high) = unsafe { self.ends(Word::<u32>::NEW) };
            let low = low.checked_shl(shift(8)).unwrap_or(0);
            (0, u128::from(high) << 96 | u128::from(low) << 64)
        }
    }

    /// Unmasks the first and the last vector, which together are the text.
    ///
    /// # Safety
    ///
    /// `I::BYTES <= len`.
    #[inline(always)]
    unsafe fn ends<I: Isa>(self, isa: I) -> (I::V, I::V) {
        let (span, tail) = (self.span, self.span.len() - I::BYTES);
        // SAFETY: the caller's word.
        let [first] = unsafe { load::<I, 1>(span, isa, 0, span.key(isa, 0)) };
        // SAFETY: this vector ends at `len`.
        let [last] = unsafe { load::<I, 1>(span, isa, tail, span.key(isa, tail)) };
        // SAFETY: as for its load.
        unsafe { self.store(isa, 0, [first]) };
        // SAFETY: as for its load.
        unsafe { self.store(isa, tail, [last]) };
        (first, last)
    }

    /// More than 32 bytes.
    #[inline(always)]
    fn long<I: Lookup>(self, isa: I) -> Result<(), Fault> {
        assert!(self.span.len() > I::BYTES);
        let (span, tail) = (self.span, self.span.len() - I::BYTES);
        // SAFETY: there are more bytes than a vector has, as was just seen.
        let [first] = unsafe { load::<I, 1>(span, isa, 0, span.key(isa, 0)) };
        // SAFETY: this vector ends at `len`.
        let [last] = unsafe { load::<I, 1>(span, isa, tail, span.key(isa, tail)) };
        let before_last = self.before(isa, tail);

        let seen = self.body(isa, first);
        // SAFETY: as for its load.
        unsafe { self.store(isa, 0, [first]) };
        seen?;
        // SAFETY: as for its load.
        unsafe { self.store(isa, tail, [last]) };
        if is_bad(isa, before_last, [last]) {
            return Err(Fault { from: tail, until: span.len() });
        }
        Ok(())
    }

    /// Judges the first vector, and unmasks and judges all between it and the last one.
    #[inline(always)]
    fn body<I: Lookup>(self, isa: I, first: I::V) -> Result<(), Fault> {
        if isa.any_high_bit(first) && isa.any(faults(isa, isa.splat(0), first)) {
            return Err(Fault { from: 0, until: I::BYTES });
        }
        let tail = self.span.len() - I::BYTES;
        if tail <= I::BYTES {
            return Ok(());
        }
        let mut at = body_start(self.span, isa);
        let key = self.span.key(isa, at);
        let mut before = self.before(isa, at);
        while at + 4 * I::BYTES <= tail {
            // SAFETY: the condition of the loop.
            let block = unsafe { self.unmask::<I, 4>(isa, at, key) };
            if is_bad(isa, before, block) {
                return Err(Fault { from: at, until: at + 4 * I::BYTES });
            }
            before = block[3];
            at += 4 * I::BYTES;
        }
        while at < tail {
            // SAFETY: `at < tail`, so that a vector ends before `len`.
            let block = unsafe { self.unmask::<I, 1>(isa, at, key) };
            if is_bad(isa, before, block) {
                return Err(Fault { from: at, until: at + I::BYTES });
            }
            before = block[0];
            at += I::BYTES;
        }
        Ok(())
    }

    /// Returns a vector whose last bytes are those before `at`, which is not 0, or zeros where there is no text.
    #[inline(always)]
    fn before<I: Isa>(self, isa: I, at: usize) -> I::V {
        let word = Word::<u32>::NEW;
        let from = at.saturating_sub(4);
        // SAFETY: there are 4 bytes or more, as both constructors have seen, and `at` is less than `len`.
        let [plain] = unsafe { load::<_, 1>(self.span, word, from, self.span.key(word, from)) };
        isa.splat(plain << (8 * (from + 4 - at)))
    }

    /// Unmasks `N` vectors from `at` on.
    ///
    /// # Safety
    ///
    /// `at + N * I::BYTES <= len`.
    #[inline(always)]
    unsafe fn unmask<I: Isa, const N: usize>(self, isa: I, at: usize, key: I::V) -> [I::V; N] {
        // SAFETY: the caller's word.
        let plain = unsafe { load::<I, N>(self.span, isa, at, key) };
        // SAFETY: the caller's word.
        unsafe { self.store(isa, at, plain) };
        plain
    }

    /// Writes `N` vectors from `at` on, if this text is to be unmasked and not only read.
    ///
    /// # Safety
    ///
    /// `at + N * I::BYTES <= len`.
    #[inline(always)]
    unsafe fn store<I: Isa, const N: usize>(self, isa: I, at: usize, vectors: [I::V; N]) {
        if STORE {
            // SAFETY: the caller's word; a text with `STORE` has no read-only span.
            unsafe { store(self.span, isa, at, vectors) };
        }
    }
}

/// Tells whether a block has a fault, given the vector before it.
///
/// The vector before is looked at too when the block is ASCII: its last code point must not be open.
#[inline(always)]
fn is_bad<I: Lookup, const N: usize>(isa: I, before: I::V, block: [I::V; N]) -> bool {
    if !isa.any_high_bit(isa.or(before, join(isa, block))) {
        return false;
    }
    let (mut before, mut found) = (before, isa.splat(0));
    for v in block {
        found = isa.or(found, faults(isa, before, v));
        before = v;
    }
    isa.any(found)
}

// What can be wrong with a pair of bytes. The first four bits of a pair's second byte tell its range; those faults that
// a single bit may stand for exclude one another.
const NO_CONTINUATION: u8 = 1 << 0;
const STRAY_CONTINUATION: u8 = 1 << 1;
const OVERLONG_3: u8 = 1 << 2;
/// F4 90 to F4 BF, and F5 to FF followed by 90 to BF.
const ABOVE_10FFFF: u8 = 1 << 3;
const SURROGATE: u8 = 1 << 4;
const OVERLONG_2: u8 = 1 << 5;
/// F0 80 to F0 8F, and F5 to FF followed by 80 to 8F.
const OVERLONG_4: u8 = 1 << 6;
/// No fault where the second one of the pair is a third or a fourth byte.
const TWO_CONTINUATIONS: u8 = 1 << 7;

/// The faults that the high nibble of the first byte allows.
const FIRST_HIGH: [u8; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        table[i] = match i {
            0x0..=0x7 => STRAY_CONTINUATION,
            0x8..=0xb => TWO_CONTINUATIONS,
            0xc => NO_CONTINUATION | OVERLONG_2,
            0xd => NO_CONTINUATION,
            0xe => NO_CONTINUATION | OVERLONG_3 | SURROGATE,
            _ => NO_CONTINUATION | OVERLONG_4 | ABOVE_10FFFF,
        };
        i += 1;
    }
    table
};

/// The faults that the low nibble of the first byte allows.
const FIRST_LOW: [u8; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let any = NO_CONTINUATION | STRAY_CONTINUATION | TWO_CONTINUATIONS;
        table[i] = any
            | match i {
                0x0 => OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
                0x1 => OVERLONG_2,
                0x2 | 0x3 => 0,
                0x4 => ABOVE_10FFFF,
                0xd => ABOVE_10FFFF | OVERLONG_4 | SURROGATE,
                _ => ABOVE_10FFFF | OVERLONG_4,
            };
        i += 1;
    }
    table
};

/// The faults that the high nibble of the second byte allows.
const SECOND_HIGH: [u8; 16] = {
    let mut table = [NO_CONTINUATION; 16];
    let any = STRAY_CONTINUATION | TWO_CONTINUATIONS | OVERLONG_2;
    table[0x8] = any | OVERLONG_3 | OVERLONG_4;
    table[0x9] = any | OVERLONG_3 | ABOVE_10FFFF;
    table[0xa] = any | SURROGATE | ABOVE_10FFFF;
    table[0xb] = any | SURROGATE | ABOVE_10FFFF;
    table
};

/// Returns a vector that is not zero where a byte of `v` is impossible after those before it, `before` being the vector
/// that precedes `v`.
#[inline(always)]
fn faults<I: Lookup>(isa: I, before: I::V, v: I::V) -> I::V {
    let low_nibble = isa.splat(0x0f0f_0f0f);
    let back1 = isa.back1(before, v);
    let first_high = isa.lookup(FIRST_HIGH, isa.high_nibbles(back1));
    let first_low = isa.lookup(FIRST_LOW, isa.and(back1, low_nibble));
    let second_high = isa.lookup(SECOND_HIGH, isa.high_nibbles(v));
    let of_pairs = isa.and(isa.and(first_high, first_low), second_high);

    // The high bit is left where the byte two back is E0 or more or the byte three back is F0 or more: there must be a
    // third or fourth byte, and then the pair has the fault of two continuations, which is the same bit.
    let third = isa.saturating_sub(isa.back2(before, v), isa.splat(0x6060_6060));
    let fourth = isa.saturating_sub(isa.back3(before, v), isa.splat(0x7070_7070));
    let must_continue = isa.and(isa.or(third, fourth), isa.splat(0x8080_8080));
    isa.xor(must_continue, of_pairs)
}
