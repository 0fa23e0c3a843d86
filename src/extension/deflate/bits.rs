//! The bits of a DEFLATE stream, from the lowest of each byte on (RFC 1951 §3.1.1).

/// What was taken from the input and not used.
#[derive(Clone, Copy)]
pub(super) struct Bits {
    /// The next bit is the lowest; those above `count` are zero, but for [`refill`](Self::refill).
    bits: u64,
    count: u32,
}

/// What [`Bits::refill`] takes from the input at most, and has to see, in bytes.
pub(super) const WORD: usize = 8;

impl Bits {
    pub(super) const NONE: Self = Self { bits: 0, count: 0 };

    pub(super) const fn count(self) -> u32 {
        self.count
    }

    /// Returns the next bits, as many as are here, and zeros behind them.
    #[inline]
    pub(super) const fn peek(self) -> u64 {
        self.bits
    }

    /// Takes bytes from the input and tells whether there are `wanted` bits now: at most 56.
    #[inline]
    pub(super) fn fill(&mut self, wanted: u32, input: &mut &[u8]) -> bool {
        if self.count < wanted && input.len() >= WORD {
            self.refill(input);
            self.trim();
        }
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

    /// Takes bytes from the input, which has [`WORD`], until there are at least 56 bits.
    ///
    /// Of the byte behind them there may be bits too, above `count`. They are put there again with that byte, or taken
    /// away by [`trim`](Self::trim), before anything but `refill` and `skip` is called.
    #[inline]
    pub(super) fn refill(&mut self, input: &mut &[u8]) {
        if let Some(word) = input.first_chunk::<WORD>() {
            self.bits |= u64::from_le_bytes(*word) << self.count;
            *input = &input[((63 - self.count) / 8) as usize..];
            self.count |= 56;
        }
    }

    #[inline]
    pub(super) const fn trim(&mut self) {
        self.bits &= (1 << self.count) - 1;
    }

    /// Uses `count` bits, which are here.
    #[inline]
    pub(super) const fn skip(&mut self, count: u32) {
        self.bits = self.bits.wrapping_shr(count);
        self.count = self.count.wrapping_sub(count);
    }

    /// Uses `count` bits, which are here, and returns them: at most 16.
    #[inline]
    pub(super) const fn take(&mut self, count: u32) -> usize {
        let value = self.bits & ((1 << count) - 1);
        self.skip(count);
        value as usize
    }

    /// Uses what is left of the byte.
    pub(super) const fn skip_to_byte(&mut self) {
        self.skip(self.count & 7);
    }
}
