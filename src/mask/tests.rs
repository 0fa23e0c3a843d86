//! Every instruction set of this machine against the byte loop.

use std::vec::Vec;

use super::*;
use crate::simd;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const MAX_LEN: usize = if cfg!(miri) { 300 } else { 512 };

/// A way to mask `src` into `dst`, which is as long.
type Form = fn(&mut Mask, &[u8], &mut [u8]);

const FORMS: &[(&str, Form)] = &[
    ("in place", |mask, src, dst| {
        dst.copy_from_slice(src);
        mask.apply(dst);
    }),
    ("copying", |mask, src, dst| mask.apply_to(src, dst)),
    #[cfg(feature = "alloc")]
    ("copying to what need not be initialised", |mask, src, dst| {
        copy_to_uninit(Some(MaskingKey(mask.key.to_ne_bytes())), src, dst);
        mask.advance(src.len());
    }),
];

/// A way to copy `src` into `dst`, which is as long, without a key.
type Copying = fn(&[u8], &mut [u8]);

const COPIES: &[Copying] = &[
    |src, dst| if src.len() <= SHORT { copy_short(None, src, dst) } else { copy_long(None, src, dst) },
    #[cfg(feature = "alloc")]
    |src, dst| copy_to_uninit(None, src, dst),
];

#[cfg(feature = "alloc")]
fn copy_to_uninit(key: Option<MaskingKey>, src: &[u8], dst: &mut [u8]) {
    let dst = bytes::buf::UninitSlice::new(dst);
    if src.len() <= SHORT { copy_short_to_uninit(key, src, dst) } else { copy_long_to_uninit(key, src, dst) }
}

/// RFC 6455 §5.3, byte for byte.
fn byte_loop(bytes: &mut [u8], phase: usize) {
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte ^= KEY[(phase + i) % 4];
    }
}

fn mask_at(phase: usize) -> Mask {
    let mut mask = Mask::new(MaskingKey::new(KEY));
    mask.advance(phase);
    mask
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 251 + 1) as u8).collect()
}

/// The first bytes of [`payload`], plain and masked at each phase.
struct Payload {
    plain: Vec<u8>,
    masked: [Vec<u8>; 4],
}

impl Payload {
    fn new(len: usize) -> Self {
        let plain = payload(len);
        let masked = [0, 1, 2, 3].map(|phase| {
            let mut bytes = plain.clone();
            byte_loop(&mut bytes, phase);
            bytes
        });
        Payload { plain, masked }
    }

    /// Returns `len` bytes from `from` on, and what comes of them when the key stands at `phase` at their first.
    fn piece(&self, from: usize, len: usize, phase: usize) -> (&[u8], &[u8]) {
        let masked = &self.masked[(phase + 4 - from % 4) % 4];
        (&self.plain[from..][..len], &masked[from..][..len])
    }
}

const FILLER: [u8; 64] = [0xa5; 64];

/// A buffer whose first byte is 64-byte aligned, so that an offset is an alignment.
#[repr(align(64))]
struct Aligned([u8; 64 + 64 + MAX_LEN + 64]);

impl Aligned {
    fn new() -> Self {
        Aligned([0; 64 + 64 + MAX_LEN + 64])
    }

    /// Gives `body` that many filler bytes at `offset`, then looks whether those around are still there.
    fn with(&mut self, offset: usize, len: usize, body: impl FnOnce(&mut [u8])) {
        let start = 64 + offset;
        self.0[start - 64..start + len + 64].fill(FILLER[0]);
        body(&mut self.0[start..start + len]);
        assert_eq!(self.0[start - 64..start], FILLER, "changed before {offset}");
        assert_eq!(self.0[start + len..][..64], FILLER, "changed behind {offset} and {len} bytes");
    }
}

fn offsets() -> impl Iterator<Item = usize> {
    (0..64).step_by(if cfg!(miri) { 21 } else { 1 })
}

fn lengths(max: usize) -> impl Iterator<Item = usize> {
    (0..=max).step_by(if cfg!(miri) { 37 } else { 1 })
}

/// Source, destination and key at every alignment to one another.
#[test]
fn every_form_at_every_length_and_offset_in_two_pieces() {
    let payload = Payload::new(64 + MAX_LEN);
    simd::for_each(|level| {
        let mut buffer = Aligned::new();
        for (len, offset) in lengths(MAX_LEN).flat_map(|len| offsets().map(move |offset| (len, offset))) {
            let phase = (len + offset / 4) % 4;
            let (src, expected) = payload.piece(offset * 5 % 64, len, phase);
            let splits: &[usize] = if cfg!(miri) { &[0, 15] } else { &[0, 1, 15, 16, 63, len / 2, len] };
            for &split in splits.iter().filter(|&&split| split <= len) {
                for (name, form) in FORMS {
                    let mut mask = mask_at(phase);
                    buffer.with(offset, len, |dst| {
                        form(&mut mask, &src[..split], &mut dst[..split]);
                        form(&mut mask, &src[split..], &mut dst[split..]);
                        assert_eq!(dst, expected, "{level:?}, {name}, length {len}, offset {offset}, split {split}");
                    });
                    assert_eq!(mask, mask_at(phase + len));
                }
            }
        }
    });
}

/// Beside the payload, on the side where it ends a page, nothing is read and nothing written.
#[cfg(all(unix, not(miri)))]
#[test]
fn every_form_stays_within_its_memory() {
    let payload = Payload::new(4 + 1500);
    simd::for_each(|level| {
        let (mut from, mut to) = (simd::guard::Guarded::new(), simd::guard::Guarded::new());
        for (len, phase) in (0..=MAX_LEN).chain([1023, 1024, 1025, 1500]).flat_map(|len| [(len, 0), (len, len % 3 + 1)])
        {
            let (src, expected) = payload.piece(phase, len, phase);
            for (end, (name, form)) in
                simd::guard::End::BOTH.into_iter().flat_map(|end| FORMS.iter().map(move |f| (end, f)))
            {
                let dst = to.writable(end, src);
                form(&mut mask_at(phase), from.readable(end, src), dst);
                assert_eq!(dst, expected, "{level:?}, {name}, length {len}, {end:?}");
            }
            for (end, copy) in simd::guard::End::BOTH.into_iter().flat_map(|end| COPIES.iter().map(move |c| (end, c))) {
                let dst = to.writable(end, expected);
                copy(from.readable(end, src), dst);
                assert_eq!(dst, src, "{level:?}, a copy, length {len}, {end:?}");
            }
        }
    });
}

#[test]
fn a_copy_without_a_key_is_the_same_bytes() {
    let long = [1000, 8 << 10, (8 << 10) + 1, 32 << 10, (32 << 10) + 1].into_iter().filter(|_| !cfg!(miri));
    simd::for_each(|level| {
        for len in lengths(MAX_LEN).chain(long.clone()) {
            let src = payload(len);
            for copy in COPIES {
                let mut dst = std::vec![0xa5; len + 128];
                copy(&src, &mut dst[64..64 + len]);
                assert_eq!(dst[64..64 + len], src, "{level:?}, {len}");
                assert_eq!((&dst[..64], &dst[64 + len..]), (&FILLER[..], &FILLER[..]), "{level:?}, {len}");
            }
        }
    });
}

#[test]
fn every_split_of_short_payloads() {
    simd::for_each(|level| {
        for len in lengths(if cfg!(miri) { 40 } else { 300 }) {
            let plain = payload(len);
            let mut expected = plain.clone();
            byte_loop(&mut expected, 0);
            for split in 0..=len {
                let (mut bytes, mut mask) = (plain.clone(), mask_at(0));
                let (head, tail) = bytes.split_at_mut(split);
                mask.apply(head);
                mask.apply(tail);
                assert_eq!(bytes, expected, "{level:?}, length {len}, split {split}");
            }
        }
    });
}

/// Around the length from which stores are aligned, and long enough for every loop to run.
#[test]
fn long_payloads() {
    simd::for_each(|level| {
        let lengths: &[usize] = if cfg!(miri) { &[600] } else { &[1000, 1023, 1024, 1025, 1500, 4096, 4099, 70_001] };
        for &len in lengths {
            for offset in offsets() {
                let plain = payload(len + offset);
                let mut expected = plain.clone();
                byte_loop(&mut expected[offset..], 3);
                let mut bytes = plain.clone();
                mask_at(3).apply(&mut bytes[offset..]);
                assert!(bytes == expected, "{level:?}, length {len}, offset {offset}");
                bytes.fill(0);
                mask_at(3).apply_to(&plain[offset..], &mut bytes[offset..]);
                assert!(bytes[offset..] == expected[offset..], "{level:?}, copying, length {len}, offset {offset}");
            }
        }
    });
}

/// From the front and from the back, by the place in the page.
#[test]
fn a_copy_to_any_place_of_the_page() {
    let lengths: &[usize] = if cfg!(miri) { &[257, 600] } else { &[129, 257, 300, 511, 512, 513, 1000, 2049, 4099] };
    let ahead: &[usize] = if cfg!(miri) { &[1, 4095] } else { &[0, 1, 4, 31, 64, 500, 1023, 1024, 2000, 4064, 4095] };
    simd::for_each(|level| {
        for (&len, &ahead) in lengths.iter().flat_map(|len| ahead.iter().map(move |ahead| (len, ahead))) {
            let plain = payload(len);
            let mut expected = plain.clone();
            byte_loop(&mut expected, 1);
            for offset in offsets() {
                // In one allocation, so that the places are what they are meant to be.
                let mut memory = std::vec![0xa5; offset + 8192 + 4096 + len + 64];
                let (front, back) = memory.split_at_mut(offset + 8192 + ahead);
                let (src, dst) = (&mut front[offset..][..len], &mut back[..len]);
                src.copy_from_slice(&plain);
                assert_eq!(Span::copying(src, dst, 0).loads_meet_stores(), ahead < 1024);
                mask_at(1).apply_to(src, dst);
                assert_eq!(*dst, expected, "{level:?}, length {len}, {ahead} ahead, offset {offset}");
                assert_eq!((&*src, &back[len..][..64]), (&plain[..], &FILLER[..]));
                assert!(front[offset + len..].iter().all(|&byte| byte == 0xa5));
            }
        }
    });
}

#[test]
fn short_text_is_unmasked_only_if_it_is_ascii() {
    for len in lengths(SHORT) {
        for phase in 0..if cfg!(miri) { 1 } else { 4 } {
            let ascii: Vec<u8> = (0..len).map(|i| b' ' + (i % 90) as u8).collect();
            let mut bytes = ascii.clone();
            byte_loop(&mut bytes, phase);
            let mut mask = mask_at(phase);
            assert!(mask.apply_if_ascii(&mut bytes));
            assert_eq!((bytes, mask), (ascii.clone(), mask_at(phase + len)));

            for high in (0..len).step_by(if cfg!(miri) { 13 } else { 1 }) {
                let mut masked = ascii.clone();
                masked[high] |= 0x80;
                byte_loop(&mut masked, phase);
                let (mut bytes, mut mask) = (masked.clone(), mask_at(phase));
                assert!(!mask.apply_if_ascii(&mut bytes), "length {len}, high bit at {high}");
                assert_eq!((bytes, mask), (masked, mask_at(phase)));
            }
        }
    }
}

/// Calls `check` with frames of `len` bytes of payload, ASCII and with a high bit at each place, masked and unmasked.
fn frames(len: usize, mut check: impl FnMut(&mut [u8], &[u8], &str)) {
    // With high bits all over the header and the key: neither is text.
    const HEADER: [u8; 6] = [0x81, 0xFF, 0xF7, 0x8A, 0xE1, 0xBD];
    let key = &HEADER[2..];
    let ascii: Vec<u8> = (0..len).map(|i| b' ' + (i * 7 % 90) as u8).collect();
    let highs = (0..len).step_by(if cfg!(miri) { 13 } else { 1 });
    for high in highs.map(Some).chain([None]) {
        let mut plain = ascii.clone();
        if let Some(high) = high {
            plain[high] |= 0x80;
        }
        let frame: Vec<u8> =
            HEADER.into_iter().chain(plain.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b)).collect();
        let expected: Vec<u8> = HEADER.into_iter().chain(plain).collect();
        check(&mut frame.clone(), &expected, &std::format!("length {len}, high bit at {high:?}"));
    }
}

#[test]
fn a_short_frame_is_unmasked_behind_its_header() {
    #[cfg(all(unix, not(miri)))]
    let mut memory = simd::guard::Guarded::new();
    for len in lengths(125) {
        frames(len, |frame, expected, case| {
            let is_ascii = expected[6..].is_ascii();
            let masked = frame.to_vec();
            let mask = Mask::new(MaskingKey::new([frame[2], frame[3], frame[4], frame[5]]));
            let check = |frame: &mut [u8]| {
                assert_eq!(mask.apply_to_frame(frame, true), is_ascii, "{case}");
                assert_eq!(frame, if is_ascii { expected } else { &masked }, "{case}");
                frame.copy_from_slice(&masked);
                assert!(mask.apply_to_frame(frame, false));
                assert_eq!(frame, expected, "{case}");
            };
            check(frame);
            #[cfg(all(unix, not(miri)))]
            for end in simd::guard::End::BOTH {
                check(memory.writable(end, &masked));
            }
            assert_eq!(is_ascii, super::is_ascii(&expected[6..]), "{case}");
        });
    }
}
