//! A WebSocket codec.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod mask;
mod simd;
pub mod utf8;
