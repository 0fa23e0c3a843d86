//! XOR with a key of four bytes, at the speed at which memory takes the result.
//!
//! A payload of one byte apart, no byte is handled alone. Short payloads are groups of vectors from the front and from
//! the back, or of words where they have no vector, which may overlap:
//!
//! ```text
//! edges, N to 2 N vectors:       load N from the front and N from the back; store these
//!
//! spread, one to four vectors:   load the first, the last, and two between or upon them; store these
//!
//! behind_header, 2 to 15 bytes of a frame with its header in front of them:
//!                                load a word at the beginning, or the last one again, and the last word, which may
//!                                begin in the header; store these
//!
//! long, 257 bytes and more, or 129 with 16-byte vectors:
//!         load the first vector; load the last one
//!         from the first aligned place on, until at most one vector is left:
//!             eight vectors at a time, then four, two, one; four of 64 bytes where each block is tested
//!             (a copy whose destination is a little further on in its page than the source: from the back)
//!         store the first vector; store the last one
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
//! - The ASCII test adds half an OR and a part of a test to each vector, for the two ports that 64-byte vectors have.
//!   The bare loop then has 0.80 of its speed with four vectors to a test, 0.82 with eight and 0.87 with sixteen. To
//!   store first and test afterwards, or to fold the last OR into 32 bytes, won nothing. From L2 on the test is free.
//! - On Zen 5, with four vectors to a test the loop is as fast as without one, from L1 and
//!   from L2; with sixteen it takes 1.2 to 1.4 of the time, because that many loads and then as many stores do not
//!   overlap. So 256 bytes go to a test. To test the first and the last vector with each block, which joins three as
//!   quickly as two, instead of by themselves won nothing; nor did to store first and mask again what is not ASCII.
//! - 32-byte vectors have 0.58 of the speed of `fill` at 4 KiB, 0.51 at 16 KiB and 0.57 at 32 KiB; 64-byte ones 0.9 and
//!   more. From 64 KiB on both are as fast as `fill`.
//! - 257 to 512 bytes with 64-byte vectors take a loop of aligned stores: as four vectors from the front and four from
//!   the back, of which nearly every store crosses two lines, they took 19 to 22 cycles on Zen 5 and take 12.5 to 18;
//!   but 256 bytes took 11 instead of 10 that way. Up to 256 bytes the vectors are of 32, of which every other one
//!   crosses a line: on Zen 4 12.9 cycles instead of 14.8, and as ASCII text 16.3 instead of 18.8; at places that are a
//!   multiple of 64, 10.1 instead of 9.7.
//! - The last vectors are blocks of four, two and one: as a loop of ones, 129 bytes took 20 % longer.
//! - A load waits for a store before it whose address has the same lowest twelve bits. From one page-aligned buffer
//!   into another, behind a header, each load met the store of the vector before: a copy of 4 KiB took 220 cycles on
//!   Cascade Lake, 360 with 64 bytes between the two and 132 with 2 KiB; from the back to the front it takes 137 to
//!   144, and the C library's 140 to 250. With eight loads before eight stores the next eight would meet these.
//! - To prefetch what lies 256 bytes to 2 KiB ahead won nothing in decoding reads of 64 KiB, which come from L2.
//! - Beyond the caches all loops are alike. Of 16 MiB on Zen 3 loops of one, two, four and eight vectors, in either
//!   order of loads and stores, and this one did 24 to 33 GB/s, by turns.
#![allow(unsafe_code)]

use core::hint::select_unpredictable;

use super::{Mask, span::Span};
use crate::simd::{BASELINE, Baseline, Isa, Kernel, Parts, Word};

/// The longest payload that [`short`] takes, in bytes.
pub(crate) const SHORT: usize = 8 * Baseline::BYTES;

/// The bytes of the header of a masked frame that is [`SHORT`].
const HEADER: usize = 6;

/// Unmasks at most [`SHORT`] bytes; to be inlined, and without a look at the CPU.
///
/// With `ASCII_ONLY` nothing is stored unless the result is ASCII, and without `STORE` nothing at all. Returns whether
/// it was ASCII, if that was to be found out.
///
/// A class ends at a power of two, where its two groups lie side by side: one upon the other, 4 bytes across the edge
/// of 32 took 9 cycles instead of 7 on Zen 3, and 8 bytes as long. 17 to 63 bytes as one class, by [`spread`], is what
/// a frame wants; here it takes 9.9 cycles where 17 to 32 take 7.9, and wins nothing for lengths of 0 to 31 that no
/// predictor knows (25 and 29). By a table of jumps, with 8 and 16 bytes as single vectors, 8 and 12 bytes of ASCII
/// took a cycle more on Cascade Lake, and all this was too large to be inlined into a caller's loop.
#[inline(always)]
pub(crate) fn short<const ASCII_ONLY: bool, const STORE: bool>(span: Span<'_>) -> bool {
    debug_assert!(span.len() <= SHORT);
    // The shortest first: of 4 bytes the comparisons are a third of the work.
    if span.len() <= 16 {
        return match span.len() {
            // SAFETY: 8 bytes or more.
            9.. => unsafe { edges::<_, 1, ASCII_ONLY, STORE>(span, Word::<u64>::NEW) },
            // SAFETY: 4 bytes or more.
            5.. => unsafe { edges::<_, 1, ASCII_ONLY, STORE>(span, Word::<u32>::NEW) },
            // SAFETY: 4 bytes.
            4 => unsafe { front::<_, ASCII_ONLY, STORE>(span, Word::<u32>::NEW) },
            // SAFETY: 2 bytes or more.
            2.. => unsafe { edges::<_, 1, ASCII_ONLY, STORE>(span, Word::<u16>::NEW) },
            // SAFETY: a byte.
            1 => unsafe { front::<_, ASCII_ONLY, STORE>(span, Word::<u8>::NEW) },
            0 => true,
        };
    }
    match span.len() {
        // SAFETY: 65 bytes or more.
        65.. => unsafe { edges::<_, 4, ASCII_ONLY, STORE>(span, BASELINE) },
        // SAFETY: 33 bytes or more.
        33.. => unsafe { edges::<_, 2, ASCII_ONLY, STORE>(span, BASELINE) },
        // SAFETY: 17 bytes or more.
        _ => unsafe { edges::<_, 1, ASCII_ONLY, STORE>(span, BASELINE) },
    }
}

/// Does what [`short`] does to the payload of a frame that begins with its header of [`HEADER`] bytes; the key of the
/// span is the one that meets the payload right. May write the bytes of the header anew.
///
/// The class is asked for first, and whether it is text behind that. With two copies of all this, one for text, the
/// compiler no longer saw that a key is rotated: a frame of 16 bytes took 11.8 cycles instead of 10.4 on Zen 5. With
/// one copy, and [`behind_header`] told at run time, a frame of 4 bytes took 11.2 cycles instead of 9.7.
///
/// With the header in front of it a payload of 2 bytes is the end of 8, so that 2 to 15 bytes are one class, and
/// lengths of 0 to 64 bytes that no predictor has learnt fall into two. Cycles a frame of the decoder, binary, on
/// Golden Cove:
///
/// | | 4 B | 20 B | 125 B | 0-64 B unlearnt | 0-125 B unlearnt |
/// |---|---|---|---|---|---|
/// | as here | 11.7 | 11 | 12.6 | 17 | 25 |
/// | the classes of [`short`] | 11.3 | 12 | 12.6 | 20 | 27 |
/// | 16 to 125 bytes as one class of eight vectors | 16 | 22 | 23 | 27 | 24 |
#[inline(always)]
pub(crate) fn short_frame(frame: Span<'_>, ascii_only: bool) -> bool {
    debug_assert!((HEADER..=HEADER + SHORT).contains(&frame.len()));
    // SAFETY: a frame has a header.
    let payload = unsafe { frame.skip(HEADER) };
    match payload.len() {
        // SAFETY: 64 bytes or more.
        64.. if ascii_only => unsafe { edges::<_, 4, true, true>(payload, BASELINE) },
        // SAFETY: as above.
        64.. => unsafe { edges::<_, 4, false, true>(payload, BASELINE) },
        // SAFETY: 16 to 63 bytes, which are one vector or more and less than four.
        16.. if ascii_only => unsafe { spread::<_, true>(payload, BASELINE) },
        // SAFETY: as above.
        16.. => unsafe { spread::<_, false>(payload, BASELINE) },
        // SAFETY: 2 to 15 bytes, and 6 in front of them.
        2.. if ascii_only => unsafe { behind_header::<true>(frame) },
        // SAFETY: as above.
        2.. => unsafe { behind_header::<false>(frame) },
        // SAFETY: a byte.
        1 if ascii_only => unsafe { front::<_, true, true>(payload, Word::<u8>::NEW) },
        // SAFETY: a byte.
        1 => unsafe { front::<_, false, true>(payload, Word::<u8>::NEW) },
        0 => true,
    }
}

/// Unmasks `N` vectors at the front and `N` at the back, which is everything if these meet.
///
/// # Safety
///
/// The span has `N` vectors or more.
#[inline(always)]
unsafe fn edges<I: Isa, const N: usize, const ASCII_ONLY: bool, const STORE: bool>(span: Span<'_>, isa: I) -> bool {
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

/// Unmasks the vector at the front.
///
/// # Safety
///
/// The span has a vector or more.
#[inline(always)]
unsafe fn front<I: Isa, const ASCII_ONLY: bool, const STORE: bool>(span: Span<'_>, isa: I) -> bool {
    // SAFETY: the caller's word.
    let plain = unsafe { span.load(isa, 0, span.key(isa, 0)) };
    if ASCII_ONLY && isa.any_high_bit(plain) {
        return false;
    }
    if STORE {
        // SAFETY: the caller's word.
        unsafe { span.store(isa, 0, plain) };
    }
    true
}

/// Unmasks one to four vectors, four not included, with no look at the length: the first, the last, and two whose
/// places follow from how many vectors are whole. With three these are the second and the third, with one both are the
/// first.
///
/// The places are what matters here. The next frame begins behind this one, and a CPU does not load its header until it
/// knows the addresses of these stores: each operation between the length and an address is a cycle of every frame.
/// With two vectors from the front and two from the back, of which the inner ones were moved by a comparison, a frame
/// took 13.5 cycles instead of 10. With places for four vectors too, by two operations more, 64 bytes took 14.3 cycles
/// instead of 15.8 on Zen 4, and 16 to 63 bytes a cycle more.
///
/// # Safety
///
/// The span has one vector or more and less than four.
#[inline(always)]
unsafe fn spread<I: Isa, const ASCII_ONLY: bool>(span: Span<'_>, isa: I) -> bool {
    let half_vectors = span.len() >> 1 & (3 * I::BYTES / 2);
    let places = [0, half_vectors - I::BYTES / 2, 2 * half_vectors - I::BYTES, span.len() - I::BYTES];
    let (key, last_key) = (span.key(isa, 0), span.key(isa, places[3]));
    let mut plain = [key, key, key, last_key];
    for (v, at) in plain.iter_mut().zip(places) {
        // SAFETY: no place is more than that of the last vector.
        *v = unsafe { span.load(isa, at, *v) };
    }
    if ASCII_ONLY && isa.any_high_bit(join(isa, plain)) {
        return false;
    }
    for (v, at) in plain.into_iter().zip(places) {
        // SAFETY: as for its load.
        unsafe { span.store(isa, at, v) };
    }
    true
}

/// Unmasks 2 to 15 bytes behind a header of [`HEADER`] bytes, with no branch on the length: a word of 8 bytes at the
/// end, which may begin in the header and leaves it as it is, and one at the beginning of the payload, or, where that
/// is shorter, the same one again.
///
/// With the high bits in a table of their own, ASCII of 4 bytes took 14.1 cycles on Zen 4 instead of 14.9, and every
/// other short frame 0.3 to 1 more.
///
/// # Safety
///
/// The span has 8 to 21 bytes.
#[inline(always)]
unsafe fn behind_header<const ASCII_ONLY: bool>(frame: Span<'_>) -> bool {
    let isa = Word::<u64>::NEW;
    let (len, tail) = (frame.len() - HEADER, frame.len() - 8);
    let (key, of_last) = (frame.key(isa, HEADER), OF_LAST[len % 16]);
    let last_key = rotated(key, len) & of_last;
    let place = select_unpredictable(len >= 8, HEADER, tail);
    // SAFETY: 8 bytes from behind the header on, where there are that many, or the last 8 bytes.
    let first = unsafe { frame.load(isa, place, select_unpredictable(len >= 8, key, last_key)) };
    // SAFETY: these are the last 8 bytes.
    let last = unsafe { frame.load(isa, tail, last_key) };
    if ASCII_ONLY && isa.any_high_bit((first | last) & of_last) {
        return false;
    }
    // SAFETY: as for its load.
    unsafe { frame.store(isa, place, first) };
    // SAFETY: as for its load.
    unsafe { frame.store(isa, tail, last) };
    true
}

/// Moves the bytes of a word down to lower places in memory by `count` bytes; those that fall out come in at the end.
#[inline(always)]
const fn rotated(word: u64, count: usize) -> u64 {
    let bits = 8 * (count % 8) as u32;
    if cfg!(target_endian = "little") { word.rotate_right(bits) } else { word.rotate_left(bits) }
}

/// For each length of a payload, those of the last 8 bytes of its frame that are payload.
const OF_LAST: [u64; 16] = {
    let mut words = [u64::MAX; 16];
    let mut len = 0;
    while len < 8 {
        let mut bytes = [0xff; 8];
        let mut i = 0;
        while i < 8 - len {
            bytes[i] = 0;
            i += 1;
        }
        words[len] = u64::from_ne_bytes(bytes);
        len += 1;
    }
    words
};

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
    /// `at + I::BYTES <= span.len()`.
    #[inline(always)]
    unsafe fn pass<I: Isa>(isa: I, key: I::V, span: Span<'_>, at: usize) {
        // SAFETY: the caller's word.
        let v = unsafe { if KEY { span.load(isa, at, key) } else { span.read(isa, at) } };
        // SAFETY: the caller's word.
        unsafe { span.store(isa, at, v) };
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
