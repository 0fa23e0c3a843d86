//! Our client and libwebsockets' test server, which sends back every message as text. `MIRROR` says where it listens;
//! `ci/interop-servers.sh` starts it.
#![cfg(unix)]

#[allow(dead_code)]
mod support;

use support::{Talk, text};
use websocket_wire::{Close, CloseCode, Message};

#[test]
#[ignore = "wants a server; ci/interop-servers.sh has one"]
fn libwebsockets_mirrors_what_is_sent() {
    let address = std::env::var("MIRROR").expect("MIRROR is the address of libwebsockets-test-server");
    let protocol = "Sec-WebSocket-Protocol: lws-mirror-protocol\r\n";
    let (mut talk, answer) = Talk::connect(&address, protocol);
    assert!(answer.contains(protocol), "{answer}");
    for message in ["Hello", "größer · 漢字 · 🦀", &"x".repeat(125), &"y".repeat(126), &"z".repeat(3000)] {
        talk.echoes(text(message));
    }
    talk.echoes_ping();
    talk.send(&Message::Close(Some(Close { code: CloseCode(1000), reason: "bye".into() })));
    assert!(matches!(talk.next(), Some(Message::Close(_))));
}
