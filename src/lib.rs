//! A WebSocket codec.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

<<<<<<< HEAD
mod opcode;
mod rsv;
mod close;
mod status;
pub mod mask;
pub mod utf8;
mod simd;
mod error;
mod header;
mod frame;
mod config;
mod sequence;
mod decoder;
mod encoder;
#[cfg(feature = "handshake")]
pub mod handshake;

pub use close::{CloseCode, CloseFrame, InvalidClose};
pub use config::{Claims, Config, Limits, Role};
pub use decoder::Decoder;
pub use encoder::{Client, Encoder, MaskSource, Server, Side};
pub use error::{DecodeError, EncodeError};
pub use frame::{Frame, RawFrame, RawFrames};
pub use header::{Header, HeaderBuf};
pub use mask::{Mask, MaskingKey};
pub use opcode::Opcode;
pub use rsv::Rsv;
pub use sequence::{OutOfSequence, Sequence};
pub use status::Status;
=======
pub mod status;
pub use status::Status;

#[cfg(feature = "handshake")]
pub mod handshake;
>>>>>>> hs
