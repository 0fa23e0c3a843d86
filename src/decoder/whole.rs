//! The frames that most traffic is made of, whole text and binary messages, on paths of their own: one for short ones,
//! which is inlined into the caller's loop, and one behind a call for what that leaves. Where the target has no vectors
//! there is the first one alone, and it takes frames of either role.
//!
//! A run of short frames is a chain from length to length, so the first path is made for few operations between them:
//! what it learnt is in registers, what it calls is inlined, and all that is not common is left to the second one.

use super::Decoder;
use crate::config::Config;
use crate::frame::Frame;
use crate::header::{Form, Header, MASK, MAX_CONTROL_LEN, Start, WHOLE_TEXT};
use crate::mask::{Mask, MaskingKey, SHORT, is_ascii};
use crate::opcode::Opcode;
use crate::status::Status;
use crate::utf8;

impl Decoder {
    /// Unmasks the frame at the front of `buf` if it is masked, short, all here and, where it is text, valid. Returns
    /// where it ends, or `None` for any other: then the bytes are as they were, and the general path looks at it.
    #[inline(always)]
    pub(super) fn unmask_short(&self, first: u8, second: u8, buf: &mut [u8]) -> Option<(usize, MaskingKey)> {
        // Without a MASK bit the length is too long for this path. It becomes an address, which the next frame waits
        // for, by one addition: taken in a byte, or from a header of either length, it took three cycles more.
        let len = usize::from(second).wrapping_sub(0x80);
        if len >= usize::from(self.inline_end) {
            return None;
        }
        let frame = buf.get_mut(..6 + len)?;
        // As a pattern of four bytes it became two loads, a shift and an OR.
        let key = MaskingKey::new(*frame.get(2..)?.first_chunk()?);
        let mask = Mask::new(key);
        mask.apply_to_frame(frame, first == self.valid_text).then_some((6 + len, key))
    }

    /// Judges the frame at the front of `buf` if it is not masked. Returns what [`unmask_short`](Self::unmask_short)
    /// does.
    #[inline(always)]
    pub(super) fn judge_short(&self, first: u8, second: u8, buf: &[u8]) -> Option<usize> {
        let len = usize::from(second);
        if len >= usize::from(self.inline_end) {
            return None;
        }
        let payload = buf.get(2..2 + len)?;
        (first != self.valid_text || is_ascii(payload)).then_some(2 + len)
    }

    /// Does what [`unmask_short`](Self::unmask_short) does, without vectors, to a frame of either role. Returns where
    /// the payload begins and ends, and its key.
    #[inline(always)]
    pub(super) fn unmask_by_words(
        &self,
        first: u8,
        second: u8,
        buf: &mut [u8],
    ) -> Option<(u8, usize, Option<MaskingKey>)> {
        let (mask_bit, start) = if self.is_masked { (MASK, 6) } else { (0, 2) };
        let len = usize::from(second).wrapping_sub(usize::from(mask_bit));
        if len >= usize::from(self.inline_end) {
            return None;
        }
        let end = usize::from(start) + len;
        let (header, payload) = buf.get_mut(..end)?.split_at_mut(usize::from(start));
        let key = if self.is_masked { Some(MaskingKey::new(*header.last_chunk()?)) } else { None };
        // A key of zeros does for none: another look for ASCII, and another validation, would be 100 bytes of flash.
        let mask = Mask::new(key.unwrap_or(MaskingKey::new([0; 4])));
        let is_done = utf8::unmask_by_words(mask, first == self.valid_text, payload);
        is_done.then_some((start, end, key))
    }

    // The key comes in a register: read again from the header that was just written it would wait for the store.
    #[inline(always)]
    pub(super) fn whole_frame<'b>(
        &self,
        first: u8,
        mask: Option<MaskingKey>,
        start: u8,
        payload: &'b mut [u8],
    ) -> Frame<'b> {
        let opcode = if first == WHOLE_TEXT { Opcode::Text } else { Opcode::Binary };
        Frame {
            header: Header { mask, payload_len: payload.len() as u64, ..Header::new(opcode) },
            message_opcode: opcode,
            is_first_part: true,
            is_last_part: true,
            is_valid_text: first == self.valid_text,
            start,
            payload,
        }
    }

    /// Unmasks the frame at the front of `buf` if it is a whole message, all here and, where it is text, valid. Returns
    /// where its payload begins and ends, and its key; or [`Whole::NONE`] for any other: then the bytes are as they
    /// were, and the general path looks at it.
    ///
    /// The general path takes 280 instructions more for a frame of 4 KiB, of 990: it keeps a state between any two
    /// bytes.
    // Out of line, and its result in two registers, of which the caller makes the frame: a frame by way of memory took
    // 30 instructions to write, and five cycles more. Cold, so that a caller's loop keeps what it needs in registers
    // for the short frames, and not for this call: without it these took one to three cycles more. It ends with the
    // kernel, which returns what is to be returned.
    #[cold]
    #[inline(never)]
    pub(super) fn unmask_whole(&self, first: u8, buf: &mut [u8]) -> Whole {
        // A short text that is not ASCII: a fifth of its instructions went into looking at its header as at any other.
        // As a function of its own it took 9 instructions more, and long texts 9 less.
        if first == self.valid_text {
            if self.is_masked {
                if let Some(frame) = self.short_at_front(buf, MASK, 6) {
                    return unmask_text(frame, 6);
                }
            } else if let Some(frame) = self.short_at_front(buf, 0, 2) {
                return judge_text(frame, 2);
            }
        }
        self.find_and_unmask(first, buf)
    }

    /// Returns the frame at the front of `buf`, if it is short and all here: its length stands in one byte with
    /// `mask_bit`, and its payload begins at `start`.
    #[inline(always)]
    fn short_at_front<'b>(&self, buf: &'b mut [u8], mask_bit: u8, start: usize) -> Option<&'b mut [u8]> {
        let len = usize::from(*buf.get(1)?).wrapping_sub(usize::from(mask_bit));
        if len < usize::from(self.inline_end) { buf.get_mut(..start + len) } else { None }
    }

    /// Does what [`unmask_whole`](Self::unmask_whole) does to a frame of any length.
    #[inline(never)]
    fn find_and_unmask(&self, first: u8, buf: &mut [u8]) -> Whole {
        let Some((start, end)) = self.find_whole(buf) else { return Whole::NONE };
        let frame = &mut buf[..end];
        match (self.is_masked, first == self.valid_text) {
            (true, true) => unmask_text(frame, start),
            (true, false) => unmask_binary(frame, start),
            (false, true) => judge_text(frame, start),
            (false, false) => Whole::new(start, end, [0; 4]),
        }
    }

    /// Returns where the payload begins and ends of the whole message at the front of `buf`, if that is within the
    /// limits and all here.
    #[inline(always)]
    fn find_whole(&self, buf: &[u8]) -> Option<(usize, usize)> {
        let (start, _) = Start::parse(buf).complete()?;
        if self.inline_end == 0 || start.is_masked() != self.is_masked {
            return None;
        }
        let Ok(Status::Complete { value: len, consumed: key_at }) = start.parse_len(buf, Form::Minimal) else {
            return None;
        };
        let limits = &self.config.limits;
        if len > limits.frame_len || len > limits.message_len {
            return None;
        }
        let start = if self.is_masked { key_at + 4 } else { key_at };
        let end = usize::try_from(len).ok()?.checked_add(start)?;
        (end <= buf.len()).then_some((start, end))
    }
}

// What is given to these is a frame whose payload begins at `start`.

#[inline(always)]
fn unmask_text(frame: &mut [u8], start: usize) -> Whole {
    let (whole, mask, payload) = parts_of(frame, start);
    if payload.len() > SHORT && mask.is_ascii_at(payload) {
        return utf8::unmask_whole_ascii(mask, payload, whole);
    }
    utf8::unmask_whole(mask, payload, whole)
}

#[inline(always)]
fn unmask_binary(frame: &mut [u8], start: usize) -> Whole {
    let (whole, mut mask, payload) = parts_of(frame, start);
    mask.apply(payload);
    whole
}

#[inline(always)]
fn judge_text(frame: &[u8], start: usize) -> Whole {
    if utf8::is_whole(&frame[start..]) { Whole::new(start, frame.len(), [0; 4]) } else { Whole::NONE }
}

#[inline(always)]
fn parts_of(frame: &mut [u8], start: usize) -> (Whole, Mask, &mut [u8]) {
    let end = frame.len();
    let (header, payload) = frame.split_at_mut(start);
    let key = header.last_chunk().copied().unwrap_or_default();
    (Whole::new(start, end, key), Mask::new(MaskingKey::new(key)), payload)
}

/// Where the payload of a whole message begins and ends, and its key, or zeros: in two registers.
#[derive(Clone, Copy, Default)]
pub(super) struct Whole {
    /// Zero if there is no such message.
    end: usize,
    start_and_key: u64,
}

impl Whole {
    const NONE: Self = Self { end: 0, start_and_key: 0 };

    #[inline(always)]
    fn new(start: usize, end: usize, key: [u8; 4]) -> Self {
        Self { end, start_and_key: u64::from(u32::from_ne_bytes(key)) << 8 | start as u64 }
    }

    #[inline(always)]
    pub(super) fn get(self) -> Option<(u8, usize, MaskingKey)> {
        let key = MaskingKey::new(((self.start_and_key >> 8) as u32).to_ne_bytes());
        (self.end != 0).then_some((self.start_and_key as u8, self.end, key))
    }
}

/// Returns one above the longest payload of a whole message that is short, and within the limits, in this
/// configuration.
pub(super) const fn inline_end(config: &Config) -> u8 {
    let limits = &config.limits;
    let limit = if limits.frame_len < limits.message_len { limits.frame_len } else { limits.message_len };
    if limit < MAX_CONTROL_LEN { limit as u8 + 1 } else { MAX_CONTROL_LEN as u8 + 1 }
}
