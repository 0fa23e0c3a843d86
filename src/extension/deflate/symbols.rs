//! The symbols of a compressed block (RFC 1951 §3.2.5): literals, and matches with what has been written.

use super::bits::{Bits, WORD};
use super::huffman::{Entry, Table};
use super::inflate::Invalid;
use super::window::Window;

/// The two codes of a block, 7 KiB.
#[derive(Clone)]
pub(super) struct Codes {
    /// No complete code of 286 symbols and 15 bits takes more than 1,332 entries, which a search of all of them tells;
    /// the fixed code has 288 symbols, of 9 bits at most.
    pub(super) literals: Table<10, 1332>,
    /// No complete code of 30 symbols and 15 bits takes more than 400 entries; the fixed code has 32 symbols, of 5
    /// bits.
    pub(super) distances: Table<8, 400>,
}

/// What stands where the symbols pause.
pub(super) enum Stop {
    /// The block is over.
    End,
    /// Input is missing in front of a symbol.
    NeedsInput,
    /// Room is missing: for a literal, which was not taken, or for the rest of a match.
    NeedsRoom(Option<Match>),
}

/// `len` bytes that are those `distance` before them.
#[derive(Clone, Copy)]
pub(super) struct Match {
    pub(super) len: usize,
    pub(super) distance: usize,
}

/// Where the output goes, behind what of it has been written and is not in the window yet.
pub(super) struct Written<'a> {
    pub(super) out: &'a mut [u8],
    pub(super) at: usize,
}

/// How many bytes of a match are copied at once: most matches are no longer, so that the end of the loop is guessed
/// right. With 16 bytes 64 KiB of JSON took 6 % longer (Zen 5).
const STRIDE: usize = 32;

/// Room for three literals and the longest match, in whole strides.
const APACE: usize = 3 + 258 + STRIDE;

impl Codes {
    pub(super) const EMPTY: Self = Self { literals: Table::EMPTY, distances: Table::EMPTY };

    /// Makes these the codes in which the symbols have these lengths.
    pub(super) fn set(&mut self, literals: &[u8], distances: &[u8]) -> Result<(), Invalid> {
        self.literals.rebuild(literals, &LITERALS, true)?;
        self.distances.rebuild(distances, &DISTANCES, true)
    }

    /// Returns the codes of RFC 1951 §3.2.6.
    pub(super) fn fixed() -> Self {
        let mut codes = Self::EMPTY;
        let mut literals = [8; 288];
        literals[144..256].fill(9);
        literals[256..280].fill(7);
        let made = codes.set(&literals, &[5; 32]);
        debug_assert_eq!(made, Ok(()), "both codes are complete");
        codes
    }

    /// Decodes literals and matches to the end of the block.
    pub(super) fn decode(
        &self,
        bits: &mut Bits,
        input: &mut &[u8],
        window: &Window,
        to: &mut Written<'_>,
    ) -> Result<Stop, Invalid> {
        loop {
            self.apace(bits, input, window, to)?;
            bits.fill(48, input); // a match takes no more
            let Some((entry, len)) = symbol(&self.literals, bits.peek(), bits.count()) else {
                return Ok(Stop::NeedsInput);
            };
            if entry.is_literal() {
                let Some(place) = to.out.get_mut(to.at) else {
                    return Ok(Stop::NeedsRoom(None));
                };
                *place = entry.byte();
                to.at += 1;
                bits.skip(len);
            } else if entry.is_end() {
                bits.skip(len);
                return Ok(Stop::End);
            } else {
                let Some(found) = self.match_of(entry, len, bits)? else {
                    return Ok(Stop::NeedsInput);
                };
                if !window.reach().covers(found.distance, to.at) {
                    return Err(Invalid);
                }
                if let Some(rest) = to.copy(found, window) {
                    return Ok(Stop::NeedsRoom(Some(rest)));
                }
            }
        }
    }

    /// Takes the match whose length is `entry`, the last of `len` bits. `None`, and nothing taken, where not all of it
    /// is here.
    fn match_of(&self, entry: Entry, len: u32, bits: &mut Bits) -> Result<Option<Match>, Invalid> {
        if entry.is_exception() {
            return Err(Invalid);
        }
        let behind = bits.peek() >> len;
        let Some((far, far_len)) = symbol(&self.distances, behind, bits.count() - len) else {
            return Ok(None);
        };
        if far.is_exception() {
            return Err(Invalid);
        }
        let of = |entry: Entry, bits: u64, len: u32| entry.value(bits >> (len - entry.len()));
        let found = Match { len: of(entry, bits.peek(), len), distance: of(far, behind, far_len) };
        bits.skip(len + far_len);
        Ok(Some(found))
    }

    /// Decodes as [`decode`](Self::decode) does, but with nothing in doubt: three words of input are here, and room for
    /// the longest match. Stops before the end of the block.
    ///
    /// What it changes is kept in registers: no reference to it leaves this function, or all of it would lie in memory,
    /// and 64 KiB take 5 % longer. Out of line: inlined into all that leads here it lost some of them, which was 4 %.
    #[inline(never)]
    fn apace(&self, bits: &mut Bits, input: &mut &[u8], window: &Window, to: &mut Written<'_>) -> Result<(), Invalid> {
        let out = Written { out: &mut *to.out, at: to.at };
        let mut here = Apace { bits: *bits, input: core::mem::take(input), out, window };
        let result = self.apace_in(&mut here);
        here.bits.trim();
        (*bits, *input, to.at) = (here.bits, here.input, here.out.at);
        result
    }

    #[inline(always)]
    fn apace_in(&self, here: &mut Apace<'_, '_>) -> Result<(), Invalid> {
        let reach = here.window.reach();
        if here.has_room() {
            let mut entry = here.next(&self.literals);
            while here.has_room() {
                if entry.is_literal() {
                    // Three literals of at most ten bits; a match, of at most 48, begins with 56 again.
                    entry = here.literal(entry, &self.literals);
                    if entry.is_literal() {
                        entry = here.literal(entry, &self.literals);
                        if entry.is_literal() {
                            here.put(entry);
                            entry = here.next(&self.literals);
                            continue;
                        }
                    }
                    here.bits.refill(&mut here.input);
                }
                if entry.is_exception() {
                    let long = self.literals.look_behind(entry, here.bits.peek());
                    if !entry.is_subtable() || long.is_exception() {
                        break;
                    }
                    here.bits.skip(entry.len());
                    entry = long;
                    if entry.is_literal() {
                        here.put(entry);
                        entry = here.next(&self.literals);
                        continue;
                    }
                }
                let len = here.take(entry);
                let mut far = self.distances.look(here.bits.peek());
                if far.is_exception() {
                    let long = self.distances.look_behind(far, here.bits.peek());
                    if !far.is_subtable() || long.is_exception() {
                        return Err(Invalid);
                    }
                    here.bits.skip(far.len());
                    far = long;
                }
                let distance = here.take(far);
                if !reach.covers(distance, here.out.at) {
                    return Err(Invalid);
                }
                entry = here.next(&self.literals);
                copy_apace(here.out.out, here.out.at, Match { len, distance }, here.window);
                here.out.at += len;
            }
        }
        Ok(())
    }
}

/// What [`Codes::apace`] works on.
struct Apace<'i, 'a> {
    bits: Bits,
    input: &'i [u8],
    out: Written<'a>,
    window: &'a Window,
}

impl Apace<'_, '_> {
    #[inline(always)]
    fn has_room(&self) -> bool {
        self.input.len() >= 3 * WORD && self.out.out.len() - self.out.at >= APACE
    }

    /// Returns what comes next, with at least 56 bits.
    #[inline(always)]
    fn next<const BITS: u32, const SIZE: usize>(&mut self, table: &Table<BITS, SIZE>) -> Entry {
        self.bits.refill(&mut self.input);
        table.look(self.bits.peek())
    }

    /// Appends a literal, for which there is room, and returns what comes next.
    #[inline(always)]
    fn literal<const BITS: u32, const SIZE: usize>(&mut self, entry: Entry, table: &Table<BITS, SIZE>) -> Entry {
        self.put(entry);
        table.look(self.bits.peek())
    }

    #[inline(always)]
    fn put(&mut self, entry: Entry) {
        self.out.out[self.out.at] = entry.byte();
        self.out.at += 1;
        self.bits.skip(entry.len());
    }

    /// Takes a length or a distance.
    #[inline(always)]
    fn take(&mut self, entry: Entry) -> usize {
        let value = entry.value(self.bits.peek());
        self.bits.skip(entry.len());
        value
    }
}

/// Returns the symbol that `bits` begin with, its extra bits not yet taken, and how many bits it has with them. `None`
/// where the `count` bits that are here do not tell.
#[inline]
fn symbol<const BITS: u32, const SIZE: usize>(
    table: &Table<BITS, SIZE>,
    bits: u64,
    count: u32,
) -> Option<(Entry, u32)> {
    let entry = table.look(bits);
    let (entry, len) = if entry.is_subtable() {
        let long = table.look_behind(entry, bits);
        (long, BITS + long.len())
    } else {
        (entry, entry.len())
    };
    (len <= count).then_some((entry, len))
}

impl Written<'_> {
    /// Copies a match, which the window reaches, as far as there is room. Returns what is left of it.
    pub(super) fn copy(&mut self, found: Match, window: &Window) -> Option<Match> {
        let Match { mut len, distance } = found;
        while len > 0 && distance > self.at && self.at < self.out.len() {
            let back = distance - self.at;
            let source = window.from(back);
            let count = len.min(back).min(source.len()).min(self.out.len() - self.at);
            self.out[self.at..self.at + count].copy_from_slice(&source[..count]);
            (self.at, len) = (self.at + count, len - count);
        }
        let count = len.min(self.out.len() - self.at);
        if count > 0 {
            repeat(self.out, self.at, distance, count);
            (self.at, len) = (self.at + count, len - count);
        }
        (len > 0).then_some(Match { len, distance })
    }
}

/// Copies a match to `out[at..]`, with [`APACE`] of room. The last stride may write behind the match, where nothing is
/// yet.
#[inline(always)]
fn copy_apace(out: &mut [u8], at: usize, found: Match, window: &Window) {
    let Match { len, distance } = found;
    if distance > at {
        let source = window.from(distance - at);
        let strides = len.next_multiple_of(STRIDE);
        if distance - at < len || source.len() < strides {
            // Not the caller's `Written`: what has an address is not in registers.
            Written { out, at }.copy(found, window);
            return;
        }
        for (to, from) in out[at..at + strides].chunks_exact_mut(STRIDE).zip(source.chunks_exact(STRIDE)) {
            to.copy_from_slice(from);
        }
    } else if distance >= STRIDE {
        for from in (at - distance..at - distance + len).step_by(STRIDE) {
            out.copy_within(from..from + STRIDE, from + distance);
        }
    } else {
        repeat(out, at, distance, len);
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

/// The symbols of the code for literals and lengths: 257 and up have a shortest match and extra bits (RFC 1951 §3.2.5).
const LITERALS: [Entry; 288] = {
    let mut symbols = [Entry::unused(); 288];
    let mut byte = 0;
    while byte < 256 {
        symbols[byte] = Entry::literal(byte as u8);
        byte += 1;
    }
    symbols[256] = Entry::end();
    let (mut i, mut base) = (0, 3);
    while i < 28 {
        let extra = if i < 8 { 0 } else { (i as u32 - 4) / 4 };
        symbols[257 + i] = Entry::range(base, extra);
        base += 1 << extra;
        i += 1;
    }
    symbols[285] = Entry::range(258, 0);
    symbols
};

/// The symbols of the code for distances.
const DISTANCES: [Entry; 32] = {
    let mut symbols = [Entry::unused(); 32];
    let (mut i, mut base) = (0, 1);
    while i < 30 {
        let extra = if i < 4 { 0 } else { (i as u32 - 2) / 2 };
        symbols[i] = Entry::range(base, extra);
        base += 1 << extra;
        i += 1;
    }
    symbols
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_those_of_the_rfc() {
        let value = |entry: Entry| entry.value(0);
        assert_eq!([257, 264, 265, 284, 285].map(|i| value(LITERALS[i])), [3, 10, 11, 227, 258]);
        assert_eq!([0, 3, 4, 28, 29].map(|i| value(DISTANCES[i])), [1, 4, 5, 16_385, 24_577]);
        assert_eq!(value(DISTANCES[29]) + (1 << DISTANCES[29].len()), 32_769);
    }
}
