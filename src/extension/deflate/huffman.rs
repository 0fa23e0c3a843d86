//! The Huffman codes of DEFLATE (RFC 1951 §3.2.2), as tables that the next bits of the stream index.
//!
//! An entry holds all that its symbol means, so that one look gives a literal, or a length and how to find its extra
//! bits:
//!
//! ```text
//! bit                 31  16-30   15          14        13   8-11               0-7
//! literal             1   byte    0           0         0    bits of its code   the same
//! length, distance    0   least   0           0         0    bits of its code   and of its extra bits
//! longer codes        0   where   EXCEPTION   SUBTABLE  0    bits of an index   bits of this index
//! end of the block    0   0       EXCEPTION   0         END  bits of its code   the same
//! no code             0   0       EXCEPTION   0         0    bits of its code   the same
//! ```

use super::inflate::Invalid;

/// The longest code, in bits.
const MAX_LEN: usize = 15;

/// What the next bits are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    const LITERAL: u32 = 1 << 31;
    const EXCEPTION: u32 = 1 << 15;
    const SUBTABLE: u32 = 1 << 14;
    const END: u32 = 1 << 13;

    /// For bits that no code begins with: there are none but in a code that has at most one bit, which tells it.
    const NOTHING: Self = Self(Self::EXCEPTION | 1 << 8 | 1);

    /// The symbol without its code.
    pub(super) const fn literal(byte: u8) -> Self {
        Self(Self::LITERAL | (byte as u32) << 16)
    }

    pub(super) const fn range(base: u16, extra: u32) -> Self {
        Self((base as u32) << 16 | extra)
    }

    pub(super) const fn end() -> Self {
        Self(Self::EXCEPTION | Self::END)
    }

    pub(super) const fn unused() -> Self {
        Self(Self::EXCEPTION)
    }

    const fn subtable(start: usize, bits: usize, index_bits: u32) -> Self {
        Self((start as u32) << 16 | Self::EXCEPTION | Self::SUBTABLE | (bits as u32) << 8 | index_bits)
    }

    const fn with_code(self, len: usize) -> Self {
        Self(self.0 + len as u32 * 0x0101)
    }

    #[inline]
    pub(super) const fn is_literal(self) -> bool {
        self.0 & Self::LITERAL != 0
    }

    /// Neither a literal nor a length or distance.
    #[inline]
    pub(super) const fn is_exception(self) -> bool {
        self.0 & Self::EXCEPTION != 0
    }

    #[inline]
    pub(super) const fn is_subtable(self) -> bool {
        self.0 & Self::SUBTABLE != 0
    }

    #[inline]
    pub(super) const fn is_end(self) -> bool {
        self.0 & Self::END != 0
    }

    #[inline]
    pub(super) const fn byte(self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// How many bits it takes, the extra ones among them.
    #[inline]
    pub(super) const fn len(self) -> u32 {
        self.0 & 0xFF
    }

    /// The length or the distance, its extra bits taken from `bits`, which its code begins.
    #[inline]
    pub(super) const fn value(self, bits: u64) -> usize {
        let here = bits & !u64::MAX.wrapping_shl(self.len());
        (self.0 >> 16) as usize + here.wrapping_shr(self.0 >> 8 & 0xF) as usize
    }
}

/// A code, indexed by the next `BITS` bits. Longer codes are in subtables behind, `SIZE` entries in all.
#[derive(Clone)]
pub(super) struct Table<const BITS: u32, const SIZE: usize> {
    entries: [Entry; SIZE],
}

impl<const BITS: u32, const SIZE: usize> Table<BITS, SIZE> {
    /// No code, not even none: [`rebuild`](Self::rebuild) writes whatever a look can reach. Zeros, because other values
    /// are copied from a table that takes cache, twice as slowly.
    pub(super) const EMPTY: Self = Self { entries: [Entry(0); SIZE] };

    /// Makes this the code in which symbol `i` is `symbols[i]` and has `lens[i]` bits, 0 for none.
    ///
    /// A code that leaves bit strings without a meaning is refused, as zlib does, but for a single code of one bit
    /// where `may_be_single`, and for no code at all, which is a fault only once it is used.
    pub(super) fn rebuild(&mut self, lens: &[u8], symbols: &[Entry], may_be_single: bool) -> Result<(), Invalid> {
        let mut counts = [0; MAX_LEN + 1];
        used(lens).for_each(|(_, len)| counts[len] += 1);
        check(&counts, may_be_single)?;
        let order = sorted(lens, &counts);
        self.fill(lens, symbols, &order, &counts)
    }

    /// "Huffman codes are packed starting with the most-significant bit of the code" (RFC 1951 §3.1.1), so that a code
    /// stands in its index with its bits reversed. The table for codes of one bit more is the table twice, and then its
    /// own codes.
    fn fill(
        &mut self,
        lens: &[u8],
        symbols: &[Entry],
        order: &[u16; 320],
        counts: &[u16; MAX_LEN + 1],
    ) -> Result<(), Invalid> {
        let (mut code, mut next, mut end) = (0u16, 0, 1);
        self.entries[0] = Entry::NOTHING;
        for len in 1..=BITS as usize {
            self.entries.copy_within(0..end, end);
            end *= 2;
            for &symbol in &order[next..next + usize::from(counts[len])] {
                self.entries[reversed(code, len)] = symbols[usize::from(symbol)].with_code(len);
                code += 1;
            }
            next += usize::from(counts[len]);
            code *= 2;
        }
        let (mut prefix, mut start, mut code_len) = (usize::MAX, end, BITS as usize + 1);
        let used: usize = counts.iter().map(|&count| usize::from(count)).sum();
        for (i, &symbol) in order.iter().enumerate().take(used).skip(next) {
            let len = usize::from(lens[usize::from(symbol)]);
            code <<= len - code_len;
            code_len = len;
            let index = reversed(code, len);
            if index % (1 << BITS) != prefix {
                prefix = index % (1 << BITS);
                start = end;
                let bits = subtable_bits::<BITS>(&order[i..used], lens);
                self.entries[prefix] = Entry::subtable(start, bits, BITS);
                end += 1 << bits;
            }
            let subtable = self.entries.get_mut(start..end).ok_or(Invalid)?;
            let entry = symbols[usize::from(symbol)].with_code(len - BITS as usize);
            subtable.iter_mut().skip(index >> BITS).step_by(1 << (len - BITS as usize)).for_each(|slot| *slot = entry);
            code += 1;
        }
        Ok(())
    }

    /// Returns what `bits` begin with: a subtable where the code is a longer one.
    #[inline]
    pub(super) fn look(&self, bits: u64) -> Entry {
        self.entries[(bits & ((1 << BITS) - 1)) as usize]
    }

    /// Returns what `bits`, for which [`look`](Self::look) gave this subtable, go on with behind the first `BITS`.
    #[inline]
    pub(super) fn look_behind(&self, subtable: Entry, bits: u64) -> Entry {
        let index = (bits >> BITS) & ((1 << (subtable.0 >> 8 & 0xF)) - 1);
        self.entries.get((subtable.0 >> 16) as usize + index as usize).copied().unwrap_or(Entry::NOTHING)
    }
}

/// Refuses a code that has too many codes, or that is not complete where it has to be.
fn check(counts: &[u16; MAX_LEN + 1], may_be_single: bool) -> Result<(), Invalid> {
    let mut left = 1i32;
    for &count in &counts[1..] {
        left = left * 2 - i32::from(count);
        if left < 0 {
            return Err(Invalid);
        }
    }
    let used: u16 = counts.iter().sum();
    let is_admitted = left == 0 || used == 0 || may_be_single && used == 1 && counts[1] == 1;
    if is_admitted { Ok(()) } else { Err(Invalid) }
}

/// Returns the symbols in the order of their codes.
fn sorted(lens: &[u8], counts: &[u16; MAX_LEN + 1]) -> [u16; 320] {
    let (mut order, mut places) = ([0; 320], [0u16; MAX_LEN + 1]);
    for len in 1..MAX_LEN {
        places[len + 1] = places[len] + counts[len];
    }
    for (symbol, len) in used(lens) {
        order[usize::from(places[len])] = symbol;
        places[len] += 1;
    }
    order
}

/// Returns the symbols that have a code, and its length. Most of a message's bytes are of a few kinds, so that whole
/// groups of symbols have none.
fn used(lens: &[u8]) -> impl Iterator<Item = (u16, usize)> {
    let groups = (0..).step_by(8).zip(lens.chunks(8)).filter(|(_, lens)| lens.iter().any(|&len| len > 0));
    let symbols = groups.flat_map(|(first, lens)| (first..).zip(lens));
    symbols.filter(|(_, len)| **len > 0).map(|(symbol, len)| (symbol, usize::from(len & 15)))
}

/// Returns a code of `len` bits as the stream has it, from its lowest bit on.
const fn reversed(code: u16, len: usize) -> usize {
    (code.reverse_bits() >> (16 - len)) as usize
}

/// Returns how many bits index the subtable whose first code is that of the first of these symbols.
fn subtable_bits<const BITS: u32>(symbols: &[u16], lens: &[u8]) -> usize {
    let (mut bits, mut room) = (0, 1usize);
    for symbol in symbols {
        let len = usize::from(lens[usize::from(*symbol)]) - BITS as usize;
        room <<= len - bits;
        bits = len;
        room -= 1;
        if room == 0 {
            break;
        }
    }
    bits
}
