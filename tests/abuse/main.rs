//! Classes of past vulnerabilities: `README.md` beside this file names the tests against each. Here are those that have to do
//! with time, and the test of the table.

use std::time::{Duration, Instant};

use websocket_wire::utf8::Validator;

/// 16 times the input may take 16 times as long, and no more than 64 times; quadratic work takes 256 times. What counts is the
/// best of several rounds, of five at least, and of more where another program takes the processor meanwhile.
fn takes_linear_time(run: impl Fn(usize), size: usize) {
    let time = |size: usize| {
        let start = Instant::now();
        run(size);
        start.elapsed()
    };
    let (mut short, mut long) = (Duration::MAX, Duration::MAX);
    for round in 1..=40 {
        (short, long) = (short.min(time(size)), long.min(time(16 * size)));
        if cfg!(miri) || round >= 5 && long < 64 * short {
            return;
        }
    }
    panic!("{size}: {short:?}, 16 times as much: {long:?}");
}

/// Every piece ends inside of a code point, so that none is done in one look.
#[test]
fn text_in_the_worst_pieces_takes_linear_time() {
    let text = "語".repeat(if cfg!(miri) { 1 << 8 } else { 1 << 18 });
    for piece in [1, 2, 4, 31, 64] {
        let run = |size: usize| {
            let mut validator = Validator::new();
            text.as_bytes()[..size].chunks(piece).for_each(|piece| validator.push(piece).unwrap());
            assert!(validator.finish().is_ok());
        };
        takes_linear_time(run, text.len() / 16 / 3 * 3);
    }
}

/// Fragments are joined without moving what is there once for each.
#[cfg(feature = "alloc")]
#[test]
fn a_message_of_fragments_of_one_byte_takes_linear_time() {
    use websocket_wire::{Assembler, Config, Message};

    let run = |count: usize| {
        let mut assembler = Assembler::new(Config::client());
        let wire = [&[0x02, 1, b'x'][..], &[0x00, 1, b'x'].repeat(count - 2), &[0x80, 1, b'x']].concat();
        let mut input = bytes::BytesMut::from(&wire[..]);
        let message = assembler.next_message(&mut input).unwrap();
        assert!(matches!(message, Some(Message::Binary(data)) if data.len() == count));
    };
    takes_linear_time(run, if cfg!(miri) { 4 } else { 4096 });
}

/// Each name of the table is a test of the file that its path says.
#[test]
#[cfg_attr(any(miri, target_family = "wasm"), ignore = "reads the sources")]
fn every_test_that_the_table_names_is_there() {
    let table = include_str!("README.md");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| class")).collect();
    assert_eq!(rows.len(), 16);
    for row in rows {
        let names: Vec<&str> = row.split('`').filter(|name| name.contains("::")).collect();
        assert!(!names.is_empty(), "no test: {row}");
        names.into_iter().for_each(|name| assert!(is_test(name), "there is no test {name}"));
    }
}

fn is_test(path: &str) -> bool {
    let (place, function) = path.rsplit_once("::").unwrap();
    let place = place.replace("::", "/");
    let unit = place.strip_suffix("/tests").unwrap_or(&place);
    let files = [
        format!("tests/{place}.rs"),
        format!("tests/{place}/main.rs"),
        format!("src/{place}.rs"),
        format!("src/{unit}.rs"),
    ];
    files.iter().any(|file| {
        let source = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap_or_default();
        let before = source.split(&format!("fn {function}(")).next().unwrap();
        before.len() < source.len() && before.rsplit("\n\n").next().unwrap().contains("#[test]")
    })
}
