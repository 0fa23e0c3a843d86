//! The frame that most traffic is made of, a short whole text or binary message, on a path of its own.
//!
//! A run of such frames is a chain from length to length, so this path is made for few operations between them: what it
//! learnt is in registers, what it calls is inlined, and all that is not common is left to the general path.

use super::Decoder;
use crate::config::Config;
use crate::frame::Frame;
use crate::header::{Header, MAX_CONTROL_LEN, WHOLE_TEXT};
use crate::mask::{Mask, MaskingKey, is_ascii};
use crate::opcode::Opcode;
use crate::utf8::Validator;

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
        let [_, _, a, b, c, d, ..] = *frame else { return None };
        let key = MaskingKey::new([a, b, c, d]);
        let mask = Mask::new(key);
        let is_done = if first == WHOLE_TEXT && !self.config.skip_text_validation {
            mask.apply_to_frame::<true>(frame)
        } else {
            mask.apply_to_frame::<false>(frame)
        };
        is_done.then_some((6 + len, key))
    }

    /// Judges the frame at the front of `buf` if it is not masked. Returns what [`unmask_short`](Self::unmask_short) does.
    #[inline(always)]
    pub(super) fn judge_short(&self, first: u8, second: u8, buf: &[u8]) -> Option<usize> {
        let len = usize::from(second);
        if len >= usize::from(self.inline_end) {
            return None;
        }
        let payload = buf.get(2..2 + len)?;
        let is_done = first != WHOLE_TEXT || self.config.skip_text_validation || is_ascii(payload);
        is_done.then_some(2 + len)
    }

    // The key comes in a register: read again from the header that was just written it would wait for the store.
    #[inline(always)]
    pub(super) fn short_frame<'b>(
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
            is_valid_text: first == WHOLE_TEXT && !self.config.skip_text_validation,
            start,
            payload,
        }
    }

    /// Unmasks the frame at the front of `buf` if it is a short text, all here, valid, and not ASCII. Returns where its payload
    /// begins and ends, and its key; or `None`, and the bytes are as they were.
    pub(super) fn unmask_short_text(&self, buf: &mut [u8]) -> Option<(usize, usize, Option<MaskingKey>)> {
        let [WHOLE_TEXT, second, ..] = *buf else { return None };
        let (start, len) =
            if self.is_masked { (6, usize::from(second).wrapping_sub(0x80)) } else { (2, usize::from(second)) };
        if len >= usize::from(self.inline_end) || self.config.skip_text_validation {
            return None;
        }
        let (header, payload) = buf.get_mut(..start + len)?.split_at_mut(start);
        let (key, is_valid) = match *header {
            [_, _, a, b, c, d] => {
                let key = MaskingKey::new([a, b, c, d]);
                (Some(key), unmask_text(Mask::new(key), payload))
            }
            _ => (None, is_text(payload)),
        };
        is_valid.then_some((start, start + len, key))
    }
}

/// Returns one above the longest payload of a whole message that is short, and within the limits, in this
/// configuration.
pub(super) const fn inline_end(config: &Config) -> u8 {
    let limits = &config.limits;
    let limit = if limits.frame_len < limits.message_len { limits.frame_len } else { limits.message_len };
    if limit < MAX_CONTROL_LEN { limit as u8 + 1 } else { MAX_CONTROL_LEN as u8 + 1 }
}

/// Tells whether a whole text message is valid.
fn is_text(payload: &[u8]) -> bool {
    let mut validator = Validator::new();
    validator.push(payload).is_ok() && validator.finish().is_ok()
}

/// Unmasks a whole text message; returns false, the bytes as they were, where it is not valid.
fn unmask_text(mask: Mask, payload: &mut [u8]) -> bool {
    let mut validator = Validator::new();
    let valid_len = match validator.unmask_any(&mut mask.clone(), payload) {
        Ok(()) => payload.len(),
        Err(error) => error.position(),
    };
    if valid_len == payload.len() && validator.finish().is_ok() {
        return true;
    }
    mask.clone().apply(&mut payload[..valid_len]);
    false
}
