//! The echo server on `websocket-sans-io`, which unmasks in place and judges nothing. Messages are joined in a second buffer
//! so that a text can be checked; headers go out in front of it.
#![no_std]
#![no_main]

use firmware::{BUFFER, Codec, Link, machine::entry};
use websocket_sans_io::{
    FrameInfo, Opcode, WebsocketFrameDecoder, WebsocketFrameEncoder, WebsocketFrameEvent as Event,
};

struct WebsocketSansIo;

impl Codec for WebsocketSansIo {
    #[cfg(feature = "handshake")]
    fn open(link: &mut Link<'_>) -> bool {
        use base64::{Engine, engine::general_purpose::STANDARD};
        use sha1::{Digest, Sha1};

        firmware::upgrade::request(link, |link, headers| {
            let key = firmware::upgrade::header(headers, "Sec-WebSocket-Key")?;
            let digest = Sha1::new().chain_update(key).chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
            let mut accept = [0; 28];
            STANDARD.encode_slice(digest, &mut accept).ok()?;
            link.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
            link.write(b"Sec-WebSocket-Accept: ");
            link.write(&accept);
            link.write(b"\r\n\r\n");
            Some(())
        })
    }

    #[cfg(not(feature = "handshake"))]
    fn open(_: &mut Link<'_>) -> bool {
        true
    }

    fn echo(link: &mut Link<'_>) -> bool {
        let (mut decoder, mut encoder) = (WebsocketFrameDecoder::new(), WebsocketFrameEncoder::new());
        let (mut buf, mut at, mut len) = ([0; BUFFER], 0, 0);
        let (mut message, mut have, mut start) = ([0; BUFFER], 0, 0);
        loop {
            let rest = &mut buf[at..len];
            let Ok(step) = decoder.add_data(rest);
            let (frame, opcode) = match step.event {
                Some(Event::PayloadChunk { .. }) => {
                    let Some(room) = message.get_mut(have..have + step.consumed_bytes) else { return false };
                    room.copy_from_slice(&rest[..step.consumed_bytes]);
                    have += step.consumed_bytes;
                    at += step.consumed_bytes;
                    continue;
                }
                Some(Event::Start { frame_info, .. }) => {
                    if !frame_info.is_reasonable() {
                        return false;
                    }
                    start = have;
                    at += step.consumed_bytes;
                    continue;
                }
                Some(Event::End { frame_info, original_opcode }) => (frame_info, original_opcode),
                None if step.consumed_bytes == 0 => {
                    (at, len) = (0, link.read(&mut buf));
                    if len == 0 {
                        return false;
                    }
                    continue;
                }
                None => {
                    at += step.consumed_bytes;
                    continue;
                }
            };
            at += step.consumed_bytes;
            let opcode = match opcode {
                Opcode::Ping => Opcode::Pong,
                Opcode::Pong => {
                    have = start;
                    continue;
                }
                Opcode::Text | Opcode::Binary if !frame.fin => continue,
                Opcode::Text if core::str::from_utf8(&message[..have]).is_err() => return false,
                opcode => opcode,
            };
            let from = if opcode.is_control() { start } else { 0 };
            let payload = &message[from..have];
            let info = FrameInfo { opcode, payload_length: payload.len() as u64, mask: None, fin: true, reserved: 0 };
            link.write(&encoder.start_frame(&info));
            link.write(payload);
            if opcode == Opcode::ConnectionClose {
                return true;
            }
            have = from;
        }
    }
}

#[entry]
fn main() -> ! {
    firmware::run::<WebsocketSansIo>()
}
