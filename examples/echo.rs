//! An echo server and an echo client on real TCP connections.
//!
//! `cargo run --release --example echo` starts the server on a free loopback port, connects the client to it, sends
//! what a codec can get wrong, and compares every byte that comes back. `--help` says what else there is.

#[path = "support/finish.rs"]
mod finish;
mod support;

use std::io::{self, IsTerminal, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use finish::finish;
use support::{Fault, Peer, Receiver, accept, connect, random};
use websocket_wire::{Client, Close, CloseCode, CloseFrame, Header, MaskingKey, Message, Opcode, Side};

const HELP: &str = "\
An echo server and an echo client on real TCP connections.

    echo                 start a server on a free loopback port and run the client against it
    echo --listen ADDR   serve until interrupted, as on 127.0.0.1:9001; the path /close/CODE/REASON is closed at once
    echo --connect URL   run the client alone, against any server that echoes messages, as ws://127.0.0.1:9001/
    echo --connect URL --offer PARAMS
                         offer permessage-deflate too, with parameters as in \"server_max_window_bits=10\" or none
    echo --mirror URL [--offer PARAMS]
                         connect and send back every message that the server sends, until it closes
    echo --help          show this text

The client exits with 0 if every byte came back, with 1 if not, and with 2 for wrong arguments.";

/// How long the client waits for the next message before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

type Result<T> = std::result::Result<T, Fault>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => both(),
        ["--listen", address] => listen(address).and_then(|listener| serve(&listener)),
        ["--connect", url] => client(url, None),
        ["--connect", url, "--offer", params] => client(url, Some(params)),
        ["--mirror", url] => mirror(url, None),
        ["--mirror", url, "--offer", params] => mirror(url, Some(params)),
        ["--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the server in a thread and the client against it.
fn both() -> Result<()> {
    let listener = listen("127.0.0.1:0")?;
    let url = format!("ws://{}/", listener.local_addr()?);
    std::thread::spawn(move || serve(&listener));
    client(&url, if cfg!(feature = "deflate") { Some("") } else { None })
}

// The server.

fn listen(address: &str) -> Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    println!("listening on ws://{}/", listener.local_addr()?);
    Ok(listener)
}

fn serve(listener: &TcpListener) -> Result<()> {
    for (number, stream) in (1..).zip(listener.incoming()) {
        let stream = stream?;
        std::thread::spawn(move || {
            match echo(&stream) {
                Ok(closes) => println!("connection {number}: {closes}"),
                Err(fault) => println!("connection {number}: {fault}"),
            }
            finish(stream);
        });
    }
    Ok(())
}

/// The close frames of a connection.
struct Closes {
    sent: Option<Close>,
    received: Option<Close>,
}

impl std::fmt::Display for Closes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sent close {}, received close {}", named(self.sent.as_ref()), named(self.received.as_ref()))
    }
}

fn named(close: Option<&Close>) -> String {
    close.map_or("none".into(), |close| format!("{} {:?}", close.code.0, close.reason))
}

/// Serves one connection: sends every message back, until a close frame has gone both ways.
fn echo(stream: &TcpStream) -> Result<Closes> {
    let (mut peer, mut receiver, path) = accept(stream.try_clone()?)?;
    if let Some(close) = asked_close(&path) {
        peer.send(&Message::Close(Some(close.clone())))?;
        return Ok(Closes { sent: Some(close), received: last_words(&mut receiver)? });
    }
    send_back(&mut peer, &mut receiver)
}

/// Sends every message of a server back.
fn mirror(url: &str, params: Option<&str>) -> Result<()> {
    let (mut peer, mut receiver) = connect(url, params, || MaskingKey::new(random()))?;
    println!("{}", send_back(&mut peer, &mut receiver)?);
    Ok(())
}

fn send_back<S: Side>(peer: &mut Peer<S>, receiver: &mut Receiver) -> Result<Closes> {
    loop {
        match receiver.receive() {
            Ok(Some(Message::Ping(payload))) => peer.send(&Message::Pong(payload))?,
            Ok(Some(Message::Pong(_))) => {}
            Ok(Some(Message::Close(received))) => {
                peer.send(&Message::Close(received.clone()))?;
                return Ok(Closes { sent: received.clone(), received });
            }
            Ok(Some(message)) => peer.send(&message)?,
            Ok(None) => return Ok(Closes { sent: None, received: None }),
            Err(Fault::Protocol(error)) => {
                let close = Close { code: error.close_code(), reason: error.to_string().into() };
                peer.send(&Message::Close(Some(close)))?;
                return Err(Fault::Protocol(error));
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Reads `/close/CODE/REASON`.
fn asked_close(path: &str) -> Option<Close> {
    let (code, reason) = path.strip_prefix("/close/")?.split_once('/')?;
    Some(Close { code: CloseCode(code.parse().ok()?), reason: reason.to_owned().into() })
}

/// Waits for the answer to a close frame.
fn last_words(receiver: &mut Receiver) -> Result<Option<Close>> {
    while let Some(message) = receiver.receive()? {
        if let Message::Close(close) = message {
            return Ok(close);
        }
    }
    Ok(None)
}

// The client.

/// One line of the table.
struct Row {
    what: &'static str,
    frames: usize,
    bytes: usize,
    time: Duration,
}

/// The client's end: what is sent here, and what a thread of its own has received.
struct Session<M> {
    peer: Peer<Client<M>>,
    inbox: mpsc::Receiver<Result<Option<Message>>>,
    last_pong: Bytes,
}

fn client(url: &str, params: Option<&str>) -> Result<()> {
    let (peer, mut receiver) = connect(url, params, || MaskingKey::new(random()))?;
    let (outbox, inbox) = mpsc::channel();
    std::thread::spawn(move || {
        loop {
            let message = receiver.receive();
            let is_last = !matches!(message, Ok(Some(_)));
            if outbox.send(message).is_err() || is_last {
                return;
            }
        }
    });
    let mut session = Session { peer, inbox, last_pong: Bytes::new() };
    let result = session.run();
    if let Err(Fault::ClosedEarly(close)) = &result {
        session.peer.send(&Message::Close(close.clone()))?;
    }
    result
}

impl<M: FnMut() -> MaskingKey> Session<M> {
    fn run(&mut self) -> Result<()> {
        println!("{:<44} {:<16} {:>6} {:>10} {:>8}", "what went out", "what came back", "frames", "bytes", "MB/s");
        self.whole("an empty text", Opcode::Text, 0)?;
        for (what, len) in [
            ("binary of 1 byte", 1),
            ("binary of 125 bytes", 125),
            ("binary of 126 bytes", 126),
            ("binary of 65,535 bytes", 65_535),
            ("binary of 65,536 bytes", 65_536),
        ] {
            self.whole(what, Opcode::Binary, len)?;
        }
        self.long("binary of 16 MiB", 16 << 20)?;
        self.fragmented("text in four scripts, cut, pings between")?;
        self.trickled("masked binary, written byte by byte")?;
        self.close(CloseFrame::new(CloseCode::NORMAL, "that was all"))
    }

    /// Sends a message in one frame.
    fn whole(&mut self, what: &'static str, opcode: Opcode, len: usize) -> Result<()> {
        let payload = pattern(len);
        let start = Instant::now();
        self.peer.send_frame(opcode.into(), &payload)?;
        self.expect(Row { what, frames: 1, bytes: len, time: start.elapsed() }, opcode, &payload, start)
    }

    /// Sends a long message in one frame, piece by piece, and says how far it is.
    fn long(&mut self, what: &'static str, len: usize) -> Result<()> {
        const PIECE: usize = 64 << 10;
        let payload = pattern(len);
        let start = Instant::now();
        let wire = self.peer.encode(Opcode::Binary.into(), &payload)?;
        for (i, piece) in wire.chunks(PIECE).enumerate() {
            self.peer.write(piece)?;
            progress(what, (i * PIECE + piece.len()) * 100 / wire.len());
        }
        self.expect(Row { what, frames: 1, bytes: len, time: start.elapsed() }, Opcode::Binary, &payload, start)
    }

    /// Sends a text in fragments that are cut inside code points, with a ping behind every eighth: some peers drop a
    /// connection that pings without end.
    fn fragmented(&mut self, what: &'static str) -> Result<()> {
        let text = "Latin with ümlaut, кириллица, 漢字かな交じり文, 😀🦀🎉. ".repeat(20);
        let start = Instant::now();
        let (mut pings, mut last_ping) = (0, [0; size_of::<usize>()]);
        let fragments: Vec<&[u8]> = text.as_bytes().chunks(7).collect();
        for (i, fragment) in fragments.iter().enumerate() {
            let opcode = if i == 0 { Opcode::Text } else { Opcode::Continuation };
            let header = Header { fin: i + 1 == fragments.len(), ..Header::new(opcode) };
            self.peer.send_frame(header, fragment)?;
            if i % 8 == 0 {
                self.peer.send_frame(Opcode::Ping.into(), &i.to_be_bytes())?;
                (pings, last_ping) = (pings + 1, i.to_be_bytes());
            }
        }
        let frames = fragments.len() + pings;
        let row = Row { what, frames, bytes: text.len(), time: start.elapsed() };
        self.expect(row, Opcode::Text, text.as_bytes(), start)?;
        self.expect_pong(&last_ping)
    }

    /// Sends a message of which every byte is a write of its own, so that it arrives in as many reads as TCP makes.
    fn trickled(&mut self, what: &'static str) -> Result<()> {
        let payload = pattern(300);
        let start = Instant::now();
        for byte in self.peer.encode(Opcode::Binary.into(), &payload)? {
            self.peer.write(&[byte])?;
        }
        let row = Row { what, frames: 1, bytes: payload.len(), time: start.elapsed() };
        self.expect(row, Opcode::Binary, &payload, start)
    }

    /// Closes, and waits for the peer's close frame.
    fn close(&mut self, close: CloseFrame<'_>) -> Result<()> {
        let sent = Close { code: close.code(), reason: close.reason().to_owned().into() };
        self.peer.send(&Message::Close(Some(sent.clone())))?;
        loop {
            match self.next() {
                Err(Fault::ClosedEarly(received)) => {
                    println!("close: sent {}, received {}", named(Some(&sent)), named(received.as_ref()));
                    let is_echoed = received.is_some_and(|received| received.code == sent.code);
                    return if is_echoed { Ok(()) } else { Err(Fault::Differs("the close code")) };
                }
                Ok(_) => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Compares the next data message with what was sent, and prints the row.
    fn expect(&mut self, mut row: Row, opcode: Opcode, payload: &[u8], start: Instant) -> Result<()> {
        let is_same = loop {
            match self.next()? {
                Message::Text(text) => break opcode == Opcode::Text && text.as_bytes() == payload,
                Message::Binary(bytes) => break opcode == Opcode::Binary && bytes == payload,
                _ => {}
            }
        };
        row.time = start.elapsed();
        let rate = row.bytes as f64 / row.time.as_secs_f64() / 1e6;
        let verdict = if is_same { "the same bytes" } else { "OTHER BYTES" };
        println!("{:<44} {verdict:<16} {:>6} {:>10} {rate:>8.1}", row.what, row.frames, row.bytes);
        if is_same { Ok(()) } else { Err(Fault::Differs(row.what)) }
    }

    /// Waits for the answer to the last ping; the ones before it need none (RFC 6455 §5.5.3). It may have come before
    /// the messages that were sent ahead of that ping: only messages among themselves are in order.
    fn expect_pong(&mut self, payload: &[u8]) -> Result<()> {
        while self.last_pong != payload {
            if !matches!(self.next()?, Message::Pong(_)) {
                return Err(Fault::Differs("the pong"));
            }
        }
        Ok(())
    }

    /// Returns the next message; answers pings and notes pongs on the way.
    fn next(&mut self) -> Result<Message> {
        loop {
            match self.inbox.recv_timeout(PATIENCE).map_err(|_| Fault::Silent)?? {
                Some(Message::Ping(payload)) => self.peer.send(&Message::Pong(payload))?,
                Some(Message::Close(close)) => return Err(Fault::ClosedEarly(close)),
                Some(message) => {
                    if let Message::Pong(payload) = &message {
                        self.last_pong.clone_from(payload);
                    }
                    return Ok(message);
                }
                None => return Err(Fault::Lost),
            }
        }
    }
}

/// Returns bytes that repeat only after 251, so that a misplaced block shows.
fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

/// Shows how far a long transfer is, on one line of a terminal.
fn progress(what: &str, percent: usize) {
    if io::stderr().is_terminal() {
        let end = if percent == 100 { "\r\x1b[K" } else { "" };
        eprint!("\r{what}: {percent} % sent{end}");
        io::stderr().flush().ok();
    }
}
