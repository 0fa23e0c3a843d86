//! Compressors for connections that keep no context.

use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Tuning;

/// Compressors that many connections share: each is lent for one message.
///
/// A server with a million idle connections and no context takeover has as many compressors as messages that are being
/// compressed at once, and keeps a few idle ones.
///
/// ```
/// use websocket_wire::extension::deflate::{Pool, Tuning};
///
/// let pool = Pool::new(15, Tuning::DEFAULT, 8);
/// assert_eq!(pool.idle(), 0); // the first message makes the first compressor
/// ```
pub struct Pool {
    window_bits: u8,
    tuning: Tuning,
    max_idle: usize,
    idle: Mutex<Vec<zlib_rs::Deflate>>,
}

impl Pool {
    /// Returns a pool of compressors with this window and tuning, which keeps up to `max_idle` of them.
    ///
    /// ```
    /// # use websocket_wire::extension::deflate::{Pool, Tuning};
    /// assert_eq!(Pool::new(9, Tuning::DEFAULT, 1).idle(), 0);
    /// ```
    #[must_use]
    pub const fn new(window_bits: u8, tuning: Tuning, max_idle: usize) -> Self {
        Self { window_bits, tuning, max_idle, idle: Mutex::new(Vec::new()) }
    }

    /// Returns how many compressors wait for the next message.
    ///
    /// ```
    /// # use websocket_wire::extension::deflate::{Pool, Tuning};
    /// assert_eq!(Pool::new(15, Tuning::DEFAULT, 0).idle(), 0);
    /// ```
    #[must_use]
    pub fn idle(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn fits(&self, window_bits: u8, tuning: Tuning) -> bool {
        let memory = |tuning: Tuning| (tuning.level, tuning.mem_level);
        self.window_bits == window_bits && memory(self.tuning) == memory(tuning)
    }

    pub(super) fn take(&self) -> Option<zlib_rs::Deflate> {
        self.lock().pop()
    }

    /// Takes back a compressor whose context has ended.
    pub(super) fn give(&self, compressor: zlib_rs::Deflate) {
        let mut idle = self.lock();
        if idle.len() < self.max_idle {
            idle.push(compressor);
        }
    }

    /// A panic elsewhere leaves the list whole: nothing here can stop half-way.
    fn lock(&self) -> MutexGuard<'_, Vec<zlib_rs::Deflate>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("window_bits", &self.window_bits)
            .field("idle", &self.idle())
            .finish_non_exhaustive()
    }
}
