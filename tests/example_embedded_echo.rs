//! `examples/embedded_echo` over TCP, with a client made of bytes.
// Other targets are emulated in CI, where one program cannot start another.
#![cfg(all(feature = "handshake", target_arch = "x86_64"))]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The example: beside the tests, where `cargo test` has put it; `cargo test --test` leaves it out.
fn example() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    Command::new(BUILT.get_or_init(|| {
        // How far below it the tests are is another matter for each version of cargo.
        let test = std::env::current_exe().unwrap();
        let is_profile = |folder: &&Path| folder.ends_with("debug") || folder.ends_with("release");
        let profile = test.ancestors().find(is_profile).expect("the tests are in a folder of their profile");
        let path = profile.join("examples").join(format!("embedded_echo{}", std::env::consts::EXE_SUFFIX));
        if !path.exists() {
            let cargo = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--locked", "--example", "embedded_echo", "--target-dir"])
                .arg(profile.parent().unwrap())
                .args(profile.ends_with("release").then_some("--release"))
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .status();
            assert!(cargo.is_ok_and(|status| status.success()) && path.exists(), "{}", path.display());
        }
        path
    }))
}

/// Starts the server for one client, and connects to it.
fn connect() -> (Child, TcpStream) {
    let mut server = example().args(["127.0.0.1:0", "--once"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let mut client = TcpStream::connect(address.trim()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    client.write_all(REQUEST).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
    (server, client)
}

/// A frame with the masking key 1 2 3 4.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len => frame.extend([0xfe, (len >> 8) as u8, len as u8]),
    }
    frame.extend([1, 2, 3, 4]);
    frame.extend(payload.iter().zip([1, 2, 3, 4].into_iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// Splits what a server sent into first bytes and payloads.
fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, len, ref rest @ ..] = *bytes {
        let (len, rest) = match (len, rest) {
            (126, [high, low, rest @ ..]) => (u16::from_be_bytes([*high, *low]).into(), rest),
            (len, rest) => (usize::from(len), rest),
        };
        frames.push((first, rest[..len].to_vec()));
        bytes = &rest[len..];
    }
    assert!(bytes.is_empty());
    frames
}

/// Sends `input` and returns all that comes until the server ends, and whether it was content.
fn talk(input: &[u8]) -> (Vec<(u8, Vec<u8>)>, bool) {
    let (mut server, mut client) = connect();
    client.write_all(input).unwrap();
    let mut output = Vec::new();
    client.read_to_end(&mut output).unwrap();
    drop(client);
    (frames(&output), server.wait().unwrap().success())
}

fn run(args: &[&str]) -> Output {
    example().args(args).output().unwrap()
}

#[test]
fn messages_longer_than_the_buffer_come_back_in_fragments() {
    let long: Vec<u8> = (0..5000).map(|i| (i * 7) as u8).collect();
    let input = [masked(0x82, &long), masked(0x88, b"\x03\xe8")].concat();
    let (mut frames, content) = talk(&input);
    assert_eq!(frames.pop(), Some((0x88, b"\x03\xe8".to_vec())));
    assert!(content && frames.len() > 1);
    assert_eq!((frames[0].0, frames[frames.len() - 1].0), (0x02, 0x80));
    assert_eq!(frames.into_iter().flat_map(|frame| frame.1).collect::<Vec<_>>(), long);
}

#[test]
fn a_ping_between_fragments_is_answered_there() {
    let input = [masked(0x01, b"a\xc3"), masked(0x89, b"?"), masked(0x80, b"\xa4"), masked(0x88, b"")].concat();
    let (frames, content) = talk(&input);
    assert!(content);
    assert_eq!(
        frames,
        [(0x01, b"a\xc3".to_vec()), (0x8a, b"?".to_vec()), (0x80, b"\xa4".to_vec()), (0x88, b"".to_vec())]
    );
}

#[test]
fn a_client_that_breaks_a_rule_is_told_which() {
    let (frames, content) = talk(&masked(0x81, b"\xff"));
    assert!(!content);
    assert_eq!(frames, [(0x88, b"\x03\xef".to_vec())]);
}

/// What a server leaves unread when it drops the socket makes TCP reset the connection.
#[test]
fn a_client_that_breaks_a_rule_and_goes_on_is_told_too() {
    let (frames, content) = talk(&masked(0x89, &[0; 5000]));
    assert!(!content);
    assert_eq!(frames, [(0x88, b"\x03\xea".to_vec())]);
}

#[test]
fn help_goes_to_the_output_and_wrong_arguments_fail() {
    let help = run(&["--help"]);
    assert!(help.status.success() && help.stdout.starts_with(b"An echo server without a heap"));
    let wrong = run(&["--what"]);
    assert!(wrong.status.code() == Some(2) && wrong.stdout.is_empty() && !wrong.stderr.is_empty());
}
