//! Payloads of at most eight vectors of 16 bytes: groups of vectors or of words that may overlap, and no loop.
//!
//! ```text
//! edges, N to 2 N vectors:       load N from the front and N from the back; store these
//!
//! spread, one to four vectors:   load the first, the last, and two between or upon them; store these
//!
//! behind_header, 2 to 15 bytes of a frame with its header in front of them:
//!                                load a word at the beginning, or the last one again, and the last word, which may
//!                                begin in the header; store these
//! ```
#![allow(unsafe_code)]

use core::hint::select_unpredictable;

use super::kernel::{edges, join};
use super::span::Span;
use crate::simd::{BASELINE, Baseline, Isa, Word};

/// The longest payload that [`short`] takes, in bytes.
pub(crate) const SHORT: usize = 8 * Baseline::BYTES;

/// The longest payload that [`tiny`] takes, in bytes.
pub(crate) const TINY: usize = 16;

/// The bytes of the header of a masked frame that is [`SHORT`].
const HEADER: usize = 6;

/// Unmasks at most [`SHORT`] bytes; to be inlined, and without a look at the CPU.
///
/// With `ASCII_ONLY` nothing is stored unless the result is ASCII, and without `STORE` nothing at all. Returns whether
/// it was ASCII, if that was to be found out.
///
/// A class ends at a power of two, where its two groups lie side by side: one upon the other, 4 bytes across the edge
/// of 32 took 9 cycles instead of 7 on Zen 3. What counts below 17 bytes are the branches, of which Zen 4 takes two a
/// cycle: so [`tiny`] is asked for first, also before the question whether this is short.
///
/// 17 to 63 bytes as one class, by [`spread`], is what a frame wants; here it takes 9.9 cycles where 17 to 32 take 7.9,
/// and wins nothing for lengths of 0 to 31 that no predictor knows (25 and 29). By a table of jumps, with 8 and 16
/// bytes as single vectors, 8 and 12 bytes of ASCII took a cycle more on Cascade Lake, and all this was too large to be
/// inlined into a caller's loop.
#[inline(always)]
pub(crate) fn short<const ASCII_ONLY: bool, const STORE: bool>(span: Span<'_>) -> bool {
    debug_assert!(span.len() <= SHORT);
    if span.len() <= TINY {
        return tiny::<ASCII_ONLY, STORE>(span);
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

/// Does what [`short`] does to at most [`TINY`] bytes.
///
/// 8 bytes, which take as long either way, are of the class above them, with one comparison less: 4.0 cycles instead of
/// 4.5 on Redwood Cove. As a class of their own they took 3.6, and 4 bytes 4.6 instead of 4.0.
#[inline(always)]
pub(crate) fn tiny<const ASCII_ONLY: bool, const STORE: bool>(span: Span<'_>) -> bool {
    debug_assert!(span.len() <= TINY);
    match span.len() {
        // SAFETY: 8 to 16 bytes.
        8.. => unsafe { two_words::<ASCII_ONLY, STORE>(span) },
        // SAFETY: 4 bytes or more.
        5.. => unsafe { edges::<_, 1, ASCII_ONLY, STORE>(span, Word::<u32>::NEW) },
        // SAFETY: 4 bytes.
        4 => unsafe { front::<_, ASCII_ONLY, STORE>(span, Word::<u32>::NEW) },
        // SAFETY: 2 bytes or more.
        2.. => unsafe { edges::<_, 1, ASCII_ONLY, STORE>(span, Word::<u16>::NEW) },
        // SAFETY: a byte.
        1 => unsafe { front::<_, ASCII_ONLY, STORE>(span, Word::<u8>::NEW) },
        0 => true,
    }
}

/// Does what [`short`] does to the payload of a frame that begins with its header of [`HEADER`] bytes; the key of the
/// span is the one that meets the payload right. May write the bytes of the header anew.
///
/// The class is asked for first, and whether it is text behind that. With two copies of all this, one for text, the
/// compiler no longer saw that a key is rotated: a frame of 16 bytes took 11.8 cycles instead of 10.4 on Zen 5. With
/// one copy, and [`behind_header`] told at run time, a frame of 4 bytes took 11.2 cycles instead of 9.7.
///
/// With 64 bytes as a class of their own, of four vectors, they took 9.6 cycles on Redwood Cove instead of 12.8, and
/// 10.2 instead of 14.2 as ASCII; but all other frames a half to one, lengths of 0 to 64 bytes that no predictor has
/// learnt 21.6 instead of 18.7, and of 0 to 125 bytes 26 instead of 21.
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

/// Unmasks a word of 8 bytes at the front, and one at the back. It does what [`edges`] does, but rotates the word of
/// the key instead of the key, which is two operations less.
///
/// # Safety
///
/// The span has 8 to 16 bytes.
#[inline(always)]
unsafe fn two_words<const ASCII_ONLY: bool, const STORE: bool>(span: Span<'_>) -> bool {
    let isa = Word::<u64>::NEW;
    let (key, tail) = (span.key(isa, 0), span.len() - 8);
    // SAFETY: 8 bytes or more.
    let front = unsafe { span.load(isa, 0, key) };
    // SAFETY: these are the last 8 bytes.
    let back = unsafe { span.load(isa, tail, rotated(key, tail)) };
    if ASCII_ONLY && isa.any_high_bit(front | back) {
        return false;
    }
    if STORE {
        // SAFETY: as for its load.
        unsafe { span.store(isa, 0, front) };
        // SAFETY: as for its load.
        unsafe { span.store(isa, tail, back) };
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
