//! A WebSocket codec.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod status;
pub use status::Status;

#[cfg(feature = "handshake")]
pub mod handshake;
