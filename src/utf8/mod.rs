//! UTF-8 validation of text that arrives in pieces (RFC 6455 §5.6 and §8.1).

mod kernel;
mod state;
#[cfg(test)]
mod tests;
mod unmasking;

use core::fmt;
use core::num::NonZeroUsize;

use crate::{
    mask::{Mask, SHORT, ascii_len},
    simd,
};
use kernel::{BLOCK, Text};
use state::State;

/// A validator of UTF-8 that can be interrupted after any byte.
///
/// It fails at the first byte that no valid text can contain at that place, even if the text is not complete yet.
/// Overlong forms, surrogates and what is beyond U+10FFFF are refused; every other code point, U+0000 and noncharacters
/// included, is accepted. It has two bytes of state.
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
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Utf8Error {
    /// The index of that byte, and below it a bit that is always set: so a result fits into a register, and a function
    /// can end with another one. No slice is so long that the highest bit of an index would be lost.
    position_and_one: NonZeroUsize,
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
        if !simd::VECTORS {
            return self.state.take(bytes).map_err(Utf8Error::at);
        }
        let mut at = if self.state.is_boundary() { ascii_len(bytes) } else { 0 };
        while at < bytes.len() && self.goes_byte_by_byte(bytes.len() - at) {
            self.state = self.state.after(bytes[at]).ok_or(Utf8Error::at(at))?;
            at += 1;
        }
        let rest = &bytes[at..];
        if rest.is_empty() {
            return Ok(());
        }
        let found = match rest.len() {
            ..=SHORT => simd::run(Text::<false, _>::reading(rest)),
            _ => simd::run(Text::<true, _>::reading(rest)),
        };
        if found.is_whole(rest.len()) {
            return Ok(());
        }
        self.conclude(rest, found.sound).map_err(|i| Utf8Error::at(at + i))
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
    // Inlined always, because a program with more than one call would otherwise get a call, which takes 4 cycles of the
    // 12 that 20 bytes of ASCII then take on Zen 4.
    #[inline(always)]
    pub fn unmask(&mut self, mask: &mut Mask, bytes: &mut [u8]) -> Result<(), Utf8Error> {
        if !simd::VECTORS {
            return self.unmask_and_take(mask, bytes);
        }
        if self.state.is_boundary() {
            if bytes.len() > SHORT {
                if mask.is_ascii_at(bytes) {
                    return unmasking::ascii(bytes, mask, self);
                }
            } else if mask.is_ascii_at(bytes) && mask.apply_if_ascii(bytes) {
                return Ok(());
            }
        }
        self.unmask_any(mask, bytes)
    }

    /// The general case of [`Validator::unmask`]; for text that is not taken for ASCII.
    #[inline(always)]
    pub(crate) fn unmask_any(&mut self, mask: &mut Mask, bytes: &mut [u8]) -> Result<(), Utf8Error> {
        unmasking::any(bytes, mask, self)
    }

    /// Unmasks what is behind `ascii` bytes that are unmasked.
    #[inline(never)]
    fn unmask_rest(&mut self, mask: &mut Mask, bytes: &mut [u8], ascii: usize) -> Result<(), Utf8Error> {
        mask.advance(ascii);
        self.unmask_any(mask, &mut bytes[ascii..]).map_err(|error| error.behind(ascii))
    }

    /// Unmasks all by words, and masks again from a fault on. Code point by code point it would take a rotation of the
    /// key for each.
    #[inline(never)]
    fn unmask_and_take(&mut self, mask: &mut Mask, bytes: &mut [u8]) -> Result<(), Utf8Error> {
        let before = *mask;
        if mask.apply_by_words(bytes) && self.state.is_boundary() {
            return Ok(());
        }
        self.state.take(bytes).map_err(|position| {
            *mask = before;
            mask.advance(position);
            mask.clone().apply(&mut bytes[position..]);
            Utf8Error::at(position)
        })
    }

    /// Unmasks byte by byte to the end of a code point, or of the bytes, and the rest in the usual way.
    #[inline(never)]
    fn unmask_byte_by_byte(&mut self, mask: &mut Mask, bytes: &mut [u8]) -> Result<(), Utf8Error> {
        let mut at = 0;
        while at < bytes.len() && self.goes_byte_by_byte(bytes.len() - at) {
            self.unmask_byte(mask, &mut bytes[at]).ok_or(Utf8Error::at(at))?;
            at += 1;
        }
        if at == bytes.len() {
            return Ok(());
        }
        self.unmask_any(mask, &mut bytes[at..]).map_err(|error| error.behind(at))
    }

    /// Unmasks and takes one byte; `None`, and nothing has changed, where no valid text can contain it.
    fn unmask_byte(&mut self, mask: &mut Mask, byte: &mut u8) -> Option<()> {
        let plain = mask.peek(*byte);
        self.state = self.state.after(plain)?;
        *byte = plain;
        mask.advance(1);
        Some(())
    }

    /// Brings the state to the end of `bytes` or to its fault, `sound` bytes being unmasked.
    #[cold]
    #[inline(never)]
    fn unmask_to_open_end(&mut self, mask: &mut Mask, bytes: &mut [u8], sound: usize) -> Result<(), Utf8Error> {
        if let Err(position) = self.conclude(&bytes[..sound], sound) {
            mask.advance(position);
            mask.clone().apply(&mut bytes[position..sound]);
            return Err(Utf8Error::at(position));
        }
        mask.advance(sound);
        for (i, byte) in bytes[sound..].iter_mut().enumerate() {
            self.unmask_byte(mask, byte).ok_or(Utf8Error::at(sound + i))?;
        }
        Ok(())
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
        if self.state.is_boundary() { Ok(()) } else { Err(Utf8Error::AT_START) }
    }

    /// Tells whether no code point is open.
    #[cfg(feature = "alloc")]
    pub(crate) const fn is_boundary(&self) -> bool {
        self.state.is_boundary()
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

    /// Brings the state to the end of `plain`, which began with a code point, or to the first impossible byte, of which
    /// it returns the index. A kernel has found the first `sound` bytes sound.
    #[cold]
    fn conclude(&mut self, plain: &[u8], sound: usize) -> Result<(), usize> {
        // The last code point that begins there is at most four bytes back.
        let start = plain[..sound].iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
        let until = plain.len().min(sound + BLOCK);
        self.state = State::BOUNDARY;
        let taken = self.state.take(&plain[start..until]).map_err(|i| start + i);
        debug_assert!(taken.is_err() || sound == plain.len(), "the kernel found a fault that is not there");
        taken
    }
}

/// Unmasks a text that is all here and returns `value` if it is valid and complete, else the default; then it is as it
/// was. Where the target has vectors.
#[inline(always)]
pub(crate) fn unmask_whole<T: Default>(mask: Mask, bytes: &mut [u8], value: T) -> T {
    if bytes.len() < 4 {
        return if unmask_whole_tiny(mask, bytes) { value } else { T::default() };
    }
    unmasking::whole(mask, bytes, value)
}

/// Does what [`unmask_whole`] does to more than [`SHORT`] bytes that begin with ASCII.
#[inline(always)]
pub(crate) fn unmask_whole_ascii<T: Default>(mask: Mask, bytes: &mut [u8], value: T) -> T {
    unmasking::whole_ascii(mask, bytes, value)
}

#[inline(never)]
fn unmask_whole_tiny(mut mask: Mask, bytes: &mut [u8]) -> bool {
    let mut plain = [0; 3];
    let plain = &mut plain[..bytes.len()];
    plain.copy_from_slice(bytes);
    mask.apply(plain);
    let is_valid = state::is_whole(plain);
    if is_valid {
        bytes.copy_from_slice(plain);
    }
    is_valid
}

/// Unmasks the payload of a whole message, without vectors, but for a text that is not valid or not complete, which
/// stays as it is. Returns whether it did.
#[inline(always)]
pub(crate) fn unmask_by_words(mut mask: Mask, is_text: bool, bytes: &mut [u8]) -> bool {
    let mut again = mask;
    let is_done = mask.apply_by_words(bytes) || !is_text || state::is_whole(bytes);
    if !is_done {
        again.apply_by_words(bytes);
    }
    is_done
}

/// Tells whether the text of a whole message is valid and complete. Where the target has vectors.
pub(crate) fn is_whole(plain: &[u8]) -> bool {
    if plain.len() < 4 {
        return state::is_whole(plain);
    }
    if plain.len() <= SHORT {
        return simd::run(Text::<false, _>::reading(plain)).is_whole(plain.len());
    }
    let mut validator = Validator::new();
    validator.push(plain).is_ok() && validator.finish().is_ok()
}

/// Returns `bytes` as text if they are valid and complete.
///
/// The standard library's validator is what this is for, but without vectors, where flash counts, it would be a second
/// one beside the automaton: 592 bytes of a Cortex-M3's with its table.
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    if simd::VECTORS {
        return core::str::from_utf8(bytes).ok();
    }
    #[allow(unsafe_code)]
    // SAFETY: the automaton takes just the sequences that are well-formed by RFC 3629, and each to its end.
    state::is_whole(bytes).then(|| unsafe { core::str::from_utf8_unchecked(bytes) })
}

impl Default for Validator {
    fn default() -> Self {
        Validator::new()
    }
}

impl Utf8Error {
    const AT_START: Self = Utf8Error { position_and_one: NonZeroUsize::MIN };

    #[inline(always)]
    fn at(position: usize) -> Self {
        Utf8Error { position_and_one: NonZeroUsize::MIN | position << 1 }
    }

    /// The same byte in a slice that has `count` bytes in front of this one.
    fn behind(self, count: usize) -> Self {
        Utf8Error::at(count + self.position())
    }

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
        self.position_and_one.get() >> 1
    }
}

impl fmt::Debug for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Utf8Error").field("position", &self.position()).finish()
    }
}

impl fmt::Display for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid UTF-8 at byte {}", self.position())
    }
}

impl core::error::Error for Utf8Error {}
