//! Ceilings: the part of the work that nobody can leave out, by bare loops that check nothing. They compete with no one.

use std::rc::Rc;

use websocket_wire::{Mask, MaskingKey, utf8::Validator};

use crate::corpus::KEY;
use crate::peer::{Peer, Receiver, Sender, Sink};
use crate::pipe::READ;

/// From the length of one frame to the place of the next.
pub const CHAIN: &str = "length to length, alone";
/// The same, and unmasking by this crate's mask.
pub const UNMASK: &str = "length to length, and unmask";
/// The same, and validating what is text, by this crate's validator: no rule of the frame.
pub const TEXT: &str = "length to length, unmask and validate";
/// Unmasking and looking whether all is ASCII, four vectors at a time: long texts on a CPU with AVX-512.
pub const ASCII: &str = "unmask and test, alone";
/// The copy of the reads.
pub const COPY: &str = "copy of the reads, alone";
/// A header of fixed bytes, and the payload copied (masked) behind it.
pub const FILL: &str = "header and copy, alone";

pub fn all() -> Vec<Peer> {
    let bare = |name, chain| Peer::new(name).receives(Bare { buf: Vec::new(), len: 0, chain });
    vec![
        bare(CHAIN, Bare::chain::<{ Bare::NOTHING }>),
        bare(UNMASK, Bare::chain::<{ Bare::UNMASKS }>),
        bare(TEXT, Bare::chain::<{ Bare::VALIDATES }>),
        Peer::new(COPY).receives(Copy(vec![0; READ])),
        Peer::new(FILL).sends(Writer::new(true), Writer::new(false)),
    ]
}

/// See [`ASCII`].
#[cfg(target_arch = "x86_64")]
pub fn ascii() -> Option<Peer> {
    // VBMI as in the crate: without it these vectors slow down whatever comes after them, the contestants too.
    let has_vectors = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi");
    let unmask = |payload: &mut [u8], key| {
        if payload.len() < 256 {
            Mask::new(MaskingKey::new(key)).apply(payload);
            return payload.is_ascii();
        }
        // SAFETY: the CPU has been asked.
        unsafe { ascii_by_four(payload, key) }
    };
    has_vectors.then(|| Peer::new(ASCII).texts(unmask))
}

#[cfg(not(target_arch = "x86_64"))]
pub fn ascii() -> Option<Peer> {
    None
}

/// # Safety
///
/// The CPU has AVX-512F and BW, and there are 64 bytes or more.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn ascii_by_four(payload: &mut [u8], key: [u8; 4]) -> bool {
    use std::arch::x86_64::*;

    /// # Safety
    ///
    /// There are `N` vectors, and the CPU is that of the function around.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    unsafe fn block<const N: usize>(at: *mut __m512i, key: __m512i) -> bool {
        let mut plain = [key; N];
        let mut all = _mm512_setzero_si512();
        for (i, v) in plain.iter_mut().enumerate() {
            // SAFETY: the caller's word.
            *v = _mm512_xor_si512(*v, unsafe { _mm512_loadu_si512(at.add(i)) });
            all = _mm512_or_si512(all, *v);
        }
        if _mm512_movepi8_mask(all) != 0 {
            return false;
        }
        for (i, v) in plain.into_iter().enumerate() {
            // SAFETY: the caller's word.
            unsafe { _mm512_storeu_si512(at.add(i), v) };
        }
        true
    }

    let key_at = |at: usize| {
        let rotated = u32::from_le_bytes(key).rotate_right(8 * (at % 4) as u32);
        _mm512_set1_epi32(rotated.cast_signed())
    };
    let (start, tail) = (payload.as_mut_ptr(), payload.len() - 64);
    let mut at = 64 - start as usize % 64;
    let middle_key = key_at(at);
    // SAFETY: all that is read and written is in the payload: the first 64 bytes, the last 64, and from the first
    // multiple of 64 on whole vectors that begin before the last one does.
    unsafe {
        let first = _mm512_xor_si512(_mm512_loadu_si512(start.cast()), key_at(0));
        let last = _mm512_xor_si512(_mm512_loadu_si512(start.add(tail).cast()), key_at(tail));
        let mut is_ascii = _mm512_movepi8_mask(_mm512_or_si512(first, last)) == 0;
        while is_ascii && at + 192 < tail {
            is_ascii = block::<4>(start.add(at).cast(), middle_key);
            at += 256;
        }
        while is_ascii && at < tail {
            is_ascii = block::<1>(start.add(at).cast(), middle_key);
            at += 64;
        }
        if is_ascii {
            _mm512_storeu_si512(start.cast(), first);
            _mm512_storeu_si512(start.add(tail).cast(), last);
        }
        is_ascii
    }
}

struct Bare {
    buf: Vec<u8>,
    len: usize,
    chain: fn(&mut [u8], &mut Sink),
}

impl Bare {
    const NOTHING: u8 = 0;
    const UNMASKS: u8 = 1;
    const VALIDATES: u8 = 2;

    /// Small frames only: their length is in the second byte.
    #[inline(never)]
    fn chain<const WORK: u8>(buf: &mut [u8], sink: &mut Sink) {
        let mut rest = buf;
        while let [first, second, a, b, c, d, ref mut payload @ ..] = *rest {
            let (payload, behind) = payload.split_at_mut(usize::from(second & 0x7f));
            let mut mask = Mask::new(MaskingKey::new([a, b, c, d]));
            match WORK {
                Self::NOTHING => {}
                Self::VALIDATES if first == 0x81 => Validator::new().unmask(&mut mask, payload).expect("valid text"),
                _ => mask.apply(payload),
            }
            sink.message(payload);
            rest = behind;
        }
    }
}

impl Receiver for Bare {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.buf.resize(wire.len().max(self.buf.len()), 0);
        self.buf[..wire.len()].copy_from_slice(wire);
        self.len = wire.len();
    }

    fn drain(&mut self, _: usize, sink: &mut Sink) {
        (self.chain)(&mut self.buf[..self.len], sink);
    }

    fn read(&mut self, _: &Rc<[u8]>, _: usize, _: &mut Sink) {
        unreachable!("runs alone");
    }
}

struct Copy(Vec<u8>);

impl Receiver for Copy {
    fn load(&mut self, _: &Rc<[u8]>) {}

    fn drain(&mut self, _: usize, _: &mut Sink) {
        unreachable!("reads alone");
    }

    fn read(&mut self, wire: &Rc<[u8]>, _: usize, sink: &mut Sink) {
        for chunk in wire.chunks(READ) {
            self.0[..chunk.len()].copy_from_slice(chunk);
            sink.part(&self.0[..chunk.len()]);
        }
    }
}

struct Writer {
    is_client: bool,
    header: Vec<u8>,
    payload: Vec<u8>,
    out: Vec<u8>,
    len: usize,
}

impl Writer {
    fn new(is_client: bool) -> Self {
        Self { is_client, header: Vec::new(), payload: Vec::new(), out: Vec::new(), len: 0 }
    }
}

impl Sender for Writer {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        self.header.clear();
        let first = if is_text { 0x81 } else { 0x82 };
        crate::corpus::push_header(&mut self.header, first, payload.len(), self.is_client.then_some(KEY));
        self.payload = payload.to_vec();
    }

    fn send(&mut self, times: usize) {
        let mut header = [0; 16];
        header[..self.header.len()].copy_from_slice(&self.header);
        self.out.resize((times * (self.payload.len() + 14) + 16).max(self.out.len()), 0);
        for _ in 0..times {
            // Sixteen bytes at once; the payload goes over those that are too many.
            self.out[self.len..self.len + 16].copy_from_slice(&header);
            self.len += self.header.len();
            let body = &mut self.out[self.len..self.len + self.payload.len()];
            match self.is_client {
                true => Mask::new(MaskingKey::new(KEY)).apply_to(&self.payload, body),
                false => body.copy_from_slice(&self.payload),
            }
            self.len += self.payload.len();
        }
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.out[..self.len]);
        self.len = 0;
    }
}
