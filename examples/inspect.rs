//! Shows the frames of a recorded byte stream, and what is wrong with it and where.
//!
//! `cargo run --example inspect -- --hex < dump.txt` reads one direction of a connection from a file or from standard
//! input. The view of the frames judges nothing; the strict decoder beside it says which rule is broken at which byte.
//! `--help` says the rest.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use websocket_wire::{
    Claims, CloseCode, CloseFrame, Config, DecodeError, Decoder, Header, Limits, Mask, Opcode, RawFrames, Role, Rsv,
    Status,
};

const HELP: &str = "\
Shows the frames of a recorded WebSocket stream, and what is wrong with it and where.

    inspect [OPTIONS] [FILE]     FILE is one direction of a connection; without it, or with -, standard input is read

    --client     a client sent the stream, so its frames must be masked
    --server     a server sent the stream, so its frames must not be masked
                 (without either, the MASK bit of the first frame decides)
    --hex        the input is text of hexadecimal digits and blanks
    --http       an HTTP head stands in front of the frames
    --rsv1       permessage-deflate was negotiated: RSV1 may be set, and such text is not judged
    --no-limits  frames and messages of any length are right; else 16 MiB a frame and 64 MiB a message are the most
    --help       show this text

The exit status is 0 if every byte keeps the rules, 1 if not, and 2 if the input cannot be read.
Colours appear on a terminal unless NO_COLOR is set.";

/// How much of a payload is shown, in characters.
const SHOWN: usize = 60;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut out = String::new();
    let code = match run(&args, &mut io::stdin(), colours, &mut out) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("inspect: {problem}");
            2
        }
    };
    // Whoever closed the pipe, as `head` does, has seen enough.
    let _ = io::stdout().write_all(out.as_bytes());
    ExitCode::from(code)
}

/// Does what the arguments say; returns the exit status.
pub(crate) fn run(args: &[String], stdin: &mut dyn Read, colours: bool, out: &mut String) -> Result<u8, String> {
    let options = Options::parse(args)?;
    if options.help {
        out.push_str(HELP);
        out.push('\n');
        return Ok(0);
    }
    let input = read(options.file.as_deref(), stdin).map_err(|error| error.to_string())?;
    let input = if options.hex { unhex(&input)? } else { input };
    let start = if options.http { head_len(&input)? } else { 0 };
    let style = Style(colours);
    if let Some(line) = input[..start].split(|&b| b == b'\n').next().filter(|_| start > 0) {
        let line = String::from_utf8_lossy(line.trim_ascii());
        let _ = writeln!(out, "{:>8}  {start:>6}  HTTP head  {}", 0, shorten(&line));
    }
    Ok(Report { stream: &input[start..], start, options: &options, style, out }.write())
}

#[derive(Default)]
struct Options {
    help: bool,
    hex: bool,
    http: bool,
    rsv1: bool,
    no_limits: bool,
    sender: Option<Role>,
    file: Option<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        for arg in args {
            match arg.as_str() {
                "--help" | "-h" => options.help = true,
                "--hex" => options.hex = true,
                "--http" => options.http = true,
                "--rsv1" => options.rsv1 = true,
                "--no-limits" => options.no_limits = true,
                "--client" if options.sender.is_none() => options.sender = Some(Role::Client),
                "--server" if options.sender.is_none() => options.sender = Some(Role::Server),
                option if option.starts_with('-') && option != "-" => return Err(format!("{option}? see --help")),
                _ if options.file.is_some() => return Err("one file at a time; see --help".into()),
                file => options.file = Some(file.into()),
            }
        }
        Ok(options)
    }

    /// Returns the side that sent `stream`.
    fn sender(&self, stream: &[u8]) -> Role {
        self.sender.unwrap_or(match stream {
            [_, second, ..] if second & 0x80 == 0 => Role::Server,
            _ => Role::Client,
        })
    }

    /// Returns the configuration of who reads what `sender` sent.
    fn config(&self, sender: Role) -> Config {
        let config = match sender {
            Role::Client => Config::server(),
            Role::Server => Config::client(),
        };
        let claims = if self.rsv1 { Claims::NONE.message_rsv(Rsv::RSV1) } else { Claims::NONE };
        let limits = if self.no_limits { Limits::NONE } else { Limits::DEFAULT };
        config.limits(limits).claims(claims)
    }
}

/// What the decoder says of a whole stream.
enum Verdict {
    /// The byte at this offset is the first that shows the fault.
    Broken(usize, DecodeError),
    /// A close frame ends here.
    Closed(usize),
    Idle,
    Open,
}

impl Verdict {
    /// Feeds the decoder byte by byte, so that a fault shows at its own byte and not at the end of what was read.
    fn of(stream: &[u8], config: Config) -> Self {
        let mut decoder = Decoder::new(config);
        let mut bytes = stream.to_vec();
        let mut at = 0;
        for end in 1..=bytes.len() {
            match decoder.decode(&mut bytes[at..end]) {
                Ok(Status::Complete { consumed, .. }) => at += consumed,
                Ok(Status::Partial { .. }) => {}
                Err(error) => return Self::Broken(end - 1, error),
            }
            if decoder.is_closed() {
                return Self::Closed(end);
            }
        }
        if decoder.is_idle() && at == bytes.len() { Self::Idle } else { Self::Open }
    }
}

struct Report<'a> {
    stream: &'a [u8],
    /// Where the stream begins in the input; offsets are those of the input.
    start: usize,
    options: &'a Options,
    style: Style,
    out: &'a mut String,
}

impl Report<'_> {
    /// Writes one line a frame and the verdict; returns the exit status.
    fn write(mut self) -> u8 {
        let sender = self.options.sender(self.stream);
        let verdict = Verdict::of(self.stream, self.options.config(sender));
        self.line(Style::DIM, "  offset   bytes  flags     opcode        mask       payload");
        let mut frames = RawFrames::new(self.stream);
        let (mut at, mut count, mut kind) = (0, 0, Opcode::Binary);
        while let Some(Ok(frame)) = frames.next() {
            let header = frame.header();
            if header.opcode.is_data() && header.opcode != Opcode::Continuation {
                kind = header.opcode;
            }
            let mut payload = vec![0; frame.payload().len()];
            frame.unmask_to(&mut payload);
            self.frame(at, header, frame.bytes().len(), &describe(header, kind, &payload));
            let end = at + frame.bytes().len();
            self.fault(&verdict, at..end);
            (at, count) = (end, count + 1);
        }
        self.rest(at, kind, &verdict);
        self.summary(count, sender, &verdict)
    }

    /// Writes what is left behind the last whole frame.
    fn rest(&mut self, at: usize, kind: Opcode, verdict: &Verdict) {
        let rest = &self.stream[at..];
        if rest.is_empty() {
            return;
        }
        match Header::parse(rest) {
            Ok(Status::Complete { value: header, consumed }) => {
                let mut payload = rest[consumed..].to_vec();
                if let Some(key) = header.mask {
                    Mask::new(key).apply(&mut payload);
                }
                let missing = header.payload_len.saturating_sub(payload.len() as u64);
                self.frame(at, &header, rest.len(), &describe(&header, kind, &payload));
                self.line(
                    Style::WARN,
                    &format!("{:>18}cut off: {missing} of {} payload bytes are missing", "", header.payload_len),
                );
            }
            Ok(Status::Partial { needed }) => {
                let text =
                    format!("{}cut off in a header: at least {needed} more", columns(self.start + at, rest.len()));
                self.line(Style::WARN, &text);
            }
            Err(_) => {
                let text =
                    format!("{}no frame can be read from here: {}", columns(self.start + at, rest.len()), hex(rest));
                self.line(Style::WARN, &text);
            }
        }
        self.fault(verdict, at..self.stream.len());
    }

    fn frame(&mut self, at: usize, header: &Header, len: usize, what: &str) {
        let flags: String = [
            (header.fin, "FIN "),
            (header.rsv.contains(Rsv::RSV1), "R1 "),
            (header.rsv.contains(Rsv::RSV2), "R2 "),
            (header.rsv.contains(Rsv::RSV3), "R3 "),
        ]
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
        .collect();
        let mask = header.mask.map_or("-".into(), |key| hex(&key.to_bytes()));
        let opcode = format!("{:?}", header.opcode).to_lowercase();
        let opcode = self.style.paint(Style::of(header.opcode), &format!("{opcode:<12}"));
        let start = columns(self.start + at, len);
        let text = format!("{start}{:<8}  {opcode}  {mask:<9}  {:>7}  {what}", flags.trim_end(), header.payload_len);
        self.line("", text.trim_end());
    }

    /// Writes the verdict below the frame in which it falls.
    fn fault(&mut self, verdict: &Verdict, frame: std::ops::Range<usize>) {
        match *verdict {
            Verdict::Broken(at, error) if frame.contains(&at) => {
                let place = format!(
                    "byte {} ({:#04x}, byte {} of the frame)",
                    self.start + at,
                    self.stream[at],
                    at - frame.start
                );
                self.line(Style::BAD, &format!("{:>18}WRONG at {place}: {error}", ""));
                let what = format!("{:>18}close with {}; {}", "", code(error.close_code()), section(error));
                self.line(Style::BAD, &what);
            }
            Verdict::Closed(end) if frame.start >= end => {
                self.line(Style::DIM, &format!("{:>18}behind the close frame: not looked at", ""));
            }
            _ => {}
        }
    }

    fn summary(&mut self, count: usize, sender: Role, verdict: &Verdict) -> u8 {
        let who = match sender {
            Role::Client => "a client",
            Role::Server => "a server",
        };
        let frames = if count == 1 { "1 frame" } else { &format!("{count} frames") };
        let (style, what) = match verdict {
            Verdict::Broken(at, _) => (Style::BAD, format!("wrong at byte {}", self.start + at)),
            Verdict::Closed(_) => (Style::GOOD, "all rules kept, the connection closed".into()),
            Verdict::Idle => (Style::GOOD, "all rules kept, no message is open".into()),
            Verdict::Open => (Style::WARN, "all rules kept so far, a message or a frame is unfinished".into()),
        };
        self.line(style, &format!("{frames} in {} bytes from {who}: {what}", self.stream.len()));
        u8::from(matches!(verdict, Verdict::Broken(..)))
    }

    fn line(&mut self, style: &'static str, text: &str) {
        let text = self.style.paint(style, text);
        self.out.push_str(&text);
        self.out.push('\n');
    }
}

/// Whether to colour; the constants are what goes between `ESC [` and `m`.
#[derive(Clone, Copy)]
struct Style(bool);

impl Style {
    const DIM: &'static str = "2";
    const BAD: &'static str = "1;31";
    const WARN: &'static str = "33";
    const GOOD: &'static str = "32";

    fn of(opcode: Opcode) -> &'static str {
        match opcode {
            Opcode::Close => "35",
            Opcode::Ping | Opcode::Pong => "34",
            opcode if opcode.is_reserved() => Self::BAD,
            _ => "36",
        }
    }

    fn paint(self, style: &str, text: &str) -> String {
        if self.0 && !style.is_empty() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.into() }
    }
}

fn read(file: Option<&str>, stdin: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut input = Vec::new();
    match file {
        None | Some("-") => stdin.read_to_end(&mut input)?,
        Some(file) => File::open(file)?.read_to_end(&mut input)?,
    };
    Ok(input)
}

fn unhex(text: &[u8]) -> Result<Vec<u8>, String> {
    let digits = text.iter().filter(|b| !b.is_ascii_whitespace());
    let digits: Option<Vec<u32>> = digits.map(|&b| char::from(b).to_digit(16)).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => Ok(digits.chunks(2).map(|two| (two[0] * 16 + two[1]) as u8).collect()),
        Some(_) => Err("an odd number of hexadecimal digits".into()),
        None => Err("the input is not hexadecimal".into()),
    }
}

/// Returns where the HTTP head ends.
fn head_len(input: &[u8]) -> Result<usize, String> {
    let blank_line = |(at, &b): (usize, &u8)| b == b'\n' && matches!(input[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]);
    let at = input.iter().enumerate().position(blank_line).ok_or("there is no blank line that ends an HTTP head")?;
    Ok(at + if input[at + 1] == b'\n' { 2 } else { 3 })
}

/// Says what a payload holds: text, the code and reason of a close frame, or bytes.
fn describe(header: &Header, kind: Opcode, payload: &[u8]) -> String {
    let is_text = match header.opcode {
        Opcode::Close => return close(payload),
        Opcode::Continuation => kind == Opcode::Text,
        Opcode::Ping | Opcode::Pong => payload.iter().all(|b| matches!(b, b' '..=b'~')),
        opcode => opcode == Opcode::Text,
    };
    if payload.is_empty() {
        String::new()
    } else if is_text && header.rsv.is_empty() {
        quoted(&String::from_utf8_lossy(payload))
    } else {
        hex(payload)
    }
}

fn close(payload: &[u8]) -> String {
    match CloseFrame::parse(payload) {
        Ok(None) => "no code".into(),
        Ok(Some(close)) => format!("{} {}", code(close.code()), quoted(close.reason())),
        Err(_) => hex(payload),
    }
}

fn code(code: CloseCode) -> String {
    match code.name() {
        Some(name) => format!("{} {name}", code.0),
        None => code.0.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", shorten(text))
}

fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn hex(bytes: &[u8]) -> String {
    let mut shown: String = bytes.iter().take(SHOWN / 2).map(|b| format!("{b:02x}")).collect();
    if bytes.len() > SHOWN / 2 {
        shown.push('…');
    }
    shown
}

fn columns(at: usize, len: usize) -> String {
    format!("{at:>8}  {len:>6}  ")
}

/// Names the section with the broken rule.
fn section(error: DecodeError) -> &'static str {
    match error {
        DecodeError::MissingMask | DecodeError::UnexpectedMask => "RFC 6455 §5.1",
        DecodeError::UnexpectedContinuation | DecodeError::InterleavedMessage => "RFC 6455 §5.4",
        DecodeError::FragmentedControl | DecodeError::ControlTooLong => "RFC 6455 §5.5",
        DecodeError::InvalidCloseLength => "RFC 6455 §5.5.1",
        DecodeError::InvalidCloseCode => "RFC 6455 §7.4",
        DecodeError::InvalidUtf8 | DecodeError::InvalidCloseReason => "RFC 6455 §8.1",
        DecodeError::FrameTooLong | DecodeError::MessageTooLong | DecodeError::TooManyFragments => "RFC 6455 §10.4",
        DecodeError::InvalidExtensionData => "RFC 7692 §7.2.2",
        _ => "RFC 6455 §5.2",
    }
}
