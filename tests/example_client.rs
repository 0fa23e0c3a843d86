//! The example `client`: a line goes, a reply comes, and every end is told apart.

#![cfg(all(feature = "std", feature = "alloc", feature = "handshake"))]

#[path = "support/peer.rs"]
mod peer;
#[path = "support/program.rs"]
mod program;

use peer::{serve, serve_tcp, serve_tcp_on};
use program::{Program, example, run};
use websocket_wire::Message;

#[test]
fn it_asks_sends_a_line_and_prints_the_reply() {
    let Some(client) = example("client") else { return };
    let server = serve(|mut peer| {
        assert!(peer.head.starts_with("GET /chat?room=1 HTTP/1.1\r\nHost: 127.0.0.1:"), "{}", peer.head);
        for reply in ["one", "größer"] {
            let line = peer.text();
            peer.send(&format!("{reply} {line}"));
        }
        assert_eq!(peer.close_code(), 1000);
        drop(peer);
    });
    let mut client = Program::start(&client, &[&format!("{}/chat?room=1", server.address)]);
    assert_eq!(client.wait_for(">"), "> ");
    client.tell("hello\n");
    assert_eq!(client.wait_for("> one hello\n> "), "> one hello\n> ");
    client.tell("wörld\n");
    client.wait_for("größer wörld\n> ");
    client.tell("exit\n");
    let outcome = client.outcome();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    server.join();
}

#[test]
fn the_end_of_the_input_closes() {
    let Some(client) = example("client") else { return };
    let server = serve(|mut peer| peer.close_code());
    let outcome = run(&client, &[&format!("ws://{}", server.address)], b"");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    assert_eq!(server.join(), 1000);
}

#[test]
fn a_close_frame_without_an_answer_is_told() {
    let Some(client) = example("client") else { return };
    let server = serve(|peer| {
        let mut header = [0; 8];
        std::io::Read::read_exact(&mut &peer.stream, &mut header).expect("a close frame");
        header
    });
    let outcome = run(&client, &[&server.address], b"exit\n");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stderr, "the server dropped the connection without a close frame\n");
    assert_eq!(server.join()[..2], [0x88, 0x82]);
}

#[test]
fn fragments_are_joined_and_pings_answered_before_the_reply() {
    let Some(client) = example("client") else { return };
    let server = serve(|mut peer| {
        assert_eq!(peer.text(), "go");
        peer.send_raw(b"\x01\x02on\x89\x03abc\x80\x03e t");
        assert_eq!(peer.next(), Some(Message::Pong("abc".into())));
        assert_eq!(peer.close_code(), 1000);
    });
    let outcome = run(&client, &[&server.address], b"go\nexit\n");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "> one t\n> "), "{outcome:?}");
    server.join();
}

#[test]
fn every_other_end_is_one_sentence() {
    let Some(client) = example("client") else { return };
    let ends: [(&[u8], &str); 5] = [
        (b"\x88\x06\x03\xE9bye!", "the server closed the connection: 1001 (Going Away) \"bye!\"\n"),
        (b"\x88\x00", "the server closed the connection\n"),
        (b"", "the server dropped the connection without a close frame\n"),
        (b"\x81\x02\xC3\x28", "the server broke the protocol: a text message is not valid UTF-8; closed with 1007"),
        (b"\x83\x00", "the server broke the protocol: "),
    ];
    for (bytes, sentence) in ends {
        let server = serve(move |mut peer| {
            peer.text();
            peer.send_raw(bytes);
            matches!(bytes, [0x81 | 0x83, ..]).then(|| peer.close_code())
        });
        let outcome = run(&client, &[&server.address], b"hi\n");
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.starts_with(sentence) && outcome.stderr.lines().count() == 1, "{outcome:?}");
        let told = server.join();
        assert!(
            told.is_none_or(|code| outcome.stderr.contains(&format!("closed with {code} ("))),
            "{told:?}: {outcome:?}"
        );
    }
}

#[test]
fn what_does_not_open_is_one_sentence() {
    use std::io::{Read, Write};
    let Some(client) = example("client") else { return };
    let server = serve_tcp(|mut stream| {
        _ = stream.read(&mut [0; 1024]);
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").expect("it reads");
    });
    let outcome = run(&client, &[&server.address], b"");
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(1), "the server answered with status 404 instead of 101\n")
    );
    let address = server.address.clone();
    server.join();
    let cases = [
        (address.as_str(), "cannot connect to 127.0.0.1:"),
        ("[::1", "ws://[::1 is no WebSocket URL: the host is empty or invalid\n"),
        ("http://localhost", "http://localhost is no WebSocket URL: the scheme is not ws:// or wss://\n"),
        ("no-such-host.invalid", "the host no-such-host.invalid was not found: "),
    ];
    for (url, sentence) in cases {
        let outcome = run(&client, &[url], b"");
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.starts_with(sentence) && outcome.stderr.lines().count() == 1, "{outcome:?}");
    }
}

#[test]
fn scheme_and_port_are_inferred() {
    let Some(client) = example("client") else { return };
    for url in ["wss://localhost", "localhost:443", "[::1]:443/chat", "WSS://localhost:9001"] {
        let outcome = run(&client, &[url], b"");
        assert!(outcome.code == Some(1) && outcome.stderr.contains("use the program console"), "{url}: {outcome:?}");
    }
    for (url, code) in [("--help", Some(0)), ("--other", Some(2))] {
        assert_eq!(run(&client, &[url], b"").code, code);
    }
}

#[test]
fn ipv6_addresses_stand_in_brackets() {
    let Some(client) = example("client") else { return };
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // this machine has no IPv6
    }
    let server = serve_tcp_on("[::1]:0", |stream| peer::Peer::accept(stream, None).close_code());
    let outcome = run(&client, &[&server.address], b"");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(server.join(), 1000);
}
