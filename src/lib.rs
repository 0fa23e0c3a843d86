//! A WebSocket codec for people who build WebSocket stacks: RFC 6455 frames, masking, UTF-8 validation and protocol
//! state, without I/O, without a clock, without a heap at its core.
//!
//! # The contract
//!
//! **The caller owns every byte: [`Decoder::decode`] looks at the front of the caller's buffer and either changes
//! nothing and says how many bytes are missing, or unmasks in place and says how many bytes it consumed.**
//!
//! ```text
//!              ┌────────── Decoder (one per connection, one direction, no heap) ──────────┐
//! &mut [u8] ──▶│ Header ─▶ role · limits · RSV · opcode ─▶ Sequence ─▶ unmask + validate  │──▶ Frame<'b>
//!              └──────────────────────────────────────────────────────────────────────────┘       │ alloc
//!                                                                                  Assembler ─▶ Message
//!              ┌────────── Encoder (one per connection, one direction, no heap) ──────────┐       │
//! &mut [u8] ◀──│ mask (copy or in place) ◀─ Header ◀─ Sequence ◀─ opcode · FIN · RSV      │◀──────┤
//!              └──────────────────────────────────────────────────────────────────────────┘       │ alloc
//! slices    ◀─── SendQueue (an Encoder, and what it has encoded that is not written) ◀── Fragmenter
//! ```
//!
//! # A server's loop
//!
//! `stream` is anything that reads and writes; the buffer may be as small as 131 bytes.
//!
//! ```
//! use websocket_wire::{CloseFrame, Decoder, Encoder, Opcode, Status};
//! # use std::io::{Read, Write};
//! # struct Pipe(&'static [u8], Vec<u8>);
//! # impl Read for Pipe { fn read(&mut self, b: &mut [u8]) -> std::io::Result<usize> { self.0.read(b) } }
//! # impl Write for Pipe {
//! #     fn write(&mut self, b: &[u8]) -> std::io::Result<usize> { self.1.write(b) }
//! #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
//! # }
//! # let mut stream = Pipe(b"\x89\x82\x01\x02\x03\x04\x69\x6b\x88\x80\x05\x06\x07\x08", Vec::new());
//!
//! let (mut decoder, mut encoder) = (Decoder::server(), Encoder::server());
//! let (mut buf, mut at, mut len, mut out) = ([0; 4096], 0, 0, [0; 131]);
//! while !encoder.is_closed() {
//!     let n = match decoder.decode(&mut buf[at..len]) {
//!         Ok(Status::Complete { value: frame, consumed }) => {
//!             at += consumed;
//!             match frame.message_opcode() {
//!                 Opcode::Ping => encoder.pong(frame.payload(), &mut out)?,
//!                 Opcode::Close => encoder.close(frame.close(), &mut out)?,
//!                 _ => 0, // frame.payload() is here; frame.ends_message() says when it was all
//!             }
//!         }
//!         Ok(Status::Partial { .. }) => {
//!             buf.copy_within(at..len, 0); // at most a header, or a control frame
//!             (at, len) = (0, len - at);
//!             match stream.read(&mut buf[len..])? {
//!                 0 => break,
//!                 n => len += n,
//!             }
//!             continue;
//!         }
//!         Err(error) => encoder.close(Some(CloseFrame::new(error.close_code(), "")), &mut out)?,
//!     };
//!     stream.write_all(&out[..n])?;
//! }
//! # assert_eq!(stream.1, b"\x8a\x02hi\x88\x00");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Connection`] gives these answers by itself and knows when the closing handshake is over.
//!
//! # What holds
//!
//! - **Any cut of the input gives the same result**: the same payload, the same verdict, at the same byte.
//! - Missing bytes are [`Status::Partial`], not an error. A broken rule is a [`DecodeError`], which carries the
//!   [close code](DecodeError::close_code) to send; what came before it has been delivered, and every further call says
//!   the same.
//! - A payload is delivered as it arrives, in *parts*; a control frame is always whole. A text that is not UTF-8 fails
//!   at the first byte that no valid text can contain.
//! - Strict by default, with [limits](Limits) on and three named relaxations in [`Config`].
//! - No input makes it panic, allocate, or take more than linear time.
//!
//! # Features
//!
//! | feature | default | what it adds | what it does not |
//! |---|---|---|---|
//! | none | | `no_std`, no heap: [`Connection`], [`Heartbeat`], [`Decoder`], [`Encoder`], [`Header`], [`RawFrame`], [`Mask`], [`utf8`], [`SliceAssembler`], [`Fragmenter`] | x86-64 kernels are still chosen at run time, where there is an operating system |
//! | `std` | yes | `From<DecodeError>` and `From<EncodeError>` for `std::io::Error`; what a [`SendQueue`] holds as `std::io::IoSlice` | no I/O, no threads |
//! | `alloc` | yes | [`Message`], [`Text`], [`Assembler`], [`SendQueue`], [`PreparedFrame`], [`Extension`], [`Encoder::encode_to`], on the `bytes` crate | nothing allocates in the codec below |
//! | `handshake` | yes | [`handshake`], both roles | no heap, no sockets, no TLS, no random numbers |
//! | `http` | no | the handshake from and to the types of the `http` crate; turns `std` and `handshake` on | no HTTP client or server |
//! | `tokio-util` | no | [`Codec`]: whole messages for `tokio_util::codec::Framed` | answers nothing by itself: a codec cannot write; no runtime |
//! | `embedded-io`, `embedded-io-async` | no | `Socket` over the traits of these crates: [`embedded_io`], [`embedded_io_async`] | no heap, no time limits, no handshake, no whole messages |
//! | `deflate` | no | [`extension::deflate`]: permessage-deflate (RFC 7692), on the `zlib-rs` crate; turns `std` and `alloc` on | no C compiler, no thread |
//!
//! # Where the RFC's rules are
//!
//! | RFC 6455 | rule | item |
//! |---|---|---|
//! | §4 | opening handshake | [`handshake`] |
//! | §5.1 | who masks | [`Role`], [`Encoder::client`], [`DecodeError::MissingMask`] |
//! | §5.2 | the frame header | [`Header`], [`HeaderBuf`] |
//! | §5.3 | masking | [`Mask`], [`MaskingKey`], [`MaskSource`] |
//! | §5.4 | fragmentation | [`Sequence`], [`Frame::ends_message`], [`Fragmenter`] |
//! | §5.5 | control frames | [`Opcode::is_control`], [`CloseFrame`], [`SendQueue::pong`], [`SendQueue::close`] |
//! | §5.6 | data frames | [`Frame`], [`Message`], [`MessageRef`] |
//! | §5.8, §9 | extensions | [`Claims`], [`Rsv`], [`Extension`], [`Extensions`] |
//! | §9.1 | the header of extensions | [`extension::params`] |
//! | §5.5.1, §7.1 | the closing handshake | [`Connection::close`], [`Connection::should_close_tcp`], [`Connection::close_code`] |
//! | §5.5.2, §5.5.3 | ping and pong | [`Connection::receive`], [`Heartbeat`] |
//! | §7.1.7 | to fail the connection | [`Connection::receive`], [`DecodeError::close_code`] |
//! | §7.4 | close codes | [`CloseCode`] |
//! | §8.1 | UTF-8 | [`utf8::Validator`], [`Frame::text`] |
//! | §10.4 | limits | [`Limits`], [`Output`], [`Assembler`] |
//!
//! RFC 7692, permessage-deflate, is in [`extension::deflate`].
#![no_std]
#![cfg_attr(
    not(all(
        feature = "deflate",
        feature = "http",
        feature = "tokio-util",
        feature = "embedded-io",
        feature = "embedded-io-async"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

// In the order in which to read them: a module imports only from those above it.

mod opcode;
mod rsv;
mod status;

mod simd;

mod mask;
pub mod utf8;

mod close;

mod error;
mod header;
mod room;

mod frame;

mod config;
mod sequence;

mod side;

mod decoder;
mod encoder;

pub mod extension;
mod message;

mod connection;
mod heartbeat;

#[cfg(feature = "tokio-util")]
mod codec;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod socket;

#[cfg(feature = "handshake")]
pub mod handshake;

pub use close::{CloseCode, CloseFrame, InvalidClose};
#[cfg(feature = "tokio-util")]
pub use codec::{Codec, CodecError};
pub use config::{Claims, Config, Limits, Role};
pub use connection::Connection;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::{DecodeError, EncodeError};
#[cfg(feature = "alloc")]
pub use extension::{ClaimConflict, Extension, Extensions, Output, Part};
pub use frame::{Frame, RawFrame, RawFrames};
pub use header::{Header, HeaderBuf};
pub use heartbeat::Heartbeat;
pub use mask::{Mask, MaskingKey};
#[cfg(feature = "alloc")]
pub use message::{Assembler, Close, Message, PreparedFrame, SendQueue, Text};
pub use message::{Fragmenter, Fragments, MessageRef, SliceAssembler};
pub use opcode::Opcode;
pub use rsv::Rsv;
pub use sequence::{OutOfSequence, Sequence};
pub use side::{Client, MaskSource, Server, Side};
#[cfg(feature = "embedded-io")]
pub use socket::embedded_io;
#[cfg(feature = "embedded-io-async")]
pub use socket::embedded_io_async;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub use socket::{Input, SocketError};
pub use status::Status;

/// The README's samples, compiled and run with the other examples.
#[cfg(all(doctest, feature = "std", feature = "alloc", feature = "handshake"))]
#[doc = include_str!("../README.md")]
struct Readme;
