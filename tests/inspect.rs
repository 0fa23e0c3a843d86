//! The example `inspect` on recorded sessions and on the vectors: what it shows and what it says is wrong.

#[allow(dead_code)] // its `main`
#[path = "../examples/inspect.rs"]
mod inspect;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};

fn run(args: &[&str], stdin: &[u8]) -> Result<(u8, String), String> {
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    let mut out = String::new();
    inspect::run(&args, &mut &*stdin, false, &mut out).map(|code| (code, out))
}

fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(folder);
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|e| extensions.iter().any(|known| e == *known))).collect()
}

#[test]
fn every_byte_of_a_recorded_session_is_shown_once() {
    let files = files("captures", &["client", "server"]);
    assert_eq!(files.len(), 12);
    for file in files {
        let (code, out) = run(&["--http", file.to_str().unwrap()], b"").unwrap();
        let name = file.display();
        assert_eq!(code, 0, "{name}: {out}");
        assert!(out.trim_end().ends_with("all rules kept, the connection closed"), "{name}: {out}");
        let mut at = 0;
        for line in out.lines() {
            let mut columns = line.split_whitespace().map_while(|column| column.parse::<u64>().ok());
            if let (Some(offset), Some(len)) = (columns.next(), columns.next()) {
                assert_eq!(offset, at, "{name}: {line}");
                at += len;
            }
        }
        assert_eq!(at, fs::metadata(&file).unwrap().len(), "{name}");
    }
}

/// One vector without a configuration: who reads it, its stream, and its verdict.
struct Vector<'a> {
    reader: &'a str,
    stream: String,
    verdict: Vec<&'a str>,
}

impl<'a> Vector<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let field = |name: &'static str| text.lines().filter_map(move |l| l.strip_prefix(name)?.strip_prefix(' '));
        if field("config").next().is_some() {
            return None;
        }
        let mut stream = String::new();
        for word in field("stream").flat_map(str::split_whitespace) {
            let (unit, times) = word.split_once('*').unwrap_or((word, "1"));
            stream.push_str(&unit.repeat(times.parse().expect("a count")));
        }
        let verdict = field("verdict").next()?.split(' ').collect();
        Some(Self { reader: field("role").next()?, stream, verdict })
    }
}

#[test]
fn the_verdict_on_each_vector_is_the_one_that_is_written_there() {
    let (mut right, mut broken) = (0, 0);
    for file in files("", &["txt"]) {
        let text = fs::read_to_string(file).unwrap();
        for vector in text.split("\n[").skip(1).filter_map(Vector::parse) {
            let sender = if vector.reader == "server" { "--client" } else { "--server" };
            let (code, out) = run(&["--hex", sender], vector.stream.as_bytes()).unwrap();
            let summary = out.lines().last().unwrap();
            match vector.verdict[..] {
                ["error", close, _, "after", count] => {
                    let at = count.parse::<usize>().unwrap() - 1;
                    assert_eq!(code, 1, "{out}");
                    assert!(summary.ends_with(&format!(": wrong at byte {at}")), "{out}");
                    assert!(out.contains(&format!("close with {close} ")), "{out}");
                    assert_eq!(out.matches("WRONG").count(), 1, "{out}");
                    broken += 1;
                }
                ["idle"] => assert!(summary.ends_with("all rules kept, no message is open"), "{out}"),
                ["open"] => assert!(summary.ends_with("is unfinished"), "{out}"),
                ["closed"] => assert!(summary.ends_with("the connection closed"), "{out}"),
                ref other => panic!("{other:?}"),
            }
            right += u32::from(code == 0);
        }
    }
    assert!(right > 50 && broken > 100, "only {right} right and {broken} broken vectors were found");
}

#[test]
fn a_fault_stands_below_the_frame_that_has_it() {
    let (code, out) = run(&["--hex"], b"81 05 48656c6c6f 89 01 21 80 01 00 82").unwrap();
    let expected = "  offset   bytes  flags     opcode        mask       payload
       0       7  FIN       text          -                5  \"Hello\"
       7       3  FIN       ping          -                1  \"!\"
      10       3  FIN       continuation  -                1  \"\\0\"
                  WRONG at byte 11 (0x01, byte 1 of the frame): a continuation frame came while no message was open
                  close with 1002 Protocol Error; RFC 6455 §5.4
      13       1  cut off in a header: at least 1 more
3 frames in 14 bytes from a server: wrong at byte 11
";
    assert_eq!((code, out.as_str()), (1, expected));
}

#[test]
fn what_is_cut_off_or_unreadable_is_shown_as_far_as_it_goes() {
    let (code, out) = run(&["--hex"], b"8183 01020304 6960").unwrap();
    assert_eq!(code, 0);
    assert!(out.contains("01020304         3  \"hb\""), "{out}");
    assert!(out.contains("cut off: 1 of 3 payload bytes are missing"), "{out}");
    assert!(out.contains("from a client: all rules kept so far"), "{out}");
    let (code, out) = run(&["--hex"], b"827e0005ff").unwrap();
    assert_eq!(code, 1);
    assert!(out.contains("no frame can be read from here: 827e0005ff"), "{out}");
    let (code, out) = run(&["--hex"], b"880203e9 8100").unwrap();
    assert_eq!(code, 0);
    assert!(out.contains("1001 Going Away \"\"\n") && out.contains("behind the close frame"), "{out}");
}

#[test]
fn compressed_text_passes_where_the_extension_is_admitted() {
    let stream = b"c1 07 f248cdc9c90700";
    assert_eq!(run(&["--hex"], stream).unwrap().0, 1);
    let (code, out) = run(&["--hex", "--rsv1"], stream).unwrap();
    assert_eq!(code, 0);
    assert!(out.contains("FIN R1    text          -                7  f248cdc9c90700"), "{out}");
}

#[test]
fn limits_and_the_direction_can_be_named() {
    let (code, out) = run(&["--hex"], b"827f0000000001000001").unwrap();
    assert!(code == 1 && out.contains("close with 1009 Message Too Big"), "{out}");
    assert_eq!(run(&["--hex", "--no-limits"], b"827f0000000001000001").unwrap().0, 0);
    let unmasked = b"8100";
    assert_eq!(run(&["--hex", "--server"], unmasked).unwrap().0, 0);
    let (code, out) = run(&["--hex", "--client"], unmasked).unwrap();
    assert_eq!(code, 1);
    assert!(out.contains("a frame from a client is not masked") && out.contains("§5.1"), "{out}");
}

#[test]
fn input_that_cannot_be_read_is_a_problem_of_its_own() {
    let no_file = std::fs::File::open("/no/such/file").unwrap_err().to_string();
    let cases: [(&[&str], &[u8], &str); 7] = [
        (&["--hex"], b"8g", "the input is not hexadecimal"),
        (&["--hex"], b"810", "an odd number of hexadecimal digits"),
        (&["--http"], b"GET / HTTP/1.1\r\n", "there is no blank line that ends an HTTP head"),
        (&["--what"], b"", "--what? see --help"),
        (&["--client", "--server"], b"", "--server? see --help"),
        (&["a", "b"], b"", "one file at a time; see --help"),
        (&["/no/such/file"], b"", &no_file),
    ];
    for (args, stdin, problem) in cases {
        assert_eq!(run(args, stdin).unwrap_err(), problem, "{args:?}");
    }
    assert!(run(&["--help"], b"").unwrap().1.contains("--http"));
}

#[test]
fn colours_change_nothing_but_the_colours() {
    let args = ["--hex".to_string()];
    let mut coloured = String::new();
    let code = inspect::run(&args, &mut &b"8102c328 8a00 8b00"[..], true, &mut coloured);
    let (expected, plain) = run(&["--hex"], b"8102c328 8a00 8b00").unwrap();
    assert_eq!(code, Ok(expected));
    let mut pieces = coloured.split('\x1b');
    let mut bare = pieces.next().expect("the first piece").to_string();
    bare.extend(pieces.map(|piece| piece.split_once('m').expect("the end of a colour").1));
    assert_eq!(bare, plain);
    assert!(coloured.len() > plain.len() && !plain.contains('\x1b'));
}

/// `cargo test` builds the examples; `cargo test --test inspect` and builds for another machine do not.
#[test]
fn the_program_reads_standard_input_and_exits_with_the_verdict() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let Some(program) = program::example("inspect") else { return };
    for (input, code) in [("8100", 0), ("8101ff", 1), ("x", 2)] {
        let mut command = Command::new(&program);
        command.arg("--hex").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the example runs");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(code), "{input}");
        assert_eq!(output.stdout.is_empty(), code == 2);
        assert!(!output.stdout.contains(&0x1b), "no colours in a pipe");
    }
}
