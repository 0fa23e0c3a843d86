//! The opcode: what a frame is (RFC 6455 §5.2).

/// The 4-bit opcode of a frame: the six that RFC 6455 defines and the ten that it reserves for extensions.
///
/// Every 4-bit value has a name, so that an extension can claim a reserved opcode
/// ([`Claims::opcode`](crate::Claims::opcode)) and an inspector can show what it sees. Whether an opcode is
/// *admitted* on a connection is the decoder's business, not this type's.
///
/// ```
/// use websocket_wire::Opcode;
///
/// assert_eq!(Opcode::from_bits(0x9), Some(Opcode::Ping));
/// assert!(Opcode::Ping.is_control());
/// assert!(Opcode::Data3.is_data() && Opcode::Data3.is_reserved());
/// assert_eq!(Opcode::from_bits(0x10), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Opcode {
    /// `%x0`: a further fragment of the message that is open.
    Continuation = 0x0,
    /// `%x1`: a text message, or its first fragment.
    Text = 0x1,
    /// `%x2`: a binary message, or its first fragment.
    Binary = 0x2,
    /// `%x3`: reserved for a further data frame.
    Data3 = 0x3,
    /// `%x4`: reserved for a further data frame.
    Data4 = 0x4,
    /// `%x5`: reserved for a further data frame.
    Data5 = 0x5,
    /// `%x6`: reserved for a further data frame.
    Data6 = 0x6,
    /// `%x7`: reserved for a further data frame.
    Data7 = 0x7,
    /// `%x8`: a connection close.
    Close = 0x8,
    /// `%x9`: a ping.
    Ping = 0x9,
    /// `%xA`: a pong.
    Pong = 0xA,
    /// `%xB`: reserved for a further control frame.
    Control11 = 0xB,
    /// `%xC`: reserved for a further control frame.
    Control12 = 0xC,
    /// `%xD`: reserved for a further control frame.
    Control13 = 0xD,
    /// `%xE`: reserved for a further control frame.
    Control14 = 0xE,
    /// `%xF`: reserved for a further control frame.
    Control15 = 0xF,
}

impl Opcode {
    /// All sixteen opcodes, each at the index of its value.
    pub const ALL: [Self; 16] = [
        Self::Continuation,
        Self::Text,
        Self::Binary,
        Self::Data3,
        Self::Data4,
        Self::Data5,
        Self::Data6,
        Self::Data7,
        Self::Close,
        Self::Ping,
        Self::Pong,
        Self::Control11,
        Self::Control12,
        Self::Control13,
        Self::Control14,
        Self::Control15,
    ];

    /// Returns the opcode with the value `bits`, or `None` where `bits` is above 15.
    ///
    /// ```
    /// # use websocket_wire::Opcode;
    /// assert_eq!(Opcode::from_bits(1), Some(Opcode::Text));
    /// ```
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits < 16 { Some(Self::of_first_byte(bits)) } else { None }
    }

    /// Returns the opcode in the low four bits of a frame's first byte; the high four are not looked at.
    #[inline]
    pub(crate) const fn of_first_byte(first: u8) -> Self {
        match first & 0x0F {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x3 => Self::Data3,
            0x4 => Self::Data4,
            0x5 => Self::Data5,
            0x6 => Self::Data6,
            0x7 => Self::Data7,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            0xB => Self::Control11,
            0xC => Self::Control12,
            0xD => Self::Control13,
            0xE => Self::Control14,
            _ => Self::Control15,
        }
    }

    /// Returns the value on the wire, 0-15.
    ///
    /// ```
    /// # use websocket_wire::Opcode;
    /// assert_eq!(Opcode::Pong.bits(), 0xA);
    /// ```
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Tells whether frames of this opcode are control frames (8-15), which are whole and at most 125 bytes (§5.5).
    ///
    /// ```
    /// # use websocket_wire::Opcode;
    /// assert!(Opcode::Close.is_control() && !Opcode::Continuation.is_control());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }

    /// Tells whether frames of this opcode are data frames (0-7), which may be fragments of a message (§5.6).
    ///
    /// ```
    /// # use websocket_wire::Opcode;
    /// assert!(Opcode::Continuation.is_data() && !Opcode::Close.is_data());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_data(self) -> bool {
        !self.is_control()
    }

    /// Tells whether RFC 6455 reserves this opcode for extensions (3-7 and 11-15).
    ///
    /// ```
    /// # use websocket_wire::Opcode;
    /// assert!(Opcode::Control11.is_reserved() && !Opcode::Binary.is_reserved());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        self.bits() & 0x7 > 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_own_name_and_class() {
        for bits in 0..=u8::MAX {
            let Some(opcode) = Opcode::from_bits(bits) else {
                assert!(bits > 15);
                continue;
            };
            assert_eq!(opcode.bits(), bits);
            assert_eq!(opcode.is_control(), (8..=15).contains(&bits));
            assert_eq!(opcode.is_data(), bits <= 7);
            assert_eq!(opcode.is_reserved(), matches!(bits, 3..=7 | 11..=15));
        }
    }
}
