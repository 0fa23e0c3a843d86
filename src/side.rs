//! The two sides of a connection, as senders: who masks, and where the keys come from (RFC 6455 §5.1, §5.3).

use core::fmt;

use crate::mask::MaskingKey;

/// Where a client's masking keys come from: one fresh, unpredictable key for every frame.
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source of entropy"
/// (§5.3). Every `FnMut() -> MaskingKey` is one. The encoder asks for a key when it writes a frame and never gives it
/// out before, so none can be used twice by accident.
///
/// ```
/// use websocket_wire::{Encoder, MaskingKey, Opcode};
///
/// let mut draws = 0u8;
/// let mut encoder = Encoder::client(|| {
///     draws += 1; // stands for a cryptographic generator
///     MaskingKey::new([draws; 4])
/// });
/// let mut out = [0; 16];
/// assert_eq!(encoder.encode(Opcode::Binary, &[0], &mut out), Ok(7));
/// assert_eq!(out[..7], [0x82, 0x81, 1, 1, 1, 1, 1]);
/// assert_eq!(encoder.encode(Opcode::Binary, &[0], &mut out), Ok(7));
/// assert_eq!(out[..7], [0x82, 0x81, 2, 2, 2, 2, 2]);
/// ```
pub trait MaskSource {
    /// Returns the key of the next frame.
    fn next_key(&mut self) -> MaskingKey;
}

impl<F: FnMut() -> MaskingKey> MaskSource for F {
    #[inline]
    fn next_key(&mut self) -> MaskingKey {
        self()
    }
}

/// The end that an [`Encoder`](crate::Encoder) sends from: [`Server`] or [`Client`]. No other type can be one.
pub trait Side: sealed::Side {}

/// The side that sends unmasked (§5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Server;

/// The side that masks every frame with a key of the [`MaskSource`] `M` (§5.1).
///
/// It cannot be cloned, nor can an encoder of this side: the clone would give the same keys again.
pub struct Client<M>(M);

impl<M> Client<M> {
    pub(crate) const fn new(masks: M) -> Self {
        Self(masks)
    }
}

impl Side for Server {}
impl<M: MaskSource> Side for Client<M> {}

impl<M> fmt::Debug for Client<M> {
    /// Shows nothing of the source: what keys it gives is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

mod sealed {
    use super::{Client, MaskSource, MaskingKey, Server};

    pub trait Side {
        const IS_MASKED: bool;

        fn next_key(&mut self) -> Option<MaskingKey>;
    }

    impl Side for Server {
        const IS_MASKED: bool = false;

        #[inline]
        fn next_key(&mut self) -> Option<MaskingKey> {
            None
        }
    }

    impl<M: MaskSource> Side for Client<M> {
        const IS_MASKED: bool = true;

        #[inline]
        fn next_key(&mut self) -> Option<MaskingKey> {
            Some(self.0.next_key())
        }
    }
}
