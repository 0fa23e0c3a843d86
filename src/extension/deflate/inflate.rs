//! DEFLATE (RFC 1951) in the direction of the receiver.
//!
//! Written here and not taken from zlib, because permessage-deflate asks for what zlib does not do: a distance beyond
//! the window that was negotiated is a fault wherever the input was cut (zlib takes what happens to lie in the output),
//! and the window outlives a block with BFINAL (zlib ends its stream there and forgets it). The memory is that of the
//! window, as far as it has been filled, and 4 KiB of tables.

use alloc::boxed::Box;

use super::huffman::Code;
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
    /// Bits that were taken from the input and not used: the next one is the lowest.
    bits: u64,
    count: u32,
    state: State,
    is_final: bool,
    codes: Box<Codes>,
    window: Window,
}

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
    Symbols,
    /// In the middle of a match for which there was no room.
    Match {
        len: usize,
        distance: usize,
    },
}

/// How many code lengths a dynamic block has, and how many of them have been read.
#[derive(Clone, Copy)]
struct Counts {
    literals: usize,
    distances: usize,
    lens_of_lens: usize,
    read: usize,
}

struct Codes {
    literals: Code<288, 1024>,
    distances: Code<32, 256>,
    /// 288 literals and lengths and 32 distances at most.
    lens: [u8; 320],
    are_fixed: bool,
}

/// How many bytes of a match are copied at once.
const STRIDE: usize = 16;

/// Room for three literals and the longest match, in whole strides.
const APACE: usize = 3 + 258 + STRIDE;

/// The order in which the lengths of the codes for code lengths are written (RFC 1951 §3.2.7).
const LENS_ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The shortest match of each length symbol from 257 on, and its extra bits (RFC 1951 §3.2.5).
const LENGTHS: [(u16, u8); 29] = {
    let mut table = [(258, 0); 29];
    let (mut i, mut base) = (0, 3);
    while i < 28 {
        let extra = if i < 8 { 0 } else { (i as u8 - 4) / 4 };
        table[i] = (base, extra);
        base += 1 << extra;
        i += 1;
    }
    table
};

/// The shortest distance of each distance symbol, and its extra bits.
const DISTANCES: [(u16, u8); 30] = {
    let mut table = [(0, 0); 30];
    let (mut i, mut base) = (0, 1);
    while i < 30 {
        let extra = if i < 4 { 0 } else { (i as u8 - 2) / 2 };
        table[i] = (base, extra);
        base += 1 << extra;
        i += 1;
    }
    table
};

impl Inflate {
    /// Returns a stream that has not begun, with a window of `2^window_bits` bytes.
    pub(super) fn new(window_bits: u8) -> Self {
        let codes = Codes { literals: Code::EMPTY, distances: Code::EMPTY, lens: [0; 320], are_fixed: false };
        let window = Window::new(window_bits);
        Self { bits: 0, count: 0, state: State::Block, is_final: false, codes: Box::new(codes), window }
    }

    /// Inflates from the front of `input`, which is moved on, into `out`. Returns how many bytes were written, also where
    /// what follows them is a fault.
    pub(super) fn run(&mut self, input: &mut &[u8], out: &mut [u8]) -> (usize, Pause) {
        let mut at = 0;
        let pause = loop {
            match self.step(input, out, &mut at) {
                Ok(None) => {}
                Ok(Some(pause)) => break pause,
                Err(Invalid) => break Pause::Fault,
            }
        };
        self.window.push(&out[..at]);
        (at, pause)
    }

    fn step(&mut self, input: &mut &[u8], out: &mut [u8], at: &mut usize) -> Result<Option<Pause>, Invalid> {
        match self.state {
            State::Block => self.block(input),
            State::StoredLen => self.stored_len(input),
            State::Stored { left } => Ok(self.stored(left, input, out, at)),
            State::Counts => self.counts(input),
            State::LensOfLens(counts) => self.lens_of_lens(counts, input),
            State::Lens(counts) => self.lens(counts, input),
            State::Symbols => self.symbols(input, out, at),
            State::Match { len, distance } => Ok(self.copy(len, distance, out, at)),
        }
    }

    /// Ends a message and tells whether it may end here: in an empty stored block of which the last four bytes are
    /// missing, "0x00 0x00 0xff 0xff" (RFC 7692 §7.2.1), or between two blocks and two bytes, as one does that has no byte
    /// or whose last block is final.
    ///
    /// Feeding the four bytes instead would let them be taken for data of a block that is cut short.
    pub(super) fn end_message(&mut self) -> bool {
        let may_end = matches!(self.state, State::Block | State::StoredLen) && self.count == 0;
        if may_end {
            self.state = State::Block;
        }
        may_end
    }

    /// Takes bits from the input, as many as fit, and tells whether there are `wanted` of them now: at most 56.
    #[inline]
    fn fill(&mut self, wanted: u32, input: &mut &[u8]) -> bool {
        while self.count < wanted {
            let Some((&byte, rest)) = input.split_first() else {
                return false;
            };
            self.bits |= u64::from(byte) << self.count;
            self.count += 8;
            *input = rest;
        }
        true
    }

    #[inline]
    fn take(&mut self, count: u32) -> usize {
        let value = self.bits & ((1 << count) - 1);
        self.bits >>= count;
        self.count -= count;
        value as usize
    }

    /// Reads the header of a block (RFC 1951 §3.2.3).
    fn block(&mut self, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        if !self.fill(3, input) {
            return Ok(Some(Pause::NeedsInput));
        }
        self.is_final = self.take(1) != 0;
        self.state = match self.take(2) {
            0 => {
                self.take(self.count & 7);
                State::StoredLen
            }
            1 => {
                self.codes.fix()?;
                State::Symbols
            }
            2 => State::Counts,
            _ => return Err(Invalid),
        };
        Ok(None)
    }

    /// Goes to the next block. Behind a final one the stream goes on at the next byte: "implementors can choose to flush
    /// data using DEFLATE blocks with "BFINAL" set to 1" (RFC 7692 §7.2.3.4).
    fn end_block(&mut self) {
        if self.is_final {
            self.take(self.count & 7);
        }
        self.state = State::Block;
    }

    fn stored_len(&mut self, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        if !self.fill(32, input) {
            return Ok(Some(Pause::NeedsInput));
        }
        let (left, complement) = (self.take(16), self.take(16));
        if left ^ complement != 0xFFFF {
            return Err(Invalid);
        }
        self.state = State::Stored { left };
        Ok(None)
    }

    fn stored(&mut self, mut left: usize, input: &mut &[u8], out: &mut [u8], at: &mut usize) -> Option<Pause> {
        while left > 0 && self.count > 0 && *at < out.len() {
            out[*at] = self.take(8) as u8;
            (*at, left) = (*at + 1, left - 1);
        }
        if self.count == 0 {
            let len = left.min(input.len()).min(out.len() - *at);
            let (bytes, rest) = input.split_at(len);
            out[*at..*at + len].copy_from_slice(bytes);
            (*at, *input, left) = (*at + len, rest, left - len);
        }
        self.state = State::Stored { left };
        if left == 0 {
            self.end_block();
            None
        } else {
            Some(if self.count > 0 || !input.is_empty() { Pause::NeedsRoom } else { Pause::NeedsInput })
        }
    }

    fn counts(&mut self, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        if !self.fill(14, input) {
            return Ok(Some(Pause::NeedsInput));
        }
        let (literals, distances, lens_of_lens) = (self.take(5) + 257, self.take(5) + 1, self.take(4) + 4);
        if literals > 286 || distances > 30 {
            return Err(Invalid);
        }
        self.codes.lens = [0; 320];
        self.state = State::LensOfLens(Counts { literals, distances, lens_of_lens, read: 0 });
        Ok(None)
    }

    fn lens_of_lens(&mut self, mut counts: Counts, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        while counts.read < counts.lens_of_lens {
            if !self.fill(3, input) {
                self.state = State::LensOfLens(counts);
                return Ok(Some(Pause::NeedsInput));
            }
            let len = self.take(3) as u8;
            self.codes.lens[usize::from(LENS_ORDER[counts.read])] = len;
            counts.read += 1;
        }
        let codes = &mut *self.codes;
        codes.literals.rebuild(&codes.lens[..19], false)?;
        codes.are_fixed = false;
        self.state = State::Lens(Counts { read: 0, ..counts });
        Ok(None)
    }

    /// Reads the code lengths of both codes, which are one sequence (RFC 1951 §3.2.7).
    fn lens(&mut self, mut counts: Counts, input: &mut &[u8]) -> Result<Option<Pause>, Invalid> {
        let wanted = counts.literals + counts.distances;
        while counts.read < wanted {
            self.fill(14, input); // the longest code has 7 bits, and 7 more may follow
            self.state = State::Lens(counts);
            let Some((symbol, len)) = self.codes.literals.symbol(self.bits, self.count)? else {
                return Ok(Some(Pause::NeedsInput));
            };
            let (base, extra) = match symbol {
                0..=15 => (1, 0),
                16 => (3, 2),
                17 => (3, 3),
                _ => (11, 7),
            };
            if self.count < len + extra {
                return Ok(Some(Pause::NeedsInput));
            }
            self.take(len);
            let repeat = base + self.take(extra);
            let value = match symbol {
                0..=15 => symbol as u8,
                16 => *counts.read.checked_sub(1).and_then(|last| self.codes.lens.get(last)).ok_or(Invalid)?,
                _ => 0,
            };
            let lens = self.codes.lens[..wanted].get_mut(counts.read..counts.read + repeat).ok_or(Invalid)?;
            lens.fill(value);
            counts.read += repeat;
        }
        self.codes.set(counts)?;
        self.state = State::Symbols;
        Ok(None)
    }

    /// Decodes literals and matches to the end of the block.
    fn symbols(&mut self, input: &mut &[u8], out: &mut [u8], at: &mut usize) -> Result<Option<Pause>, Invalid> {
        loop {
            self.symbols_apace(input, out, at)?;
            self.fill(56, input);
            let Some((symbol, len)) = self.codes.literals.symbol(self.bits, self.count)? else {
                return Ok(Some(Pause::NeedsInput));
            };
            match symbol {
                0..=255 => {
                    let Some(place) = out.get_mut(*at) else {
                        return Ok(Some(Pause::NeedsRoom));
                    };
                    *place = symbol as u8;
                    *at += 1;
                    self.take(len);
                }
                256 => {
                    self.take(len);
                    self.end_block();
                    return Ok(None);
                }
                _ => {
                    let Some((len, distance)) = self.length_and_distance(symbol, len)? else {
                        return Ok(Some(Pause::NeedsInput));
                    };
                    if !self.window.reaches(distance, *at) {
                        return Err(Invalid);
                    }
                    if let Some(pause) = self.copy(len, distance, out, at) {
                        return Ok(Some(pause));
                    }
                }
            }
        }
    }

    /// Takes a length, whose symbol has `symbol_len` bits, and the distance behind it: at most 48 bits. `None`, and
    /// nothing taken, where not all of them are here.
    #[inline]
    fn length_and_distance(&mut self, symbol: u16, symbol_len: u32) -> Result<Option<(usize, usize)>, Invalid> {
        let &(base, extra) = LENGTHS.get(usize::from(symbol) - 257).ok_or(Invalid)?;
        let (mut bits, mut used) = (self.bits >> symbol_len, symbol_len + u32::from(extra));
        if used > self.count {
            return Ok(None);
        }
        let len = usize::from(base) + (bits & ((1 << extra) - 1)) as usize;
        bits >>= extra;
        let Some((symbol, symbol_len)) = self.codes.distances.symbol(bits, self.count - used)? else {
            return Ok(None);
        };
        let &(base, extra) = DISTANCES.get(usize::from(symbol)).ok_or(Invalid)?;
        bits >>= symbol_len;
        used += symbol_len + u32::from(extra);
        if used > self.count {
            return Ok(None);
        }
        let distance = usize::from(base) + (bits & ((1 << extra) - 1)) as usize;
        self.take(used);
        Ok(Some((len, distance)))
    }

    /// Decodes as [`symbols`](Self::symbols) does, but with nothing in doubt: eight bytes of input are here, and room for the
    /// longest match. Stops before the end of the block, and before whatever is not plain.
    #[inline]
    fn symbols_apace(&mut self, input: &mut &[u8], out: &mut [u8], at: &mut usize) -> Result<(), Invalid> {
        while out.len() - *at >= APACE
            && let Some(word) = input.first_chunk()
        {
            // The bits above `count` are those of the bytes that are not taken yet, and are put there again with them.
            let mut bits = self.bits | u64::from_le_bytes(*word) << self.count;
            *input = &input[((63 - self.count) / 8) as usize..];
            let mut count = self.count | 56;
            let literals = &self.codes.literals;
            // Three literals of at most ten bits leave 26; a match, of at most 48 bits, begins with all 56.
            for _ in 0..3 {
                let Some((byte, len)) = literals.short_literal(bits) else {
                    break;
                };
                out[*at] = byte;
                *at += 1;
                (bits, count) = (bits >> len, count - len);
            }
            (self.bits, self.count) = (bits & ((1 << count) - 1), count);
            if count >= 48 && literals.short_literal(bits).is_none() {
                let Some((symbol, len)) = literals.symbol(bits, count)? else {
                    return Ok(());
                };
                if symbol <= 256 {
                    return Ok(());
                }
                self.match_apace(symbol, len, out, at)?;
            }
        }
        Ok(())
    }

    /// Takes a match, whose length symbol has `len` bits, and copies it. All its bits are here, and [`APACE`] of room.
    #[inline]
    fn match_apace(&mut self, symbol: u16, len: u32, out: &mut [u8], at: &mut usize) -> Result<(), Invalid> {
        let (len, distance) = self.length_and_distance(symbol, len)?.ok_or(Invalid)?;
        if !self.window.reaches(distance, *at) {
            return Err(Invalid);
        }
        if distance < STRIDE || distance > *at {
            self.copy(len, distance, out, at);
            return Ok(());
        }
        // The last stride may write behind the match, where nothing is yet.
        for from in (*at - distance..*at - distance + len).step_by(STRIDE) {
            out.copy_within(from..from + STRIDE, from + distance);
        }
        *at += len;
        Ok(())
    }

    /// Copies a match of `len` bytes, as far as there is room.
    #[inline]
    fn copy(&mut self, mut len: usize, distance: usize, out: &mut [u8], at: &mut usize) -> Option<Pause> {
        while len > 0 && distance > *at && *at < out.len() {
            let back = distance - *at;
            let source = self.window.from(back);
            let count = len.min(back).min(source.len()).min(out.len() - *at);
            out[*at..*at + count].copy_from_slice(&source[..count]);
            (*at, len) = (*at + count, len - count);
        }
        let count = len.min(out.len() - *at);
        if count > 0 {
            repeat(out, *at, distance, count);
            (*at, len) = (*at + count, len - count);
        }
        self.state = if len > 0 { State::Match { len, distance } } else { State::Symbols };
        (len > 0).then_some(Pause::NeedsRoom)
    }
}

/// Writes `count` bytes to `out[at..]`, each the one `distance` before it. Source and destination may overlap.
#[inline]
fn repeat(out: &mut [u8], mut at: usize, distance: usize, mut count: usize) {
    let start = at - distance;
    if distance == 1 {
        let byte = out[start];
        return out[at..at + count].fill(byte);
    }
    // What has been written repeats the source, so that each round may copy twice as much as the one before.
    while count > 0 {
        let len = count.min(at - start);
        out.copy_within(start..start + len, at);
        (at, count) = (at + len, count - len);
    }
}

impl Codes {
    /// Makes both codes those of RFC 1951 §3.2.6.
    fn fix(&mut self) -> Result<(), Invalid> {
        if !self.are_fixed {
            let (literals, distances) = self.lens.split_at_mut(288);
            literals[..144].fill(8);
            literals[144..256].fill(9);
            literals[256..280].fill(7);
            literals[280..].fill(8);
            distances.fill(5);
            self.literals.rebuild(literals, false)?;
            self.distances.rebuild(distances, false)?;
            self.are_fixed = true;
        }
        Ok(())
    }

    /// Makes both codes those of the lengths that were read.
    fn set(&mut self, counts: Counts) -> Result<(), Invalid> {
        let (literals, distances) = self.lens[..counts.literals + counts.distances].split_at(counts.literals);
        // Without a code for its end, the block has none.
        if literals[256] == 0 {
            return Err(Invalid);
        }
        self.literals.rebuild(literals, true)?;
        self.distances.rebuild(distances, true)
    }
}
