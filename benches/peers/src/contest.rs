//! One case: its contestants in turn, again and again, and the best time of each.

use std::time::{Duration, Instant};

use crate::clock::Clock;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// This crate; the first of a case is the one that is compared.
    Ours,
    Peer,
    /// No contestant: a bound, or a part of the work, to compare with.
    Bound,
}

/// Times one sample in the round that is given; returns ticks. What it prepares is not timed.
pub type Sample<'a> = Box<dyn FnMut(usize) -> u64 + 'a>;

pub struct Contestant<'a> {
    pub name: String,
    pub kind: Kind,
    pub sample: Sample<'a>,
}

/// Which case this is, and how much work a sample is.
#[derive(Clone, Debug)]
pub struct Case {
    pub group: &'static str,
    /// The row of the table: a script, an offset.
    pub series: String,
    /// The column of the table: a length.
    pub label: String,
    /// Bytes of payload in an operation; the mean, where lengths vary.
    pub bytes: f64,
    /// Operations in a sample.
    pub times: usize,
}

impl Case {
    pub fn key(&self) -> (&str, &str, &str) {
        (self.group, &self.series, &self.label)
    }
}

#[derive(Clone, Debug)]
pub struct Row {
    pub name: String,
    pub kind: Kind,
    /// Ticks an operation.
    pub ticks: f64,
}

#[derive(Clone, Debug)]
pub struct Outcome {
    pub case: Case,
    pub rows: Vec<Row>,
}

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub a_round: Duration,
}

impl Effort {
    pub fn times(self, factor: f64) -> Self {
        Self { a_round: self.a_round.mul_f64(factor), ..self }
    }
}

pub fn contest(clock: &mut Clock, effort: Effort, case: Case, mut contestants: Vec<Contestant<'_>>) -> Outcome {
    clock.calibrate();
    let mut best = vec![u64::MAX; contestants.len()];
    for round in 0..effort.rounds {
        // Another one begins each round: the one behind a `fill` of 16 MiB finds nothing of its buffer in the cache.
        for turn in 0..contestants.len() {
            let i = (turn + round) % contestants.len();
            let (contestant, best) = (&mut contestants[i], &mut best[i]);
            let until = Instant::now() + effort.a_round;
            let mut samples = 0;
            while samples < 6 || Instant::now() < until {
                *best = (*best).min((contestant.sample)(round));
                samples += 1;
            }
        }
    }
    let rows = contestants.iter().zip(best).map(|(contestant, best)| Row {
        name: contestant.name.clone(),
        kind: contestant.kind,
        ticks: best as f64 / case.times as f64,
    });
    Outcome { rows: rows.collect(), case }
}

impl Outcome {
    /// Keeps the better time of each contestant.
    pub fn merge(&mut self, again: Self) {
        for (row, again) in self.rows.iter_mut().zip(again.rows) {
            row.ticks = row.ticks.min(again.ticks);
        }
    }

    pub fn ours(&self) -> &Row {
        self.rows.iter().find(|row| row.kind == Kind::Ours).expect("this crate is in every case")
    }

    pub fn best_peer(&self) -> Option<&Row> {
        self.rows.iter().filter(|row| row.kind == Kind::Peer).min_by(|a, b| a.ticks.total_cmp(&b.ticks))
    }

    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// How many times longer the best peer takes.
    pub fn ratio(&self) -> Option<f64> {
        self.best_peer().map(|peer| peer.ticks / self.ours().ticks)
    }

    /// `case | ours | best peer (name) | ratio`
    pub fn line(&self, clock: &Clock) -> String {
        let ours = self.figures(self.ours(), clock);
        let name = format!("{}, {}, {}", self.case.group, self.case.series, self.case.label);
        match self.best_peer() {
            Some(peer) => {
                let theirs = self.figures(peer, clock);
                format!("{name} | {ours} | {theirs} ({}) | {:.2}", peer.name, peer.ticks / self.ours().ticks)
            }
            None => format!("{name} | {ours} | - | -"),
        }
    }

    fn figures(&self, row: &Row, clock: &Clock) -> String {
        let (ns, cycles) = (clock.ns(row.ticks), clock.cycles(row.ticks));
        format!("{} ns {:.2} GB/s {} c", three(ns), self.case.bytes / ns, three(cycles))
    }
}

/// Three digits, no more.
pub fn three(value: f64) -> String {
    match value {
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
