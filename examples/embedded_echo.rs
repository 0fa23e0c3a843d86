//! An echo server without a heap: three fixed buffers, and any stream that `embedded-io` knows.
//!
//! [`serve`] is what a microcontroller runs; here the stream is a TCP connection, by the adapter of `embedded-io-adapters`. What
//! a frame's payload brings is sent on from the buffer in which it was unmasked, part by part, so that messages may be longer
//! than the buffer. `--help` says how to start it; `examples/firmware` is the same for machines without an operating system.

#[path = "support/finish.rs"]
mod finish;

use std::fmt;
use std::net::TcpListener;
use std::process::ExitCode;

use embedded_io::{Error, ErrorKind, Read, Write};
use embedded_io_adapters::std::FromStd;
use finish::finish;
use websocket_wire::handshake::server::{Refusal, Request};
use websocket_wire::{CloseFrame, Decoder, EncodeError, Encoder, Frame, Header, Opcode, Server, Status};

const HELP: &str = "\
An echo server without a heap, for one client after the other.

    embedded_echo ADDR          serve until interrupted, as on 127.0.0.1:9001; port 0 is any free one
    embedded_echo ADDR --once   serve one client; the exit status is 0 if its connection was closed in due form
    embedded_echo --help        show this text

The first line of output is the address. Wrong arguments end it with 2.";

/// The length of each buffer, in bytes; 131 is the least for frames, the client's request takes more.
const BUFFER: usize = 512;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--help" | "-h"] => println!("{HELP}"),
        [address] if !address.starts_with('-') => return listen(address, false),
        [address, "--once"] => return listen(address, true),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn listen(address: &str, once: bool) -> ExitCode {
    match clients(address, once) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn clients(address: &str, once: bool) -> Result<(), Fault> {
    let listener = TcpListener::bind(address).map_err(|error| Fault::Io(error.kind().into()))?;
    println!("{}", listener.local_addr().map_err(|error| Fault::Io(error.kind().into()))?);
    for stream in listener.incoming() {
        let served = match stream {
            Ok(stream) => {
                let served = serve(&mut FromStd::new(&stream));
                finish(stream);
                served
            }
            Err(error) => Err(Fault::Io(error.kind().into())),
        };
        match served {
            result if once => return result,
            Ok(()) => {}
            Err(fault) => eprintln!("{fault}"),
        }
    }
    Ok(())
}

/// Why a connection was not closed in due form.
enum Fault {
    Io(ErrorKind),
    /// The client went away.
    Eof,
    /// The client's request was refused.
    Refused,
    /// The client broke the protocol and has been told so.
    Peer,
    Encode(EncodeError),
}

// Everything below needs no operating system.

fn serve<S: Read + Write>(stream: &mut S) -> Result<(), Fault> {
    let (mut buf, mut out) = ([0; BUFFER], [0; BUFFER]);
    let (at, len) = upgrade(stream, &mut buf, &mut out)?;
    echo(stream, &mut buf, at, len)
}

/// Answers the client's request. Returns where in `buf` frames begin and where the bytes received end.
fn upgrade<S: Read + Write>(stream: &mut S, buf: &mut [u8], out: &mut [u8]) -> Result<(usize, usize), Fault> {
    let mut len = 0;
    loop {
        len += read(stream, &mut buf[len..])?;
        match Request::parse(&buf[..len]) {
            Ok(Status::Complete { value: request, consumed }) => {
                let n = request.accept().encode(out).map_err(|_| Fault::Refused)?;
                write(stream, &out[..n])?;
                return Ok((consumed, len));
            }
            Ok(Status::Partial { .. }) if len < buf.len() => {}
            Ok(Status::Partial { .. }) => return Err(Fault::Refused),
            Err(error) => {
                let n = Refusal::from(error).encode(out).map_err(|_| Fault::Refused)?;
                write(stream, &out[..n])?;
                return Err(Fault::Refused);
            }
        }
    }
}

/// Sends parts of messages back as fragments, pongs for pings, and a close frame for the client's.
fn echo<S: Read + Write>(stream: &mut S, buf: &mut [u8], mut at: usize, mut len: usize) -> Result<(), Fault> {
    let (mut decoder, mut encoder) = (Decoder::server(), Encoder::server());
    loop {
        match decoder.decode(&mut buf[at..len]) {
            Ok(Status::Complete { value: frame, consumed }) => {
                at += consumed;
                if let Some(header) = reply_to(&frame) {
                    reply(stream, &mut encoder, header, frame.payload())?;
                }
            }
            Ok(Status::Partial { .. }) if decoder.is_closed() => return Ok(()),
            Ok(Status::Partial { .. }) => {
                buf.copy_within(at..len, 0);
                (at, len) = (0, len - at);
                len += read(stream, &mut buf[len..])?;
            }
            Err(error) => {
                let mut out = [0; 4 + CloseFrame::MAX_LEN];
                let close = CloseFrame::new(error.close_code(), "");
                let n = encoder.close(Some(close), &mut out).map_err(Fault::Encode)?;
                write(stream, &out[..n])?;
                return Err(Fault::Peer);
            }
        }
    }
}

/// Returns the header of the answer to a frame, or to a part of one: then it goes on as a fragment.
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

fn reply<S: Write>(stream: &mut S, encoder: &mut Encoder<Server>, header: Header, payload: &[u8]) -> Result<(), Fault> {
    let head = encoder.header(header, payload.len() as u64).map_err(Fault::Encode)?;
    write(stream, &head)?;
    write(stream, payload)
}

/// Returns how many bytes have been read: one or more.
fn read<S: Read>(stream: &mut S, buf: &mut [u8]) -> Result<usize, Fault> {
    match stream.read(buf) {
        Ok(0) => Err(Fault::Eof),
        Ok(n) => Ok(n),
        Err(error) => Err(Fault::Io(error.kind())),
    }
}

fn write<S: Write>(stream: &mut S, bytes: &[u8]) -> Result<(), Fault> {
    stream.write_all(bytes).map_err(|error| Fault::Io(error.kind()))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Io(kind) => write!(f, "the transport failed: {kind:?}"),
            Fault::Eof => f.write_str("the client went away"),
            Fault::Refused => f.write_str("the request was refused"),
            Fault::Peer => f.write_str("the client broke the protocol"),
            Fault::Encode(error) => write!(f, "cannot answer: {error}"),
        }
    }
}
