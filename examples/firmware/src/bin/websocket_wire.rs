//! The echo server on `websocket-wire`: one buffer, in which frames are unmasked and from which they go out.
#![no_std]
#![no_main]

use firmware::{BUFFER, Codec, Link, machine::entry};
#[cfg(feature = "handshake")]
use websocket_wire::handshake::server::Request;
use websocket_wire::{Decoder, Encoder, Frame, Header, Opcode, Status};

struct WebsocketWire;

impl Codec for WebsocketWire {
    const STREAMS: bool = true;

    #[cfg(feature = "handshake")]
    fn open(link: &mut Link<'_>) -> bool {
        let (mut buf, mut len) = ([0; BUFFER], 0);
        loop {
            match link.read(&mut buf[len..]) {
                0 => return false,
                n => len += n,
            }
            match Request::parse(&buf[..len]) {
                Ok(Status::Partial { .. }) => {}
                Ok(Status::Complete { value: request, .. }) => {
                    let mut answer = [0; BUFFER];
                    return request.accept().encode(&mut answer).map(|len| link.write(&answer[..len])).is_ok();
                }
                Err(_) => return false,
            }
        }
    }

    #[cfg(not(feature = "handshake"))]
    fn open(_: &mut Link<'_>) -> bool {
        true
    }

    fn echo(link: &mut Link<'_>) -> bool {
        let (mut decoder, mut encoder) = (Decoder::server(), Encoder::server());
        let (mut buf, mut at, mut len) = ([0; BUFFER], 0, 0);
        loop {
            match decoder.decode(&mut buf[at..len]) {
                Ok(Status::Complete { value: frame, consumed }) => {
                    at += consumed;
                    if let Some(header) = reply_to(&frame) {
                        let Ok(head) = encoder.header(header, frame.payload().len() as u64) else { return false };
                        link.write(&head);
                        link.write(frame.payload());
                    }
                }
                Ok(Status::Partial { .. }) if decoder.is_closed() => return true,
                Ok(Status::Partial { .. }) => {
                    // At most a header, or a control frame: `copy_within` would bring the 1.5 KiB of `memmove`.
                    for to in 0..len - at {
                        buf[to] = buf[at + to];
                    }
                    (at, len) = (0, len - at);
                    match link.read(&mut buf[len..]) {
                        0 => return false,
                        n => len += n,
                    }
                }
                Err(_) => return false,
            }
        }
    }
}

/// Returns the header of the frame that answers this one, which may be a part: then it goes on as a fragment.
fn reply_to(frame: &Frame<'_>) -> Option<Header> {
    let opcode = match frame.message_opcode() {
        Opcode::Ping => Opcode::Pong,
        Opcode::Pong => return None,
        Opcode::Close => Opcode::Close,
        opcode if frame.is_first_part() && frame.header().opcode == opcode => opcode,
        _ => Opcode::Continuation,
    };
    Some(Header { fin: frame.header().fin && frame.is_last_part(), ..Header::new(opcode) })
}

#[entry]
fn main() -> ! {
    firmware::run::<WebsocketWire>()
}
