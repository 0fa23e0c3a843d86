//! UTF-8 byte by byte, as the table of well-formed sequences in Unicode and in RFC 3629 has it.

/// Where a text stands: between two code points, or within one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct State {
    /// Bytes of the open code point that are still to come, 0 to 3; zero between two code points.
    // The first one, because it is looked at when all four have just been stored: to load what lies behind the
    // beginning of a store took 5 cycles of a short text on Zen 5.
    needed: u8,
    /// Bytes of it that have been seen, 0 to 3.
    seen: u8,
    /// The least value that the next byte of it may have.
    low: u8,
    /// The greatest value that the next byte of it may have.
    high: u8,
}

impl State {
    /// Between two code points.
    pub(super) const BOUNDARY: Self = State::within(0, 0, 0x80, 0xbf);

    const fn within(seen: u8, needed: u8, low: u8, high: u8) -> Self {
        State { seen, needed, low, high }
    }

    /// Returns the state after `byte`, or nothing if no valid text has this byte here.
    #[inline]
    pub(super) const fn after(self, byte: u8) -> Option<Self> {
        if self.needed == 0 {
            State::after_first(byte)
        } else if byte < self.low || byte > self.high {
            None
        } else if self.needed == 1 {
            Some(State::BOUNDARY)
        } else {
            Some(State::within(self.seen + 1, self.needed - 1, 0x80, 0xbf))
        }
    }

    /// Returns the state after the first byte of a code point.
    ///
    /// The second byte is where overlong forms, surrogates and what is beyond U+10FFFF show.
    const fn after_first(byte: u8) -> Option<Self> {
        Some(match byte {
            0x00..=0x7f => State::BOUNDARY,
            0xc2..=0xdf => State::within(1, 1, 0x80, 0xbf),
            0xe0 => State::within(1, 2, 0xa0, 0xbf),
            0xed => State::within(1, 2, 0x80, 0x9f),
            0xe1..=0xef => State::within(1, 2, 0x80, 0xbf),
            0xf0 => State::within(1, 3, 0x90, 0xbf),
            0xf1..=0xf3 => State::within(1, 3, 0x80, 0xbf),
            0xf4 => State::within(1, 3, 0x80, 0x8f),
            0x80..=0xc1 | 0xf5..=0xff => return None,
        })
    }

    /// Returns the state after all of `bytes`, or the state before the first impossible byte, and its index.
    pub(super) fn after_all(mut self, bytes: &[u8]) -> Result<Self, (Self, usize)> {
        for (i, &byte) in bytes.iter().enumerate() {
            self = self.after(byte).ok_or((self, i))?;
        }
        Ok(self)
    }

    #[inline(always)]
    pub(super) const fn is_boundary(self) -> bool {
        self.needed == 0
    }

    pub(super) const fn seen(self) -> usize {
        self.seen as usize
    }
}
