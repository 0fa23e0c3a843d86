//! `server_tokio`, run and talked to over loopback: what it promises, each with a time limit.
#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use support::{PATIENCE, Talk, binary, head, text};
use websocket_wire::{Close, CloseCode, Header, Message, Opcode};

struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    address: String,
}

/// Starts the server on a free port.
fn start(args: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server_tokio"));
    command.args(["--listen", "127.0.0.1:0"]).args(args).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ws://").and_then(|rest| rest.strip_suffix('/'));
    Running { address: address.expect("the first line has the address").to_owned(), child, lines }
}

impl Running {
    fn connect(&self) -> Talk {
        self.connect_with("").0
    }

    /// Connects with these headers too; returns the answer as well.
    fn connect_with(&self, headers: &str) -> (Talk, String) {
        Talk::connect(&self.address, headers)
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end; returns the exit status and what was printed.
    fn wait(mut self) -> (i32, String) {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut printed = String::new();
        self.lines.read_to_string(&mut printed).unwrap();
        (self.child.wait().unwrap().code().expect("it has not been killed"), printed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn text_and_binary_of_every_form_come_back() {
    let server = start(&[]);
    let mut talk = server.connect();
    for message in [text(""), text("größer · 漢字 · 🦀"), binary(0), binary(125), binary(126), binary(65_536)] {
        talk.echoes(message);
    }
    let large = std::thread::scope(|scope| {
        let mut stream = talk.stream.try_clone().unwrap();
        let mut wire = Vec::new();
        talk.encoder.message_to(&binary(5 << 20), &mut wire).unwrap();
        scope.spawn(move || stream.write_all(&wire).unwrap());
        talk.next()
    });
    assert!(large == Some(binary(5 << 20)));
}

#[test]
fn fragments_are_joined_and_pings_between_them_answered() {
    let server = start(&[]);
    let mut talk = server.connect();
    talk.send_frame(Header::new(Opcode::Text).fragment(), "zwei H".as_bytes());
    talk.send_frame(Header::new(Opcode::Continuation).fragment(), &"ä".as_bytes()[..1]);
    talk.send_frame(Opcode::Ping, b"between");
    talk.send_frame(Opcode::Continuation, &"älften".as_bytes()[1..]);
    assert_eq!(talk.next(), Some(Message::Pong("between".into())));
    assert_eq!(talk.next(), Some(text("zwei Hälften")));
}

#[test]
fn a_close_frame_is_answered_with_its_code() {
    let server = start(&[]);
    let mut talk = server.connect();
    talk.send(&Message::Close(Some(Close { code: CloseCode(4321), reason: "enough".into() })));
    assert_eq!(talk.is_closed_with(4321).reason, "enough");
    let mut talk = server.connect();
    talk.send(&Message::Close(None));
    assert_eq!(talk.next(), Some(Message::Close(None)));
    assert_eq!(talk.next(), None);
}

#[test]
fn a_burst_that_comes_with_the_request_is_answered_in_order() {
    let server = start(&[]);
    let mut talk = server.connect();
    let messages: Vec<Message> = (0..2000).map(|number| text(&format!("message {number}"))).collect();
    messages.iter().for_each(|message| talk.send(message));
    for message in messages {
        assert_eq!(talk.next(), Some(message));
    }
}

#[test]
fn rules_broken_are_told_by_their_codes() {
    let server = start(&["--max-message", "1000"]);
    let mut talk = server.connect();
    talk.echoes(binary(1000));
    talk.send(&binary(1001));
    talk.is_closed_with(1009);

    let mut talk = server.connect();
    talk.send_frame(Header::new(Opcode::Binary).fragment(), &[0; 600]);
    talk.send_frame(Opcode::Continuation, &[0; 401]);
    talk.is_closed_with(1009);

    for (wire, code) in [
        (&b"\x81\x80\0\0\0\0\x81\x82\0\0\0\0\xC3\x28"[..], 1007), // no UTF-8
        (b"\x81\x01a", 1002),                                     // not masked
        (b"\xC1\x81\0\0\0\0a", 1002),                             // a reserved bit
        (b"\x83\x80\0\0\0\0", 1002),                              // a reserved opcode
        (b"\x80\x80\0\0\0\0", 1002),                              // nothing to continue
        (b"\x88\x82\0\0\0\0\x03\xED", 1002),                      // 1005 in a close frame
    ] {
        let mut talk = server.connect();
        talk.stream.write_all(wire).unwrap();
        // What it is still sending is not to cost it the close frame.
        talk.stream.write_all(&[0; 10_000]).unwrap();
        talk.is_closed_with(code);
    }
}

#[test]
fn origins_and_other_requests_are_refused() {
    let server = start(&["--origin", "https://example.com", "--origin", "http://localhost:8000"]);
    for (origin, status) in [
        ("Origin: https://example.com\r\n", "101"),
        ("Origin: http://localhost:8000\r\n", "101"),
        ("Origin: https://example.com.evil.test\r\n", "403"),
        ("Origin: null\r\n", "403"),
        ("", "403"),
    ] {
        let (_, answer) = server.connect_with(origin);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{origin}: {answer}");
    }
    for (request, status) in [("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426"), ("POST / HTTP/1.1\r\n\r\n", "405")] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        assert!(head(&mut stream).starts_with(&format!("HTTP/1.1 {status} ")));
    }
}

#[test]
fn the_servers_favourite_subprotocol_is_chosen() {
    let server = start(&["--protocol", "v2", "--protocol", "v1"]);
    let (_, answer) = server.connect_with("Sec-WebSocket-Protocol: v1, v2\r\n");
    assert!(answer.contains("Sec-WebSocket-Protocol: v2\r\n"), "{answer}");
    let (_, answer) = server.connect_with("Sec-WebSocket-Protocol: other\r\n");
    assert!(answer.starts_with("HTTP/1.1 101 ") && !answer.contains("Protocol:"), "{answer}");
}

#[test]
fn deflate_is_accepted_where_offered_and_compresses() {
    let server = start(&[]);
    let (mut talk, answer) = server.connect_with("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assert!(answer.contains("Sec-WebSocket-Extensions: permessage-deflate\r\n"), "{answer}");
    for _ in 0..3 {
        talk.echoes(text(&"the same again, ".repeat(10_000)));
    }
    assert!(talk.received < 20_000, "{} bytes for 480,000", talk.received);
    talk.echoes(text("short"));

    let server = start(&["--no-deflate"]);
    let (_, answer) = server.connect_with("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assert!(!answer.contains("Extensions"), "{answer}");
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let server = start(&["--max-message", "100000"]);
    let (mut talk, _) = server.connect_with("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    talk.send(&Message::Binary(vec![0; 10 << 20].into()));
    talk.is_closed_with(1009);
}

#[test]
fn a_broadcast_reaches_all_compressed_or_not() {
    let server = start(&["--broadcast"]);
    let (mut plain, mut sender) = (server.connect(), server.connect());
    let (mut compressed, answer) = server.connect_with("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assert!(answer.contains("permessage-deflate; server_no_context_takeover"), "{answer}");
    let small = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n";
    let (mut uncompressed, answer) = server.connect_with(small);
    assert!(!answer.contains("Extensions"), "{answer}");

    // The answer to a ping says that the client is in the room.
    for talk in [&mut plain, &mut compressed, &mut uncompressed] {
        talk.echoes_ping();
    }
    let messages = [text("to all"), text(&"long ".repeat(10_000)), binary(3000), text("")];
    messages.iter().for_each(|message| sender.send(message));
    for talk in [&mut plain, &mut sender, &mut compressed, &mut uncompressed] {
        for message in &messages {
            assert_eq!(talk.next().as_ref(), Some(message));
        }
    }
    assert!(compressed.received < 5_000 && plain.received > 50_000);
}

#[test]
fn a_flood_of_short_messages_overtakes_nobody() {
    let server = start(&["--broadcast"]);
    let mut talks = [server.connect(), server.connect(), server.connect()];
    talks.iter_mut().for_each(Talk::echoes_ping);
    let message = Message::Binary("!".into());
    let mut wire = Vec::new();
    for _ in 0..100_000 {
        talks[0].encoder.message_to(&message, &mut wire).unwrap();
    }
    talks[0].stream.write_all(&wire).unwrap();
    for talk in &mut talks {
        for _ in 0..100_000 {
            assert_eq!(talk.next().as_ref(), Some(&message));
        }
    }
}

#[test]
fn who_reads_too_slowly_is_closed_and_the_others_are_not() {
    let server = start(&["--broadcast", "--max-queue", "1000000", "--close-timeout", "1"]);
    let (mut slow, mut sender) = (server.connect(), server.connect());
    slow.echoes_ping();
    for _ in 0..64 {
        sender.echoes(binary(1 << 20));
    }
    // It has got what fits the buffers of the sockets, then the close frame instead of the rest; or nothing more, where it
    // takes longer than the closing handshake may.
    let mut received = 0;
    let close = loop {
        match slow.next() {
            Some(Message::Binary(payload)) => received += payload.len(),
            Some(Message::Close(close)) => break close,
            Some(_) => {}
            None => break None,
        }
    };
    assert!(received < 64 << 20, "{received} bytes were kept for it");
    assert!(close.is_none_or(|close| close.code == CloseCode::TRY_AGAIN_LATER));
    sender.echoes(text("still here"));
    server.signal("-TERM");
    sender.is_closed_with(1001);
    let printed = server.wait().1;
    assert!(printed.contains("sent close 1013 \"too slow\""), "{printed}");
}

#[test]
fn who_reads_nothing_is_not_read_from() {
    let server = start(&[]);
    let talk = server.connect();
    let mut stream = talk.stream.try_clone().unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let frame = [&[0x82, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0][..], &[7; 65_535]].concat();
    let mut sent = 0;
    let stopped = (0..2048).any(|_| {
        let result = stream.write(&frame);
        sent += result.as_ref().copied().unwrap_or_default();
        result.is_err() || result.is_ok_and(|count| count < frame.len())
    });
    assert!(stopped, "the server has taken {sent} bytes from a peer that reads none");
}

#[test]
fn silence_is_pinged_and_closed() {
    let server = start(&["--ping", "0.1"]);
    let mut talk = server.connect();
    assert_eq!(talk.next(), Some(Message::Ping("".into())));
    assert_eq!(talk.next(), Some(Message::Ping("".into())));
    talk.is_closed_with(1008);

    let server = start(&["--idle", "0.3"]);
    let mut talk = server.connect();
    talk.echoes(text("busy"));
    talk.is_closed_with(1001);

    let server = start(&["--handshake-timeout", "0.2"]);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
}

#[test]
fn a_signal_closes_all_with_1001_and_ends_the_program() {
    for signal in ["-TERM", "-INT"] {
        let server = start(&["--close-timeout", "5"]);
        let mut talks = [server.connect(), server.connect(), server.connect()];
        talks.iter_mut().for_each(|talk| talk.echoes(text("open")));
        server.signal(signal);
        for talk in &mut talks {
            talk.is_closed_with(1001);
        }
        drop(talks);
        let (status, printed) = server.wait();
        assert_eq!(status, 0);
        let reports = printed.matches("sent close 1001 \"the server stops\", received close 1001").count();
        assert_eq!(reports, 3, "{printed}");
    }
}

#[test]
fn a_client_that_does_not_answer_does_not_hold_the_end_up() {
    let server = start(&["--close-timeout", "0.3"]);
    let mut talk = server.connect();
    talk.echoes(text("open"));
    server.signal("-TERM");
    let start = Instant::now();
    assert_eq!(server.wait().0, 0);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn wrong_arguments_are_told_in_one_sentence() {
    for (args, sentence) in [
        (&["--what"][..], "--what is not an option; --help shows those that are\n"),
        (&["--ping"], "--ping wants a value behind it\n"),
        (&["--ping", "soon"], "\"soon\" is not a value of --ping\n"),
        (&["--ping", "-1"], "\"-1\" is not a value of --ping\n"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_server_tokio")).args(args).output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(2), sentence));
    }
    let help = Command::new(env!("CARGO_BIN_EXE_server_tokio")).arg("--help").output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("--broadcast"));
}
