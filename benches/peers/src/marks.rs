//! The marks that this crate has set itself, and whether the outcomes reach them.

use crate::bounds;
use crate::cases::{decode, encode, header, mask, messages, utf8};
use crate::clock::Clock;
use crate::contest::{Kind, Outcome, three};

pub struct Mark {
    pub case: &'static str,
    pub asked: &'static str,
    /// The worst of the outcomes, and where it is.
    pub seen: String,
    pub is_reached: bool,
    /// What a bare loop that does the unavoidable part of the work, and checks nothing, reaches in that case.
    pub ceiling: String,
    /// Of how many outcomes, how many are as asked.
    pub reached: (usize, usize),
}

/// A tie: what two runs of the same contestant differ by.
const TIE: f64 = 0.98;

struct Judge<'a> {
    outcomes: &'a [Outcome],
    clock: &'a Clock,
    marks: Vec<Mark>,
}

pub fn judge(outcomes: &[Outcome], clock: &Clock) -> Vec<Mark> {
    let mut judge = Judge { outcomes, clock, marks: Vec::new() };
    judge.mask();
    judge.text();
    judge.decode();
    judge.encode();
    judge.header();
    judge.messages();
    judge.marks
}

impl Judge<'_> {
    /// A mark of at least `limit`: `measure` gives a ratio for the outcomes that it is about.
    fn at_least(
        &mut self,
        case: &'static str,
        asked: &'static str,
        limit: f64,
        measure: impl Fn(&Outcome) -> Option<f64>,
    ) {
        let seen: Vec<_> = self.outcomes.iter().filter_map(|o| Some((o, measure(o)?))).collect();
        let reached = (seen.iter().filter(|(_, value)| *value >= limit).count(), seen.len());
        if let Some((worst, value)) = seen.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)) {
            self.add(case, asked, worst, format!("{value:.2}"), value >= limit, reached);
        }
    }

    /// A mark of at most `limit` cycles.
    fn cycles(&mut self, case: &'static str, asked: &'static str, limit: f64, is_meant: impl Fn(&Outcome) -> bool) {
        let clock = self.clock;
        let cycles = |outcome: &Outcome| clock.cycles(outcome.ours().ticks);
        let seen: Vec<_> = self.outcomes.iter().filter(|o| is_meant(o)).collect();
        let reached = (seen.iter().filter(|o| cycles(o) <= limit).count(), seen.len());
        if let Some(worst) = seen.into_iter().max_by(|a, b| cycles(a).total_cmp(&cycles(b))) {
            let value = cycles(worst);
            self.add(case, asked, worst, format!("{} cycles", three(value)), value <= limit, reached);
        }
    }

    fn add(
        &mut self,
        case: &'static str,
        asked: &'static str,
        worst: &Outcome,
        value: String,
        is_reached: bool,
        reached: (usize, usize),
    ) {
        let at = [worst.case.series.as_str(), worst.case.label.as_str()].join(", ");
        let rival = worst.best_peer().map_or(String::new(), |peer| format!("; best peer {}", peer.name));
        let ceiling = self.ceiling(worst, value.ends_with("cycles"));
        self.marks.push(Mark { case, asked, seen: format!("{value} ({at}{rival})"), ceiling, is_reached, reached });
    }

    fn ceiling(&self, outcome: &Outcome, in_cycles: bool) -> String {
        let name = match outcome.case.group {
            mask::GROUP => mask::FILL,
            utf8::GROUP if outcome.row(bounds::ASCII).is_some() && outcome.case.bytes >= 1024.0 => bounds::ASCII,
            utf8::GROUP => utf8::MASK,
            decode::RUN => bounds::UNMASK,
            decode::WHOLE => bounds::COPY,
            _ => bounds::FILL,
        };
        match (outcome.row(name), outcome.best_peer()) {
            (Some(bare), _) if in_cycles => format!("{} cycles", three(self.clock.cycles(bare.ticks))),
            (Some(bare), Some(peer)) => format!("{:.2} × the best peer", peer.ticks / bare.ticks),
            _ => "-".into(),
        }
    }

    fn mask(&mut self) {
        let group = |o: &Outcome| o.case.group == mask::GROUP;
        self.at_least("mask in place at offset 6, 4-256 KiB", "0.95 of a fill", 0.95, |o| {
            let is_meant = group(o) && o.case.series == "offset 6" && (4096.0..=262_144.0).contains(&o.case.bytes);
            (is_meant).then(|| o.row(mask::FILL).map(|fill| fill.ticks / o.ours().ticks)).flatten()
        });
        self.at_least("mask in place, 8-1024 B, any offset", "2 × the best peer", 2.0, |o| {
            (group(o) && (8.0..=1024.0).contains(&o.case.bytes)).then(|| o.ratio()).flatten()
        });
        self.at_least("mask in place, every size and offset", "no peer ahead (2 % are a tie)", TIE, |o| {
            group(o).then(|| o.ratio()).flatten()
        });
    }

    fn text(&mut self) {
        let ascii = |o: &Outcome| o.case.group == utf8::GROUP && o.case.series == "ASCII";
        let other = |o: &Outcome| o.case.group == utf8::GROUP && o.case.series != "ASCII";
        self.at_least("ASCII text, 1 KiB and up", "0.95 of unmasking alone", 0.95, |o| {
            let is_meant = ascii(o) && o.case.bytes >= 1024.0;
            is_meant.then(|| o.row(utf8::MASK).map(|alone| alone.ticks / o.ours().ticks)).flatten()
        });
        self.at_least("ASCII text, up to 16 KiB", "2 × the best peer's two passes", 2.0, |o| {
            (ascii(o) && o.case.bytes <= 16384.0).then(|| o.ratio()).flatten()
        });
        self.at_least("ASCII text, above 16 KiB", "1.5 × the best peer's two passes", 1.5, |o| {
            (ascii(o) && o.case.bytes > 16384.0).then(|| o.ratio()).flatten()
        });
        self.at_least("other scripts, 8-63 B", "4 × the best peer", 4.0, |o| {
            let is_meant = other(o) && (8.0..64.0).contains(&o.case.bytes) && !o.case.label.starts_with("0-125");
            is_meant.then(|| o.ratio()).flatten()
        });
        self.at_least("other scripts, 1 KiB and up", "1.1 × unmask, then simdutf8", 1.1, |o| {
            let is_meant = other(o) && o.case.bytes >= 1024.0;
            is_meant.then(|| o.row(utf8::SIMD).map(|two| two.ticks / o.ours().ticks)).flatten()
        });
    }

    fn decode(&mut self) {
        let run = |o: &Outcome| o.case.group == decode::RUN && o.case.series != "Cyrillic";
        self.cycles("decode a run, up to 64 B, fixed", "14 cycles", 14.0, |o| {
            run(o) && o.case.bytes <= 64.0 && !is_unlearnt(o)
        });
        self.cycles("decode a run, 0-64 B, unlearnt", "14 cycles", 14.0, |o| {
            run(o) && o.case.label.starts_with("0-64") && is_unlearnt(o)
        });
        self.cycles("decode a run, 125 B and 0-125 B unlearnt", "18 cycles", 18.0, |o| {
            run(o) && o.case.label.contains("125")
        });
        let whole = |size: std::ops::RangeInclusive<f64>| {
            move |o: &Outcome| {
                (o.case.group == decode::WHOLE && size.contains(&o.case.bytes)).then(|| o.ratio()).flatten()
            }
        };
        self.at_least("decode of 64 KiB reads, 16 B", "4 × the best peer", 4.0, whole(16.0..=16.0));
        self.at_least("decode of 64 KiB reads, 125 B", "3 × the best peer", 3.0, whole(125.0..=125.0));
        self.at_least("decode of 64 KiB reads, 1 KiB", "1.5 × the best peer", 1.5, whole(1024.0..=1024.0));
        self.at_least("decode of 64 KiB reads, every size", "not behind (2 % are a tie)", TIE, whole(0.0..=f64::MAX));
        self.at_least("the same into a buffer of 16 KiB, every size", "not behind (2 % are a tie)", TIE, |o| {
            let row = o.row(decode::SMALL_BUFFER).filter(|row| row.kind == Kind::Ours)?;
            Some(o.best_peer()?.ticks / row.ticks)
        });
    }

    fn encode(&mut self) {
        for (group, small, large) in [
            (encode::CLIENT, "encode, client, up to 1 KiB", "encode, client, above"),
            (encode::SERVER, "encode, server, up to 1 KiB", "encode, server, above"),
        ] {
            self.at_least(small, "3 × the best peer", 3.0, |o| {
                (o.case.group == group && o.case.bytes <= 1024.0).then(|| o.ratio()).flatten()
            });
            self.at_least(large, "not behind (2 % are a tie)", TIE, |o| {
                (o.case.group == group && o.case.bytes > 1024.0).then(|| o.ratio()).flatten()
            });
        }
    }

    fn header(&mut self) {
        let fixed = |o: &Outcome, group| o.case.group == group && !is_unlearnt(o);
        self.cycles("header parse alone", "8 cycles", 8.0, |o| fixed(o, header::PARSE));
        self.cycles("header encode alone", "6 cycles", 6.0, |o| fixed(o, header::ENCODE));
    }

    fn messages(&mut self) {
        for (group, case) in [
            (messages::ASSEMBLE, "assembling messages, whole and fragmented"),
            (messages::RECEIVE, "receiving compressed messages"),
            (messages::SEND, "sending compressed messages"),
        ] {
            self.at_least(case, "not behind (2 % are a tie)", TIE, |o| {
                (o.case.group == group).then(|| o.ratio()).flatten()
            });
        }
    }
}

fn is_unlearnt(outcome: &Outcome) -> bool {
    outcome.case.label.contains("unlearnt")
}
