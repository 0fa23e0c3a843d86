//! The three reserved bits RSV1, RSV2, RSV3 (RFC 6455 §5.2).

use core::fmt;
use core::ops::{BitOr, BitOrAssign};

/// A set of the reserved bits RSV1-3, laid out as in the first byte of a frame (0x40, 0x20, 0x10).
///
/// ```
/// use websocket_wire::Rsv;
///
/// let bits = Rsv::RSV1 | Rsv::RSV3;
/// assert_eq!(bits.bits(), 0x50);
/// assert!(bits.contains(Rsv::RSV1) && !bits.contains(Rsv::RSV2));
/// assert_eq!(bits.without(Rsv::RSV1), Rsv::RSV3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rsv(u8);

impl Rsv {
    /// No bit: what every frame carries unless an extension was negotiated.
    pub const NONE: Self = Self(0);
    /// RSV1, which permessage-deflate claims (RFC 7692 §6).
    pub const RSV1: Self = Self(0x40);
    /// RSV2.
    pub const RSV2: Self = Self(0x20);
    /// RSV3.
    pub const RSV3: Self = Self(0x10);
    /// All three bits.
    pub const ALL: Self = Self(0x70);

    /// Returns the reserved bits of a frame's first byte; FIN and the opcode in it are dropped.
    ///
    /// ```
    /// # use websocket_wire::Rsv;
    /// assert_eq!(Rsv::from_first_byte(0xC1), Rsv::RSV1);
    /// ```
    #[inline]
    #[must_use]
    pub const fn from_first_byte(first: u8) -> Self {
        Self(first & Self::ALL.0)
    }

    /// Returns the bits as they stand in the first byte of a frame: a subset of 0x70.
    ///
    /// ```
    /// # use websocket_wire::Rsv;
    /// assert_eq!(Rsv::RSV2.bits(), 0x20);
    /// ```
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Tells whether no bit is set.
    ///
    /// ```
    /// # use websocket_wire::Rsv;
    /// assert!(Rsv::NONE.is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Tells whether every bit of `other` is set in `self`; the empty set is in every set.
    ///
    /// ```
    /// # use websocket_wire::Rsv;
    /// assert!(Rsv::ALL.contains(Rsv::RSV1) && !Rsv::RSV1.contains(Rsv::ALL));
    /// ```
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Tells whether at least one bit is set in both.
    ///
    /// ```
    /// # use websocket_wire::Rsv;
    /// assert!(Rsv::ALL.intersects(Rsv::RSV3) && !Rsv::ALL.intersects(Rsv::NONE));
    /// ```
    #[inline]
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the bits that are in either set.
    ///
    /// ```
    /// # use websocket_wire::Rsv;
    /// assert_eq!(Rsv::RSV1.with(Rsv::RSV2).bits(), 0x60);
    /// ```
    #[inline]
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the bits of `self` that are not in `other`.
    ///
    /// ```
    /// # use websocket_wire::Rsv;
    /// assert_eq!(Rsv::ALL.without(Rsv::RSV1).bits(), 0x30);
    /// ```
    #[inline]
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Rsv {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitOrAssign for Rsv {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.with(other);
    }
}

impl fmt::Debug for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_set();
        for (bit, number) in [(Self::RSV1, 1), (Self::RSV2, 2), (Self::RSV3, 3)] {
            if self.contains(bit) {
                set.entry(&format_args!("RSV{number}"));
            }
        }
        set.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn first_byte_keeps_only_the_three_bits() {
        for first in 0..=u8::MAX {
            assert_eq!(Rsv::from_first_byte(first).bits(), first & 0x70);
        }
    }

    #[test]
    fn debug_names_the_bits() {
        assert_eq!(format!("{:?}", Rsv::RSV1 | Rsv::RSV3), "{RSV1, RSV3}");
        assert_eq!(format!("{:?}", Rsv::NONE), "{}");
    }
}
