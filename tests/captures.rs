//! Sessions recorded between other implementations (tests/vectors/captures/) are decoded to exactly what was said in
//! them, however the bytes are cut.

use std::fmt::Write;

use websocket_wire::{CloseFrame, Decoder, Opcode, Status};

struct Capture {
    name: &'static str,
    client: &'static [u8],
    server: &'static [u8],
    messages: &'static str,
}

macro_rules! captures {
    ($($name:literal),+ $(,)?) => {
        [$(Capture {
            name: $name,
            client: include_bytes!(concat!("vectors/captures/", $name, ".client")),
            server: include_bytes!(concat!("vectors/captures/", $name, ".server")),
            messages: include_str!(concat!("vectors/captures/", $name, ".messages")),
        }),+]
    };
}

const CAPTURES: [Capture; 6] = captures![
    "websockets-to-ws-fragments",
    "websockets-to-ws-server-close",
    "websockets-to-ws-whole",
    "ws-to-websockets-fragments",
    "ws-to-websockets-server-close",
    "ws-to-websockets-whole",
];

/// One direction of a capture: who decodes it, its frames, and the lines that are to come out.
struct Stream {
    decoder: Decoder,
    wire: &'static [u8],
    expected: String,
}

fn streams(capture: &Capture) -> [Stream; 2] {
    // What the client sent is for the decoder of a server to read, and the reverse.
    [
        Stream {
            decoder: Decoder::server(),
            wire: behind_head(capture.client),
            expected: lines_of(capture.messages, "client "),
        },
        Stream {
            decoder: Decoder::client(),
            wire: behind_head(capture.server),
            expected: lines_of(capture.messages, "server "),
        },
    ]
}

fn behind_head(wire: &[u8]) -> &[u8] {
    let head = wire.windows(4).position(|window| window == b"\r\n\r\n").expect("an HTTP head");
    &wire[head + 4..]
}

fn lines_of(messages: &str, side: &str) -> String {
    messages.lines().filter_map(|line| line.strip_prefix(side)).fold(String::new(), |lines, line| lines + line + "\n")
}

/// Decodes a stream whose bytes arrive in `pieces`, and writes one line a message.
fn replay(mut decoder: Decoder, pieces: &[&[u8]]) -> String {
    let (mut lines, mut message, mut unread) = (String::new(), Vec::new(), Vec::new());
    for piece in pieces {
        unread.extend_from_slice(piece);
        let mut at = 0;
        while let Status::Complete { value: frame, consumed } = decoder.decode(&mut unread[at..]).expect("no fault") {
            let opcode = frame.message_opcode();
            if opcode.is_control() {
                push_line(&mut lines, opcode, frame.payload());
            } else {
                message.extend_from_slice(frame.payload());
                if frame.ends_message() {
                    push_line(&mut lines, opcode, &message);
                    message.clear();
                }
            }
            at += consumed;
        }
        unread.drain(..at);
    }
    assert!(decoder.is_closed() && unread.is_empty() && message.is_empty(), "every session ends with a close frame");
    lines
}

fn push_line(lines: &mut String, opcode: Opcode, payload: &[u8]) {
    let name = match opcode {
        Opcode::Text => "text",
        Opcode::Binary => "binary",
        Opcode::Close => "close",
        Opcode::Ping => "ping",
        Opcode::Pong => "pong",
        other => panic!("no peer sends {other:?}"),
    };
    write!(lines, "{name} {}", payload.len()).unwrap();
    for (at, byte) in payload.iter().enumerate() {
        write!(lines, "{}{byte:02x}", if at == 0 { " " } else { "" }).unwrap();
    }
    lines.push('\n');
}

#[test]
fn every_capture_decodes_to_what_was_said_at_every_split() {
    for capture in &CAPTURES {
        for Stream { decoder, wire, expected } in streams(capture) {
            for cut in (0..=wire.len()).step_by(if cfg!(miri) { 61 } else { 1 }) {
                let (left, right) = wire.split_at(cut);
                assert_eq!(replay(decoder.clone(), &[left, right]), expected, "{} cut at {cut}", capture.name);
            }
        }
    }
}

#[test]
fn every_capture_decodes_to_what_was_said_byte_by_byte() {
    for capture in &CAPTURES {
        for Stream { decoder, wire, expected } in streams(capture) {
            let bytes: Vec<&[u8]> = wire.chunks(1).collect();
            assert_eq!(replay(decoder, &bytes), expected, "{}", capture.name);
        }
    }
}

#[test]
fn the_captures_hold_both_roles_and_every_kind_of_message() {
    for side in ["client ", "server "] {
        for kind in ["text", "binary", "ping", "pong", "close"] {
            let holds = |capture: &Capture| lines_of(capture.messages, side).lines().any(|line| line.starts_with(kind));
            assert!(CAPTURES.iter().filter(|capture| holds(capture)).count() >= 2, "{side}{kind}");
        }
    }
}

#[test]
fn the_close_frames_of_the_peers_carry_their_codes_and_reasons() {
    let close_of = |capture: &Capture| {
        let lines = lines_of(capture.messages, "client ");
        let hex = lines.lines().find_map(|line| line.strip_prefix("close ")).expect("a close frame");
        let (_, hex) = hex.split_once(' ').expect("a body");
        let body: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let close = CloseFrame::parse(&body).expect("a legal body").expect("a code");
        (close.code().0, close.reason().to_owned())
    };
    for (capture, expected) in CAPTURES.iter().zip([(3001, "größer"), (4001, "enough"), (1000, "bye")].iter().cycle())
    {
        let (code, reason) = close_of(capture);
        assert_eq!((code, reason.as_str()), *expected, "{}", capture.name);
    }
}

/// Both heads are read whole, and to the byte at which the first frame begins.
#[test]
#[cfg(feature = "handshake")]
fn every_opening_handshake_of_the_peers_is_understood_at_every_cut() {
    use websocket_wire::handshake::{Uri, client, client::Outcome, server};

    for capture in &CAPTURES {
        let (name, client_head) = (capture.name, capture.client.len() - behind_head(capture.client).len());
        for cut in 0..client_head {
            let parsed = server::Request::parse(&capture.client[..cut]);
            assert!(matches!(parsed, Ok(Status::Partial { .. })), "{name} cut at {cut}: {parsed:?}");
        }
        let Ok(Status::Complete { value: request, consumed }) = server::Request::parse(capture.client) else {
            panic!("{name}: the request is refused");
        };
        assert_eq!((consumed, request.extensions().count()), (client_head, 0), "{name}");

        let server_head = capture.server.len() - behind_head(capture.server).len();
        let asked = client::Request::new(Uri::parse("ws://127.0.0.1/").unwrap(), *request.key());
        for cut in 0..server_head {
            let parsed = asked.parse_response(&capture.server[..cut]);
            assert!(matches!(parsed, Ok(Status::Partial { .. })), "{name} cut at {cut}: {parsed:?}");
        }
        let Ok(Status::Complete { value: Outcome::Upgraded(_), consumed }) = asked.parse_response(capture.server)
        else {
            panic!("{name}: the response is refused");
        };
        assert_eq!(consumed, server_head, "{name}");
    }
}

/// A capture that lies in the folder but is in no test proves nothing.
#[test]
#[cfg(not(miri))]
fn every_recorded_capture_is_replayed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/captures");
    let recorded = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let recorded = recorded.filter(|path| path.extension().is_some_and(|extension| extension == "client"));
    let mut names: Vec<_> = recorded.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, CAPTURES.map(|capture| capture.name));
}
