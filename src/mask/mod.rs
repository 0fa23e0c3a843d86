//! Masking of payload data (RFC 6455 §5.3): XOR with a key of four bytes.

pub(crate) mod kernel;
mod short;
pub(crate) mod span;
#[cfg(test)]
mod tests;
mod words;

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

#[cfg(feature = "alloc")]
use bytes::{BufMut, buf::UninitSlice};

use crate::simd;
use kernel::Long;
pub(crate) use short::SHORT;
use span::Span;

/// The four bytes that a client picks anew for every frame (RFC 6455 §5.3).
///
/// Byte `i` of the payload is XORed with byte `i % 4` of the key, which masks and unmasks alike.
///
/// ```
/// use websocket_wire::MaskingKey;
///
/// let key = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);
/// assert_eq!(key.to_bytes(), [0x37, 0xfa, 0x21, 0x3d]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MaskingKey([u8; 4]);

impl MaskingKey {
    /// Returns the key of these four bytes, in the order in which they are on the wire.
    ///
    /// ```
    /// # use websocket_wire::MaskingKey;
    /// assert_eq!(MaskingKey::new([1, 2, 3, 4]), [1, 2, 3, 4].into());
    /// ```
    #[must_use]
    pub const fn new(bytes: [u8; 4]) -> Self {
        MaskingKey(bytes)
    }

    /// Returns the four bytes, in the order in which they are on the wire.
    ///
    /// ```
    /// # use websocket_wire::MaskingKey;
    /// assert_eq!(MaskingKey::new([1, 2, 3, 4]).to_bytes(), [1, 2, 3, 4]);
    /// ```
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0
    }
}

impl From<[u8; 4]> for MaskingKey {
    fn from(bytes: [u8; 4]) -> Self {
        MaskingKey::new(bytes)
    }
}

impl From<MaskingKey> for [u8; 4] {
    fn from(key: MaskingKey) -> Self {
        key.to_bytes()
    }
}

/// A masking key and the position in it: what it takes to mask a payload piece by piece (RFC 6455 §5.3).
///
/// However the payload is cut, the same bytes come out. Masking twice gives the first bytes back.
///
/// ```
/// use websocket_wire::{Mask, MaskingKey};
///
/// let key = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);
/// // The masked text message of RFC 6455 §5.7.
/// let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
///
/// let mut mask = Mask::new(key);
/// mask.apply(&mut payload[..3]);
/// mask.apply(&mut payload[3..]);
/// assert_eq!(&payload, b"Hello");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mask {
    /// The key, rotated so that its first byte in memory is the one for the next byte of the payload.
    key: u32,
}

impl Mask {
    /// Returns the mask that stands at the first byte of the key.
    ///
    /// ```
    /// # use websocket_wire::{Mask, MaskingKey};
    /// let mut byte = [0];
    /// Mask::new(MaskingKey::new([7, 0, 0, 0])).apply(&mut byte);
    /// assert_eq!(byte, [7]);
    /// ```
    #[must_use]
    pub const fn new(key: MaskingKey) -> Self {
        Mask { key: u32::from_ne_bytes(key.0) }
    }

    /// Masks or unmasks the next bytes of the payload in place.
    ///
    /// ```
    /// use websocket_wire::{Mask, MaskingKey};
    ///
    /// let mut payload = *b"abcdef";
    /// Mask::new(MaskingKey::new([1, 2, 3, 4])).apply(&mut payload);
    /// assert_eq!(payload, [b'a' ^ 1, b'b' ^ 2, b'c' ^ 3, b'd' ^ 4, b'e' ^ 1, b'f' ^ 2]);
    /// ```
    #[inline]
    pub fn apply(&mut self, bytes: &mut [u8]) {
        let len = bytes.len();
        if !simd::VECTORS {
            words::apply(bytes, self.key);
        } else if len <= short::TINY {
            // One branch less than by way of `short`: 8 and 16 bytes take 3.5 cycles on Zen 4 instead of 4.0.
            short::tiny::<false, true>(Span::in_place(bytes, self.key));
        } else if len <= SHORT {
            short::short::<false, true>(Span::in_place(bytes, self.key));
        } else {
            apply_long(bytes, self.key);
        }
        self.advance(len);
    }

    /// Copies the next bytes of the payload from `src` to `dst` and masks or unmasks them on the way.
    ///
    /// ```
    /// use websocket_wire::{Mask, MaskingKey};
    ///
    /// let mut masked = [0; 5];
    /// Mask::new(MaskingKey::new([0x37, 0xfa, 0x21, 0x3d])).apply_to(b"Hello", &mut masked);
    /// assert_eq!(masked, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    /// ```
    ///
    /// # Panics
    ///
    /// If `src` and `dst` differ in length.
    #[inline]
    pub fn apply_to(&mut self, src: &[u8], dst: &mut [u8]) {
        if !simd::VECTORS {
            assert_eq!(src.len(), dst.len(), "source and destination differ in length");
            dst.copy_from_slice(src);
            words::apply(dst, self.key);
        } else if src.len() <= SHORT {
            short::short::<false, true>(Span::copying(src, dst, self.key));
        } else {
            apply_long_to(src, dst, self.key);
        }
        self.advance(src.len());
    }

    /// Unmasks the next bytes, by words, and tells whether they are ASCII.
    #[inline(always)]
    pub(crate) fn apply_by_words(&mut self, bytes: &mut [u8]) -> bool {
        let is_ascii = words::apply(bytes, self.key);
        self.advance(bytes.len());
        is_ascii
    }

    /// Unmasks at most [`SHORT`] bytes if they turn out to be ASCII, and tells whether they were; leaves them and the
    /// mask as they are if not.
    #[inline(always)]
    pub(crate) fn apply_if_ascii(&mut self, bytes: &mut [u8]) -> bool {
        let len = bytes.len();
        let is_ascii = short::short::<true, true>(Span::in_place(bytes, self.key));
        if is_ascii {
            self.advance(len);
        }
        is_ascii
    }

    /// Unmasks the payload of a whole frame of at most [`SHORT`] bytes behind its header of 6, `self` being its key:
    /// any payload, or with `ascii_only` one that turns out to be ASCII. Returns whether it did; if not, the frame is
    /// as it was. Meant to be inlined where frames are short.
    #[inline(always)]
    pub(crate) fn apply_to_frame(self, frame: &mut [u8], ascii_only: bool) -> bool {
        assert!(frame.len() >= 6);
        // The key of the span is the one at its first byte, which the header takes 6 bytes on.
        short::short_frame(Span::in_place(frame, rotate(self.key, 2)), ascii_only)
    }

    /// Tells, at a glance at the first four bytes, whether a text may be ASCII. To be asked before the kernel for long
    /// texts that are: it spares a text in another script the call, 9 cycles.
    #[inline(always)]
    pub(crate) fn is_ascii_at(&self, bytes: &[u8]) -> bool {
        !matches!(*bytes, [a, b, c, d, ..] if (u32::from_ne_bytes([a, b, c, d]) ^ self.key) & 0x8080_8080 != 0)
    }

    /// Bytes of a payload that is to be unmasked by a kernel; the mask stays where it is.
    #[inline(always)]
    pub(crate) fn span<'a>(&self, bytes: &'a mut [u8]) -> Span<'a> {
        Span::in_place(bytes, self.key)
    }

    /// Steps over `count` bytes of the payload.
    #[inline(always)]
    pub(crate) fn advance(&mut self, count: usize) {
        self.key = rotate(self.key, count);
    }

    /// Unmasks one byte, the next one, without stepping over it.
    #[inline(always)]
    pub(crate) fn peek(&self, byte: u8) -> u8 {
        byte ^ self.key.to_ne_bytes()[0]
    }
}

/// Copies at most [`SHORT`] bytes to a slice of the same length, and masks them if there is a key. Meant to be inlined
/// where frames are short: without a key too, for a copy of unknown length is a call.
#[inline(always)]
pub(crate) fn copy_short(key: Option<MaskingKey>, src: &[u8], dst: &mut [u8]) {
    if simd::VECTORS {
        short::short::<false, true>(Span::copying(src, dst, key_to_copy(key, src.len())));
    } else {
        dst.copy_from_slice(src);
        if let Some(key) = key {
            Mask::new(key).apply(dst);
        }
    }
}

/// Returns the key that a copy of `len` bytes is masked with: zeros where there is none. For more than 64 bytes the
/// compiler is not to know that: what is only copied it takes by way of the stack, so that a server's frame of 125
/// bytes took 27 cycles on Zen 3 and a client's 17.
#[inline(always)]
fn key_to_copy(key: Option<MaskingKey>, len: usize) -> u32 {
    match key {
        Some(key) => Mask::new(key).key,
        None if len > 64 => core::hint::black_box(0),
        None => 0,
    }
}

/// Does what [`copy_short`] does to memory that need not be initialised, and is all of it then.
#[cfg(feature = "alloc")]
#[inline(always)]
pub(crate) fn copy_short_to_uninit(key: Option<MaskingKey>, src: &[u8], dst: &mut UninitSlice) {
    short::short::<false, true>(Span::copying_to_uninit(src, dst, key_to_copy(key, src.len())));
}

/// Tells whether the kernel copies what is not masked. The C library knows more of copies above 32 KiB. Up to there
/// the kernel is as fast on Golden Cove and 0.85 of the time on Zen 3, where the library's copy of 4 to 16 KiB takes
/// five to twelve times as long for some places of the destination (it moves bytes with a repeated string
/// instruction). The same instruction takes 0.6 of the kernel's time for 16 KiB on Cascade Lake, of which the two
/// together fill the first-level cache: it does not read what it overwrites.
#[inline(always)]
fn is_copied_by_kernel(len: usize) -> bool {
    len <= 8 * 1024 || len <= 32 * 1024 && !simd::string_copies_are_fast()
}

/// Copies bytes to a slice of the same length, and masks them if there is a key; more than [`SHORT`] bytes, where the
/// target has vectors. To be called where that is out of line already.
#[inline(always)]
pub(crate) fn copy_long(key: Option<MaskingKey>, src: &[u8], dst: &mut [u8]) {
    match key.map(Mask::new) {
        None if !simd::VECTORS || !is_copied_by_kernel(src.len()) => dst.copy_from_slice(src),
        None => _ = simd::run(Long::<_, false, _, false>::copying(Span::copying(src, dst, 0))),
        Some(mut mask) if !simd::VECTORS => mask.apply_to(src, dst),
        Some(mask) => _ = simd::run(Long::<_, false, _, true>::copying(Span::copying(src, dst, mask.key))),
    }
}

/// Does what [`copy_long`] does to memory that need not be initialised, and is all of it then.
#[cfg(feature = "alloc")]
#[inline(always)]
pub(crate) fn copy_long_to_uninit(key: Option<MaskingKey>, src: &[u8], dst: &mut UninitSlice) {
    match key.map(Mask::new) {
        None if !simd::VECTORS || !is_copied_by_kernel(src.len()) => dst.copy_from_slice(src),
        None => _ = simd::run(Long::<_, false, _, false>::copying(Span::copying_to_uninit(src, dst, 0))),
        Some(mask) => _ = simd::run(Long::<_, false, _, true>::copying(Span::copying_to_uninit(src, dst, mask.key))),
    }
}

#[cfg(feature = "alloc")]
impl Mask {
    /// Appends the next bytes of the payload to `dst`, masked or unmasked.
    pub(crate) fn append(&mut self, src: &[u8], dst: &mut Vec<u8>) {
        dst.reserve(src.len());
        let (key, room) = (Some(MaskingKey(self.key.to_ne_bytes())), room(dst));
        if src.len() <= SHORT {
            copy_short_to_uninit(key, src, room);
        } else {
            copy_long_to_uninit(key, src, room);
        }
        #[allow(unsafe_code)]
        // SAFETY: these bytes have just been written.
        unsafe {
            dst.advance_mut(src.len());
        }
        self.advance(src.len());
    }

    /// Appends the next bytes of the payload to `dst`, unmasked, to the end if all are ASCII, else to some place before
    /// what is not; returns how many.
    pub(crate) fn append_while_ascii(&mut self, src: &[u8], dst: &mut Vec<u8>) -> usize {
        if !simd::VECTORS || !self.is_ascii_at(src) {
            return 0;
        }
        dst.reserve(src.len());
        let span = Span::copying_to_uninit(src, room(dst), self.key);
        let count = if src.len() > SHORT {
            simd::run(Long::<_, true, _, true>::copying(span))
        } else if short::short::<true, true>(span) {
            src.len()
        } else {
            0
        };
        #[allow(unsafe_code)]
        // SAFETY: the kernel has written what it counts.
        unsafe {
            dst.advance_mut(count);
        }
        self.advance(count);
        count
    }
}

/// Returns what is allocated behind the bytes of `dst`. Not by `chunk_mut`, which doubles what is full, even for no
/// bytes.
#[cfg(feature = "alloc")]
fn room(dst: &mut Vec<u8>) -> &mut UninitSlice {
    UninitSlice::uninit(dst.spare_capacity_mut())
}

/// Tells whether at most [`SHORT`] bytes are ASCII. Meant to be inlined where frames are short, and the target has
/// vectors.
#[inline(always)]
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    short::short::<true, false>(Span::read_only(bytes))
}

/// Returns how many bytes at the front are known to be ASCII: all, if all are. Where the target has vectors.
#[inline]
pub(crate) fn ascii_len(bytes: &[u8]) -> usize {
    if !(Mask { key: 0 }).is_ascii_at(bytes) {
        return 0;
    }
    match bytes.len() {
        ..=SHORT => {
            if is_ascii(bytes) {
                bytes.len()
            } else {
                0
            }
        }
        _ => long_ascii_len(bytes),
    }
}

// Out of line, so that what is inlined into the callers is the short path alone; and with arguments that fit into
// registers: a `Span` would be written to memory on the short path too, which took 12 cycles of the 20 that 16 bytes
// then took.

#[inline(never)]
fn apply_long(bytes: &mut [u8], key: u32) {
    simd::run(Long::<_, false, _, _>::in_place(bytes, Mask { key }));
}

#[inline(never)]
fn long_ascii_len(bytes: &[u8]) -> usize {
    simd::run(Long::reading(bytes))
}

#[inline(never)]
fn apply_long_to(src: &[u8], dst: &mut [u8], key: u32) {
    simd::run(Long::<_, false, _, true>::copying(Span::copying(src, dst, key)));
}

/// Returns the key as it stands `count` bytes on: its bytes in memory, rotated.
#[inline(always)]
const fn rotate(key: u32, count: usize) -> u32 {
    let bits = 8 * (count % 4) as u32;
    if cfg!(target_endian = "little") { key.rotate_right(bits) } else { key.rotate_left(bits) }
}
