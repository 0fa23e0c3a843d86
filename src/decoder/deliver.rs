//! The payload of the current frame: unmasked, judged, and left where it lies or joined to the parts before it.

use super::{Current, Decoder, State};
use crate::close::CloseFrame;
use crate::error::DecodeError;
use crate::frame::Frame;
use crate::header::Header;
use crate::mask::Mask;
use crate::opcode::Opcode;
use crate::simd;
use crate::status::Status;
use crate::utf8::Utf8Error;

/// A part that is to be delivered.
#[cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "nobody joins parts"))]
pub(crate) struct Coming<'a> {
    pub(crate) header: &'a Header,
    pub(crate) message_opcode: Opcode,
    pub(crate) len: usize,
    pub(crate) is_first_part: bool,
    pub(crate) is_last_part: bool,
}

#[cfg(feature = "alloc")]
impl Coming<'_> {
    /// Tells whether this is a whole message.
    pub(crate) const fn is_message(&self) -> bool {
        let is_first = self.is_first_part && !matches!(self.header.opcode, Opcode::Continuation);
        is_first && self.is_last_part && self.header.fin
    }
}

/// Who may want a part joined to others.
pub(crate) trait Place {
    /// Returns where the part is to be joined to others, with the room for it, or `None` where it is to be left in the
    /// buffer.
    fn room(&mut self, coming: &Coming<'_>) -> Option<&mut Joined>;
}

/// Where the parts of a message are joined.
#[cfg(feature = "alloc")]
pub(crate) type Joined = alloc::vec::Vec<u8>;
/// Without a heap there is no such place.
#[cfg(not(feature = "alloc"))]
pub(crate) enum Joined {}

impl Decoder {
    /// Unmasks, judges and returns the payload of `current` that lies in `buf` from `start` on.
    #[inline(always)]
    pub(super) fn deliver<'b>(
        &mut self,
        start: usize,
        buf: &'b mut [u8],
        place: Option<&mut dyn Place>,
    ) -> Result<Status<Frame<'b>>, DecodeError> {
        let Current { message_opcode, remaining, .. } = self.current;
        let here = buf.get_mut(start..).unwrap_or_default();
        let len = remaining.min(here.len());
        if len == 0 && remaining > 0 {
            return Ok(Status::Partial { needed: 1 });
        }
        let header = &self.current.header;
        let is_first_part = remaining == header.payload_len as usize;
        let is_last_part = len == remaining;
        let part = &mut here[..len];
        let coming = Coming { header, message_opcode, len, is_first_part, is_last_part };
        let (valid_len, payload) = match place.and_then(|place| place.room(&coming)) {
            Some(joined) => (self.unmask_to(part, joined, is_last_part)?, &mut [][..]),
            None => {
                let valid_len = self.unmask(part, is_last_part)?;
                (valid_len, part.get_mut(..valid_len).unwrap_or_default())
            }
        };
        if valid_len == 0 && len > 0 {
            return Err(DecodeError::InvalidUtf8);
        }
        self.current.remaining -= valid_len;
        let Current { header, message_opcode, remaining, .. } = self.current;
        let is_last_part = remaining == 0;
        self.state = if valid_len < len {
            State::Failed(DecodeError::InvalidUtf8)
        } else if !is_last_part {
            State::Payload
        } else if header.opcode == Opcode::Close {
            State::Closed
        } else {
            State::Header
        };
        let is_message = is_first_part && is_last_part && header.fin;
        let is_valid_text = is_message && self.validates && header.opcode == Opcode::Text;
        let value =
            Frame { header, message_opcode, is_first_part, is_last_part, is_valid_text, start: start as u8, payload };
        Ok(Status::Complete { value, consumed: start + valid_len })
    }

    /// Unmasks `payload` and returns how much of it is without fault; the rest is left masked.
    fn unmask(&mut self, payload: &mut [u8], is_last: bool) -> Result<usize, DecodeError> {
        let before = self.current.mask;
        let Header { opcode, fin, mask, .. } = self.current.header;
        if opcode.is_data() && self.validates {
            let ends_message = is_last && fin;
            return self.unmask_validated(payload, ends_message);
        }
        if mask.is_some() {
            self.current.mask.apply(payload);
        }
        if opcode == Opcode::Close
            && let Err(error) = CloseFrame::parse(payload)
        {
            // Masking again takes the mask off the mask: the buffer is as it was.
            let mut mask = before;
            mask.apply(payload);
            return Err(error.into());
        }
        Ok(payload.len())
    }

    /// Appends `part`, of a data frame, to `joined`, unmasked, and returns how much of it is without fault; the rest is
    /// not appended.
    #[cfg(feature = "alloc")]
    #[inline(never)]
    fn unmask_to(&mut self, part: &[u8], joined: &mut Joined, is_last: bool) -> Result<usize, DecodeError> {
        let Header { fin, mask, .. } = self.current.header;
        if !self.validates {
            match mask {
                Some(_) => self.current.mask.append(part, joined),
                None => joined.extend_from_slice(part),
            }
            return Ok(part.len());
        }
        let mut ascii = 0;
        if mask.is_some() && self.validator.is_boundary() {
            ascii = self.current.mask.append_while_ascii(part, joined);
            if ascii == part.len() {
                return Ok(ascii);
            }
        }
        let at = joined.len();
        joined.extend_from_slice(&part[ascii..]);
        let rest = &mut joined[at..];
        let before = self.current.mask;
        let result = match mask {
            Some(_) => self.validator.unmask_any(&mut self.current.mask, rest),
            None => self.validator.push(rest),
        };
        let valid_len = self.closed(result, before, rest, is_last && fin);
        joined.truncate(at + valid_len.unwrap_or(0));
        Ok(ascii + valid_len?)
    }

    #[cfg(not(feature = "alloc"))]
    fn unmask_to(&mut self, _part: &[u8], joined: &mut Joined, _is_last: bool) -> Result<usize, DecodeError> {
        match *joined {}
    }

    /// Unmasks `payload` of a text message up to its first fault.
    fn unmask_validated(&mut self, payload: &mut [u8], ends_message: bool) -> Result<usize, DecodeError> {
        let before = self.current.mask;
        // Without vectors a key of zeros does for none: a second call would be flash, and ASCII goes faster by words.
        let result = if simd::VECTORS && self.current.header.mask.is_none() {
            self.validator.push(payload)
        } else {
            self.validator.unmask(&mut self.current.mask, payload)
        };
        self.closed(result, before, payload, ends_message)
    }

    /// Returns how much of `payload` is without fault, given what the validator has found in it, and that the message
    /// ends with it.
    #[inline(always)]
    fn closed(
        &self,
        result: Result<(), Utf8Error>,
        before: Mask,
        payload: &mut [u8],
        ends_message: bool,
    ) -> Result<usize, DecodeError> {
        if let Err(error) = result {
            return Ok(error.position());
        }
        // The end of the message closes the validator, not its last byte: an empty final fragment must fail a code
        // point that is open. Where there is a last byte, it is the one that no valid text can end with.
        if ends_message && self.validator.finish().is_err() {
            let Some((last, rest)) = payload.split_last_mut() else {
                return Err(DecodeError::InvalidUtf8);
            };
            let mut mask = before;
            mask.advance(rest.len());
            *last = mask.peek(*last);
            return Ok(rest.len());
        }
        Ok(payload.len())
    }
}
