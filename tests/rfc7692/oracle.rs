//! Inflation bit by bit, as RFC 1951 is written: slow, and obviously right. The streams are judged by both.

use std::collections::HashMap;

use miniz_oxide::deflate::core::CompressorOxide;
use proptest::prelude::*;

use super::streams::{miniz, miniz_compressor};
use super::*;

/// Why a stream is refused: it is none, or it is cut short.
#[derive(Debug, PartialEq)]
struct Fault;

struct Oracle<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
    window: usize,
}

/// The symbol of each code, by its length and its bits.
type Codes = HashMap<(u32, u32), usize>;

impl Oracle<'_> {
    fn bits(&mut self, count: u32) -> Result<usize, Fault> {
        let mut value = 0;
        for i in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(Fault)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Ok(value)
    }

    fn is_at_byte(&self) -> bool {
        self.at.is_multiple_of(8)
    }

    fn is_over(&self) -> bool {
        self.at == 8 * self.bytes.len()
    }

    /// Appends the message to `out`, which has what came before it.
    fn message(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        while !self.is_over() {
            let is_final = self.bits(1)? == 1;
            match self.bits(2)? {
                0 => {
                    self.at = self.at.next_multiple_of(8);
                    if self.is_over() {
                        return Ok(()); // the rest is the tail that the sender leaves out
                    }
                    let (len, complement) = (self.bits(16)?, self.bits(16)?);
                    if len != complement ^ 0xFFFF {
                        return Err(Fault);
                    }
                    for _ in 0..len {
                        out.push(self.bits(8)? as u8);
                    }
                }
                1 => {
                    let lens = |i| [8, 9, 7, 8][usize::from(i >= 144) + usize::from(i >= 256) + usize::from(i >= 280)];
                    let literals: Vec<u32> = (0..288).map(lens).collect();
                    self.symbols(&codes(&literals), &codes(&[5; 32]), out)?;
                }
                2 => {
                    let (literals, distances) = self.dynamic()?;
                    self.symbols(&literals, &distances, out)?;
                }
                _ => return Err(Fault),
            }
            if is_final {
                self.at = self.at.next_multiple_of(8);
            }
        }
        // Between two blocks, and two bytes.
        if self.is_at_byte() { Ok(()) } else { Err(Fault) }
    }

    fn dynamic(&mut self) -> Result<(Codes, Codes), Fault> {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let (literals, distances, count) = (self.bits(5)? + 257, self.bits(5)? + 1, self.bits(4)? + 4);
        if literals > 286 || distances > 30 {
            return Err(Fault);
        }
        let mut lens_of_lens = [0; 19];
        for symbol in &ORDER[..count] {
            lens_of_lens[*symbol] = self.bits(3)? as u32;
        }
        admitted(&lens_of_lens, false)?;
        let code = codes(&lens_of_lens);
        let mut lens = Vec::new();
        while lens.len() < literals + distances {
            let (len, repeat) = match self.symbol(&code)? {
                16 => (*lens.last().ok_or(Fault)?, 3 + self.bits(2)?),
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                len => (len as u32, 1),
            };
            lens.extend(std::iter::repeat_n(len, repeat));
        }
        if lens.len() > literals + distances || lens[256] == 0 {
            return Err(Fault);
        }
        let (literals, distances) = lens.split_at(literals);
        admitted(literals, true)?;
        admitted(distances, true)?;
        Ok((codes(literals), codes(distances)))
    }

    fn symbol(&mut self, codes: &Codes) -> Result<usize, Fault> {
        let mut code = 0;
        for len in 1..=15 {
            code = code << 1 | self.bits(1)? as u32;
            if let Some(symbol) = codes.get(&(len, code)) {
                return Ok(*symbol);
            }
        }
        Err(Fault)
    }

    fn symbols(&mut self, literals: &Codes, distances: &Codes, out: &mut Vec<u8>) -> Result<(), Fault> {
        loop {
            match self.symbol(literals)? {
                byte @ 0..256 => out.push(byte as u8),
                256 => return Ok(()),
                257..=285 if distances.is_empty() => return Err(Fault),
                symbol @ 257..=285 => {
                    let extra = if (265..285).contains(&symbol) { (symbol as u32 - 261) / 4 } else { 0 };
                    let base = (257..symbol).map(|i| if (265..285).contains(&i) { 1 << ((i - 261) / 4) } else { 1 });
                    let len = if symbol == 285 { 258 } else { 3 + base.sum::<usize>() } + self.bits(extra)?;
                    let symbol = self.symbol(distances)?;
                    if symbol > 29 {
                        return Err(Fault);
                    }
                    let bits = |i: usize| if i < 4 { 0 } else { (i as u32 - 2) / 2 };
                    let base: usize = (0..symbol).map(|i| 1 << bits(i)).sum();
                    let distance = 1 + base + self.bits(bits(symbol))?;
                    if distance > self.window || distance > out.len() {
                        return Err(Fault);
                    }
                    (0..len).for_each(|_| out.push(out[out.len() - distance]));
                }
                _ => return Err(Fault),
            }
        }
    }
}

/// RFC 1951 §3.2.2.
fn codes(lens: &[u32]) -> Codes {
    let (mut codes, mut code) = (Codes::new(), 0);
    for len in 1..=15 {
        for symbol in (0..lens.len()).filter(|&symbol| lens[symbol] == len) {
            codes.insert((len, code), symbol);
            code += 1;
        }
        code <<= 1;
    }
    codes
}

/// A code has to be complete, as zlib asks, or to be empty, or, where it `may_be_single`, to be one code of one bit.
fn admitted(lens: &[u32], may_be_single: bool) -> Result<(), Fault> {
    let used: Vec<u32> = lens.iter().copied().filter(|&len| len > 0).collect();
    let room: u32 = used.iter().map(|len| 1 << (15 - len)).sum();
    let is_admitted = room == 1 << 15 || used.is_empty() || may_be_single && used == [1];
    if is_admitted { Ok(()) } else { Err(Fault) }
}

fn bits(bits: u8) -> Agreement {
    Agreement { server_max_window_bits: Some(bits), ..Agreement::DEFAULT }
}

/// Judges messages, one after the other, by the oracle and as they come in reads of `read` bytes.
fn judge(payloads: &[Vec<u8>], window_bits: u8, read: usize) -> Result<(), TestCaseError> {
    let (mut history, mut expected, mut wire) = (Vec::new(), Ok(Vec::new()), Vec::new());
    for payload in payloads {
        let start = history.len();
        let verdict = Oracle { bytes: payload, at: 0, window: 1 << window_bits }.message(&mut history);
        expected = match verdict {
            Ok(()) => expected.map(|mut messages: Vec<Message>| {
                messages.push(binary(&history[start..]));
                messages
            }),
            Err(Fault) => Err(DecodeError::InvalidExtensionData),
        };
        wire.extend(frame(0xC2, payload));
        if expected.is_err() {
            break;
        }
    }
    prop_assert!(feed(&mut client(bits(window_bits)), &wire, read) == expected, "{window_bits} bits, reads of {read}");
    Ok(())
}

/// Bytes of which the rarest are so rare that their codes are as long as codes may be.
fn skewed(len: usize) -> Vec<u8> {
    let noise = noise(2 * len);
    noise
        .chunks(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]).leading_zeros() as u8 % 16 * 16 + pair[1] % 2)
        .collect()
}

fn plain() -> impl Strategy<Value = Vec<u8>> {
    let words = proptest::collection::vec(prop_oneof![Just("ab"), Just("\0"), Just("the quick "), Just("é")], 0..400);
    prop_oneof![
        words.prop_map(|words| words.concat().into_bytes()),
        (0usize..9000).prop_map(json),
        (0usize..9000).prop_map(skewed),
        proptest::collection::vec(any::<u8>(), 0..600),
    ]
}

fn compressed(compressor: &mut CompressorOxide, plain: &[u8]) -> Vec<u8> {
    if plain.is_empty() { vec![0] } else { miniz(compressor, plain) }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 64 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Valid streams that refer far back, into small windows too; and the same with one byte changed.
    #[test]
    fn streams_are_judged_as_by_the_oracle(
        messages in proptest::collection::vec(plain(), 1..4),
        level in 1i32..=9,
        window_bits in 8u8..=15,
        read in prop_oneof![Just(usize::MAX), 1usize..40],
        flip in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()),
    ) {
        let mut compressor = miniz_compressor(level);
        let mut payloads: Vec<Vec<u8>> = messages.iter().map(|plain| compressed(&mut compressor, plain)).collect();
        judge(&payloads, window_bits, read)?;
        let message = flip.0.index(payloads.len());
        let at = flip.1.index(payloads[message].len());
        payloads[message][at] ^= flip.2;
        judge(&payloads, window_bits, read)?;
    }

    /// Noise behind the header of each kind of block.
    #[test]
    fn noise_is_judged_as_by_the_oracle(
        mut payload in proptest::collection::vec(any::<u8>(), 1..80),
        kind in 0u8..8,
        window_bits in 8u8..=15,
        read in prop_oneof![Just(usize::MAX), Just(1usize)],
    ) {
        payload[0] = payload[0] & !7 | kind;
        judge(&[payload], window_bits, read)?;
    }
}

#[test]
fn codes_of_every_length_are_judged_as_by_the_oracle() {
    let plain = skewed(if cfg!(miri) { 100 } else { 60_000 });
    let payload = miniz(&mut miniz_compressor(9), &plain);
    for window_bits in [8, 12, 15] {
        for read in [usize::MAX, 7] {
            judge(std::slice::from_ref(&payload), window_bits, read).unwrap();
        }
    }
    assert_eq!(feed(&mut client(bits(15)), &frame(0xC2, &payload), 1000), Ok(vec![binary(plain)]));
}
