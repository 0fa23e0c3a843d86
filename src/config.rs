//! What an endpoint accepts: its role, its limits, what extensions have claimed, and three relaxations.

use crate::opcode::Opcode;
use crate::rsv::Rsv;

/// Which end of the connection this is. A server receives masked frames, a client unmasked ones (RFC 6455 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// The end that connected: it masks what it sends.
    Client,
    /// The end that was connected to: it sends unmasked.
    Server,
}

/// How much a peer may send before it is refused (RFC 6455 §10.4). All limits are inclusive and always on.
///
/// The lengths are the declared ones, judged before the payload arrives; no limit costs memory.
///
/// ```
/// use websocket_wire::Limits;
///
/// let limits = Limits { frame_len: 4096, ..Limits::DEFAULT };
/// assert_eq!(limits.message_len, 64 << 20);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// The longest payload of one data frame, in bytes. Above: close code 1009. Control frames have 125 of their own.
    pub frame_len: u64,
    /// The longest message, in bytes: the payloads of its frames added up. Above: close code 1009.
    pub message_len: u64,
    /// The most frames that one message may have, empty ones counted. Above: close code 1008. A whole message in one
    /// frame always passes, and `u32::MAX` is no limit.
    pub fragments: u32,
}

impl Limits {
    /// 16 MiB a frame, 64 MiB a message, 131,072 fragments a message.
    pub const DEFAULT: Self = Self { frame_len: 16 << 20, message_len: 64 << 20, fragments: 1 << 17 };
    /// No limits but that the sum of a message fits 64 bits: for an endpoint that trusts its peer, or that counts for
    /// itself.
    pub const NONE: Self = Self { frame_len: u64::MAX, message_len: u64::MAX, fragments: u32::MAX };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What negotiated extensions may use of the reserved bits and opcodes (RFC 6455 §5.8). Nothing unless claimed.
///
/// ```
/// use websocket_wire::{Claims, Opcode, Rsv};
///
/// let claims = Claims::NONE.message_rsv(Rsv::RSV1).opcode(Opcode::Control11);
/// assert!(claims.allows(Opcode::Control11) && claims.allows(Opcode::Text) && !claims.allows(Opcode::Data3));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Claims {
    frame_rsv: Rsv,
    message_rsv: Rsv,
    opcodes: u16,
}

impl Claims {
    /// No claim: no reserved bit, and only the six opcodes of RFC 6455.
    pub const NONE: Self = Self { frame_rsv: Rsv::NONE, message_rsv: Rsv::NONE, opcodes: 0b0000_0111_0000_0111 };

    /// Adds bits that may stand on any frame and leave the payload as it is: text under them is validated.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Opcode, Rsv};
    /// assert_eq!(Claims::NONE.frame_rsv(Rsv::RSV3).allowed_rsv(Opcode::Ping), Rsv::RSV3);
    /// ```
    #[must_use]
    pub const fn frame_rsv(mut self, bits: Rsv) -> Self {
        self.frame_rsv = self.frame_rsv.with(bits);
        self
    }

    /// Adds bits that may stand on the first frame of a data message only, and say that an extension has transformed
    /// the message, as RSV1 of permessage-deflate (RFC 7692 §6): its text is validated after the extension, not here.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Opcode, Rsv};
    /// let claims = Claims::NONE.message_rsv(Rsv::RSV1);
    /// assert_eq!(claims.allowed_rsv(Opcode::Text), Rsv::RSV1);
    /// assert_eq!(claims.allowed_rsv(Opcode::Continuation), Rsv::NONE);
    /// ```
    #[must_use]
    pub const fn message_rsv(mut self, bits: Rsv) -> Self {
        self.message_rsv = self.message_rsv.with(bits);
        self
    }

    /// Adds a reserved opcode. 3-7 begin messages, as binary does; 11-15 are control frames.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Opcode};
    /// assert!(Claims::NONE.opcode(Opcode::Data7).allows(Opcode::Data7));
    /// ```
    #[must_use]
    pub const fn opcode(mut self, opcode: Opcode) -> Self {
        self.opcodes |= 1 << opcode.bits();
        self
    }

    /// Adds all that `other` claims.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Opcode, Rsv};
    /// let one = Claims::NONE.message_rsv(Rsv::RSV1);
    /// let both = one.with(Claims::NONE.opcode(Opcode::Data3));
    /// assert!(both.allows(Opcode::Data3) && both.transforms(Rsv::RSV1));
    /// ```
    #[must_use]
    pub const fn with(mut self, other: Self) -> Self {
        self.frame_rsv = self.frame_rsv.with(other.frame_rsv);
        self.message_rsv = self.message_rsv.with(other.message_rsv);
        self.opcodes |= other.opcodes;
        self
    }

    /// Returns the reserved bits that are claimed, for frames or for messages.
    #[cfg(feature = "alloc")]
    pub(crate) const fn rsv(self) -> Rsv {
        self.frame_rsv.with(self.message_rsv)
    }

    /// Tells whether `opcode` is a reserved one that is claimed.
    #[cfg(feature = "alloc")]
    pub(crate) const fn owns(self, opcode: Opcode) -> bool {
        self.allows(opcode) && !Self::NONE.allows(opcode)
    }

    /// Returns `rsv` without the bits that say that a message has been transformed.
    #[cfg(feature = "alloc")]
    pub(crate) const fn undone(self, rsv: Rsv) -> Rsv {
        rsv.without(self.message_rsv)
    }

    /// Tells whether frames of this opcode are admitted.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Opcode};
    /// assert!(Claims::NONE.allows(Opcode::Ping) && !Claims::NONE.allows(Opcode::Control15));
    /// ```
    #[inline]
    #[must_use]
    pub const fn allows(self, opcode: Opcode) -> bool {
        self.opcodes >> opcode.bits() & 1 != 0
    }

    /// Returns the reserved bits that a frame of this opcode may carry.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Opcode, Rsv};
    /// assert_eq!(Claims::NONE.allowed_rsv(Opcode::Text), Rsv::NONE);
    /// ```
    #[inline]
    #[must_use]
    pub const fn allowed_rsv(self, opcode: Opcode) -> Rsv {
        let begins_message = opcode.is_data() && !matches!(opcode, Opcode::Continuation);
        if begins_message { self.frame_rsv.with(self.message_rsv) } else { self.frame_rsv }
    }

    /// Tells whether a message whose first frame carries `rsv` has been transformed by an extension.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Rsv};
    /// assert!(Claims::NONE.message_rsv(Rsv::RSV1).transforms(Rsv::RSV1));
    /// ```
    #[inline]
    #[must_use]
    pub const fn transforms(self, rsv: Rsv) -> bool {
        self.message_rsv.intersects(rsv)
    }
}

impl Default for Claims {
    fn default() -> Self {
        Self::NONE
    }
}

/// What a [`Decoder`](crate::Decoder) accepts. Strict in everything, with three relaxations that peers in the field
/// have asked for.
///
/// ```
/// use websocket_wire::{Config, Decoder, Limits};
///
/// let config = Config::server().limits(Limits { message_len: 1 << 20, ..Limits::DEFAULT });
/// let decoder = Decoder::new(config);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Config {
    pub(crate) role: Role,
    pub(crate) limits: Limits,
    pub(crate) claims: Claims,
    pub(crate) allow_non_minimal_length: bool,
    pub(crate) allow_mask_mismatch: bool,
    pub(crate) skip_text_validation: bool,
}

impl Config {
    /// Returns the strict configuration of an endpoint in the given role.
    ///
    /// ```
    /// # use websocket_wire::{Config, Role};
    /// assert_eq!(Config::new(Role::Client), Config::client());
    /// ```
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self {
            role,
            limits: Limits::DEFAULT,
            claims: Claims::NONE,
            allow_non_minimal_length: false,
            allow_mask_mismatch: false,
            skip_text_validation: false,
        }
    }

    /// Returns the strict configuration of a client: it refuses masked frames.
    ///
    /// ```
    /// # use websocket_wire::{Config, DecodeError, Decoder};
    /// let mut decoder = Decoder::new(Config::client());
    /// assert_eq!(decoder.decode(&mut *b"\x82\x80\0\0\0\0".to_vec()).unwrap_err(), DecodeError::UnexpectedMask);
    /// ```
    #[must_use]
    pub const fn client() -> Self {
        Self::new(Role::Client)
    }

    /// Returns the strict configuration of a server: it refuses frames without a mask.
    ///
    /// ```
    /// # use websocket_wire::{Config, DecodeError, Decoder};
    /// let mut decoder = Decoder::new(Config::server());
    /// assert_eq!(decoder.decode(&mut *b"\x82\x00".to_vec()).unwrap_err(), DecodeError::MissingMask);
    /// ```
    #[must_use]
    pub const fn server() -> Self {
        Self::new(Role::Server)
    }

    /// Sets the limits; [`Limits::DEFAULT`] unless called.
    ///
    /// ```
    /// # use websocket_wire::{Config, DecodeError, Decoder, Limits};
    /// let config = Config::client().limits(Limits { frame_len: 1, ..Limits::DEFAULT });
    /// let error = Decoder::new(config).decode(&mut [0x82, 2]).unwrap_err();
    /// assert_eq!(error, DecodeError::FrameTooLong);
    /// ```
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what negotiated extensions may use; [`Claims::NONE`] unless called.
    ///
    /// ```
    /// # use websocket_wire::{Claims, Config, Decoder, Opcode, Rsv, Status};
    /// let config = Config::client().claims(Claims::NONE.message_rsv(Rsv::RSV1));
    /// let mut compressed = [0xC1, 1, 0xFF]; // not UTF-8, and not to be until it is inflated
    /// let Ok(Status::Complete { value, .. }) = Decoder::new(config).decode(&mut compressed) else { panic!() };
    /// assert_eq!(value.payload(), [0xFF]);
    /// ```
    #[must_use]
    pub const fn claims(mut self, claims: Claims) -> Self {
        self.claims = claims;
        self
    }

    /// Accepts a length in a longer form than it needs, against §5.2. The top bit of a 64-bit length stays refused.
    ///
    /// ```
    /// # use websocket_wire::{Config, Decoder};
    /// let mut decoder = Decoder::new(Config::client().allow_non_minimal_length());
    /// assert!(decoder.decode(&mut [0x82, 126, 0, 1, 0xFF]).is_ok());
    /// ```
    #[must_use]
    pub const fn allow_non_minimal_length(mut self) -> Self {
        self.allow_non_minimal_length = true;
        self
    }

    /// Accepts a MASK bit that does not fit the role, against §5.1. What is masked is unmasked, what is not is left.
    ///
    /// ```
    /// # use websocket_wire::{Config, Decoder};
    /// let mut decoder = Decoder::new(Config::server().allow_mask_mismatch());
    /// assert!(decoder.decode(&mut [0x82, 1, 0xFF]).is_ok());
    /// ```
    #[must_use]
    pub const fn allow_mask_mismatch(mut self) -> Self {
        self.allow_mask_mismatch = true;
        self
    }

    /// Leaves text messages unvalidated, against §8.1. Close reasons are validated all the same, and
    /// [`Frame::text`](crate::Frame::text) then never gives a `&str`.
    ///
    /// ```
    /// # use websocket_wire::{Config, Decoder};
    /// let mut decoder = Decoder::new(Config::client().skip_text_validation());
    /// assert!(decoder.decode(&mut [0x81, 1, 0xFF]).is_ok());
    /// ```
    #[must_use]
    pub const fn skip_text_validation(mut self) -> Self {
        self.skip_text_validation = true;
        self
    }
}
