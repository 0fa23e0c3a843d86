//! Where a frame is written: bytes, or memory that holds none yet.

#[cfg(feature = "alloc")]
use crate::mask::copy_short_to_uninit;
use crate::mask::{Mask, MaskingKey, SHORT, copy_short};

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
        if payload.len() <= SHORT {
            return copy_short(key, payload, to);
        }
        match key {
            Some(key) => Mask::new(key).apply_to(payload, to),
            None => to.copy_from_slice(payload),
        }
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
            return copy_short_to_uninit(key, payload, to);
        }
        match key {
            Some(key) => Mask::new(key).apply_to_uninit(payload, to),
            None => to.copy_from_slice(payload),
        }
    }
}
