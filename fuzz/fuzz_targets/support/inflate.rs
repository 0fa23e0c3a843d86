//! DEFLATE as RFC 1951 tells it, bit by bit: an oracle that is meant to be obviously right, and nothing else.

use std::collections::HashMap;

use websocket_wire::DecodeError;

use super::oracle::Utf8;

/// The receiver of one direction of permessage-deflate.
pub(crate) struct Naive {
    pub(crate) window_bits: u8,
    pub(crate) takeover: bool,
    pub(crate) limit: usize,
    /// All that was ever inflated, as far as it may be looked back at.
    pub(crate) history: Vec<u8>,
}

impl Naive {
    /// Inflates the payload of a message.
    pub(crate) fn message(&mut self, payload: &[u8], is_text: bool) -> Result<Vec<u8>, DecodeError> {
        let start = self.history.len();
        let mut stream = Stream { payload, at: 0, naive: self, start, utf8: is_text.then(Utf8::new) };
        stream.blocks()?;
        if stream.utf8.is_some_and(|utf8| !utf8.is_complete()) {
            return Err(DecodeError::InvalidUtf8);
        }
        let message = self.history[start..].to_vec();
        if !self.takeover {
            self.history.clear();
        }
        Ok(message)
    }
}

struct Stream<'a> {
    payload: &'a [u8],
    /// The next bit.
    at: usize,
    naive: &'a mut Naive,
    /// Where the message begins in the history.
    start: usize,
    utf8: Option<Utf8>,
}

const INVALID: DecodeError = DecodeError::InvalidExtensionData;

type Code = HashMap<(usize, usize), usize>;

impl Stream<'_> {
    fn blocks(&mut self) -> Result<(), DecodeError> {
        // A message ends between two blocks that are whole bytes, or behind the header of a stored block.
        while self.at < 8 * self.payload.len() {
            let is_final = self.bit()? == 1;
            match self.bits(2)? {
                0 => {
                    self.at = self.at.next_multiple_of(8);
                    if self.at == 8 * self.payload.len() {
                        return Ok(());
                    }
                    self.stored()?;
                }
                1 => {
                    let literals = [vec![8; 144], vec![9; 112], vec![7; 24], vec![8; 8]].concat();
                    self.symbols(&code(&literals, false)?, &code(&[5; 32], false)?)?;
                }
                2 => {
                    let (literals, distances) = self.codes()?;
                    self.symbols(&literals, &distances)?;
                }
                _ => return Err(INVALID),
            }
            if is_final {
                self.at = self.at.next_multiple_of(8);
            }
        }
        Ok(())
    }

    fn stored(&mut self) -> Result<(), DecodeError> {
        let (len, complement) = (self.bits(16)?, self.bits(16)?);
        if len != !complement & 0xFFFF {
            return Err(INVALID);
        }
        for _ in 0..len {
            let byte = self.bits(8)? as u8;
            self.put(byte)?;
        }
        Ok(())
    }

    fn codes(&mut self) -> Result<(Code, Code), DecodeError> {
        let (literals, distances, lens_of_lens) = (self.bits(5)? + 257, self.bits(5)? + 1, self.bits(4)? + 4);
        if literals > 286 || distances > 30 {
            return Err(INVALID);
        }
        let mut lens = [0; 19];
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].into_iter().take(lens_of_lens)
        {
            lens[symbol] = self.bits(3)?;
        }
        let code_of_lens = code(&lens, false)?;
        let mut lens: Vec<usize> = Vec::new();
        while lens.len() < literals + distances {
            let symbol = self.symbol(&code_of_lens)?;
            let (value, times) = match symbol {
                16 => (*lens.last().ok_or(INVALID)?, 3 + self.bits(2)?),
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                len => (len, 1),
            };
            lens.extend(vec![value; times]);
        }
        if lens.len() > literals + distances || lens[256] == 0 {
            return Err(INVALID);
        }
        Ok((code(&lens[..literals], true)?, code(&lens[literals..], true)?))
    }

    fn symbols(&mut self, literals: &Code, distances: &Code) -> Result<(), DecodeError> {
        loop {
            let symbol = self.symbol(literals)?;
            match symbol {
                0..=255 => self.put(symbol as u8)?,
                256 => return Ok(()),
                _ => {
                    let len = self.length(symbol - 257)?;
                    let symbol = self.symbol(distances)?;
                    let distance = self.distance(symbol)?;
                    let history = self.naive.history.len();
                    if distance > history || distance > 1 << self.naive.window_bits {
                        return Err(INVALID);
                    }
                    for _ in 0..len {
                        self.put(self.naive.history[self.naive.history.len() - distance])?;
                    }
                }
            }
        }
    }

    fn length(&mut self, i: usize) -> Result<usize, DecodeError> {
        const LENGTHS: [(usize, usize); 29] = [
            (3, 0),
            (4, 0),
            (5, 0),
            (6, 0),
            (7, 0),
            (8, 0),
            (9, 0),
            (10, 0),
            (11, 1),
            (13, 1),
            (15, 1),
            (17, 1),
            (19, 2),
            (23, 2),
            (27, 2),
            (31, 2),
            (35, 3),
            (43, 3),
            (51, 3),
            (59, 3),
            (67, 4),
            (83, 4),
            (99, 4),
            (115, 4),
            (131, 5),
            (163, 5),
            (195, 5),
            (227, 5),
            (258, 0),
        ];
        let (base, extra) = *LENGTHS.get(i).ok_or(INVALID)?;
        Ok(base + self.bits(extra)?)
    }

    fn distance(&mut self, symbol: usize) -> Result<usize, DecodeError> {
        const DISTANCES: [(usize, usize); 30] = [
            (1, 0),
            (2, 0),
            (3, 0),
            (4, 0),
            (5, 1),
            (7, 1),
            (9, 2),
            (13, 2),
            (17, 3),
            (25, 3),
            (33, 4),
            (49, 4),
            (65, 5),
            (97, 5),
            (129, 6),
            (193, 6),
            (257, 7),
            (385, 7),
            (513, 8),
            (769, 8),
            (1025, 9),
            (1537, 9),
            (2049, 10),
            (3073, 10),
            (4097, 11),
            (6145, 11),
            (8193, 12),
            (12289, 12),
            (16385, 13),
            (24577, 13),
        ];
        let (base, extra) = *DISTANCES.get(symbol).ok_or(INVALID)?;
        Ok(base + self.bits(extra)?)
    }

    fn symbol(&mut self, code: &Code) -> Result<usize, DecodeError> {
        let mut value = 0;
        for len in 1..=15 {
            value = value * 2 + self.bit()?;
            if let Some(symbol) = code.get(&(len, value)) {
                return Ok(*symbol);
            }
        }
        Err(INVALID)
    }

    fn bit(&mut self) -> Result<usize, DecodeError> {
        let byte = self.payload.get(self.at / 8).ok_or(INVALID)?;
        self.at += 1;
        Ok(usize::from(byte >> ((self.at - 1) % 8) & 1))
    }

    fn bits(&mut self, count: usize) -> Result<usize, DecodeError> {
        (0..count).try_fold(0, |value, i| Ok(value + (self.bit()? << i)))
    }

    fn put(&mut self, byte: u8) -> Result<(), DecodeError> {
        if self.naive.history.len() - self.start == self.naive.limit {
            return Err(DecodeError::MessageTooLong);
        }
        if self.utf8.as_mut().is_some_and(|utf8| !utf8.push(byte)) {
            return Err(DecodeError::InvalidUtf8);
        }
        self.naive.history.push(byte);
        Ok(())
    }
}

/// Counts the codes up as section 3.2.2 does. A code with bit strings left over is refused, but for a single code of one bit
/// where `may_be_single`, and for none at all.
fn code(lens: &[usize], may_be_single: bool) -> Result<Code, DecodeError> {
    let mut code = Code::new();
    let mut next = 0;
    for len in 1..=15 {
        next *= 2;
        for (symbol, _) in lens.iter().enumerate().filter(|(_, of_symbol)| **of_symbol == len) {
            if next >> len != 0 {
                return Err(INVALID);
            }
            code.insert((len, next), symbol);
            next += 1;
        }
    }
    let is_single = may_be_single && code.len() == 1 && code.contains_key(&(1, 0));
    if next == 1 << 15 || is_single || code.is_empty() { Ok(code) } else { Err(INVALID) }
}
