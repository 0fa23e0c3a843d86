//! Whole messages (RFC 6455 §5.4, §5.6): what the frames add up to, and what is cut into them.
//!
//! [`MessageRef`], [`SliceAssembler`] and [`Fragmenter`] need no heap.

#[cfg(feature = "alloc")]
mod assembler;
mod borrowed;
#[cfg(feature = "alloc")]
mod extended;
mod fragmenter;
#[cfg(feature = "alloc")]
mod owned;
#[cfg(feature = "alloc")]
mod prepared;
#[cfg(feature = "alloc")]
mod queue;
mod slice;
#[cfg(feature = "alloc")]
mod text;

#[cfg(feature = "alloc")]
pub use assembler::Assembler;
pub use borrowed::MessageRef;
pub use fragmenter::{Fragmenter, Fragments};
#[cfg(feature = "alloc")]
pub use owned::{Close, Message};
#[cfg(feature = "alloc")]
pub use prepared::PreparedFrame;
#[cfg(feature = "alloc")]
pub use queue::SendQueue;
pub use slice::SliceAssembler;
#[cfg(feature = "alloc")]
pub use text::Text;
