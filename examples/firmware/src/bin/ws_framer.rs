//! The echo server on `ws-framer`: one buffer in which frames are unmasked and messages joined, and another one for answers.
#![no_std]
#![no_main]

use firmware::{BUFFER, Codec, Link, machine::entry};
use ws_framer::{WsFrame, WsRxFramer, WsTxFramer};

struct WsFramer;

impl Codec for WsFramer {
    #[cfg(feature = "handshake")]
    fn open(link: &mut Link<'_>) -> bool {
        use ws_framer::{Header, process_sec_websocket_key};

        firmware::upgrade::request(link, |link, headers| {
            let key = firmware::upgrade::header(headers, "Sec-WebSocket-Key")?;
            let accept = process_sec_websocket_key(core::str::from_utf8(key).ok()?)?;
            let headers = [
                Header { name: "Upgrade", value: b"websocket" },
                Header { name: "Connection", value: b"Upgrade" },
                Header { name: "Sec-WebSocket-Accept", value: &accept },
            ];
            let mut buf = [0; BUFFER];
            let mut tx = WsTxFramer::new(false, &mut buf);
            link.write(tx.http_response(101, "Switching Protocols", &headers)?);
            Some(())
        })
    }

    #[cfg(not(feature = "handshake"))]
    fn open(_: &mut Link<'_>) -> bool {
        true
    }

    fn echo(link: &mut Link<'_>) -> bool {
        let (mut rx_buf, mut tx_buf) = ([0; BUFFER], [0; BUFFER]);
        let (mut rx, mut tx) = (WsRxFramer::new(&mut rx_buf), WsTxFramer::new(false, &mut tx_buf));
        loop {
            match link.read(rx.read_buf()) {
                0 => return false,
                n => rx.advance(n),
            }
            while let Some(frame) = rx.next_frame() {
                let (reply, is_last) = match frame {
                    Ok(WsFrame::Ping(payload)) => (WsFrame::Pong(payload), false),
                    Ok(WsFrame::Pong(_)) => continue,
                    Ok(frame @ WsFrame::Close(..)) => (frame, true),
                    Ok(frame) => (frame, false),
                    Err(_) => return false,
                };
                let Some(bytes) = tx.frame(reply) else { return false };
                link.write(bytes);
                if is_last {
                    return true;
                }
            }
        }
    }
}

#[entry]
fn main() -> ! {
    firmware::run::<WsFramer>()
}
