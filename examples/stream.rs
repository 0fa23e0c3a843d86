//! A message that is sent while it is made: a fragment a second, shown at the other end as it arrives.

#[path = "support/open.rs"]
mod open;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use open::{Fault, random, random_key};
use websocket_wire::handshake::{Key, Uri, client, server};
use websocket_wire::{CloseCode, CloseFrame, Connection, Fragmenter, Opcode, Side, Status};

const HELP: &str = "\
Sends one message in fragments, one an interval, and shows what arrives as soon as it does.

    stream                          a server on a free loopback port, which sends \"1\", \"2\", \"3\", and a client
    stream --listen ADDR PIECE...   send the pieces, or 1 2 3, to every client, until interrupted
    stream --connect URL PIECE...   send the pieces, if any, show one message, and close
    stream --help                   show this text

    --interval SECONDS              between two fragments; 1 unless given, and it may have a fraction

The exit status is 0 behind a close of our own, 1 behind anything else, and 2 for wrong arguments.";

/// How long a client waits for the rest of a message, or for the answer to its close frame.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the command line says.
struct Options {
    listen: Option<String>,
    connect: Option<String>,
    interval: Duration,
    pieces: Vec<String>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let Some(options) = Options::parse(&args) else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn parse(args: &[String]) -> Option<Self> {
        let mut options = Self { listen: None, connect: None, interval: Duration::from_secs(1), pieces: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--listen" => options.listen = Some(args.next()?.clone()),
                "--connect" => options.connect = Some(args.next()?.clone()),
                "--interval" => options.interval = Duration::try_from_secs_f64(args.next()?.parse().ok()?).ok()?,
                option if option.starts_with("--") => return None,
                piece => options.pieces.push(piece.into()),
            }
        }
        let is_both = options.listen.is_some() && options.connect.is_some();
        (!is_both).then_some(options)
    }
}

fn run(mut options: Options) -> Result<(), Fault> {
    if let Some(url) = &options.connect {
        return run_client(url, &options);
    }
    let listener = TcpListener::bind(options.listen.as_deref().unwrap_or("127.0.0.1:0"))?;
    let url = format!("ws://{}/", listener.local_addr()?);
    println!("listening on {url}");
    if options.pieces.is_empty() {
        options.pieces = ["1", "2", "3"].map(String::from).into();
    }
    if options.listen.is_some() {
        return serve(&listener, options);
    }
    let silent = Options { pieces: Vec::new(), listen: None, connect: None, ..options };
    std::thread::spawn(move || serve(&listener, options).map_err(|fault| eprintln!("{fault}")));
    run_client(&url, &silent)
}

/// Serves every client in a thread of its own.
fn serve(listener: &TcpListener, options: Options) -> Result<(), Fault> {
    let options = std::sync::Arc::new(options);
    for stream in listener.incoming() {
        let (stream, options) = (stream?, options.clone());
        std::thread::spawn(move || {
            if let Err(fault) = accept(stream, &options) {
                eprintln!("{fault}");
            }
        });
    }
    Ok(())
}

fn accept(mut stream: TcpStream, options: &Options) -> Result<(), Fault> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut input, mut out) = (Vec::new(), [0; 512]);
    let consumed = loop {
        match server::Request::parse(&input) {
            Ok(Status::Complete { value: request, consumed }) => {
                let len = request.accept().encode(&mut out)?;
                stream.write_all(&out[..len])?;
                break consumed;
            }
            Ok(Status::Partial { .. }) => {}
            Err(error) => {
                let len = server::Refusal::from(error).encode(&mut out)?;
                stream.write_all(&out[..len])?;
                return Err(format!("a client was refused: {error}").into());
            }
        }
        if read_more(&mut stream, &mut input)? == 0 {
            return Err("a client went away before its request was whole".into());
        }
    };
    Session::new(stream, Connection::server(), input.split_off(consumed)).run(options, false)
}

fn run_client(url: &str, options: &Options) -> Result<(), Fault> {
    let url = open::complete(url);
    let uri = Uri::parse(&url).map_err(|error| format!("{url} is no WebSocket URL: {error}"))?;
    if uri.is_secure() {
        return Err("there is no TLS here: the URL must begin with ws://".into());
    }
    let mut stream = open::connect(&uri)?;
    let request = client::Request::new(uri, Key::new(random()));
    let ((), input) = open::shake_hands(&mut stream, &request, |_| Ok(()))?;
    Session::new(stream, Connection::client(random_key), input).run(options, true)
}

/// One end of an open connection; both ends do the same, but that the client closes.
struct Session<S> {
    stream: TcpStream,
    connection: Connection<S>,
    /// What was received and not yet decoded: never more than one control frame and one read.
    input: Vec<u8>,
    /// The front of a code point whose rest has not come.
    unfinished: Vec<u8>,
    start: Instant,
    has_message: bool,
}

impl<S: Side> Session<S> {
    fn new(stream: TcpStream, connection: Connection<S>, input: Vec<u8>) -> Self {
        Self { stream, connection, input, unfinished: Vec::new(), start: Instant::now(), has_message: false }
    }

    fn run(mut self, options: &Options, closes: bool) -> Result<(), Fault> {
        let mut pieces = options.pieces.iter();
        let mut fragmenter = (pieces.len() > 0).then(|| Fragmenter::new(Opcode::Text, usize::MAX));
        let mut due = self.start + options.interval;
        while !self.connection.should_close_tcp() {
            self.show()?;
            let is_due = Instant::now() >= due && !self.connection.is_close_sent();
            if is_due && let (Some(now), Some(piece)) = (fragmenter.take(), pieces.next()) {
                fragmenter = self.send(now, piece, pieces.len() == 0)?;
                due += options.interval;
            }
            if closes && self.has_message && fragmenter.is_none() {
                self.connection.close(Some(CloseFrame::new(CloseCode::NORMAL, "")))?;
            }
            self.write_replies()?;
            let wait = if fragmenter.is_some() { due.saturating_duration_since(Instant::now()) } else { PATIENCE };
            if !self.connection.should_close_tcp() && !self.read(wait)? && fragmenter.is_none() && closes {
                return Err("the server has sent nothing for a minute".into());
            }
        }
        self.verdict()
    }

    /// Sends the next fragment, and returns what makes the ones behind it.
    fn send(&mut self, mut fragmenter: Fragmenter, piece: &str, is_last: bool) -> Result<Option<Fragmenter>, Fault> {
        let (frames, rest) = if is_last {
            (fragmenter.finish(piece.as_bytes()), None)
        } else {
            (fragmenter.chunk(piece.as_bytes()), Some(fragmenter))
        };
        let mut out = vec![0; piece.len() + 14];
        for (header, payload) in frames {
            let len = self.connection.encoder()?.encode(header, payload, &mut out)?;
            self.stream.write_all(&out[..len])?;
        }
        println!("{:6.1} s  sent {piece:?}{}", self.start.elapsed().as_secs_f64(), end(is_last));
        Ok(rest)
    }

    /// Prints the parts of the message that are here.
    fn show(&mut self) -> Result<(), Fault> {
        let mut at = 0;
        loop {
            match self.connection.receive(&mut self.input[at..]) {
                Ok(Status::Complete { value: frame, consumed }) => {
                    at += consumed;
                    if frame.message_opcode().is_control() {
                        continue;
                    }
                    self.unfinished.extend_from_slice(frame.payload());
                    let ready = self.unfinished.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
                    let is_text = frame.message_opcode() == Opcode::Text;
                    let part: Vec<u8> =
                        self.unfinished.drain(..if is_text { ready } else { self.unfinished.len() }).collect();
                    let shown = if is_text { format!("{:?}", String::from_utf8_lossy(&part)) } else { hex(&part) };
                    println!("{:6.1} s  got  {shown}{}", self.start.elapsed().as_secs_f64(), end(frame.ends_message()));
                    self.has_message |= frame.ends_message();
                }
                Ok(Status::Partial { .. }) => {
                    self.input.drain(..at);
                    return Ok(());
                }
                Err(_) => return Ok(()), // the close frame that says so is pending, and `verdict` says it too
            }
        }
    }

    /// Writes the pongs and close frames that the connection has made.
    fn write_replies(&mut self) -> io::Result<()> {
        let replies = self.connection.pending_output();
        self.stream.write_all(replies)?;
        self.connection.consume_output(replies.len());
        Ok(())
    }

    /// Reads once; returns whether anything came within `wait`.
    fn read(&mut self, wait: Duration) -> io::Result<bool> {
        self.stream.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        match read_more(&mut self.stream, &mut self.input) {
            Ok(0) => _ = self.connection.receive_eof(),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn verdict(&self) -> Result<(), Fault> {
        if let Some(error) = self.connection.error() {
            return Err(format!("the peer broke the protocol: {error}; closed with {}", error.close_code()).into());
        }
        match self.connection.close_code() {
            Some(CloseCode::ABNORMAL) | None => Err("the peer dropped the connection without a close frame".into()),
            Some(code) if !self.has_message && code != CloseCode::NORMAL => {
                Err(format!("the peer closed the connection: {code}").into())
            }
            Some(_) => Ok(()),
        }
    }
}

fn end(is_end: bool) -> &'static str {
    if is_end { ", the end" } else { "" }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_more(stream: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 4096];
    let len = stream.read(&mut chunk)?;
    input.extend_from_slice(&chunk[..len]);
    Ok(len)
}
