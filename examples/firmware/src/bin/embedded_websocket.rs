//! The echo server on `embedded-websocket`: it copies from a buffer into another and, to answer, into a third. Messages are
//! joined before they are answered, and a text is checked then, as its own `Framer` does it.
#![no_std]
#![no_main]

use embedded_websocket::{
    Error, WebSocketReceiveMessageType as Received, WebSocketSendMessageType as Sent, WebSocketServer, WebSocketState,
};
use firmware::{BUFFER, Codec, Link, machine::entry};

struct EmbeddedWebsocket;

impl Codec for EmbeddedWebsocket {
    // Version 0.9.5 refuses the last piece of a message's last fragment.
    const TAKES_CUT_FRAGMENTS: bool = false;

    #[cfg(feature = "handshake")]
    fn open(link: &mut Link<'_>) -> bool {
        firmware::upgrade::request(link, |link, headers| {
            let headers = headers.iter().map(|header| (header.name, header.value));
            let context = embedded_websocket::read_http_header(headers).ok()??;
            let mut answer = [0; BUFFER];
            let mut server = WebSocketServer::new_server();
            let len = server.server_accept(&context.sec_websocket_key, None, &mut answer).ok()?;
            link.write(&answer[..len]);
            Some(())
        })
    }

    #[cfg(not(feature = "handshake"))]
    fn open(_: &mut Link<'_>) -> bool {
        true
    }

    fn echo(link: &mut Link<'_>) -> bool {
        let mut server = WebSocketServer::new_server();
        server.state = WebSocketState::Open;
        let (mut buf, mut at, mut len) = ([0; BUFFER], 0, 0);
        let (mut message, mut have, mut out) = ([0; BUFFER], 0, [0; BUFFER]);
        loop {
            let result = match server.read(&buf[at..len], &mut message[have..]) {
                Ok(result) if at < len => result,
                Ok(_) | Err(Error::ReadFrameIncomplete) => {
                    buf.copy_within(at..len, 0);
                    (at, len) = (0, len - at);
                    match link.read(&mut buf[len..]) {
                        0 => return false,
                        n => len += n,
                    }
                    continue;
                }
                Err(_) => return false,
            };
            at += result.len_from;
            let start = have;
            have += result.len_to;
            let (kind, start) = match result.message_type {
                Received::Text | Received::Binary if !result.end_of_message => continue,
                Received::Text if core::str::from_utf8(&message[..have]).is_err() => return false,
                Received::Text => (Sent::Text, 0),
                Received::Binary => (Sent::Binary, 0),
                Received::Ping => (Sent::Pong, start),
                Received::CloseMustReply => (Sent::CloseReply, start),
                Received::Pong | Received::CloseCompleted => {
                    have = start;
                    continue;
                }
            };
            let Ok(len) = server.write(kind, true, &message[start..have], &mut out) else { return false };
            link.write(&out[..len]);
            if server.state == WebSocketState::Closed {
                return true;
            }
            have = start;
        }
    }
}

#[entry]
fn main() -> ! {
    firmware::run::<EmbeddedWebsocket>()
}
