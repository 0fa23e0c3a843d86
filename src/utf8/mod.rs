//! UTF-8 validation of text that arrives in pieces (RFC 6455 §5.6 and §8.1).

mod kernel;
mod scalar;
mod state;
#[cfg(test)]
mod tests;

use core::fmt;

use crate::{
    mask::{Mask, kernel::SHORT},
    simd,
};
use kernel::{Fault, Text};
use state::State;

/// A validator of UTF-8 that can be interrupted after any byte.
///
/// It fails at the first byte that no valid text can contain at that place, even if the text is not complete yet.
/// Overlong forms, surrogates and what is beyond U+10FFFF are refused; every other code point, U+0000 and noncharacters
/// included, is accepted. It has four bytes of state.
///
/// ```
/// use websocket_wire::utf8::Validator;
///
/// let mut validator = Validator::new();
/// validator.push(b"gr\xc3")?;
/// assert_eq!(validator.pending(), 1);
/// validator.push(b"\xbc\xc3\x9f")?;
/// validator.finish()?;
/// # Ok::<(), websocket_wire::utf8::Utf8Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Validator {
    state: State,
}

/// The place of the first byte that no valid text can contain (RFC 6455 §8.1: "Fail the WebSocket Connection").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Utf8Error {
    position: usize,
}

impl Validator {
    /// Returns a validator that stands before the first byte of a text.
    ///
    /// ```
    /// # use websocket_wire::utf8::Validator;
    /// assert!(Validator::new().finish().is_ok());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Validator { state: State::BOUNDARY }
    }

    /// Takes the next bytes of the text; it may end anywhere, also within a code point.
    ///
    /// ```
    /// use websocket_wire::utf8::Validator;
    ///
    /// let mut validator = Validator::new();
    /// // A surrogate shows at its second byte.
    /// assert_eq!(validator.push(b"ok \xed\xa0\x80").unwrap_err().position(), 4);
    /// ```
    ///
    /// # Errors
    ///
    /// At the first byte that no valid text can contain there. The validator then stands before that byte and will
    /// refuse it again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Utf8Error> {
        let mut at = 0;
        while at < bytes.len() && self.goes_byte_by_byte(bytes.len() - at) {
            self.state = self.state.after(bytes[at]).ok_or(Utf8Error { position: at })?;
            at += 1;
        }
        let rest = &bytes[at..];
        if rest.is_empty() {
            return Ok(());
        }
        let verdict = if simd::VECTORS { simd::run(Text::reading(rest)) } else { scalar::check(rest) };
        if verdict.is_ok() && ends_at_boundary(rest) {
            return Ok(());
        }
        self.conclude(rest, verdict).map_err(|(_, i)| Utf8Error { position: at + i })
    }

    /// Unmasks the next bytes of the text in place and takes them, in one pass.
    ///
    /// ```
    /// use websocket_wire::{Mask, MaskingKey, utf8::Validator};
    ///
    /// let mut mask = Mask::new(MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]));
    /// let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
    /// let mut validator = Validator::new();
    /// validator.unmask(&mut mask, &mut payload)?;
    /// validator.finish()?;
    /// assert_eq!(&payload, b"Hello");
    /// # Ok::<(), websocket_wire::utf8::Utf8Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// At the first byte that no valid text can contain there. The bytes before it are unmasked; that byte and all that
    /// follow are as they were. `mask` and the validator stand before that byte.
    #[inline]
    pub fn unmask(&mut self, mask: &mut Mask, bytes: &mut [u8]) -> Result<(), Utf8Error> {
        let mut at = 0;
        if self.state.is_boundary() {
            at = if bytes.len() > SHORT {
                mask.apply_while_ascii(bytes)
            } else if mask.apply_if_ascii(bytes) {
                bytes.len()
            } else {
                0
            };
            if at == bytes.len() {
                return Ok(());
            }
        }
        self.unmask_any(mask, &mut bytes[at..]).map_err(|error| Utf8Error { position: at + error.position })
    }

    /// The general case of [`Validator::unmask`], out of line; to be called where the text is known not to be ASCII.
    #[inline(never)]
    pub(crate) fn unmask_any(&mut self, mask: &mut Mask, bytes: &mut [u8]) -> Result<(), Utf8Error> {
        if self.goes_byte_by_byte(bytes.len()) {
            return self.unmask_from_within(mask, bytes);
        }
        let verdict = if simd::VECTORS {
            simd::run(Text::unmasking(mask.span(bytes)))
        } else {
            mask.clone().apply(bytes);
            scalar::check(bytes)
        };
        if verdict.is_ok() && ends_at_boundary(bytes) {
            mask.advance(bytes.len());
            return Ok(());
        }
        self.unmask_to_open_end(mask, bytes, verdict)
    }

    /// Unmasks byte by byte to the end of a code point, and the rest in the usual way.
    #[inline(never)]
    fn unmask_from_within(&mut self, mask: &mut Mask, bytes: &mut [u8]) -> Result<(), Utf8Error> {
        let mut at = 0;
        while at < bytes.len() && self.goes_byte_by_byte(bytes.len() - at) {
            let plain = mask.peek(bytes[at]);
            self.state = self.state.after(plain).ok_or(Utf8Error { position: at })?;
            bytes[at] = plain;
            mask.advance(1);
            at += 1;
        }
        if at == bytes.len() {
            return Ok(());
        }
        self.unmask_any(mask, &mut bytes[at..]).map_err(|error| Utf8Error { position: at + error.position })
    }

    /// Brings the state to the end of `bytes` or to its fault; what the kernel unmasked in vain is masked again.
    #[cold]
    fn unmask_to_open_end(
        &mut self,
        mask: &mut Mask,
        bytes: &mut [u8],
        verdict: Result<(), Fault>,
    ) -> Result<(), Utf8Error> {
        let verdict = self.conclude(bytes, verdict);
        mask.advance(verdict.map_or_else(|(_, i)| i, |()| bytes.len()));
        verdict.map_err(|(until, i)| {
            let mut again = *mask;
            again.apply(&mut bytes[i..until]);
            Utf8Error { position: i }
        })
    }

    /// Checks that the text may end here: no code point is open. The validator stays as it is, and where this succeeds
    /// it stands as at the start of another text.
    ///
    /// ```
    /// use websocket_wire::utf8::Validator;
    ///
    /// let mut validator = Validator::new();
    /// validator.push(b"\xe2\x82")?;
    /// assert!(validator.finish().is_err());
    /// validator.push(b"\xac")?;
    /// assert!(validator.finish().is_ok());
    /// # Ok::<(), websocket_wire::utf8::Utf8Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the last code point is not complete, at position 0: where its next byte would have been in the next slice.
    pub const fn finish(&self) -> Result<(), Utf8Error> {
        if self.state.is_boundary() { Ok(()) } else { Err(Utf8Error { position: 0 }) }
    }

    /// Returns how many bytes of a code point that is not complete have been taken: 0 to 3.
    ///
    /// ```
    /// # use websocket_wire::utf8::Validator;
    /// let mut validator = Validator::new();
    /// validator.push(b"\xF0\x9F\x98")?;
    /// assert_eq!(validator.pending(), 3);
    /// # Ok::<(), websocket_wire::utf8::Utf8Error>(())
    /// ```
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.state.seen()
    }

    /// The kernels want 4 bytes or more that begin with a code point.
    #[inline(always)]
    const fn goes_byte_by_byte(&self, left: usize) -> bool {
        left < 4 || !self.state.is_boundary()
    }

    /// Brings the state to the end of `plain`, which began with a code point, or to the first impossible byte.
    ///
    /// `plain` is unmasked as far as the kernel got. On an error, returns how far that was and the index of the byte.
    #[cold]
    fn conclude(&mut self, plain: &[u8], verdict: Result<(), Fault>) -> Result<(), (usize, usize)> {
        let Fault { from, until } = verdict.err().unwrap_or(Fault { from: plain.len(), until: plain.len() });
        // What precedes `from` is sound, so the last code point that begins there is at most four bytes back.
        let start = plain[..from].iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
        match State::BOUNDARY.after_all(&plain[start..until]) {
            Ok(state) => {
                debug_assert!(verdict.is_ok(), "the kernel found a fault that is not there");
                self.state = state;
                Ok(())
            }
            Err((state, i)) => {
                self.state = state;
                Err((until, start + i))
            }
        }
    }
}

/// Tells, at a glance, that a text without fault does not end within a code point; that is so nearly always.
#[inline(always)]
const fn ends_at_boundary(plain: &[u8]) -> bool {
    matches!(*plain, [.., a, b, c] if a < 0xf0 && b < 0xe0 && c < 0xc0)
}

impl Default for Validator {
    fn default() -> Self {
        Validator::new()
    }
}

impl Utf8Error {
    /// Returns the index, in the slice that was given, of the first byte that no valid text can contain at that place.
    ///
    /// What precedes it may end in a code point that is not complete: [`Validator::pending`] tells.
    ///
    /// ```
    /// # use websocket_wire::utf8::Validator;
    /// assert_eq!(Validator::new().push(b"ab\xC0").unwrap_err().position(), 2);
    /// ```
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

impl fmt::Display for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid UTF-8 at byte {}", self.position)
    }
}

impl core::error::Error for Utf8Error {}
