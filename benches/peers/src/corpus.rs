//! What is measured on: texts, lengths, frames. Built here byte by byte, by none of the contestants.

use std::rc::Rc;

pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// xorshift64*: lengths that no branch predictor knows.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.next() as usize % (high - low + 1)
    }
}

/// The lengths of a case: always the same one, or drawn anew from a range.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Length {
    Fixed(usize),
    Unlearnt(usize, usize),
}

impl Length {
    pub fn draw(self, random: &mut Random) -> usize {
        match self {
            Self::Fixed(len) => len,
            Self::Unlearnt(low, high) => random.between(low, high),
        }
    }

    pub fn max(self) -> usize {
        match self {
            Self::Fixed(len) | Self::Unlearnt(_, len) => len,
        }
    }

    pub fn mean(self) -> f64 {
        match self {
            Self::Fixed(len) => len as f64,
            Self::Unlearnt(low, high) => (low + high) as f64 / 2.0,
        }
    }
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Fixed(len) => f.pad(&size(len)),
            Self::Unlearnt(low, high) => f.pad(&format!("{low}-{high} B unlearnt")),
        }
    }
}

/// `65536` as `64 KiB`.
pub fn size(len: usize) -> String {
    match len {
        _ if len >= 1 << 20 && len.is_multiple_of(1 << 20) => format!("{} MiB", len >> 20),
        _ if len >= 1 << 10 && len.is_multiple_of(1 << 10) => format!("{} KiB", len >> 10),
        _ => format!("{len} B"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Script {
    Binary,
    Ascii,
    Latin,
    Cyrillic,
    Chinese,
    Emoji,
}

impl Script {
    pub const TEXTS: [Self; 5] = [Self::Ascii, Self::Latin, Self::Cyrillic, Self::Chinese, Self::Emoji];

    pub fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Ascii => "ASCII",
            Self::Latin => "Latin",
            Self::Cyrillic => "Cyrillic",
            Self::Chinese => "Chinese",
            Self::Emoji => "emoji",
        }
    }

    pub fn is_text(self) -> bool {
        self != Self::Binary
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Binary | Self::Ascii => r#"{"type":"message","id":48213,"body":"see you at six, by the door"} "#,
            Self::Latin => "Größe und Wärme, l'été à la forêt, mañana señor, naïve façade; ",
            Self::Cyrillic => "Всё хорошо, встретимся завтра в шесть у входа. ",
            Self::Chinese => "今天下午三点在会议室开会，请大家准时参加。",
            Self::Emoji => "🚀🎉👍😂🔥🙏🌍🎵🍕",
        }
    }

    /// A payload of exactly `len` bytes: whole code points, filled up with full stops; binary is noise.
    pub fn payload(self, len: usize, random: &mut Random) -> Vec<u8> {
        if self == Self::Binary {
            return (0..len).map(|_| random.next() as u8).collect();
        }
        let skip = random.between(0, self.phrase().chars().count() - 1);
        let mut text = String::with_capacity(len + 4);
        for c in self.phrase().chars().cycle().skip(skip) {
            if text.len() + c.len_utf8() > len {
                break;
            }
            text.push(c);
        }
        text.extend(std::iter::repeat_n('.', len - text.len()));
        text.into_bytes()
    }
}

/// What a service sends: objects with the same names and other values.
pub fn json(len: usize, random: &mut Random) -> Vec<u8> {
    const WORDS: [&str; 10] =
        ["open", "closed", "pending", "limit", "market", "alpha", "london", "paris", "tokyo", "lima"];
    let mut text = String::new();
    while text.len() < len {
        let (id, cents, at) = (random.next() as u32, random.between(0, 99_999), random.between(0, 1 << 30));
        let (kind, place) = (WORDS[random.between(0, 4)], WORDS[random.between(5, 9)]);
        let (price, rest, ok) = (cents / 100, cents % 100, at % 2 == 0);
        text += &format!(
            r#"{{"id":{id},"kind":"{kind}","place":"{place}","price":{price}.{rest:02},"at":"2026-11-22T{at}Z","ok":{ok}}},"#
        );
    }
    text.truncate(len);
    text.into_bytes()
}

pub fn mask(payload: &mut [u8], key: [u8; 4]) {
    for (i, byte) in payload.iter_mut().enumerate() {
        *byte ^= key[i % 4];
    }
}

/// Appends a header.
pub fn push_header(wire: &mut Vec<u8>, first: u8, len: usize, key: Option<[u8; 4]>) {
    let mask = if key.is_some() { 0x80 } else { 0 };
    wire.push(first);
    match len {
        0..=125 => wire.push(mask | len as u8),
        126..=0xffff => {
            wire.push(mask | 126);
            wire.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            wire.push(mask | 127);
            wire.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    wire.extend_from_slice(key.as_ref().map_or(&[], |key| &key[..]));
}

/// Frames of a client, one after the other, and what a server is to find in them.
#[derive(Clone)]
pub struct Wire {
    pub bytes: Rc<[u8]>,
    pub frames: usize,
    pub digest: Digest,
}

impl Wire {
    pub fn new(script: Script, length: Length, frames: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (mut bytes, mut digest) = (Vec::new(), Digest::default());
        for _ in 0..frames {
            let mut payload = script.payload(length.draw(&mut random), &mut random);
            digest.take(&payload);
            digest.end();
            let key = (random.next() as u32).to_ne_bytes();
            push_header(&mut bytes, if script.is_text() { 0x81 } else { 0x82 }, payload.len(), Some(key));
            mask(&mut payload, key);
            bytes.extend_from_slice(&payload);
        }
        Self { bytes: bytes.into(), frames, digest }
    }
}

/// Payloads in order, in a few bytes: equal only if each message has the same bytes, however they came in parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest {
    hash: u64,
    pub messages: usize,
    pub bytes: usize,
}

impl Default for Digest {
    fn default() -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, messages: 0, bytes: 0 }
    }
}

impl Digest {
    pub fn take(&mut self, part: &[u8]) {
        self.bytes += part.len();
        for &byte in part {
            self.step(byte.into());
        }
    }

    pub fn end(&mut self) {
        self.messages += 1;
        self.step(256);
    }

    fn step(&mut self, value: u64) {
        self.hash = (self.hash ^ value).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

/// Reads frames that a contestant wrote; returns what is in them.
pub fn read_frames(wire: &[u8], first: u8, is_masked: bool) -> Digest {
    let mut digest = Digest::default();
    for payload in frames(wire, first, is_masked) {
        digest.take(&payload);
        digest.end();
    }
    digest
}

/// Reads frames that begin with this byte; returns their payloads.
pub fn frames(mut wire: &[u8], first: u8, is_masked: bool) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while let [start, second, ..] = *wire {
        assert_eq!((start, second & 0x80 != 0), (first, is_masked), "the first two bytes of a frame");
        let be = |range: std::ops::Range<usize>| wire[range].iter().fold(0, |n, b| n << 8 | usize::from(*b));
        let (len, mut at) = match second & 0x7f {
            126 => (be(2..4), 4),
            127 => (be(2..10), 10),
            len => (len.into(), 2),
        };
        let key = if is_masked { wire[at..at + 4].try_into().unwrap() } else { [0; 4] };
        at += if is_masked { 4 } else { 0 };
        let mut payload = wire[at..at + len].to_vec();
        mask(&mut payload, key);
        payloads.push(payload);
        wire = &wire[at + len..];
    }
    assert!(wire.is_empty(), "bytes behind the last frame");
    payloads
}
