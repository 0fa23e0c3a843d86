//! The Huffman codes of DEFLATE (RFC 1951 §3.2.2), looked up by the next bits of the stream.

use super::inflate::Invalid;

/// The longest code, in bits.
const MAX_LEN: usize = 15;

/// A code of up to `SYMBOLS` symbols. Codes of up to `log2(SLOTS)` bits take one look into a table; the rare longer ones
/// are found bit by bit.
#[derive(Clone)]
pub(super) struct Code<const SYMBOLS: usize, const SLOTS: usize> {
    /// Indexed by the next bits: the symbol, and in the low four bits the length of its code, 0 where it is longer.
    slots: [u16; SLOTS],
    /// How many codes there are of each length.
    counts: [u16; MAX_LEN + 1],
    /// The symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
}

impl<const SYMBOLS: usize, const SLOTS: usize> Code<SYMBOLS, SLOTS> {
    const SHORT: usize = SLOTS.trailing_zeros() as usize;

    pub(super) const EMPTY: Self = Self { slots: [0; SLOTS], counts: [0; MAX_LEN + 1], symbols: [0; SYMBOLS] };

    /// Makes this the code in which symbol `i` has `lens[i]` bits, 0 for none.
    ///
    /// A code that leaves bit strings without a meaning is refused, as zlib does, but for a single code of one bit where
    /// `may_be_single`, and for no code at all, which is a fault only once it is used.
    pub(super) fn rebuild(&mut self, lens: &[u8], may_be_single: bool) -> Result<(), Invalid> {
        self.counts = [0; MAX_LEN + 1];
        lens.iter().for_each(|&len| self.counts[usize::from(len)] += 1);
        self.counts[0] = 0;
        let mut left = 1i32;
        for &count in &self.counts[1..] {
            left = left * 2 - i32::from(count);
            if left < 0 {
                return Err(Invalid);
            }
        }
        let used: u16 = self.counts.iter().sum();
        if left > 0 && used > 0 && !(may_be_single && used == 1 && self.counts[1] == 1) {
            return Err(Invalid);
        }
        self.sort(lens);
        self.fill();
        Ok(())
    }

    fn sort(&mut self, lens: &[u8]) {
        let mut next = [0u16; MAX_LEN + 2];
        for len in 1..=MAX_LEN {
            next[len + 1] = next[len] + self.counts[len];
        }
        for (symbol, &len) in (0u16..).zip(lens) {
            if len > 0 {
                let at = &mut next[usize::from(len)];
                self.symbols[usize::from(*at)] = symbol;
                *at += 1;
            }
        }
    }

    /// Fills the slots: "Huffman codes are packed starting with the most-significant bit of the code" (RFC 1951 §3.1.1),
    /// so that a code stands in its slots with its bits reversed.
    fn fill(&mut self) {
        self.slots = [0; SLOTS];
        let (mut code, mut at) = (0u16, 0);
        for len in 1..=Self::SHORT {
            for _ in 0..self.counts[len] {
                let entry = self.symbols[at] << 4 | len as u16;
                let first = usize::from(code.reverse_bits() >> (16 - len));
                self.slots.iter_mut().skip(first).step_by(1 << len).for_each(|slot| *slot = entry);
                (code, at) = (code + 1, at + 1);
            }
            code <<= 1;
        }
    }

    /// Returns the symbol that the low bits of `bits` begin with and the length of its code, or `None` where the `count`
    /// bits that are here do not tell.
    #[inline]
    pub(super) fn symbol(&self, bits: u64, count: u32) -> Result<Option<(u16, u32)>, Invalid> {
        let entry = self.slots[bits as usize & (SLOTS - 1)];
        let len = u32::from(entry & 15);
        if len == 0 {
            return self.long_symbol(bits, count);
        }
        Ok((len <= count).then_some((entry >> 4, len)))
    }

    /// Returns the literal that `bits`, which are enough, begin with, and the length of its code, if it is a short one.
    #[inline]
    pub(super) fn short_literal(&self, bits: u64) -> Option<(u8, u32)> {
        let entry = self.slots[bits as usize & (SLOTS - 1)];
        let (symbol, len) = (entry >> 4, u32::from(entry & 15));
        (symbol < 256 && len > 0).then_some((symbol as u8, len))
    }

    #[cold]
    fn long_symbol(&self, bits: u64, count: u32) -> Result<Option<(u16, u32)>, Invalid> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for len in 1..=MAX_LEN as u32 {
            if len > count {
                return Ok(None);
            }
            code |= (bits >> (len - 1) & 1) as u32;
            let here = u32::from(self.counts[len as usize]);
            if code - first < here {
                return Ok(Some((self.symbols[(index + code - first) as usize], len)));
            }
            index += here;
            first = (first + here) << 1;
            code <<= 1;
        }
        Err(Invalid)
    }
}
