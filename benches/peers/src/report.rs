//! The document: marks, tables, and what was run on what.

use std::fmt::Write;

use crate::cases::{decode, encode, header, mask, messages, utf8};
use crate::clock::Clock;
use crate::contest::{Kind, Outcome, Row, three};
use crate::marks::Mark;

pub struct Facts {
    pub date: String,
    pub revision: String,
    pub command: String,
    /// The memory and growth report, as the other program wrote it.
    pub growth: String,
}

/// What a cell of a table says.
#[derive(Clone, Copy)]
enum Unit {
    Cycles,
    Nanoseconds,
    /// Cycles for what is short, gigabytes a second for what is not.
    Mixed,
}

const TABLES: [(&str, &str, Unit); 11] = [
    (mask::GROUP, "Masking in place", Unit::Mixed),
    (utf8::GROUP, "Unmasking and validating text", Unit::Mixed),
    (decode::RUN, "Decoding a run of small frames that is all there", Unit::Cycles),
    (decode::WHOLE, "Decoding traffic in reads of 64 KiB, the copy of the read included", Unit::Nanoseconds),
    (encode::CLIENT, "Encoding as a client, masked, into one growing buffer", Unit::Nanoseconds),
    (encode::SERVER, "Encoding as a server, into one growing buffer", Unit::Nanoseconds),
    (header::PARSE, "Parsing a header", Unit::Cycles),
    (header::ENCODE, "Encoding a header", Unit::Cycles),
    (messages::ASSEMBLE, "Assembling messages of JSON, in reads of 64 KiB", Unit::Nanoseconds),
    (messages::RECEIVE, "Receiving compressed JSON, in reads of 64 KiB", Unit::Nanoseconds),
    (messages::SEND, "Sending compressed JSON, at level 6", Unit::Nanoseconds),
];

pub fn write(facts: &Facts, clock: &Clock, outcomes: &[Outcome], marks: &[Mark]) -> String {
    let mut out = String::new();
    head(&mut out, facts, clock);
    marks_table(&mut out, marks);
    out.push_str(include_str!("bounds.md"));
    out.push_str(include_str!("method.md"));
    for (group, title, unit) in TABLES {
        tables(&mut out, clock, outcomes, group, title, unit);
    }
    let _ = write!(out, "\n## Memory and growth\n\n{}", facts.growth.trim_start());
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn head(out: &mut String, facts: &Facts, clock: &Clock) {
    let _ = writeln!(
        out,
        "# Benchmarks\n\n\
        Written by `{}` on {}, at revision {}, on an {} at {:.2} GHz (calibrated by dependent additions in the same run).\n\
        Ratios are solid; absolutes move between runs and more between machines.\n\n\
        ![Masking in place, by size](mask.svg)\n\
        ![Unmasking and validating Cyrillic text, by size](text.svg)\n\
        ![Decoding traffic, by size](decode.svg)\n\
        ![Encoding as a client, by size](encode.svg)",
        facts.command,
        facts.date,
        facts.revision,
        cpu(),
        clock.ghz()
    );
}

/// The name of the CPU, which may be that of a whole brand, and the numbers that tell which one it is.
fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    match (field("model name"), field("cpu family"), field("model")) {
        (Some(name), Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        (name, ..) => name.unwrap_or(std::env::consts::ARCH).to_owned(),
    }
}

fn marks_table(out: &mut String, marks: &[Mark]) {
    out.push_str("\n## Marks\n\nThe worst case of each, and how many of its cases are as asked. The bare loop is a ceiling for that case:\n\
        a fill of the same bytes, unmasking alone, walking from length to length and unmasking, the copy of the reads, or a\n\
        header of fixed bytes and a copy. It checks nothing.\n\n");
    out.push_str("| case | asked | worst seen | a bare loop there | cases | |\n|---|---|---|---|---|---|\n");
    for mark in marks {
        let verdict = if mark.is_reached { "reached" } else { "**missed**" };
        let (reached, all) = mark.reached;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {reached} of {all} | {verdict} |",
            mark.case, mark.asked, mark.seen, mark.ceiling
        );
    }
    out.push('\n');
}

/// The tables of a group, one for each series.
fn tables(out: &mut String, clock: &Clock, outcomes: &[Outcome], group: &str, title: &str, unit: Unit) {
    let mut outcomes: Vec<_> = outcomes.iter().filter(|o| o.case.group == group).collect();
    // The smallest lead is at another offset for each size: one table for all.
    let series = |o: &Outcome| o.case.series.split(", offset").next().unwrap_or_default().to_owned();
    outcomes.sort_by_key(|o| outcomes_order(&series(o)));
    if outcomes.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## {title}\n");
    for table in outcomes.chunk_by(|a, b| series(a) == series(b)) {
        one_table(out, clock, table, &series(table[0]), unit);
    }
}

fn outcomes_order(series: &str) -> u8 {
    match series {
        "offset 6" => 0,
        _ if series.starts_with("worst") => 2,
        _ if series.starts_with("smallest") => 3,
        _ => 1,
    }
}

fn one_table(out: &mut String, clock: &Clock, table: &[&Outcome], series: &str, unit: Unit) {
    let _ = write!(out, "\n| {series} |");
    for outcome in table {
        let unit = match unit {
            Unit::Cycles => "cycles",
            Unit::Nanoseconds => "ns",
            Unit::Mixed if is_short(outcome) => "cycles",
            Unit::Mixed => "GB/s",
        };
        let _ = write!(out, " {}, {unit} |", outcome.case.label);
    }
    let _ = writeln!(out, "\n|---{}|", "|---".repeat(table.len()));
    for row in &table[0].rows {
        let name = if row.kind == Kind::Peer { row.name.clone() } else { format!("*{}*", row.name) };
        let _ = write!(out, "| {name} |");
        for outcome in table {
            let cell = outcome.row(&row.name).map_or("-".into(), |row| cell(clock, outcome, row, unit));
            let _ = write!(out, " {cell} |");
        }
        out.push('\n');
    }
    if table.iter().any(|outcome| outcome.ratio().is_some()) {
        out.push_str("| **best peer / ours** |");
        for ratio in table.iter().map(|outcome| outcome.ratio()) {
            let _ = write!(out, " {} |", ratio.map_or("-".into(), |ratio| format!("**{ratio:.2}**")));
        }
        out.push('\n');
    }
}

fn is_short(outcome: &Outcome) -> bool {
    outcome.case.bytes <= 125.0
}

fn cell(clock: &Clock, outcome: &Outcome, row: &Row, unit: Unit) -> String {
    match unit {
        Unit::Cycles => three(clock.cycles(row.ticks)),
        Unit::Nanoseconds => three(clock.ns(row.ticks)),
        Unit::Mixed if is_short(outcome) => three(clock.cycles(row.ticks)),
        Unit::Mixed => three(outcome.case.bytes / clock.ns(row.ticks)),
    }
}
