//! The program `console` against servers made of the crate: both directions, TLS, signals, and every way to end.

#[path = "../../../tests/support/peer.rs"]
mod peer;
#[path = "../../../tests/support/program.rs"]
mod program;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use peer::{Peer, Serving, serve, serve_tcp};
use program::{Outcome, Program, run};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use websocket_wire::Message;

fn console() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_console"))
}

/// The outcome is exit status 1 and one sentence.
#[track_caller]
fn assert_sentence(outcome: &Outcome, sentence: &str) {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.starts_with(sentence) && outcome.stderr.lines().count() == 1, "{outcome:?}");
}

#[track_caller]
fn assert_fine(outcome: &Outcome, stdout: &str) {
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), stdout, ""));
}

fn signal(program: &Program, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &program.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

#[test]
fn both_directions_at_once() {
    let server = serve(|mut peer| {
        peer.send("unasked"); // before anything has been typed
        assert_eq!(peer.text(), "one");
        assert_eq!(peer.text(), "two"); // two lines before any reply
        peer.send("größer");
        peer.send_raw(b"\x01\x02fr\x89\x01p\x80\x02ag\x82\x02\xCA\xFE");
        assert_eq!(peer.next(), Some(Message::Pong("p".into())));
        peer.close_code()
    });
    let mut console = Program::start(console(), &[&server.address]);
    console.wait_for("unasked\n");
    console.tell("one\ntwo\n");
    assert_eq!(console.wait_for("cafe\n"), "unasked\ngrößer\nfrag\ncafe\n");
    console.end_input();
    assert_eq!(console.outcome().code, Some(0));
    assert_eq!(server.join(), 1000);
}

#[test]
fn what_is_sent_before_the_close_is_answered_and_shown() {
    let server = serve(|mut peer| {
        let mut count = 0;
        loop {
            match peer.next().expect("a close frame comes first") {
                Message::Text(text) => peer.send(&text),
                Message::Binary(_) => peer.send("binary"),
                Message::Close(close) => return (count, close.expect("a code").code.0),
                other => panic!("{other:?}"),
            }
            count += 1;
        }
    });
    let outcome = run(console(), &[&server.address], b"one\n\ntwo\n\xFF\nthe last line has no end");
    assert_fine(&outcome, "one\n\ntwo\nbinary\nthe last line has no end\n");
    assert_eq!(server.join(), (5, 1000));
}

#[test]
fn more_than_any_buffer_holds_goes_both_ways() {
    let echo = |mut peer: Peer<TcpStream>| {
        while let Some(Message::Text(text)) = peer.next() {
            peer.send(&text);
        }
    };
    let lines: String = (0..20_000).map(|number| format!("{number:0100}\n")).collect();
    let server = serve(echo);
    let outcome = run(console(), &[&server.address], lines.as_bytes());
    assert_eq!((outcome.code, outcome.stdout == lines), (Some(0), true), "{}", outcome.stderr);
    server.join();
}

/// epoll, for one, takes no file.
#[test]
fn standard_input_may_be_a_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rustfmt.toml");
    let lines = std::fs::read_to_string(path).expect("a short file");
    let count = lines.lines().count();
    let server = serve(move |mut peer| {
        let received: String = (0..count).map(|_| peer.text() + "\n").collect();
        (received, peer.close_code())
    });
    let mut command = Command::new(console());
    let status = command.arg(&server.address).stdin(std::fs::File::open(path).expect("a file")).status();
    assert!(status.expect("it runs").success());
    assert_eq!(server.join(), (lines, 1000));
}

#[test]
fn the_handshake_has_what_the_options_say() {
    let server = serve_tcp(|stream| {
        let mut peer = Peer::accept(stream, Some("v2"));
        peer.close_code();
        peer.head
    });
    let args = ["-H", "Cookie: a=b", "-H", "X-Two:2", "--origin", "https://example.com", "--protocol", "v1"];
    let rest = ["--protocol", "v2", "--deflate", &format!("{}/x?y", server.address)];
    let outcome = run(console(), &[&args[..], &rest[..]].concat(), b"");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), "subprotocol v2\n"), "{outcome:?}");
    let head = server.join();
    assert!(head.starts_with("GET /x?y HTTP/1.1\r\n"), "{head}");
    for line in ["Cookie: a=b", "X-Two: 2", "Origin: https://example.com", "Sec-WebSocket-Protocol: v1, v2"] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    assert!(head.contains("\r\nSec-WebSocket-Extensions: permessage-deflate"), "{head}");
}

#[test]
fn frames_are_shown_in_hexadecimal() {
    let server = serve(|mut peer| {
        peer.send(&peer.head.len().min(1).to_string());
        peer.text();
        peer.close_code()
    });
    let mut console = Program::start(console(), &["--hex", &server.address]);
    console.wait_for("1\n");
    console.tell("Hello\n");
    console.end_input();
    let outcome = console.outcome();
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(lines[0], "< 8101  31");
    let (header, payload) = lines[1].strip_prefix("> 8185").and_then(|rest| rest.split_once("  ")).expect("a text");
    let byte = |text: &str, at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("two digits");
    let text: Vec<u8> = (0..5).map(|at| byte(payload, at) ^ byte(header, at % 4)).collect();
    assert_eq!((text.as_slice(), header.len()), (&b"Hello"[..], 8));
    assert!(lines[2].starts_with("> 8882") && lines[3] == "< 8802  03e8" && lines.len() == 4, "{lines:?}");
    assert_eq!(server.join(), 1000);
}

#[test]
fn signals_close_with_1001() {
    for name in ["INT", "TERM"] {
        let server = serve(|mut peer| {
            peer.send("ready");
            peer.close_code()
        });
        let console = Program::start(console(), &[&server.address]);
        console.wait_for("ready\n");
        signal(&console, name);
        assert_fine(&console.outcome(), "ready\n");
        assert_eq!(server.join(), 1001);
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = serve(|mut peer| {
        peer.send("ready");
        let mut header = [0; 8];
        peer.stream.read_exact(&mut header).expect("a close frame");
        assert_eq!(header[..2], [0x88, 0x82]);
        peer.send("still here"); // and no answer
        _ = peer.stream.read(&mut [0]); // until it has gone
    });
    let console = Program::start(console(), &[&server.address]);
    console.wait_for("ready\n");
    signal(&console, "INT");
    console.wait_for("still here\n");
    signal(&console, "INT");
    assert_sentence(&console.outcome(), "interrupted before the connection was closed");
    server.join();
}

#[test]
fn a_server_that_answers_no_ping_is_given_up() {
    let server = serve(|mut peer| {
        for _ in 0..3 {
            let mut ping = [0; 14];
            peer.stream.read_exact(&mut ping).expect("a ping");
            assert_eq!(ping[..2], [0x89, 0x88]);
        }
        peer.close_code()
    });
    let console = Program::start(console(), &["--heartbeat", "0.05", &server.address]);
    assert_sentence(&console.outcome(), "the server does not answer pings; closed with 1008 (Policy Violation)");
    assert_eq!(server.join(), 1008);
}

#[test]
fn a_server_that_answers_pings_is_kept() {
    let server = serve(|mut peer| {
        for _ in 0..8 {
            assert!(matches!(peer.next(), Some(Message::Ping(payload)) if payload.len() == 8));
        }
        peer.send("enough");
        loop {
            match peer.next() {
                Some(Message::Ping(_)) => {}
                Some(Message::Close(close)) => return close.expect("a code").code.0,
                other => panic!("{other:?}"),
            }
        }
    });
    let mut console = Program::start(console(), &["--heartbeat", "0.02", &server.address]);
    console.wait_for("enough\n");
    console.end_input();
    assert_fine(&console.outcome(), "enough\n");
    assert_eq!(server.join(), 1000);
}

#[test]
fn every_end_by_the_server_is_one_sentence() {
    let ends: [(&[u8], u16, &str); 5] = [
        (b"\x88\x06\x03\xE9bye!", 1001, "the server closed the connection: 1001 (Going Away) \"bye!\""),
        (b"\x88\x00", 1005, "the server closed the connection, without a code"),
        (b"", 0, "the server dropped the connection without a close frame"),
        (
            b"\x81\x02\xC3\x28",
            1007,
            "the server broke the protocol: a text message is not valid UTF-8; closed with 1007",
        ),
        (b"\x81\x80\0\0\0\0", 1002, "the server broke the protocol: a frame from a server is masked; closed with 1002"),
    ];
    for (bytes, code, sentence) in ends {
        let server = serve(move |mut peer| {
            peer.send_raw(bytes);
            if code > 0 { peer.close_code() } else { 0 }
        });
        assert_sentence(&Program::start(console(), &[&server.address]).outcome(), sentence);
        assert_eq!(server.join(), code);
    }
}

#[test]
fn what_does_not_open_is_one_sentence() {
    let server = serve_tcp(|mut stream| {
        _ = stream.read(&mut [0; 1024]);
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").expect("it reads");
    });
    let address = server.address.clone();
    assert_sentence(&run(console(), &[&address], b""), "the server answered with status 404 instead of 101\n");
    server.join();
    for (url, sentence) in [
        (address.as_str(), format!("cannot connect to {address}: ")),
        ("no-such-host.invalid", "the host no-such-host.invalid was not found: ".into()),
        ("http://localhost", "http://localhost is no WebSocket URL: the scheme is not ws:// or wss://\n".into()),
    ] {
        assert_sentence(&run(console(), &[url], b""), &sentence);
    }
    for (args, code) in
        [(&["--help"][..], 0), (&[], 2), (&["--heartbeat", "x", "localhost"], 2), (&["-H", "x", "y"], 2)]
    {
        assert_eq!(run(console(), args, b"").code, Some(code), "{args:?}");
    }
}

// TLS.

/// A certificate for `localhost` that nobody else has signed, and the file that it lies in.
struct Certificate {
    config: Arc<ServerConfig>,
    file: PathBuf,
}

impl Certificate {
    fn new(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".into()]).expect("a certificate");
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
        std::fs::write(&file, made.cert.pem()).expect("a file");
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).expect("a key");
        Self { config: Arc::new(config), file }
    }

    fn file(&self) -> &str {
        self.file.to_str().expect("text")
    }

    /// Accepts one TLS connection; the URL is that of `localhost`.
    fn serve<T: Send + 'static>(
        &self,
        scenario: impl FnOnce(StreamOwned<ServerConnection, TcpStream>) -> T + Send + 'static,
    ) -> (String, Serving<T>) {
        let config = self.config.clone();
        let server = serve_tcp(move |stream| {
            let tls = ServerConnection::new(config).expect("a configuration");
            scenario(StreamOwned::new(tls, stream))
        });
        (format!("wss://{}", server.address.replace("127.0.0.1", "localhost")), server)
    }
}

#[test]
fn lines_go_both_ways_through_tls() {
    let certificate = Certificate::new("both_ways");
    for options in [&["--ca", certificate.file()][..], &["--insecure"]] {
        let (url, server) = certificate.serve(|stream| {
            let mut peer = Peer::accept(stream, None);
            peer.send("first");
            let line = peer.text();
            peer.send(&line);
            peer.send(&"long".repeat(50_000)); // several records
            peer.close_code()
        });
        let mut console = Program::start(console(), &[options, &[&url]].concat());
        console.wait_for("first\n");
        console.tell("Hello\n");
        let long = console.wait_for("longlong\n");
        assert_eq!(long.len(), "first\nHello\n\n".len() + 200_000);
        console.end_input();
        assert_eq!(console.outcome().code, Some(0));
        assert_eq!(server.join(), 1000);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused() {
    let (certificate, other) = (Certificate::new("untrusted"), Certificate::new("other"));
    for options in [&[][..], &["--ca", other.file()]] {
        let (url, server) = certificate.serve(|mut stream| assert!(stream.read(&mut [0]).is_err()));
        let outcome = run(console(), &[options, &[&url]].concat(), b"");
        assert_sentence(&outcome, "the TLS handshake with localhost failed: invalid peer certificate: ");
        server.join();
    }
    let (url, server) = certificate.serve(|mut stream| assert!(stream.read(&mut [0]).is_err()));
    let by_address = url.replace("localhost", "127.0.0.1");
    let outcome = run(console(), &["--ca", certificate.file(), &by_address], b"");
    assert_sentence(&outcome, "the TLS handshake with 127.0.0.1 failed: invalid peer certificate: ");
    server.join();
}

#[test]
fn a_server_without_tls_and_a_file_without_certificates_are_told() {
    let server = serve_tcp(|mut stream| {
        _ = stream.read(&mut [0; 1024]);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("it reads");
    });
    let url = format!("wss://{}", server.address);
    assert_sentence(&run(console(), &["--insecure", &url], b""), "the TLS handshake with 127.0.0.1 failed: ");
    server.join();
    let server = serve_tcp(drop);
    let url = format!("wss://{}", server.address);
    let empty = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    assert_sentence(&run(console(), &["--ca", empty, &url], b""), &format!("{empty} cannot be used: "));
    server.join();
}
