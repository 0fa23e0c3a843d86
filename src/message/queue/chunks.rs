//! Frames in the order in which they go out, some of them in memory that they share.

use alloc::collections::VecDeque;
use core::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

use crate::encoder::Encoder;
use crate::error::EncodeError;
use crate::header::Header;
use crate::side::Side;

/// The least and the most that is allocated ahead of what is to be appended, in bytes.
const BLOCK: core::ops::RangeInclusive<usize> = 128..=4096;

/// The most that is queued here, in bytes: of two, a `usize` holds the sum.
const MAX_LEN: usize = isize::MAX as usize;

/// How many entries an empty queue keeps room for.
const ENTRIES: usize = 16;

/// Encoded frames, one behind the other. What is appended is copied into blocks, what is shared lies between them. A
/// header is never cut.
///
/// Appending and removing take constant time a byte copied and a piece shared. Memory is what the frames take, 4 KiB at
/// most ahead of them, and for each block and each piece shared an entry of 32 bytes and its count of references.
#[derive(Default)]
pub(super) struct Chunks {
    sealed: VecDeque<Bytes>,
    /// The last block, which is appended to.
    tail: BytesMut,
    /// How long the last block was when it was made.
    block: usize,
    len: usize,
}

impl Chunks {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Checks that a frame of `len` bytes and a header can be counted: payloads that are shared may be longer together
    /// than memory.
    pub(super) fn check_room(&self, len: usize) -> Result<(), EncodeError> {
        let len = self.len.saturating_add(len).saturating_add(Header::MAX_LEN);
        if len > MAX_LEN { Err(EncodeError::PayloadTooLong) } else { Ok(()) }
    }

    /// Appends a frame, its payload copied. Returns its length.
    pub(super) fn put<S: Side>(
        &mut self,
        encoder: &mut Encoder<S>,
        header: Header,
        payload: &[u8],
    ) -> Result<usize, EncodeError> {
        self.check_room(payload.len())?;
        let needed = Header::MAX_LEN + payload.len();
        if needed > *BLOCK.end() {
            let mut frame = BytesMut::with_capacity(needed);
            encoder.encode_to(header, payload, &mut frame)?;
            let added = frame.len();
            self.push(frame.freeze());
            return Ok(added);
        }
        let tail = self.room(needed);
        let before = tail.len();
        encoder.encode_to(header, payload, tail)?;
        let added = tail.len() - before;
        self.len += added;
        Ok(added)
    }

    /// Appends a frame, its payload shared. Returns its length.
    pub(super) fn share<S: Side>(
        &mut self,
        encoder: &mut Encoder<S>,
        header: Header,
        payload: Bytes,
    ) -> Result<usize, EncodeError> {
        self.check_room(payload.len())?;
        let header = encoder.header(header, payload.len() as u64)?;
        self.room(header.len()).extend_from_slice(&header);
        self.len += header.len();
        let added = header.len() + payload.len();
        self.push(payload);
        Ok(added)
    }

    /// Appends bytes that are shared.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if !self.tail.is_empty() {
            self.sealed.push_back(self.tail.split().freeze());
        }
        self.len += bytes.len();
        self.sealed.push_back(bytes);
    }

    /// Removes, from in front of the last `kept` bytes, the `count` bytes there, if all of them are in the last block.
    /// Tells whether they were.
    pub(super) fn remove_before_last(&mut self, kept: usize, count: usize) -> bool {
        let Some(at) = self.tail.len().checked_sub(kept + count) else { return false };
        self.tail.copy_within(at + count.., at);
        self.tail.truncate(at + kept);
        self.len -= count;
        true
    }

    /// Keeps only the first `len` bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        let mut left = len;
        for chunk in &mut self.sealed {
            chunk.truncate(left);
            left -= chunk.len();
        }
        self.sealed.retain(|chunk| !chunk.is_empty());
        self.tail.truncate(left);
        self.len = self.len.min(len);
    }

    /// Removes the first `count` bytes, which are here.
    pub(super) fn advance(&mut self, count: usize) {
        self.len -= count;
        let mut left = count;
        while let Some(chunk) = self.sealed.front_mut() {
            let step = left.min(chunk.len());
            chunk.advance(step);
            left -= step;
            if !chunk.is_empty() {
                return;
            }
            self.sealed.pop_front();
        }
        if self.sealed.capacity() > ENTRIES && self.sealed.is_empty() {
            self.sealed = VecDeque::new();
        }
        self.tail.advance(left);
    }

    /// Returns what lies in one piece at the front: a whole header at least, if a frame begins there.
    pub(super) fn front(&self) -> &[u8] {
        self.sealed.front().map_or(&self.tail, |chunk| chunk)
    }

    /// Returns the pieces of which `range` consists, in order; none of them is empty.
    pub(super) fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let mut at = 0;
        let pieces = self.sealed.iter().map(|chunk| &chunk[..]).chain([&self.tail[..]]);
        let clipped = pieces.map_while(move |piece| {
            let start = at;
            at += piece.len();
            let end = range.end.checked_sub(start)?.min(piece.len());
            Some(&piece[range.start.saturating_sub(start).min(end)..end])
        });
        clipped.filter(|piece| !piece.is_empty())
    }

    /// Returns the last block, which has room for `needed` bytes more.
    fn room(&mut self, needed: usize) -> &mut BytesMut {
        if !self.tail.try_reclaim(needed) {
            if !self.tail.is_empty() {
                self.sealed.push_back(core::mem::take(&mut self.tail).freeze());
            }
            // Twice as much as last time, so that a queue that is emptied again and again comes to need no more.
            self.block = (2 * self.block).clamp(*BLOCK.start(), *BLOCK.end());
            self.tail = BytesMut::with_capacity(needed.max(self.block));
        }
        &mut self.tail
    }
}
