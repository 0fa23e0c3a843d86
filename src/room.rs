//! Where a frame is written: bytes, or memory that holds none yet.

use crate::mask::{MaskingKey, SHORT, copy_long, copy_short};
#[cfg(feature = "alloc")]
use crate::mask::{copy_long_to_uninit, copy_short_to_uninit};

/// Memory for a frame, initialised or not.
pub(crate) trait Room {
    /// Writes `bytes` from `at` on; there is the room.
    fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]);

    /// Writes the payload from `at` on, masked if there is a key; there is the room. To be inlined, with the copy of
    /// what is short, for a copy of unknown length is a call: 5 cycles of 11 from a server.
    fn put_payload(&mut self, at: usize, key: Option<MaskingKey>, payload: &[u8]);
}

impl Room for [u8] {
    #[inline(always)]
    fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        self[at..at + N].copy_from_slice(&bytes);
    }

    #[inline(always)]
    fn put_payload(&mut self, at: usize, key: Option<MaskingKey>, payload: &[u8]) {
        let to = &mut self[at..at + payload.len()];
        if payload.len() <= SHORT { copy_short(key, payload, to) } else { copy_long(key, payload, to) }
    }
}

#[cfg(feature = "alloc")]
impl Room for bytes::buf::UninitSlice {
    #[inline(always)]
    fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        self[at..at + N].copy_from_slice(&bytes);
    }

    #[inline(always)]
    fn put_payload(&mut self, at: usize, key: Option<MaskingKey>, payload: &[u8]) {
        let to = &mut self[at..at + payload.len()];
        if payload.len() <= SHORT {
            copy_short_to_uninit(key, payload, to);
        } else {
            copy_long_to_uninit(key, payload, to);
        }
    }
}
