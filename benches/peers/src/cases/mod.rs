//! The cases, one group a file.

pub mod decode;
pub mod encode;
pub mod header;
pub mod mask;
pub mod messages;
pub mod utf8;

use std::time::Duration;

use crate::clock::Clock;
use crate::contest::{Case, Contestant, Effort, Outcome, contest};
use crate::corpus::{Length, Random};
use crate::peer::Slot;

/// What runs the cases and keeps their outcomes.
pub struct Bench {
    pub clock: Clock,
    pub is_quick: bool,
    pub only: Option<String>,
    pub outcomes: Vec<Outcome>,
}

impl Bench {
    pub fn effort(&self) -> Effort {
        let (rounds, a_round) = if self.is_quick { (3, 700) } else { (6, 1500) };
        Effort { rounds, a_round: Duration::from_micros(a_round) }
    }

    /// How often all cases are gone through: a machine that others use too is slow for seconds at a time.
    pub fn passes(&self) -> usize {
        if self.is_quick { 5 } else { 4 }
    }

    /// Runs the case, or runs it again: what was better before stays.
    pub fn run(&mut self, effort: Effort, case: Case, contestants: Vec<Contestant<'_>>) {
        let outcome = contest(&mut self.clock, effort, case, contestants);
        match self.outcomes.iter_mut().find(|known| known.case.key() == outcome.case.key()) {
            Some(known) => known.merge(outcome),
            None => self.outcomes.push(outcome),
        }
    }

    pub fn wants(&self, group: &str) -> bool {
        self.only.as_ref().is_none_or(|only| group.contains(only.as_str()))
    }
}

/// The size of a first-level cache that everybody has; buffers of small payloads stay below.
const CACHED: usize = 16 << 10;
const ALIGN: usize = 64;

/// Payloads in a buffer, each at the same offset behind a multiple of 64.
pub struct Layout {
    pub slots: Vec<Slot>,
    pub len: usize,
}

impl Layout {
    pub fn new(length: Length, offset: usize, random: &mut Random) -> Self {
        let stride = (length.max() + offset).next_multiple_of(ALIGN);
        let count = (CACHED / stride).max(1);
        let slots = (0..count).map(|i| Slot { start: i * stride + offset, len: length.draw(random) });
        Self { slots: slots.collect(), len: count * stride }
    }

    /// Goes round the slots as often as it takes for a sample that the clock can resolve.
    pub fn repeated(mut self) -> Self {
        let times = (8 * CACHED / self.len.max(1)).max(1);
        self.slots = self.slots.repeat(times);
        self
    }
}

/// Bytes that begin at a multiple of 64, or where a round moves them to.
pub struct Aligned(Vec<u8>);

/// As much as a round moves a buffer at most.
const SHIFTS: usize = 4096;

impl Aligned {
    pub fn new(len: usize) -> Self {
        Self(vec![0x5a; len + ALIGN + SHIFTS])
    }

    /// The buffer of a round: always at a multiple of 64, in another place of the page.
    pub fn of_round(&mut self, round: usize, len: usize) -> &mut [u8] {
        let start = self.0.as_ptr().align_offset(ALIGN) + round * 7 * ALIGN % SHIFTS;
        &mut self.0[start..start + len]
    }
}
