//! This crate and its peers side by side, in one process. `ci/bench.sh` runs it.

mod bounds;
mod buffer;
mod cases;
mod charts;
mod clock;
mod contest;
mod corpus;
mod marks;
mod peer;
mod peers;
mod pipe;
mod report;

use std::path::PathBuf;

use cases::Bench;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|arg| arg == name).and_then(|i| args.get(i + 1)).cloned();
    let mut bench = Bench {
        clock: clock::Clock::new(),
        is_quick: args.iter().any(|arg| arg == "--quick"),
        only: option("--only"),
        outcomes: Vec::new(),
    };
    let (mut peers, mut bounds) = (peers::all(), bounds::all());
    for pass in 1..=bench.passes() {
        eprintln!("pass {pass} of {}", bench.passes());
        one_pass(&mut bench, &mut peers, &mut bounds);
    }
    cases::mask::sum_up(&mut bench);
    println!("case | ours | best peer (name) | ratio");
    bench.outcomes.iter().for_each(|outcome| println!("{}", outcome.line(&bench.clock)));
    if let Some(file) = option("--websockets") {
        println!("\ncase | ours | websockets, Python, in a process of its own | ratio");
        websockets(&mut bench, &std::fs::read_to_string(file).expect("the figures of websockets"));
    }
    let marks = marks::judge(&bench.outcomes, &bench.clock);
    println!("\nmark | asked | worst seen | a bare loop there | cases | verdict");
    for mark in &marks {
        let verdict = if mark.is_reached { "reached" } else { "MISSED" };
        println!(
            "{} | {} | {} | {} | {} of {} | {verdict}",
            mark.case, mark.asked, mark.seen, mark.ceiling, mark.reached.0, mark.reached.1
        );
    }
    if let Some(out) = option("--out").map(PathBuf::from) {
        let facts = report::Facts {
            date: option("--date").unwrap_or_default(),
            revision: option("--revision").unwrap_or_default(),
            command: option("--command").unwrap_or_default(),
            growth: option("--growth")
                .map_or(String::new(), |file| std::fs::read_to_string(file).expect("the growth report")),
        };
        let document = report::write(&facts, &bench.clock, &bench.outcomes, &marks);
        std::fs::write(out.join("benchmarks.md"), document).expect("a folder to write to");
        charts::write(&out, &bench.clock, &bench.outcomes).expect("charts");
    }
}

/// Adds the figures that websockets_python.py has printed, and prints them beside this crate's.
fn websockets(bench: &mut Bench, figures: &str) {
    for line in figures.lines() {
        let [group, series, label, ns] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let outcome = bench.outcomes.iter_mut().find(|outcome| outcome.case.key() == (group, series, label));
        let outcome = outcome.unwrap_or_else(|| panic!("no such case: {line}"));
        let ticks = bench.clock.ticks(ns.parse().expect("nanoseconds"));
        let name = "websockets (Python, its own process)".into();
        let row = contest::Row { name, kind: contest::Kind::Peer, ticks };
        let alone = contest::Outcome { case: outcome.case.clone(), rows: vec![outcome.ours().clone(), row.clone()] };
        println!("{}", alone.line(&bench.clock));
        outcome.rows.push(row);
    }
}

fn one_pass(bench: &mut Bench, peers: &mut [peer::Peer], bounds: &mut [peer::Peer]) {
    if bench.wants(cases::mask::GROUP) {
        cases::mask::run(bench, peers);
    }
    if bench.wants(cases::utf8::GROUP) {
        cases::utf8::run(bench, peers);
    }
    cases::decode::run(bench, peers, bounds);
    cases::encode::run(bench, peers, bounds);
    cases::header::run(bench, peers);
    cases::messages::run(bench, peers);
}
