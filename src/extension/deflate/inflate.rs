//! DEFLATE (RFC 1951) in the direction of the receiver: the blocks of a stream that goes on from message to message.
//!
//! Written here and not taken from a zlib, because none tells what permessage-deflate asks for; `ARCHITECTURE.md` has
//! the reasons, and `tests/rfc7692/why.rs` shows them. The memory is that of the window, as far as it has been filled,
//! and 8 KiB of tables where a part of a message ends in a block that brought codes of its own.

use alloc::boxed::Box;
use std::sync::LazyLock;

use super::bits::Bits;
use super::huffman::{Entry, Table};
use super::symbols::{Codes, Match, Stop, Written};
use super::window::Window;

/// What is here is no DEFLATE stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Invalid;

/// Why [`Inflate::run`] has returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pause {
    /// All input was taken.
    NeedsInput,
    /// There is output, and no room for it.
    NeedsRoom,
    /// What follows is no DEFLATE stream.
    Fault,
}

/// A stream that goes on from one message to the next.
pub(super) struct Inflate {
    bits: Bits,
    state: State,
    is_final: bool,
    /// Of the dynamic block in which the last part has ended.
    kept: Option<Box<Tables>>,
    window: Window,
}

/// The codes of a dynamic block, once there was one.
///
/// No block goes on from one message to the next, and most messages come in one part. So the tables are on the stack of
/// who inflates, and on the heap only from one part to the next: a connection that waits for a message holds none, and
/// a short message does not depend on what an allocation of 8 KiB costs.
pub(super) type Tables = Option<Dynamic>;

/// Where the next bit stands.
#[derive(Clone, Copy)]
enum State {
    /// At the header of a block.
    Block,
    /// At the length of a stored block, behind the padding.
    StoredLen,
    Stored {
        left: usize,
    },
    /// At the three counts of a dynamic block.
    Counts,
    /// At the lengths of the codes in which the code lengths are written.
    LensOfLens(Counts),
    Lens(Counts),
    Symbols {
        is_fixed: bool,
    },
    /// In the middle of a match for which there was no room.
    Match(Match, bool),
}

/// How many code lengths a dynamic block has, and how many of them have been read.
#[derive(Clone, Copy)]
struct Counts {
    literals: usize,
    distances: usize,
    lens_of_lens: usize,
    read: usize,
}

/// The codes of a dynamic block, and what they are made of.
pub(super) struct Dynamic {
    codes: Codes,
    /// 286 literals and lengths and 30 distances at most.
    lens: [u8; 316],
    lens_code: Table<7, 128>,
}

/// The codes of every fixed block.
static FIXED: LazyLock<Codes> = LazyLock::new(Codes::fixed);

/// The order in which the lengths of the codes for code lengths are written (RFC 1951 §3.2.7).
const LENS_ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// What these codes mean: a length, a repetition of the last one, or of zeros, from the least on and with extra bits.
const LENS: [Entry; 19] = {
    let mut symbols = [Entry::range(0, 0); 19];
    let mut len = 0;
    while len < 16 {
        symbols[len] = Entry::range(len as u16, 0);
        len += 1;
    }
    // Told apart by their values, which go from 16 + 3 to 16 + 6, and from 32 + 3 to 32 + 138.
    symbols[16] = Entry::range(16 + 3, 2);
    symbols[17] = Entry::range(32 + 3, 3);
    symbols[18] = Entry::range(32 + 11, 7);
    symbols
};

impl Inflate {
    /// Returns a stream that has not begun, with a window of `2^window_bits` bytes.
    pub(super) const fn new(window_bits: u8) -> Self {
        Self { bits: Bits::NONE, state: State::Block, is_final: false, kept: None, window: Window::new(window_bits) }
    }

    /// Inflates a part of a message by `run`, which is given tables for [`Self::run`].
    pub(super) fn part<T>(&mut self, run: impl FnOnce(&mut Self, &mut Tables) -> T) -> T {
        let (mut kept, mut own) = (self.kept.take(), None);
        let result = run(self, kept.as_deref_mut().unwrap_or(&mut own));
        if self.is_dynamic() {
            self.kept = kept.or_else(|| Some(Box::new(own)));
        }
        result
    }

    /// Inflates from the front of `input`, which is moved on, into `to`, of which the written part is not in the
    /// window. What was written stands before a fault.
    pub(super) fn run(&mut self, tables: &mut Tables, input: &mut &[u8], to: &mut Written<'_>) -> Pause {
        loop {
            match self.step(tables, input, to) {
                Ok(None) => {}
                Ok(Some(pause)) => return pause,
                Err(Invalid) => return Pause::Fault,
            }
        }
    }

    /// Adds what was written to the window: what later matches may refer to.
    pub(super) fn remember(&mut self, written: &[u8]) {
        self.window.push(written);
    }

    /// Ends a message and tells whether it may end here: in an empty stored block of which the last four bytes are
    /// missing, "0x00 0x00 0xff 0xff" (RFC 7692 §7.2.1), or between two blocks and two bytes, as one does that has no
    /// byte or whose last block is final.
    ///
    /// Feeding the four bytes instead would let them be taken for data of a block that is cut short.
    pub(super) fn end_message(&mut self) -> bool {
        let may_end = matches!(self.state, State::Block | State::StoredLen) && self.bits.count() == 0;
        if may_end {
            self.state = State::Block;
        }
        may_end
    }

    /// Tells whether the stream stands in a block that brings codes of its own, behind the counts of them.
    const fn is_dynamic(&self) -> bool {
        match self.state {
            State::Block | State::StoredLen | State::Stored { .. } | State::Counts => false,
            State::LensOfLens(_) | State::Lens(_) => true,
            State::Symbols { is_fixed } | State::Match(_, is_fixed) => !is_fixed,
        }
    }

    fn step(&mut self, tables: &mut Tables, input: &mut &[u8], to: &mut Written<'_>) -> Result<Option<Pause>, Invalid> {
        match self.state {
            State::Block => self.block(input),
            State::StoredLen => self.stored_len(input),
            State::Stored { left } => Ok(self.stored(left, input, to)),
            State::Counts => self.counts(tables.get_or_insert_with(Dynamic::new), input),
            State::LensOfLens(counts) => self.lens_of_lens(tables.get_or_insert_with(Dynamic::new), counts, input),
            State::Lens(counts) => self.lens(tables.get_or_insert_with(Dynamic::new), counts, input),
            State::Symbols { is_fixed: false } => {
                self.symbols(&tables.get_or_insert_with(Dynamic::new).codes, false, input, to)
            }
            State::Symbols { is_fixed: true } => self.symbols(&FIXED, true, input, to),
            State::Match(found, is_fixed) => {
                let rest = to.copy(found, &self.window);
                self.state = rest.map_or(State::Symbols { is_fixed }, |rest| State::Match(rest, is_fixed));
                Ok(rest.map(|_| Pause::NeedsRoom))
            }
        }
    }

    /// Reads the header of a block (RFC 1951 §3.2.3).
    fn block(&mut self, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        if !self.bits.fill(3, input) {
            return Ok(Some(Pause::NeedsInput));
        }
        self.is_final = self.bits.take(1) != 0;
        self.state = match self.bits.take(2) {
            0 => {
                self.bits.skip_to_byte();
                State::StoredLen
            }
            1 => State::Symbols { is_fixed: true },
            2 => State::Counts,
            _ => return Err(Invalid),
        };
        Ok(None)
    }

    /// Goes to the next block. Behind a final one the stream goes on at the next byte: "implementors can choose to
    /// flush data using DEFLATE blocks with "BFINAL" set to 1" (RFC 7692 §7.2.3.4).
    fn end_block(&mut self) {
        if self.is_final {
            self.bits.skip_to_byte();
        }
        self.state = State::Block;
    }

    fn stored_len(&mut self, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        if !self.bits.fill(32, input) {
            return Ok(Some(Pause::NeedsInput));
        }
        let (left, complement) = (self.bits.take(16), self.bits.take(16));
        if left ^ complement != 0xFFFF {
            return Err(Invalid);
        }
        self.state = State::Stored { left };
        Ok(None)
    }

    fn stored(&mut self, mut left: usize, input: &mut &[u8], to: &mut Written<'_>) -> Option<Pause> {
        while left > 0 && self.bits.count() > 0 && to.at < to.out.len() {
            to.out[to.at] = self.bits.take(8) as u8;
            (to.at, left) = (to.at + 1, left - 1);
        }
        if self.bits.count() == 0 {
            let len = left.min(input.len()).min(to.out.len() - to.at);
            let (bytes, rest) = input.split_at(len);
            to.out[to.at..to.at + len].copy_from_slice(bytes);
            (to.at, *input, left) = (to.at + len, rest, left - len);
        }
        self.state = State::Stored { left };
        if left == 0 {
            self.end_block();
            None
        } else {
            Some(if self.bits.count() > 0 || !input.is_empty() { Pause::NeedsRoom } else { Pause::NeedsInput })
        }
    }

    fn counts(&mut self, dynamic: &mut Dynamic, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        if !self.bits.fill(14, input) {
            return Ok(Some(Pause::NeedsInput));
        }
        let bits = &mut self.bits;
        let (literals, distances, lens_of_lens) = (bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4);
        if literals > 286 || distances > 30 {
            return Err(Invalid);
        }
        dynamic.lens = [0; 316];
        self.state = State::LensOfLens(Counts { literals, distances, lens_of_lens, read: 0 });
        Ok(None)
    }

    fn lens_of_lens(
        &mut self,
        dynamic: &mut Dynamic,
        mut counts: Counts,
        input: &mut &[u8],
    ) -> Result<Option<Pause>, Invalid> {
        while counts.read < counts.lens_of_lens {
            if !self.bits.fill(3, input) {
                self.state = State::LensOfLens(counts);
                return Ok(Some(Pause::NeedsInput));
            }
            dynamic.lens[usize::from(LENS_ORDER[counts.read])] = self.bits.take(3) as u8;
            counts.read += 1;
        }
        dynamic.lens_code.rebuild(&dynamic.lens[..19], &LENS, false)?;
        self.state = State::Lens(Counts { read: 0, ..counts });
        Ok(None)
    }

    /// Reads the code lengths of both codes, which are one sequence (RFC 1951 §3.2.7).
    fn lens(&mut self, dynamic: &mut Dynamic, mut counts: Counts, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        let wanted = counts.literals + counts.distances;
        while counts.read < wanted {
            self.bits.fill(14, input); // the longest code has 7 bits, and 7 more may follow
            let entry = dynamic.lens_code.look(self.bits.peek());
            if entry.len() > self.bits.count() {
                self.state = State::Lens(counts);
                return Ok(Some(Pause::NeedsInput));
            }
            if entry.is_exception() {
                return Err(Invalid);
            }
            let value = entry.value(self.bits.peek());
            self.bits.skip(entry.len());
            let (len, repeat) = match value {
                0..16 => {
                    dynamic.lens[counts.read] = value as u8;
                    counts.read += 1;
                    continue;
                }
                16..32 => {
                    let last = counts.read.checked_sub(1).and_then(|last| dynamic.lens.get(last));
                    (*last.ok_or(Invalid)?, value - 16)
                }
                _ => (0, value - 32),
            };
            let lens = dynamic.lens[..wanted].get_mut(counts.read..counts.read + repeat).ok_or(Invalid)?;
            lens.fill(len);
            counts.read += repeat;
        }
        dynamic.set(counts)?;
        self.state = State::Symbols { is_fixed: false };
        Ok(None)
    }

    fn symbols(
        &mut self,
        codes: &Codes,
        is_fixed: bool,
        input: &mut &[u8],
        to: &mut Written<'_>,
    ) -> Result<Option<Pause>, Invalid> {
        match codes.decode(&mut self.bits, input, &self.window, to)? {
            Stop::End => {
                self.end_block();
                Ok(None)
            }
            Stop::NeedsInput => Ok(Some(Pause::NeedsInput)),
            Stop::NeedsRoom(rest) => {
                self.state = rest.map_or(State::Symbols { is_fixed }, |rest| State::Match(rest, is_fixed));
                Ok(Some(Pause::NeedsRoom))
            }
        }
    }
}

impl Dynamic {
    const fn new() -> Self {
        Self { codes: Codes::EMPTY, lens: [0; 316], lens_code: Table::EMPTY }
    }

    /// Makes the codes those of the lengths that were read.
    fn set(&mut self, counts: Counts) -> Result<(), Invalid> {
        let (literals, distances) = self.lens[..counts.literals + counts.distances].split_at(counts.literals);
        // Without a code for its end, the block has none.
        if literals[256] == 0 {
            return Err(Invalid);
        }
        self.codes.set(literals, distances)
    }
}
