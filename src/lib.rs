//! A WebSocket codec.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod close;
mod config;
mod decoder;
mod encoder;
mod error;
mod frame;
#[cfg(feature = "handshake")]
pub mod handshake;
mod header;
pub mod mask;
#[cfg(feature = "alloc")]
mod message;
mod opcode;
mod rsv;
mod sequence;
mod simd;
mod status;
pub mod utf8;

pub use close::{CloseCode, CloseFrame, InvalidClose};
pub use config::{Claims, Config, Limits, Role};
pub use decoder::Decoder;
pub use encoder::{Client, Encoder, MaskSource, Server, Side};
pub use error::{DecodeError, EncodeError};
pub use frame::{Frame, RawFrame, RawFrames};
pub use header::{Header, HeaderBuf};
pub use mask::{Mask, MaskingKey};
#[cfg(feature = "alloc")]
pub use message::{Assembler, Close, Message, Text};
pub use opcode::Opcode;
pub use rsv::Rsv;
pub use sequence::{OutOfSequence, Sequence};
pub use status::Status;
