//! permessage-deflate (RFC 7692): messages compressed with DEFLATE.
//!
//! ```text
//! client                                                    server
//! Offer ── "permessage-deflate; client_max_window_bits" ──▶ Offer::accept
//! Offer::accept_response ◀── "permessage-deflate; ..." ──── Agreement
//! Deflate::new(Role::Client, agreement, tuning)             Deflate::new(Role::Server, agreement, tuning)
//! ```
//!
//! # Memory of a connection
//!
//! Nothing until the first compressed message of its direction.
//!
//! | direction | window of 2^15 bytes | of 2^9 bytes |
//! |---|---|---|
//! | receiving | 32 KiB | 0.5 KiB |
//! | sending, [`mem_level`](Tuning::mem_level) 8 | 372 KiB | 246 KiB |
//! | sending, `mem_level` 1 | 260 KiB | 134 KiB |
//!
//! The window of the receiver grows with what is received; a message that comes in several parts takes 8 KiB besides,
//! for its codes, until it is over. Without context takeover no message needs what the one before has left: the
//! receiver holds nothing between messages, and a [`Pool`] lends one compressor to many connections. A message that is
//! being received takes up to twice what has been inflated of it, and never more than one and a half times the limit.
//! Who inflates a message needs 8 KiB of stack.

mod bits;
mod compress;
mod huffman;
mod inflate;
mod negotiation;
mod pool;
mod symbols;
mod window;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub use negotiation::{Agreement, NegotiationError, Offer};
pub use pool::Pool;

use self::compress::End;
use self::inflate::{Inflate, Pause, Tables};
use self::symbols::Written;
use super::{Extension, Output, Part};
use crate::config::{Claims, Role};
use crate::error::{DecodeError, EncodeError};
use crate::rsv::Rsv;

/// How much an endpoint gives for how small a message gets. No peer sees it.
///
/// ```
/// use websocket_wire::extension::deflate::Tuning;
///
/// let tuning = Tuning { level: 1, ..Tuning::DEFAULT };
/// assert_eq!(tuning.threshold, 64);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tuning {
    /// How hard zlib tries: 0, not at all, to 9.
    pub level: u8,
    /// How much memory zlib has beside the window: 1 to 9, the more the faster and the smaller.
    pub mem_level: u8,
    /// A message in one frame that is shorter than this, in bytes, is sent as it is.
    pub threshold: usize,
}

impl Tuning {
    /// Level 6, memory level 8, and no message below 64 bytes.
    pub const DEFAULT: Self = Self { level: 6, mem_level: 8, threshold: 64 };
}

impl Default for Tuning {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// permessage-deflate on one connection, as it was agreed on.
///
/// A message of which any frame but the first has RSV1 is refused by the [`Decoder`](crate::Decoder), as are control
/// frames that have it. Messages without RSV1 pass as they are. What is inflated is held to the limit while it is.
///
/// ```
/// use bytes::BytesMut;
/// use websocket_wire::extension::deflate::{Agreement, Deflate, Tuning};
/// use websocket_wire::{Assembler, Config, Encoder, Extensions, Message, Role};
///
/// let extensions = |role| {
///     let mut extensions = Extensions::new();
///     let deflate = Deflate::new(role, Agreement::DEFAULT, Tuning::DEFAULT);
///     extensions.register(Box::new(deflate)).map(|()| extensions)
/// };
/// let (mut sending, mut wire) = (extensions(Role::Server)?, BytesMut::new());
/// let mut encoder = Encoder::server().claims(sending.claims());
/// let message = Message::Text("abc".repeat(1000).into());
/// encoder.message_with(&mut sending, &message, &mut wire)?;
/// assert!(wire.len() < 40);
///
/// let mut assembler = Assembler::with_extensions(Config::client(), extensions(Role::Client)?);
/// assert_eq!(assembler.next_message(&mut wire)?, Some(message));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Deflate {
    tuning: Tuning,
    sending: Direction,
    receiving: Direction,
    compressor: Option<zlib_rs::Deflate>,
    pool: Option<Arc<Pool>>,
    inflate: Option<Inflate>,
    /// How many times as long the last part became, rounded up: what the next one is likely to take.
    ratio: usize,
}

/// What was agreed on for one direction.
#[derive(Clone, Copy, Debug)]
struct Direction {
    window_bits: u8,
    takeover: bool,
}

impl Deflate {
    /// Returns the extension for the end of the connection that has this role.
    ///
    /// Where it was agreed that this end uses a window of 2^8 bytes, which zlib cannot, it sends its messages
    /// uncompressed, as it may (RFC 7692 §6).
    ///
    /// ```
    /// # use websocket_wire::extension::deflate::{Agreement, Deflate, Tuning};
    /// # use websocket_wire::{Extension, Role, Rsv};
    /// let deflate = Deflate::new(Role::Client, Agreement::DEFAULT, Tuning::DEFAULT);
    /// assert!(deflate.claims().transforms(Rsv::RSV1));
    /// ```
    #[must_use]
    pub const fn new(role: Role, agreement: Agreement, tuning: Tuning) -> Self {
        let client = Direction {
            window_bits: window_bits(agreement.client_max_window_bits),
            takeover: !agreement.client_no_context_takeover,
        };
        let server = Direction {
            window_bits: window_bits(agreement.server_max_window_bits),
            takeover: !agreement.server_no_context_takeover,
        };
        let (sending, receiving) = match role {
            Role::Client => (client, server),
            Role::Server => (server, client),
        };
        Self { tuning, sending, receiving, compressor: None, pool: None, inflate: None, ratio: 4 }
    }

    /// Takes the compressor from `pool` for each message, where there is no context takeover and the pool was made for
    /// the same window and tuning; otherwise the connection has one of its own.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use websocket_wire::extension::deflate::{Agreement, Deflate, Pool, Tuning};
    /// # use websocket_wire::{Extension, Part, Opcode, Role};
    /// let agreement = Agreement { server_no_context_takeover: true, ..Agreement::DEFAULT };
    /// let pool = Arc::new(Pool::new(15, Tuning::DEFAULT, 4));
    /// let mut deflate = Deflate::new(Role::Server, agreement, Tuning::DEFAULT).with_pool(pool.clone());
    /// deflate.encode(Part::whole(Opcode::Text, &[b'a'; 100]), &mut Vec::new()).unwrap();
    /// assert_eq!(pool.idle(), 1);
    /// ```
    #[must_use]
    pub fn with_pool(mut self, pool: Arc<Pool>) -> Self {
        let fits = !self.sending.takeover && pool.fits(self.sending.window_bits, self.tuning);
        self.pool = fits.then_some(pool);
        self
    }

    fn take_compressor(&mut self) -> zlib_rs::Deflate {
        let own = self.compressor.take().or_else(|| self.pool.as_ref().and_then(|pool| pool.take()));
        own.unwrap_or_else(|| compress::compressor(self.sending.window_bits, self.tuning))
    }

    /// Keeps the compressor for the next part, or for the next message, of this connection or another.
    fn keep_compressor(&mut self, compressor: zlib_rs::Deflate, end: End) {
        match &self.pool {
            Some(pool) if end == End::Context => pool.give(compressor),
            _ => self.compressor = Some(compressor),
        }
    }
}

impl Extension for Deflate {
    fn claims(&self) -> Claims {
        Claims::NONE.message_rsv(Rsv::RSV1)
    }

    fn encode(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> {
        let is_short = part.is_last && part.payload.len() < self.tuning.threshold;
        if part.is_first && (is_short || self.sending.window_bits < 9) {
            return Ok(None);
        }
        let mut compressor = self.take_compressor();
        let end = match (part.is_last, self.sending.takeover) {
            (false, _) => End::Part,
            (true, true) => End::Message,
            (true, false) => End::Context,
        };
        compress::compress(&mut compressor, part.payload, end, out)?;
        self.keep_compressor(compressor, end);
        Ok(Some(Rsv::RSV1))
    }

    fn decode(&mut self, part: Part<'_>, out: &mut Output) -> Result<(), DecodeError> {
        let bits = self.receiving.window_bits;
        let inflate = self.inflate.get_or_insert_with(|| Inflate::new(bits));
        let start = out.written().len();
        let result = inflate.part(|inflate, tables| run(inflate, tables, part.payload, out, self.ratio));
        if let Some(ratio) = (out.written().len() - start).checked_div(part.payload.len()) {
            self.ratio = ratio + 1;
        }
        if part.is_last && !self.receiving.takeover {
            let may_end = inflate.end_message();
            self.inflate = None;
            return result.and(if may_end { Ok(()) } else { Err(DecodeError::InvalidExtensionData) });
        }
        inflate.remember(&out.written()[start..]);
        result?;
        if part.is_last && !inflate.end_message() {
            return Err(DecodeError::InvalidExtensionData);
        }
        Ok(())
    }
}

impl fmt::Debug for Deflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflate")
            .field("tuning", &self.tuning)
            .field("sending", &self.sending)
            .field("receiving", &self.receiving)
            .finish_non_exhaustive()
    }
}

const fn window_bits(agreed: Option<u8>) -> u8 {
    match agreed {
        Some(..8) => 8,
        Some(bits @ 8..15) => bits,
        _ => 15,
    }
}

/// Inflates all of `input`, which is likely to become `ratio` times as long.
fn run(
    inflate: &mut Inflate,
    tables: &mut Tables,
    mut input: &[u8],
    out: &mut Output,
    ratio: usize,
) -> Result<(), DecodeError> {
    let (start, total) = (out.written().len(), input.len());
    loop {
        let at = out.written().len() - start;
        // What is to come is likely to become as long as what came.
        let wanted = match total - input.len() {
            0 => ratio.saturating_mul(total),
            taken => input.len().saturating_mul(at) / taken + input.len(),
        };
        let has_room = !out.spare(wanted).is_empty();
        let mut to = Written { out: out.since(start), at };
        let pause = inflate.run(tables, &mut input, &mut to);
        let count = to.at - at;
        // First what came before a fault, which may be one of the text.
        out.advance(count)?;
        match pause {
            Pause::NeedsInput => return Ok(()),
            Pause::NeedsRoom if has_room => {}
            Pause::NeedsRoom => return Err(DecodeError::MessageTooLong),
            Pause::Fault => return Err(DecodeError::InvalidExtensionData),
        }
    }
}
