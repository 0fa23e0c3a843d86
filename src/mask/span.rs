//! The memory that a kernel works on.
#![allow(unsafe_code)]

use core::marker::PhantomData;

use super::{Mask, rotate};
use crate::simd::{Isa, Parts};

/// Bytes to be unmasked, the place for the result, and the key that stands at the first byte.
///
/// In place, source and destination are the same memory; copying, they do not overlap; for reading only, there is no
/// destination. Between the public functions and the kernels pointers are held by this type alone, and by the [`Parts`]
/// into which it is taken apart to cross a call in registers.
#[derive(Copy, Clone)]
pub(crate) struct Span<'a> {
    /// Readable for `len` bytes during `'a`.
    src: *const u8,
    /// Writable for `len` bytes during `'a`, unless the span was made by [`Span::read_only`]; `src` itself or disjoint
    /// from it.
    dst: *mut u8,
    len: usize,
    key: u32,
    memory: PhantomData<&'a mut [u8]>,
}

impl<'a> Span<'a> {
    #[inline(always)]
    pub(crate) fn in_place(bytes: &'a mut [u8], key: u32) -> Self {
        let (dst, len) = (bytes.as_mut_ptr(), bytes.len());
        Span { src: dst, dst, len, key, memory: PhantomData }
    }

    /// Takes the length of `src`; `dst` must be as long.
    #[inline(always)]
    pub(crate) fn copying(src: &'a [u8], dst: &'a mut [u8], key: u32) -> Self {
        assert_eq!(src.len(), dst.len(), "source and destination differ in length");
        Span { src: src.as_ptr(), dst: dst.as_mut_ptr(), len: src.len(), key, memory: PhantomData }
    }

    /// Takes the length of `src`; `dst`, which need not be initialised, must be as long or longer.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(crate) fn copying_to_uninit(src: &'a [u8], dst: &'a mut bytes::buf::UninitSlice, key: u32) -> Self {
        assert!(src.len() <= dst.len(), "the destination is too short");
        Span { src: src.as_ptr(), dst: dst.as_mut_ptr(), len: src.len(), key, memory: PhantomData }
    }

    /// A span that must not be stored to.
    #[inline(always)]
    pub(crate) fn read_only(bytes: &'a [u8]) -> Self {
        let src = bytes.as_ptr();
        Span { src, dst: src.cast_mut(), len: bytes.len(), key: 0, memory: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn into_parts(self) -> Parts {
        (self.dst, self.len, self.key, self.src)
    }

    /// Undoes [`Span::into_parts`].
    ///
    /// # Safety
    ///
    /// The parts are those of a span of this lifetime, which is not used any more.
    #[inline(always)]
    pub(crate) unsafe fn from_parts((dst, len, key, src): Parts) -> Self {
        Span { src, dst, len, key, memory: PhantomData }
    }

    /// Gives back the bytes, and the mask that stands at the first of them.
    ///
    /// # Safety
    ///
    /// The span was made by [`Span::in_place`], and no copy of it is used any more.
    #[inline(always)]
    pub(crate) unsafe fn into_bytes(self) -> (&'a mut [u8], Mask) {
        // SAFETY: the bytes that it was made of, which are borrowed for as long.
        (unsafe { core::slice::from_raw_parts_mut(self.dst, self.len) }, Mask { key: self.key })
    }

    /// The same span, if it was made by [`Span::in_place`]: now the compiler knows too that there is only one pointer.
    #[inline(always)]
    pub(crate) fn onto_itself(self) -> Self {
        debug_assert!(self.src == self.dst.cast_const());
        Span { src: self.dst.cast_const(), ..self }
    }

    /// What is left behind the first `count` bytes.
    ///
    /// # Safety
    ///
    /// `count <= self.len()`.
    #[inline(always)]
    pub(crate) unsafe fn skip(self, count: usize) -> Self {
        debug_assert!(count <= self.len);
        // SAFETY: at most `len`, by the caller's word.
        let src = unsafe { self.src.add(count) };
        // SAFETY: at most `len`, by the caller's word.
        let dst = unsafe { self.dst.add(count) };
        Span { src, dst, len: self.len - count, key: rotate(self.key, count), ..self }
    }

    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// The key as it stands at byte `at`, in every four bytes of a vector.
    #[inline(always)]
    pub(crate) fn key<I: Isa>(self, isa: I, at: usize) -> I::V {
        isa.splat(rotate(self.key, at))
    }

    /// Reads the vector at `at` and XORs it with `key`.
    ///
    /// # Safety
    ///
    /// `at + I::BYTES <= self.len()`.
    #[inline(always)]
    pub(crate) unsafe fn load<I: Isa>(self, isa: I, at: usize, key: I::V) -> I::V {
        // SAFETY: the caller's word.
        isa.xor(unsafe { self.read(isa, at) }, key)
    }

    /// Reads the vector at `at` as it is.
    ///
    /// # Safety
    ///
    /// `at + I::BYTES <= self.len()`.
    #[inline(always)]
    pub(crate) unsafe fn read<I: Isa>(self, isa: I, at: usize) -> I::V {
        debug_assert!(at + I::BYTES <= self.len);
        // SAFETY: `at` is less than `len`, by the caller's word, and `src` is readable for `len` bytes.
        let from = unsafe { self.src.add(at) };
        // SAFETY: `I::BYTES` bytes from `at` on end at or before `len`, by the caller's word.
        unsafe { isa.load(from) }
    }

    /// Writes the vector at `at`.
    ///
    /// # Safety
    ///
    /// `at + I::BYTES <= self.len()`, and the span was not made by [`Span::read_only`].
    #[inline(always)]
    pub(crate) unsafe fn store<I: Isa>(self, isa: I, at: usize, v: I::V) {
        debug_assert!(at + I::BYTES <= self.len);
        // SAFETY: `at` is less than `len`, by the caller's word, and `dst` is writable for `len` bytes.
        let to = unsafe { self.dst.add(at) };
        // SAFETY: `I::BYTES` bytes from `at` on end at or before `len`, by the caller's word.
        unsafe { isa.store(v, to) }
    }

    /// Returns how many bytes there are from the start, 1 to `align`, to the next place in the destination that is a
    /// multiple of `align`, a power of two.
    #[inline(always)]
    pub(crate) fn bytes_to_aligned(self, align: usize) -> usize {
        align - (self.dst.addr() & (align - 1))
    }

    /// Tells whether a copy from the front to the back would load from addresses of which the lowest twelve bits are
    /// those of a store shortly before. A CPU that compares only these takes the one for what the other has written,
    /// and waits.
    #[inline(always)]
    pub(crate) fn loads_meet_stores(self) -> bool {
        self.dst.addr().wrapping_sub(self.src.addr()) % 4096 < 1024
    }
}
