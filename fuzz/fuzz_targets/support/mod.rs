//! What the targets share with each other, and with the tests: the oracles.
#![allow(dead_code, reason = "each target uses its own share")]

#[path = "../../../tests/support/build.rs"]
pub(crate) mod build;
#[path = "../../../tests/support/harness.rs"]
pub(crate) mod harness;
pub(crate) mod http;
pub(crate) mod inflate;
#[path = "../../../tests/support/oracle.rs"]
pub(crate) mod oracle;
#[path = "../../../tests/support/send.rs"]
pub(crate) mod send;

use arbitrary::Arbitrary;
use oracle::Rules;

/// The endpoint and the cuts: four bytes in front of the input, so that a script can write them (`fuzz/seeds.py`).
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Setup {
    flags: u8,
    limits: u8,
    cuts: Cuts,
}

impl Setup {
    pub(crate) fn rules(&self) -> Rules {
        let has = |bit: u8| self.flags & 1 << bit != 0;
        let (low, high) = (self.limits & 15, self.limits >> 4);
        let defaults = Rules::strict(has(0));
        Rules {
            allow_non_minimal_length: has(1),
            allow_mask_mismatch: has(2),
            skip_text_validation: has(3),
            message_rsv: if has(4) { 0x40 } else { 0 },
            frame_rsv: if has(5) { 0x10 } else { 0 },
            opcodes: if has(6) { vec![3, 11] } else { vec![] },
            frame_len: if has(7) { 4 << low } else { defaults.frame_len },
            message_len: if has(7) { 4 << high } else { defaults.message_len },
            fragments: if has(7) { u32::from(low ^ high) } else { defaults.fragments },
            ..defaults
        }
    }

    pub(crate) fn cuts(&self, len: usize) -> Vec<usize> {
        self.cuts.of(len)
    }
}

/// Where an input is cut: pieces of up to one to 128 bytes, drawn from a seed.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Cuts {
    seed: [u8; 2],
}

impl Cuts {
    /// Returns places of an input of `len` bytes, in order, the ends not among them.
    pub(crate) fn of(self, len: usize) -> Vec<usize> {
        let mut state = u32::from(u16::from_le_bytes(self.seed)) | 1 << 16;
        let draw = || {
            state = state.wrapping_mul(0x0019_660D).wrapping_add(0x3C6E_F35F);
            1 + (state >> 16) as usize % (1 << (self.seed[0] % 8))
        };
        let mut at = 0;
        let places = std::iter::repeat_with(draw).map(|step| {
            at += step;
            at
        });
        places.take_while(|place| *place < len).collect()
    }

    /// Returns the pieces between the cuts; of no bytes, the one empty piece.
    pub(crate) fn pieces(self, bytes: &[u8]) -> Vec<&[u8]> {
        let cuts = self.of(bytes.len());
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([bytes.len()]);
        starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect()
    }
}
