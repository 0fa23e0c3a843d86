//! Unmasking and UTF-8 validation in one pass.
//!
//! Unmasking is bound by its stores, so looking at the bytes while they are in registers is nearly free:
//!
//! ```text
//! up to a vector:        put together in registers, at the end of the shortest vector that has room for it and that
//!                        begins with zeros; judge; store
//!
//! up to four vectors:    load one or two from the front and as many from the back; judge all; store all
//!
//! longer:                load the last four, or two of 64 bytes
//!                        from the front on, until at most as many are left:
//!                            load as many; XOR; if these and the one before them are ASCII, or all are sound: store
//!                        judge the last ones; store them
//! ```
//!
//! Where a fault is found nothing of that block has been stored, so that what is unmasked is what is sound, and the
//! rest is as it was. Nothing is handled byte by byte, and no length takes more than one step with less than four
//! vectors: with single vectors behind the blocks and a body that began where stores are aligned, 64 bytes took a third
//! longer and 256 bytes two thirds.
//!
//! What was tried with 32-byte vectors on Zen 3, for which four pipes and 24 vector operations a vector are 6 cycles
//! and the loop takes 7.3: to look up each byte as the first one of a pair once and shift the result, instead of
//! looking up the shifted bytes, saves an operation and lost 12 % at 256 bytes to spilled registers; five to eight
//! vectors at once lost 8 %; stores that are aligned from 2 KiB on win 4 % from 16 KiB on and lose 17 % at 256 bytes.
//!
//! A store with a byte mask, instead of words or short vectors that overlap, takes 6 to 10 cycles more on Zen 5.
//!
//! Up to 64 bytes the instructions count, and not the vector operations, of which there are 24: with what follows in
//! the same function (`unmasking.rs`), three operands at once where there is AVX-512, and vectors of 16 bytes for 8 to
//! 16, these take 19 cycles on Zen 4 instead of 23, 17 to 32 bytes 18 instead of 20, and as a frame 30 to 32 instead of
//! 39.
//!
//! 64-byte vectors do 9 bytes of Cyrillic text a cycle on Golden Cove and 32-byte ones 5.
//!
//! A vector is judged by the method of Keiser and Lemire ("Validating UTF-8 in less than one instruction per byte",
//! 2021): each pair of neighbouring bytes is looked up by three nibbles, and every look-up says which faults the nibble
//! allows; a fault that all three allow is there. A second test compares where a third or fourth byte must stand with
//! where one does. Both tests show a fault at the impossible byte or, if that can begin no code point, at the one after
//! it.
//!
//! Text that is ASCII from its start on is unmasked by the masking kernel and does not come here.
//!
//! A text of one vector or less is put together from two overlapping words or shorter vectors. That zeros precede it
//! and nothing follows it is because its end may be in the middle of a code point: what followed would look like a
//! fault. A masked load does it at once, but waits for all stores to the bytes that it leaves out: of a run of frames
//! of 16 to 56 bytes each took 50 cycles on Zen 5 instead of 39.
#![allow(unsafe_code)]
#![allow(dead_code, reason = "a target without vectors has no look-ups")]

use super::state::State;
use crate::mask::{
    Mask, SHORT,
    kernel::{join, load, store},
    span::Span,
};
use crate::simd::{Isa, Kernel, Lookup, Parts, Word};

/// A text that begins with a code point, of 4 bytes or more: `LONG` tells whether there are more than [`SHORT`], and
/// `STORE` whether the unmasked bytes are stored.
// As one function for any length, the registers that long texts take were saved for short ones too.
#[derive(Copy, Clone)]
pub(super) struct Text<'a, const LONG: bool, const STORE: bool> {
    span: Span<'a>,
}

/// What a kernel has found.
pub(super) struct Found {
    /// How many bytes have been unmasked and are sound, but that the last one of them may begin no code point. If these
    /// are not all, there is a fault in the next [`BLOCK`] bytes, or the last one of them is one.
    pub(super) sound: usize,
    /// Whether the text, all of it being sound, may end within a code point.
    pub(super) is_open: bool,
}

impl Found {
    /// A fault in the block behind `sound` bytes.
    const fn fault_behind(sound: usize) -> Self {
        Found { sound, is_open: true }
    }

    /// Tells whether a text of `len` bytes is sound and ends with a code point.
    #[inline(always)]
    pub(super) const fn is_whole(&self, len: usize) -> bool {
        self.sound == len && !self.is_open
    }
}

impl<'a, const LONG: bool> Text<'a, LONG, true> {
    #[inline(always)]
    pub(super) fn unmasking(bytes: &'a mut [u8], mask: Mask) -> Self {
        Text::new(mask.span(bytes))
    }
}

impl<'a, const LONG: bool> Text<'a, LONG, false> {
    #[inline(always)]
    pub(super) fn reading(bytes: &'a [u8]) -> Self {
        Text::new(Span::read_only(bytes))
    }
}

impl<const LONG: bool, const STORE: bool> Kernel for Text<'_, LONG, STORE> {
    type Output = Found;
    type Rest = ();

    const LOOKS_UP: bool = true;

    #[inline(always)]
    fn into_parts(self) -> (Parts, ()) {
        (self.span.into_parts(), ())
    }

    #[inline(always)]
    unsafe fn from_parts(parts: Parts, (): ()) -> Self {
        // SAFETY: the caller's word.
        let span = unsafe { Span::from_parts(parts) };
        // SAFETY: who made it has seen to it.
        unsafe { core::hint::assert_unchecked(Self::takes(span.len())) };
        Text { span: if STORE { span.onto_itself() } else { span } }
    }

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Found {
        self.without_lookup(isa)
    }

    #[inline(always)]
    fn run_lookup<I: Lookup>(self, isa: I) -> Found {
        match self.span.len() {
            len if len <= I::BYTES => self.single(isa),
            // SAFETY: more than one vector.
            len if len <= 2 * I::BYTES => unsafe { self.edges::<I, 1>(isa) },
            // SAFETY: more than two vectors.
            len if len <= 4 * I::BYTES => unsafe { self.edges::<I, 2>(isa) },
            // With four, 257 to 384 bytes took 53 cycles on Zen 5 instead of 43, and longer texts as long.
            _ if I::BYTES == 64 => self.blocks::<I, 2>(isa),
            _ => self.blocks::<I, 4>(isa),
        }
    }
}

/// The most that is judged at once: four vectors of 64 bytes.
pub(super) const BLOCK: usize = 256;

impl<'a, const LONG: bool, const STORE: bool> Text<'a, LONG, STORE> {
    #[inline(always)]
    fn new(span: Span<'a>) -> Self {
        assert!(Self::takes(span.len()));
        Text { span }
    }

    #[inline(always)]
    const fn takes(len: usize) -> bool {
        if LONG { len > SHORT } else { len >= 4 && len <= SHORT }
    }

    /// Vectors skip what is ASCII; the rest is judged byte by byte.
    #[inline(always)]
    fn without_lookup<I: Isa>(self, isa: I) -> Found {
        let (len, key) = (self.span.len(), self.span.key(isa, 0));
        let (mut at, mut state) = (0, State::BOUNDARY);
        while at + I::BYTES <= len {
            // SAFETY: the condition of the loop.
            let plain = unsafe { load::<I, 1>(self.span, isa, at, key) };
            if !state.is_boundary() || isa.any_high_bit(plain[0]) {
                let mut bytes = [0; 16];
                assert!(I::BYTES <= bytes.len());
                // SAFETY: the array has room for a vector.
                unsafe { isa.store(plain[0], bytes.as_mut_ptr()) };
                if state.take(&bytes[..I::BYTES]).is_err() {
                    return Found::fault_behind(at);
                }
            }
            // SAFETY: as for its load.
            unsafe { self.store(isa, at, plain) };
            at += I::BYTES;
        }
        while at < len {
            let isa = Word::<u8>::NEW;
            // SAFETY: the condition of the loop.
            let plain = unsafe { load::<_, 1>(self.span, isa, at, self.span.key(isa, at)) };
            let Some(next) = state.after(plain[0]) else { return Found::fault_behind(at) };
            state = next;
            // SAFETY: as for its load.
            unsafe { self.store(isa, at, plain) };
            at += 1;
        }
        Found { sound: len, is_open: !state.is_boundary() }
    }

    /// Half a vector or more, or 4 to 7 bytes.
    #[inline(always)]
    fn single<I: Lookup>(self, isa: I) -> Found {
        let len = self.span.len();
        if len >= I::Half::BYTES {
            // SAFETY: the condition.
            return unsafe { self.pieces(isa, isa.half(), |first, last| isa.end_of_halves(first, last, len)) };
        }
        assert!(len < 8, "a shorter vector has half of its bytes in this text");
        // Of the two words that of the front is shifted up, which on a little-endian machine is towards the other one,
        // until only what that does not have is left of it.
        let shift = 8 * (8 - len) as u32;
        let joined = |first, last| u64::from(last) << 32 | u64::from(first) << shift & 0xffff_ffff;
        // SAFETY: 4 bytes or more, as `new` has seen.
        unsafe { self.pieces(isa, Word::<u32>::NEW, |first, last| isa.end_of_word(joined(first, last))) }
    }

    /// Judges what `joined` makes of the first and the last piece, which together are the text.
    ///
    /// # Safety
    ///
    /// A piece is not longer than the text.
    #[inline(always)]
    unsafe fn pieces<I: Lookup, P: Isa>(self, isa: I, piece: P, joined: impl Fn(P::V, P::V) -> I::V) -> Found {
        let (span, tail) = (self.span, self.span.len() - P::BYTES);
        // SAFETY: the caller's word.
        let first = unsafe { load::<P, 1>(span, piece, 0, span.key(piece, 0)) };
        // SAFETY: this piece ends at `len`.
        let last = unsafe { load::<P, 1>(span, piece, tail, span.key(piece, tail)) };
        let all = joined(first[0], last[0]);
        settle(isa, faults(isa, isa.splat(0), all), all, 0, span.len(), || {
            // SAFETY: as for its load.
            unsafe { self.store(piece, 0, first) };
            // SAFETY: as for its load.
            unsafe { self.store(piece, tail, last) };
        })
    }

    /// `N` vectors from the front and `N` from the back, which are all.
    ///
    /// # Safety
    ///
    /// There are more than `N` vectors.
    #[inline(always)]
    unsafe fn edges<I: Lookup, const N: usize>(self, isa: I) -> Found {
        let (span, tail) = (self.span, self.span.len() - N * I::BYTES);
        // SAFETY: the caller's word.
        let front = unsafe { load::<I, N>(span, isa, 0, span.key(isa, 0)) };
        // SAFETY: these vectors end at `len`.
        let back = unsafe { load::<I, N>(span, isa, tail, span.key(isa, tail)) };
        let of_front = faults_of(isa, isa.splat(0), front);
        let of_back = faults_of(isa, self.before(isa, tail), back);
        settle(isa, isa.or(of_front, of_back), back[N - 1], 0, span.len(), || {
            // SAFETY: as for its load.
            unsafe { self.store(isa, 0, front) };
            // SAFETY: as for its load.
            unsafe { self.store(isa, tail, back) };
        })
    }

    /// More than `N` vectors, `N` at a time.
    #[inline(always)]
    fn blocks<I: Lookup, const N: usize>(self, isa: I) -> Found {
        assert!(self.span.len() > N * I::BYTES);
        let (span, tail) = (self.span, self.span.len() - N * I::BYTES);
        // SAFETY: these vectors end at `len`.
        let last = unsafe { load::<I, N>(span, isa, tail, span.key(isa, tail)) };
        let before_last = self.before(isa, tail);

        let key = span.key(isa, 0);
        let (mut at, mut before) = (0, isa.splat(0));
        while at < tail {
            // SAFETY: `N` vectors from `tail` on end at `len`, and these begin before it.
            let block = unsafe { load::<I, N>(span, isa, at, key) };
            if !is_ascii(isa, before, block) && isa.any(faults_of(isa, before, block)) {
                return Found::fault_behind(at);
            }
            // SAFETY: as for its load.
            unsafe { self.store(isa, at, block) };
            before = block[N - 1];
            at += N * I::BYTES;
        }
        // SAFETY: as for its load.
        let store_last = || unsafe { self.store(isa, tail, last) };
        if is_ascii(isa, before_last, last) {
            store_last();
            return Found { sound: span.len(), is_open: false };
        }
        settle(isa, faults_of(isa, before_last, last), last[N - 1], at, span.len(), store_last)
    }

    /// Returns a vector whose last bytes are those before `at`, which is not 0, or zeros where there is no text.
    #[inline(always)]
    fn before<I: Isa>(self, isa: I, at: usize) -> I::V {
        let word = Word::<u32>::NEW;
        let from = at.saturating_sub(4);
        // SAFETY: there are 4 bytes or more, as `new` has seen, and `at` is less than `len`.
        let [plain] = unsafe { load::<_, 1>(self.span, word, from, self.span.key(word, from)) };
        isa.splat(plain << (8 * (from + 4 - at)))
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

/// Tells whether a block is ASCII, and so is the vector before it, of which the last code point must not be open.
#[inline(always)]
fn is_ascii<I: Lookup, const N: usize>(isa: I, before: I::V, block: [I::V; N]) -> bool {
    !isa.any_high_bit(isa.or(before, join(isa, block)))
}

/// Judges the rest of a text of `len` bytes, behind `sound` ones, by its faults and its last vector, and stores it if
/// there is no fault. Whether it ends within a code point is seen here, and not by a look at the last bytes in memory,
/// because these have just been stored by vectors that overlap: to load them waited for these stores, which took 11
/// cycles of 125 bytes and 15 of 256 on Zen 5.
#[inline(always)]
fn settle<I: Lookup>(isa: I, faults: I::V, last: I::V, sound: usize, len: usize, store: impl Fn()) -> Found {
    // What a text may end with at most, in the last three places.
    static LIMITS: [u8; 64] = {
        let mut limits = [0xff; 64];
        (limits[61], limits[62], limits[63]) = (0xef, 0xdf, 0xbf);
        limits
    };
    // SAFETY: the last vector of an array that is as long as the longest vector.
    let from = unsafe { LIMITS.as_ptr().add(LIMITS.len() - I::BYTES) };
    // SAFETY: as above.
    let open = isa.saturating_sub(last, unsafe { isa.load(from) });
    // The first way has stores of its own: with the same ones for both, the compiler keeps the result for later, and
    // takes nine instructions for it instead of two.
    if !isa.any(isa.or(faults, open)) {
        store();
        return Found { sound: len, is_open: false };
    }
    if isa.any(faults) {
        return Found::fault_behind(sound);
    }
    store();
    Found { sound: len, is_open: true }
}

/// Returns a vector that is not zero if a block has a fault.
#[inline(always)]
fn faults_of<I: Lookup, const N: usize>(isa: I, mut before: I::V, block: [I::V; N]) -> I::V {
    let mut found = isa.splat(0);
    for v in block {
        found = isa.or(found, faults(isa, before, v));
        before = v;
    }
    found
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
