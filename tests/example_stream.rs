//! The example `stream`: fragments leave one an interval, and parts are shown before the message is whole.

#![cfg(all(feature = "std", feature = "alloc", feature = "handshake"))]

#[path = "support/peer.rs"]
mod peer;
#[path = "support/program.rs"]
mod program;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use peer::serve;
use program::{LIMIT, Program, example, run};

#[test]
fn both_ends_in_one_program() {
    let Some(stream) = example("stream") else { return };
    let outcome = run(&stream, &["--interval", "0.02"], b"");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    for line in ["sent \"1\"\n", "got  \"1\"\n", "got  \"2\"\n", "sent \"3\", the end\n", "got  \"3\", the end\n"] {
        assert_eq!(outcome.stdout.matches(line).count(), 1, "{line}: {outcome:?}");
    }
}

#[test]
fn a_part_is_shown_before_the_next_fragment_is_sent() {
    let Some(stream) = example("stream") else { return };
    let (shown, next) = std::sync::mpsc::channel();
    let server = serve(move |mut peer| {
        // "ü" is cut: its first byte is not shown before its second.
        for bytes in [&b"\x01\x01"[..], b"1", b"\x00\x03gr\xC3", b"\x89\x00\x00\x01\xBC", b"\x80\x00"] {
            peer.send_raw(bytes);
            next.recv_timeout(LIMIT).expect("it is shown");
        }
        assert!(matches!(peer.next(), Some(websocket_wire::Message::Pong(_))));
        peer.close_code()
    });
    let program = Program::start(&stream, &["--connect", &server.address]);
    shown.send(()).expect("a server"); // of a header alone nothing is shown
    for part in ["got  \"1\"\n", "got  \"gr\"\n", "got  \"ü\"\n", "got  \"\", the end\n"] {
        program.wait_for(part);
        shown.send(()).expect("a server");
    }
    assert_eq!(server.join(), 1000);
    assert_eq!(program.outcome().code, Some(0));
}

#[test]
fn a_server_sends_a_fragment_an_interval() {
    const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let Some(stream) = example("stream") else { return };
    let program = Program::start(&stream, &["--listen", "127.0.0.1:0", "--interval", "0.2", "one", "zwölf"]);
    let said = program.wait_for("/\n");
    let address = said.trim().strip_prefix("listening on ws://").and_then(|url| url.strip_suffix('/')).expect("a URL");
    let mut client = TcpStream::connect(address).expect("it listens");
    client.set_read_timeout(Some(LIMIT)).expect("a time limit");
    client.write_all(HANDSHAKE).expect("it reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(0);
        client.read_exact(answer.last_chunk_mut::<1>().expect("a byte")).expect("an answer");
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    let (mut first, mut second) = ([0; 5], [0; 8]);
    client.read_exact(&mut first).expect("a frame");
    let start = Instant::now();
    client.read_exact(&mut second).expect("a frame");
    assert!(start.elapsed() > Duration::from_millis(100), "{:?}", start.elapsed());
    assert_eq!((&first, &second), (b"\x01\x03one", b"\x80\x06zw\xC3\xB6lf"));
    client.write_all(b"\x88\x82\0\0\0\0\x03\xE8").expect("it reads");
    let mut close = Vec::new();
    client.read_to_end(&mut close).expect("the server closes TCP");
    assert_eq!(close, b"\x88\x02\x03\xE8");
}

#[test]
fn a_client_sends_in_fragments_too() {
    let Some(stream) = example("stream") else { return };
    let server = serve(|mut peer| {
        assert_eq!(peer.text(), "123");
        peer.send("thanks");
        peer.close_code()
    });
    let outcome = run(&stream, &["--connect", &server.address, "--interval", "0.01", "1", "2", "3"], b"");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout.matches("sent ").count(), 3, "{outcome:?}");
    assert_eq!(server.join(), 1000);
}

#[test]
fn every_other_end_is_one_sentence() {
    let Some(stream) = example("stream") else { return };
    let ends: [(&[u8], &str); 3] = [
        (b"\x88\x02\x03\xE9", "the peer closed the connection: 1001"),
        (b"", "the peer dropped the connection without a close frame"),
        (b"\x80\x00", "the peer broke the protocol: "),
    ];
    for (bytes, sentence) in ends {
        let server = serve(move |mut peer| {
            peer.send_raw(bytes);
            if !bytes.is_empty() {
                peer.next();
            }
        });
        let outcome = run(&stream, &["--connect", &server.address], b"");
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.starts_with(sentence) && outcome.stderr.lines().count() == 1, "{outcome:?}");
        server.join();
    }
    for (args, code) in [(&["--help"][..], 0), (&["--what"], 2), (&["--interval", "-1"], 2)] {
        assert_eq!(run(&stream, args, b"").code, Some(code));
    }
}
