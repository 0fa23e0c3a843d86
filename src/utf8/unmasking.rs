//! Kernels with what is to be done about their outcome, in the same function.
//!
//! From the caller to there all is jumps, and nobody saves a register for what comes after a call: that was a fifth of
//! the instructions that 20 bytes of Cyrillic took. One register more that the kernel for ASCII saved was a cycle of
//! the 19 that 256 bytes took on Zen 4, where stores are what it waits for.
#![allow(unsafe_code)]

use super::kernel::{Found, Text};
use super::{Utf8Error, Validator};
use crate::mask::{Mask, SHORT, kernel::Long, span::Span};
use crate::simd::{self, Isa, Kernel, Lookup, Parts};

// The order of the arguments is that of a kernel, whose length is not in the register of shift counts.

/// Does what [`Validator::unmask`] does; for text that is not taken for ASCII.
// Cold, so that where it is called from, what is ASCII and short goes straight on.
#[cold]
#[inline(never)]
pub(super) fn any(bytes: &mut [u8], mask: &mut Mask, validator: &mut Validator) -> Result<(), Utf8Error> {
    if !simd::VECTORS {
        return validator.unmask_and_take(mask, bytes);
    }
    if validator.goes_byte_by_byte(bytes.len()) {
        return validator.unmask_byte_by_byte(mask, bytes);
    }
    text(bytes, mask, validator)
}

/// Does what [`Validator::unmask`] does, at a boundary, to more than [`SHORT`] bytes that begin with ASCII.
#[inline(never)]
pub(super) fn ascii(bytes: &mut [u8], mask: &mut Mask, validator: &mut Validator) -> Result<(), Utf8Error> {
    run_ascii(bytes, *mask, Stream { validator, mask })
}

/// Unmasks and takes 4 bytes or more, the validator being at a boundary.
#[inline(always)]
fn text(bytes: &mut [u8], mask: &mut Mask, validator: &mut Validator) -> Result<(), Utf8Error> {
    run_text(bytes, *mask, Stream { validator, mask })
}

/// Unmasks a text, of 4 bytes or more, that is all here, and returns `value` if it is valid, else the default; then the
/// bytes are as they were.
#[inline(always)]
pub(super) fn whole<T: Default>(mask: Mask, bytes: &mut [u8], value: T) -> T {
    run_text(bytes, mask, Whole(value))
}

/// Does what [`whole`] does to more than [`SHORT`] bytes that are ASCII, as far as is known.
#[inline(always)]
pub(super) fn whole_ascii<T: Default>(mask: Mask, bytes: &mut [u8], value: T) -> T {
    run_ascii(bytes, mask, Whole(value))
}

#[inline(always)]
fn run_text<E: End<Found>>(bytes: &mut [u8], mask: Mask, end: E) -> E::Output {
    if bytes.len() <= SHORT {
        simd::run(Ended { kernel: Text::<false, _>::unmasking(bytes, mask), end })
    } else {
        simd::run(Ended { kernel: Text::<true, _>::unmasking(bytes, mask), end })
    }
}

#[inline(always)]
fn run_ascii<E: End<usize>>(bytes: &mut [u8], mask: Mask, end: E) -> E::Output {
    simd::run(Ended { kernel: Long::<_, true, _, _>::in_place(bytes, mask), end })
}

/// A kernel that works in place, with its end.
struct Ended<K, E> {
    kernel: K,
    end: E,
}

/// What is done about the outcome of a kernel of bytes, and of the mask that stands at the first of them.
trait End<F> {
    type Output;

    /// To be marked `#[inline(always)]`.
    fn end(self, bytes: &mut [u8], mask: Mask, found: F) -> Self::Output;
}

impl<K: Kernel<Rest = ()> + Copy, E: End<K::Output>> Ended<K, E> {
    #[inline(always)]
    fn end(self, found: K::Output) -> E::Output {
        let (parts, ()) = self.kernel.into_parts();
        // SAFETY: the parts are those of a kernel that has ended.
        let span = unsafe { Span::from_parts(parts) };
        // SAFETY: the two functions above make kernels in place only.
        let (bytes, mask) = unsafe { span.into_bytes() };
        self.end.end(bytes, mask, found)
    }
}

impl<K: Kernel<Rest = ()> + Copy, E: End<K::Output>> Kernel for Ended<K, E> {
    type Output = E::Output;
    type Rest = E;

    const LOOKS_UP: bool = K::LOOKS_UP;

    #[inline(always)]
    fn into_parts(self) -> (Parts, E) {
        (self.kernel.into_parts().0, self.end)
    }

    #[inline(always)]
    unsafe fn from_parts(parts: Parts, end: E) -> Self {
        // SAFETY: the caller's word.
        Ended { kernel: unsafe { K::from_parts(parts, ()) }, end }
    }

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> E::Output {
        let found = self.kernel.run(isa);
        self.end(found)
    }

    #[inline(always)]
    fn run_lookup<I: Lookup>(self, isa: I) -> E::Output {
        let found = self.kernel.run_lookup(isa);
        self.end(found)
    }
}

/// A text that may go on.
struct Stream<'a> {
    validator: &'a mut Validator,
    mask: &'a mut Mask,
}

impl End<Found> for Stream<'_> {
    type Output = Result<(), Utf8Error>;

    #[inline(always)]
    fn end(self, bytes: &mut [u8], _: Mask, found: Found) -> Self::Output {
        if !found.is_whole(bytes.len()) {
            return self.validator.unmask_to_open_end(self.mask, bytes, found.sound);
        }
        self.mask.advance(bytes.len());
        Ok(())
    }
}

impl End<usize> for Stream<'_> {
    type Output = Result<(), Utf8Error>;

    #[inline(always)]
    fn end(self, bytes: &mut [u8], _: Mask, ascii: usize) -> Self::Output {
        if ascii != bytes.len() {
            return self.validator.unmask_rest(self.mask, bytes, ascii);
        }
        self.mask.advance(bytes.len());
        Ok(())
    }
}

/// A text that is all here, and what is returned if it is valid.
struct Whole<T>(T);

impl<T: Default> End<Found> for Whole<T> {
    type Output = T;

    #[inline(always)]
    fn end(self, bytes: &mut [u8], mask: Mask, found: Found) -> T {
        if !found.is_whole(bytes.len()) {
            mask_again(mask, bytes, found.sound);
            return T::default();
        }
        self.0
    }
}

impl<T: Default> End<usize> for Whole<T> {
    type Output = T;

    #[inline(always)]
    fn end(self, bytes: &mut [u8], mask: Mask, ascii: usize) -> T {
        if ascii != bytes.len() {
            return rest_of_whole(mask, bytes, ascii, self.0);
        }
        self.0
    }
}

/// Unmasks what is behind `ascii` bytes that are unmasked, or masks these again.
#[inline(never)]
fn rest_of_whole<T: Default>(mut mask: Mask, bytes: &mut [u8], ascii: usize, value: T) -> T {
    let (front, rest) = bytes.split_at_mut(ascii);
    let mut behind = mask;
    behind.advance(ascii);
    if super::unmask_whole(behind, rest, true) {
        return value;
    }
    mask.apply(front);
    T::default()
}

#[cold]
#[inline(never)]
fn mask_again(mut mask: Mask, bytes: &mut [u8], count: usize) {
    mask.apply(&mut bytes[..count]);
}
