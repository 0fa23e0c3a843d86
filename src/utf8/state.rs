//! UTF-8 byte by byte, as the table of well-formed sequences in Unicode and in RFC 3629 has it.
//!
//! The automaton is a table. A state is a place in a row: how many bits are below its field. The row of a byte has in
//! that field the state that follows; so a step is a load and a shift, whatever the script, and nothing is guessed.
//!
//! Instructions a byte of the echo server's text, on a Cortex-M3 and a RISC-V, and its bytes of flash against what is
//! taken there:
//!
//! | | M3 | flash | RISC-V | flash |
//! |---|---:|---:|---:|---:|
//! | a row for each byte | 9.1 | +684 | 11.1 | |
//! | a class for each byte, a row for each class | 10.0 | | 13.2 | -672 |
//! | code point by code point, without a table | 12.1 | +48 | 11.9 | -472 |
//!
//! An Arm adds the index as it loads, so that the second one costs it one instruction a byte alone.
// Lost without a table, on the Cortex-M3: a loop for two bytes beside the one for three 12.8, no inner loop at all
// 13.3, one code point after the other from a slice of any length 15.1. Four bytes compared as one word took half as
// much again: few constants are short, and not every core loads a word from anywhere.

/// Where a text stands: between two code points, or within one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct State {
    /// Where the field of this state begins in a row.
    // The first one, because it is looked at when both have just been stored, and a load from behind the beginning of a
    // store is slow: of a short text it took 5 cycles on Zen 5, where the state had four bytes.
    place: u8,
    /// Bytes of the open code point that have been seen, 0 to 3.
    seen: u8,
}

// Nine fields of five bits in 32: they overlap. So in each row any two of them must agree on the bits that they share,
// where most fields are zero, for a fault. A solver has found places for which they do; a test sees to it.

/// Behind a fault there is nothing else: its field is zero in each row.
const FAULT: u8 = 0;
const BOUNDARY: u8 = 20;
const ONE_MORE: u8 = 3;
const TWO_MORE: u8 = 8;
const THREE_MORE: u8 = 2;
// The second byte is where overlong forms, surrogates and what is beyond U+10FFFF show.
const AFTER_E0: u8 = 13;
const AFTER_ED: u8 = 25;
const AFTER_F0: u8 = 15;
const AFTER_F4: u8 = 27;

/// Bytes that lead from any state to the same one.
#[derive(Clone, Copy)]
enum Class {
    Ascii,
    Continuation80,
    Continuation90,
    ContinuationA0,
    FirstOfTwo,
    E0,
    FirstOfThree,
    Ed,
    F0,
    FirstOfFour,
    F4,
    Never,
}

const fn class(byte: u8) -> Class {
    match byte {
        0x00..=0x7f => Class::Ascii,
        0x80..=0x8f => Class::Continuation80,
        0x90..=0x9f => Class::Continuation90,
        0xa0..=0xbf => Class::ContinuationA0,
        0xc2..=0xdf => Class::FirstOfTwo,
        0xe0 => Class::E0,
        0xed => Class::Ed,
        0xe1..=0xef => Class::FirstOfThree,
        0xf0 => Class::F0,
        0xf1..=0xf3 => Class::FirstOfFour,
        0xf4 => Class::F4,
        0xc0..=0xc1 | 0xf5..=0xff => Class::Never,
    }
}

const fn row(class: Class) -> u32 {
    let any = field(ONE_MORE, BOUNDARY) | field(TWO_MORE, ONE_MORE) | field(THREE_MORE, TWO_MORE);
    match class {
        Class::Ascii => field(BOUNDARY, BOUNDARY),
        Class::Continuation80 => any | field(AFTER_ED, ONE_MORE) | field(AFTER_F4, TWO_MORE),
        Class::Continuation90 => any | field(AFTER_ED, ONE_MORE) | field(AFTER_F0, TWO_MORE),
        Class::ContinuationA0 => any | field(AFTER_E0, ONE_MORE) | field(AFTER_F0, TWO_MORE),
        Class::FirstOfTwo => field(BOUNDARY, ONE_MORE),
        Class::E0 => field(BOUNDARY, AFTER_E0),
        Class::FirstOfThree => field(BOUNDARY, TWO_MORE),
        Class::Ed => field(BOUNDARY, AFTER_ED),
        Class::F0 => field(BOUNDARY, AFTER_F0),
        Class::FirstOfFour => field(BOUNDARY, THREE_MORE),
        Class::F4 => field(BOUNDARY, AFTER_F4),
        Class::Never => 0,
    }
}

/// Returns a row in which `next` follows `place`.
const fn field(place: u8, next: u8) -> u32 {
    (next as u32) << place
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Never; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = class(byte as u8);
        byte += 1;
    }
    classes
};

static ROWS_OF_CLASSES: [u32; Class::Never as usize + 1] = {
    let mut rows = [0; _];
    let mut byte = 0;
    while byte < 256 {
        rows[class(byte as u8) as usize] = row(class(byte as u8));
        byte += 1;
    }
    rows
};

static ROWS: [u32; 256] = {
    let mut rows = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        rows[byte] = row(class(byte as u8));
        byte += 1;
    }
    rows
};

/// Returns the place that follows `place` at `byte`. Of either the low five bits count.
#[inline(always)]
const fn step(place: u32, byte: u8) -> u32 {
    if cfg!(target_arch = "arm") { step_by_class(place, byte) } else { step_by_byte(place, byte) }
}

#[inline(always)]
const fn step_by_byte(place: u32, byte: u8) -> u32 {
    ROWS[byte as usize].wrapping_shr(place)
}

// An Arm of 32 bits shifts by more than five bits of the count, and rotates by five.
#[inline(always)]
const fn step_by_class(place: u32, byte: u8) -> u32 {
    ROWS_OF_CLASSES[CLASSES[byte as usize] as usize].rotate_right(place)
}

/// Returns the place behind all of `bytes`, from `place` on.
#[inline(never)]
fn place_behind(bytes: &[u8], place: u8) -> u8 {
    let mut place = u32::from(place);
    // Written out, because nobody unrolls a loop where programs are to be small.
    let (fours, rest) = bytes.as_chunks();
    for &[a, b, c, d] in fours {
        place = step(step(step(step(place, a), b), c), d);
    }
    for byte in rest {
        place = step(place, *byte);
    }
    place as u8 % 32
}

/// Tells whether a text is valid and complete.
pub(super) fn is_whole(text: &[u8]) -> bool {
    place_behind(text, BOUNDARY) == BOUNDARY
}

impl State {
    /// Between two code points.
    pub(super) const BOUNDARY: Self = State { place: BOUNDARY, seen: 0 };

    /// Returns the state after `byte`, or nothing if no valid text has this byte here.
    #[inline]
    pub(super) const fn after(self, byte: u8) -> Option<Self> {
        match step(self.place as u32, byte) as u8 % 32 {
            FAULT => None,
            BOUNDARY => Some(State::BOUNDARY),
            place => Some(State { place, seen: self.seen + 1 }),
        }
    }

    /// Takes `bytes`. Returns the index of the first one that no valid text has there; the state then stands before it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), usize> {
        *self = match place_behind(bytes, self.place) {
            FAULT => return Err(self.take_to_fault(bytes)),
            BOUNDARY => State::BOUNDARY,
            place => {
                let seen = match bytes.iter().rposition(|byte| *byte >= 0xc0) {
                    Some(first) => bytes.len() - first,
                    None => usize::from(self.seen) + bytes.len(),
                };
                State { place, seen: seen as u8 }
            }
        };
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn take_to_fault(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(after) = bytes.get(at).and_then(|byte| self.after(*byte)) {
            *self = after;
            at += 1;
        }
        at
    }

    #[inline(always)]
    pub(super) const fn is_boundary(self) -> bool {
        self.place == BOUNDARY
    }

    pub(super) const fn seen(self) -> usize {
        self.seen as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [u8; 9] = [FAULT, BOUNDARY, ONE_MORE, TWO_MORE, THREE_MORE, AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4];

    /// What follows, by the table of RFC 3629 §4.
    fn next(place: u8, byte: u8) -> u8 {
        match (place, byte) {
            (BOUNDARY, 0x00..=0x7f) | (ONE_MORE, 0x80..=0xbf) => BOUNDARY,
            (BOUNDARY, 0xc2..=0xdf) | (TWO_MORE, 0x80..=0xbf) | (AFTER_E0, 0xa0..=0xbf) | (AFTER_ED, 0x80..=0x9f) => {
                ONE_MORE
            }
            (BOUNDARY, 0xe0) => AFTER_E0,
            (BOUNDARY, 0xed) => AFTER_ED,
            (BOUNDARY, 0xe1..=0xef) | (THREE_MORE, 0x80..=0xbf) | (AFTER_F0, 0x90..=0xbf) | (AFTER_F4, 0x80..=0x8f) => {
                TWO_MORE
            }
            (BOUNDARY, 0xf0) => AFTER_F0,
            (BOUNDARY, 0xf4) => AFTER_F4,
            (BOUNDARY, 0xf1..=0xf3) => THREE_MORE,
            _ => FAULT,
        }
    }

    #[test]
    fn every_byte_leads_from_every_state_where_it_should() {
        for byte in 0..=0xff {
            for place in PLACES {
                // What is above the place from the step before is of no consequence.
                for from in [u32::from(place), u32::from(place) | !0x1f] {
                    for step in [step, step_by_byte, step_by_class] {
                        assert_eq!(step(from, byte) as u8 % 32, next(place, byte), "{byte:#x} at {place}");
                    }
                }
            }
        }
    }
}
