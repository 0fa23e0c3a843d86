//! The sliding window of DEFLATE (RFC 1951 §2), on the side of the receiver.

use alloc::vec::Vec;

/// The last bytes of the output, as many as a distance may reach back.
pub(super) struct Window {
    /// A ring once it is `size` long; until then it grows.
    bytes: Vec<u8>,
    size: usize,
    /// Where the ring begins.
    at: usize,
}

/// How far back a match may reach.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    size: usize,
    held: usize,
}

impl Reach {
    /// Tells whether a match may have this distance when `written` bytes are in the output and not in the window yet.
    #[inline]
    pub(super) const fn covers(self, distance: usize, written: usize) -> bool {
        distance <= self.size && distance <= self.held + written
    }
}

impl Window {
    pub(super) const fn new(window_bits: u8) -> Self {
        Self { bytes: Vec::new(), size: 1 << window_bits, at: 0 }
    }

    /// Returns how far a match may reach.
    #[inline]
    pub(super) const fn reach(&self) -> Reach {
        Reach { size: self.size, held: self.bytes.len() }
    }

    /// Appends what was written to the output.
    pub(super) fn push(&mut self, out: &[u8]) {
        let out = &out[out.len().saturating_sub(self.size)..];
        let (grown, rest) = out.split_at(out.len().min(self.size - self.bytes.len()));
        if grown.len() > self.bytes.capacity() - self.bytes.len() {
            let capacity = (self.bytes.len() + grown.len()).max(2 * self.bytes.capacity()).min(self.size);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(grown);
        let (behind, front) = rest.split_at(rest.len().min(self.bytes.len() - self.at));
        self.bytes[self.at..self.at + behind.len()].copy_from_slice(behind);
        self.bytes[..front.len()].copy_from_slice(front);
        self.at = if rest.is_empty() { self.at } else { (self.at + rest.len()) % self.size };
    }

    /// Returns what lies `back` bytes before the end, up to where the ring is cut.
    #[inline]
    pub(super) fn from(&self, back: usize) -> &[u8] {
        let start = self.at + self.bytes.len() - back;
        &self.bytes[if start < self.bytes.len() { start } else { start - self.bytes.len() }..]
    }
}
