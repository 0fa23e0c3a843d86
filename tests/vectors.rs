//! The hex vectors of `tests/vectors/`: each run whole, byte by byte, and cut in two at every place.
//!
//! The format, and what a vector promises, stands in `tests/vectors/README.md`.

use std::collections::HashSet;

use websocket_wire::{Claims, Config, DecodeError, Decoder, Frame, Limits, Opcode, Role, Rsv, Status};

/// One topic a file.
const FILES: [(&str, &str); 9] = [
    ("framing.txt", include_str!("vectors/framing.txt")),
    ("masking.txt", include_str!("vectors/masking.txt")),
    ("lengths.txt", include_str!("vectors/lengths.txt")),
    ("fragmentation.txt", include_str!("vectors/fragmentation.txt")),
    ("controls.txt", include_str!("vectors/controls.txt")),
    ("close.txt", include_str!("vectors/close.txt")),
    ("utf8.txt", include_str!("vectors/utf8.txt")),
    ("text.txt", include_str!("vectors/text.txt")),
    ("extensions.txt", include_str!("vectors/extensions.txt")),
];

/// A stream of bytes, the endpoint that reads it, and what that endpoint must make of it.
#[derive(Clone, Debug)]
struct Vector {
    name: String,
    config: Config,
    stream: Vec<u8>,
    frames: Vec<Seen>,
    verdict: Verdict,
}

/// A frame as it was delivered, its parts joined.
#[derive(Clone, PartialEq, Debug)]
struct Seen {
    opcode: Opcode,
    fin: bool,
    rsv: Rsv,
    payload: Vec<u8>,
    /// Whether the payload came to its end.
    is_whole: bool,
}

#[derive(Clone, PartialEq, Debug)]
enum Verdict {
    Idle,
    Open,
    Closed,
    Error {
        code: u16,
        kind: String,
        /// The length of the shortest prefix of the stream that shows the fault.
        after: usize,
    },
}

/// What a decoder made of a stream.
#[derive(Debug)]
struct Run {
    frames: Vec<Seen>,
    error: Option<DecodeError>,
    /// Bytes given to the decoder until it failed, or until the end.
    fed: usize,
    consumed: usize,
    verdict: Verdict,
}

#[test]
fn every_vector_gives_its_frames_and_its_verdict_however_it_is_cut() {
    for (file, text) in FILES {
        let vectors = parse(text).unwrap_or_else(|fault| panic!("{file}: {fault}"));
        for vector in vectors.iter().step_by(if cfg!(miri) { 5 } else { 1 }) {
            if cfg!(miri) && vector.stream.len() > 700 {
                continue;
            }
            check(vector).unwrap_or_else(|fault| panic!("{file}: [{}]: {fault}", vector.name));
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "tells of the vectors and of the runner, not of the crate")]
fn there_are_at_least_150_vectors_and_no_two_have_one_name_or_one_stream() {
    let vectors: Vec<Vector> = FILES.iter().flat_map(|(_, text)| parse(text).unwrap()).collect();
    assert!(vectors.len() >= 150, "{} vectors", vectors.len());
    let (mut names, mut streams) = (HashSet::new(), HashSet::new());
    for vector in &vectors {
        assert!(names.insert(&vector.name), "the name [{}] stands twice", vector.name);
        assert!(streams.insert((vector.config, &vector.stream)), "[{}] repeats a stream", vector.name);
    }
}

#[cfg(not(miri))]
#[test]
fn every_vector_file_is_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let mut found: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.retain(|name| name.ends_with(".txt"));
    found.sort();
    let mut run = FILES.map(|(file, _)| file);
    run.sort();
    assert_eq!(found, run);
}

/// The runner itself must be able to fail: every expectation of every vector is falsified in turn.
#[test]
#[cfg_attr(miri, ignore = "tells of the vectors and of the runner, not of the crate")]
fn every_wrong_expectation_is_noticed() {
    for vector in FILES.iter().flat_map(|(_, text)| parse(text).unwrap()) {
        if vector.stream.len() > 256 {
            continue;
        }
        for wrong in falsified(&vector) {
            assert!(check(&wrong).is_err(), "not noticed: {wrong:?}");
        }
    }
}

#[test]
fn what_is_not_in_the_format_is_refused() {
    const GOOD: &str = "[v]\nrfc 5.2\nrole client\nstream 89 00\nframe ping fin -\nverdict idle\n";
    assert_eq!(parse(GOOD).map(|vectors| vectors.len()), Ok(1));
    let bad = [
        ("stream 89 00", "bytes 89 00"),
        ("stream 89 00", "stream 89 0"),
        ("stream 89 00", "stream 89 0g"),
        ("stream 89 00", ""),
        ("rfc 5.2", ""),
        ("rfc 5.2", "rfc"),
        ("role client", ""),
        ("role client", "role peer"),
        ("role client", "role client\nrole server"),
        ("role client", "role client\nconfig lenient"),
        ("role client", "role client\nconfig frame_len=x"),
        ("frame ping fin -", "frame ping fin"),
        ("frame ping fin -", "frame ping fin - 00"),
        ("frame ping fin -", "frame wing fin -"),
        ("frame ping fin -", "frame ping last -"),
        ("verdict idle", ""),
        ("verdict idle", "verdict fine"),
        ("verdict idle", "verdict idle after 2"),
        ("verdict idle", "verdict error 1002 ReservedBits"),
        ("verdict idle", "verdict error 1002 ReservedBits after x"),
        ("verdict idle", "verdict idle\nverdict idle"),
        ("[v]", "v"),
        ("[v]", "[]"),
        (GOOD, ""),
        (GOOD, "# a comment alone\n"),
        (GOOD, "rfc 5.2\n"),
    ];
    for (from, to) in bad {
        assert!(parse(&GOOD.replace(from, to)).is_err(), "accepted: {to:?} for {from:?}");
    }
}

/// Returns the vector with each of its expectations made wrong, one at a time.
fn falsified(vector: &Vector) -> Vec<Vector> {
    let verdicts = match &vector.verdict {
        Verdict::Error { code, kind, after } => vec![
            Verdict::Idle,
            Verdict::Open,
            Verdict::Closed,
            Verdict::Error { code: code + 1, kind: kind.clone(), after: *after },
            Verdict::Error { code: *code, kind: format!("Not{kind}"), after: *after },
            Verdict::Error { code: *code, kind: kind.clone(), after: after - 1 },
            Verdict::Error { code: *code, kind: kind.clone(), after: after + 1 },
        ],
        right => {
            let error = Verdict::Error { code: 1002, kind: "ReservedBits".into(), after: vector.stream.len() };
            let mut all = vec![Verdict::Idle, Verdict::Open, Verdict::Closed, error];
            all.retain(|verdict| verdict != right);
            all
        }
    };
    let mut wrong: Vec<Vector> = verdicts.into_iter().map(|verdict| Vector { verdict, ..vector.clone() }).collect();
    for i in 0..vector.frames.len() {
        let changes: [fn(&mut Seen); 4] = [
            |seen| seen.payload.push(0),
            |seen| seen.fin = !seen.fin,
            |seen| seen.is_whole = !seen.is_whole,
            |seen| seen.opcode = if seen.opcode == Opcode::Ping { Opcode::Pong } else { Opcode::Ping },
        ];
        wrong.extend(changes.iter().map(|change| {
            let mut vector = vector.clone();
            change(&mut vector.frames[i]);
            vector
        }));
        let mut dropped = vector.clone();
        dropped.frames.remove(i);
        wrong.push(dropped);
    }
    wrong
}

/// Runs a vector in every way and compares.
fn check(vector: &Vector) -> Result<(), String> {
    let stream = &vector.stream[..];
    let whole = run(vector, &[stream], "whole")?;
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    let bytewise = run(vector, &bytes, "byte by byte")?;
    if let Verdict::Error { after, .. } = vector.verdict
        && bytewise.fed != after
    {
        return Err(format!("byte by byte, it fails after {} bytes", bytewise.fed));
    }
    for cut in cuts(stream.len()) {
        let how = format!("cut at {cut}");
        let run = run(vector, &[&stream[..cut], &stream[cut..]], &how)?;
        let fed = match vector.verdict {
            Verdict::Error { after, .. } if cut >= after => cut,
            _ => stream.len(),
        };
        if run.fed != fed || run.consumed != whole.consumed || run.error != whole.error {
            return Err(format!("{how}: {run:?}, but whole: {whole:?}"));
        }
    }
    (bytewise.consumed == whole.consumed).then_some(()).ok_or_else(|| "`consumed` depends on the reads".into())
}

/// Every place where a stream is cut: all of them, but for the middle of a long payload.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    let step = if cfg!(miri) { 7.max(len / 5) } else { 1 };
    let is_near_an_end = move |cut: usize| cut < 300 || len - cut < 40 || cut.is_multiple_of(4099);
    (0..=len).step_by(step).filter(move |cut| is_near_an_end(*cut))
}

/// Feeds a fresh decoder the reads, one after the other, and compares what it delivers with the vector.
fn run(vector: &Vector, reads: &[&[u8]], how: &str) -> Result<Run, String> {
    let run = feed(vector.config, reads).map_err(|fault| format!("{how}: {fault}"))?;
    if run.frames != vector.frames {
        return Err(format!("{how}: the frames are {:?}", run.frames));
    }
    let same = match (&run.verdict, &vector.verdict) {
        (Verdict::Error { code, kind, .. }, Verdict::Error { code: code2, kind: kind2, .. }) => {
            (code, kind) == (code2, kind2)
        }
        (is, wanted) => is == wanted,
    };
    if same { Ok(run) } else { Err(format!("{how}: the verdict is {:?}", run.verdict)) }
}

fn feed(config: Config, reads: &[&[u8]]) -> Result<Run, String> {
    let mut decoder = Decoder::new(config);
    let mut run = Run { frames: vec![], error: None, fed: 0, consumed: 0, verdict: Verdict::Idle };
    let (mut pending, mut wanted) = (Vec::new(), 0);
    for read in reads {
        pending.extend_from_slice(read);
        run.fed += read.len();
        loop {
            let before = pending.clone();
            match decoder.decode(&mut pending) {
                Ok(Status::Complete { value, consumed }) => {
                    ensure(consumed > 0 && before.len() >= wanted, "progress, and `needed` is not too much")?;
                    record(&mut run.frames, &value)?;
                    ensure(pending[consumed..] == before[consumed..], "what follows is as it was")?;
                    pending.drain(..consumed);
                    run.consumed += consumed;
                    wanted = 0;
                }
                Ok(Status::Partial { needed }) => {
                    ensure(needed > 0 && pending == before, "`needed` is not zero and the buffer is as it was")?;
                    wanted = pending.len() + needed;
                    break;
                }
                Err(error) => {
                    ensure(pending == before && before.len() >= wanted, "the buffer is as it was")?;
                    ensure(decoder.decode(&mut []).err() == Some(error), "an error repeats itself")?;
                    let code = error.close_code().0;
                    run.verdict = Verdict::Error { code, kind: format!("{error:?}"), after: run.fed };
                    run.error = Some(error);
                    return Ok(run);
                }
            }
        }
    }
    run.verdict = match (decoder.is_closed(), decoder.is_idle() && pending.is_empty()) {
        (true, _) => Verdict::Closed,
        (_, true) => Verdict::Idle,
        _ => Verdict::Open,
    };
    Ok(run)
}

/// Joins a part to the frame that it belongs to.
fn record(frames: &mut Vec<Seen>, part: &Frame<'_>) -> Result<(), String> {
    let header = part.header();
    if part.is_first_part() {
        let open = frames.iter().rfind(|seen| seen.opcode.is_data() && seen.opcode != Opcode::Continuation);
        let message = match (header.opcode, open) {
            (Opcode::Continuation, Some(seen)) => seen.opcode,
            (opcode, _) => opcode,
        };
        ensure(part.message_opcode() == message, "`message_opcode` is that of the first frame")?;
        ensure(frames.last().is_none_or(|seen| seen.is_whole), "a frame begins behind a whole one")?;
        let (opcode, fin, rsv) = (header.opcode, header.fin, header.rsv);
        frames.push(Seen { opcode, fin, rsv, payload: vec![], is_whole: false });
    }
    let seen = frames.last_mut().ok_or("the first part is not marked as such")?;
    ensure(!seen.is_whole && seen.opcode == header.opcode, "parts belong to one frame")?;
    seen.payload.extend_from_slice(part.payload());
    seen.is_whole = part.is_last_part();
    ensure(!seen.is_whole || seen.payload.len() as u64 == header.payload_len, "a whole frame has all its bytes")?;
    let ends = seen.is_whole && seen.fin && seen.opcode.is_data();
    ensure(part.ends_message() == ends, "`ends_message` is true for the last part alone")
}

fn ensure(holds: bool, promise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("broken: {promise}")) }
}

/// Reads a file of vectors.
fn parse(text: &str) -> Result<Vec<Vector>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut blocks: Vec<(String, Vec<(&str, &str)>)> = vec![];
    for line in lines {
        if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').filter(|name| !name.is_empty()).ok_or(format!("no name: {line}"))?;
            blocks.push((name.into(), vec![]));
            continue;
        }
        let (_, fields) = blocks.last_mut().ok_or(format!("outside of a vector: {line}"))?;
        fields.push(line.split_once(' ').ok_or(format!("no value: {line}"))?);
    }
    if blocks.is_empty() {
        return Err("no vectors".into());
    }
    blocks
        .into_iter()
        .map(|(name, fields)| parse_vector(&name, &fields).map_err(|e| format!("[{name}]: {e}")))
        .collect()
}

fn parse_vector(name: &str, fields: &[(&str, &str)]) -> Result<Vector, String> {
    let (mut stream, mut frames) = (vec![], vec![]);
    for (key, value) in fields {
        match *key {
            "rfc" | "role" | "config" | "verdict" => {}
            "stream" => stream.extend(parse_hex(value.split_whitespace())?),
            "frame" => frames.push(parse_frame(value, true)?),
            "part" => frames.push(parse_frame(value, false)?),
            _ => return Err(format!("unknown field {key}")),
        }
    }
    one(fields, "rfc")?;
    let role = match one(fields, "role")? {
        "client" => Role::Client,
        "server" => Role::Server,
        role => return Err(format!("unknown role {role}")),
    };
    let config = if fields.iter().any(|(key, _)| *key == "config") { one(fields, "config")? } else { "" };
    let (config, verdict) = (parse_config(role, config)?, parse_verdict(one(fields, "verdict")?)?);
    if stream.is_empty() {
        return Err("no stream".into());
    }
    Ok(Vector { name: name.into(), config, stream, frames, verdict })
}

fn one<'a>(fields: &[(&str, &'a str)], key: &str) -> Result<&'a str, String> {
    let mut found = fields.iter().filter(|field| field.0 == key);
    match (found.next(), found.next()) {
        (Some(field), None) => Ok(field.1.trim()),
        _ => Err(format!("{key} must stand once")),
    }
}

/// Reads bytes in hexadecimal, `xx..*n` for n times the same.
fn parse_hex<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, String> {
    let mut bytes = vec![];
    for word in words {
        let (hex, times) = word.split_once('*').unwrap_or((word, "1"));
        let times: usize = times.parse().map_err(|_| format!("not a count: {word}"))?;
        if hex.is_empty() || hex.len() % 2 != 0 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("not bytes: {word}"));
        }
        let value = |at| u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| format!("not bytes: {word}"));
        let unit: Vec<u8> = (0..hex.len()).step_by(2).map(value).collect::<Result<_, _>>()?;
        bytes.extend(unit.repeat(times));
    }
    Ok(bytes)
}

fn parse_frame(value: &str, is_whole: bool) -> Result<Seen, String> {
    let mut words = value.split_whitespace().peekable();
    let opcode = parse_opcode(words.next().unwrap_or_default())?;
    let mut seen = Seen { opcode, fin: false, rsv: Rsv::NONE, payload: vec![], is_whole };
    while let Some(word) = words.next_if(|word| *word == "fin" || word.starts_with("rsv")) {
        match word {
            "fin" => seen.fin = true,
            rsv => seen.rsv = seen.rsv.with(parse_rsv(rsv)?),
        }
    }
    if words.next_if_eq(&"-").is_some() {
        return if words.next().is_none() { Ok(seen) } else { Err(format!("bytes behind -: {value}")) };
    }
    seen.payload = parse_hex(words)?;
    if seen.payload.is_empty() { Err(format!("no payload: {value}")) } else { Ok(seen) }
}

fn parse_opcode(name: &str) -> Result<Opcode, String> {
    let named = |opcode: &&Opcode| format!("{opcode:?}").eq_ignore_ascii_case(name);
    Opcode::ALL.iter().find(named).copied().ok_or(format!("unknown opcode {name}"))
}

fn parse_rsv(name: &str) -> Result<Rsv, String> {
    match name {
        "rsv1" => Ok(Rsv::RSV1),
        "rsv2" => Ok(Rsv::RSV2),
        "rsv3" => Ok(Rsv::RSV3),
        _ => Err(format!("unknown bit {name}")),
    }
}

fn parse_config(role: Role, value: &str) -> Result<Config, String> {
    let (mut config, mut limits, mut claims) = (Config::new(role), Limits::DEFAULT, Claims::NONE);
    for word in value.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || value.parse::<u64>().map_err(|_| format!("not a number: {word}"));
        match key {
            "frame_len" => limits.frame_len = number()?,
            "message_len" => limits.message_len = number()?,
            "fragments" => limits.fragments = u32::try_from(number()?).map_err(|error| error.to_string())?,
            "frame_rsv" => claims = claims.frame_rsv(parse_rsv(value)?),
            "message_rsv" => claims = claims.message_rsv(parse_rsv(value)?),
            "opcode" => claims = claims.opcode(parse_opcode(value)?),
            _ => config = parse_relaxation(config, word)?,
        }
    }
    Ok(config.limits(limits).claims(claims))
}

fn parse_relaxation(config: Config, word: &str) -> Result<Config, String> {
    match word {
        "allow_non_minimal_length" => Ok(config.allow_non_minimal_length()),
        "allow_mask_mismatch" => Ok(config.allow_mask_mismatch()),
        "skip_text_validation" => Ok(config.skip_text_validation()),
        _ => Err(format!("unknown configuration {word}")),
    }
}

fn parse_verdict(value: &str) -> Result<Verdict, String> {
    match value.split_whitespace().collect::<Vec<_>>()[..] {
        ["idle"] => Ok(Verdict::Idle),
        ["open"] => Ok(Verdict::Open),
        ["closed"] => Ok(Verdict::Closed),
        ["error", code, kind, "after", after] => Ok(Verdict::Error {
            code: code.parse().map_err(|_| format!("not a code: {code}"))?,
            kind: kind.into(),
            after: after.parse().map_err(|_| format!("not a count: {after}"))?,
        }),
        _ => Err(format!("unknown verdict {value}")),
    }
}
