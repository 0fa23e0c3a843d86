//! The frames that most traffic is made of, whole text and binary messages, on paths of their own: one for short ones,
//! which is inlined into the caller's loop, and one behind a call for what that leaves, where the target has vectors.
//!
//! A run of short frames is a chain from length to length, so the first path is made for few operations between them:
//! what it learnt is in registers, what it calls is inlined, and all that is not common is left to the second one.

use super::Decoder;
use crate::config::Config;
use crate::frame::Frame;
use crate::header::{Form, Header, MAX_CONTROL_LEN, Start, WHOLE_TEXT};
use crate::mask::{Mask, MaskingKey, SHORT, is_ascii};
use crate::opcode::Opcode;
use crate::simd;
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
        let is_text = first == self.valid_text;
        let is_done = if !simd::VECTORS {
            utf8::unmask_by_words(mask, is_text, &mut frame[6..])
        } else {
            mask.apply_to_frame(frame, is_text)
        };
        is_done.then_some((6 + len, key))
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
        // Without vectors `unmask_whole` is not asked afterwards.
        let is_done = first != self.valid_text || is_ascii(payload) || !simd::VECTORS && utf8::is_whole(payload);
        is_done.then_some(2 + len)
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
    /// where its payload begins and ends, and its key; or `None` for any other: then the bytes are as they were, and
    /// the general path looks at it.
    ///
    /// The general path takes 280 instructions more for a frame of 4 KiB, of 990: it keeps a state between any two
    /// bytes.
    // Out of line, and its result in two registers, of which the caller makes the frame: a frame by way of memory took
    // 30 instructions to write, and five cycles more. Cold, so that a caller's loop keeps what it needs in registers
    // for the short frames, and not for this call: without it these took one to three cycles more.
    #[cold]
    #[inline(never)]
    pub(super) fn unmask_whole(&self, first: u8, buf: &mut [u8]) -> Whole {
        let Some((start, end)) = self.find_whole(buf) else { return Whole::NONE };
        let (header, payload) = buf[..end].split_at_mut(start);
        let is_text = first == self.valid_text;
        if !self.is_masked {
            let is_done = !is_text || utf8::is_whole(payload);
            return if is_done { Whole::new(start, end, [0; 4]) } else { Whole::NONE };
        }
        let Some(&key) = header.last_chunk() else { return Whole::NONE };
        let (whole, mut mask) = (Whole::new(start, end, key), Mask::new(MaskingKey::new(key)));
        if !is_text {
            mask.apply(payload);
            return whole;
        }
        if payload.len() > SHORT && mask.is_ascii_at(payload) {
            let ascii = mask.apply_while_ascii(payload);
            return if ascii == payload.len() { whole } else { unmask_rest(&mut buf[..end], whole, ascii) };
        }
        match utf8::unmask_whole(mask, payload) {
            Ok(()) => whole,
            Err(unmasked) => mask_again(&mut buf[..end], whole, unmasked),
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

// What follows is given the frame and what is to be returned, and finds out the rest again: what is not needed behind a
// call of a kernel takes no register that has to be saved.

/// Unmasks the rest of a text that begins with `ascii` bytes of ASCII, which are unmasked.
#[inline(never)]
fn unmask_rest(frame: &mut [u8], whole: Whole, ascii: usize) -> Whole {
    let Some((start, _, key)) = whole.get() else { return Whole::NONE };
    let mut mask = Mask::new(key);
    mask.advance(ascii);
    match utf8::unmask_whole(mask, &mut frame[usize::from(start) + ascii..]) {
        Ok(()) => whole,
        Err(unmasked) => mask_again(frame, whole, ascii + unmasked),
    }
}

/// Masks `unmasked` bytes again, of a text that is not valid.
#[cold]
#[inline(never)]
fn mask_again(frame: &mut [u8], whole: Whole, unmasked: usize) -> Whole {
    if let Some((start, _, key)) = whole.get() {
        Mask::new(key).apply(&mut frame[usize::from(start)..][..unmasked]);
    }
    Whole::NONE
}

/// Where the payload of a whole message begins and ends, and its key, or zeros: in two registers.
#[derive(Clone, Copy)]
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
