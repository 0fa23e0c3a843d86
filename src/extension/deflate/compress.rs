//! DEFLATE (RFC 1951) in the direction of the sender: zlib-rs, flushed at the end of every part.

use alloc::vec::Vec;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Method, Strategy};

use super::Tuning;
use crate::error::EncodeError;

/// What a flush ends with and a message leaves out (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// Returns a compressor whose window is of `2^window_bits` bytes: 9 to 15, because zlib has no raw stream with 8.
pub(super) fn compressor(window_bits: u8, tuning: Tuning) -> Deflate {
    Deflate::new_with_config(DeflateConfig {
        level: i32::from(tuning.level.min(9)),
        method: Method::Deflated,
        window_bits: -i32::from(window_bits),
        mem_level: i32::from(tuning.mem_level.clamp(1, 9)),
        strategy: Strategy::Default,
    })
}

/// What a part ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// More of the message follows.
    Part,
    /// The message is over, the context is kept.
    Message,
    /// The message and its context are over: what follows refers to nothing before it.
    Context,
}

/// Appends what `payload` is compressed to, so that all of it can be read; at the end of a message without its tail.
///
/// A context ends with a full flush, after which "decompression can restart from this point" (the manual of zlib). To
/// reset the compressor did the same and took 3 % more of a message of 1 KiB.
pub(super) fn compress(
    deflate: &mut Deflate,
    mut payload: &[u8],
    end: End,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut room = payload.len() / 2 + 64;
    let flush = if end == End::Context { DeflateFlush::FullFlush } else { DeflateFlush::SyncFlush };
    loop {
        let at = out.len();
        out.resize(at + room, 0);
        let before = (deflate.total_in(), deflate.total_out());
        let result = deflate.compress(payload, &mut out[at..], flush);
        let (taken, made) = (deflate.total_in() - before.0, (deflate.total_out() - before.1) as usize);
        out.truncate(at + made);
        // Only a stream that has lost its state, or was not made here, fails.
        result.map_err(|_| EncodeError::PayloadTooLong)?;
        payload = &payload[taken as usize..];
        // zlib: "If deflate returns with avail_out == 0, this function must be called again". With room left, all is
        // out.
        if made < room && payload.is_empty() {
            break;
        }
        room = (room * 2).min(1 << 20);
    }
    if end != End::Part {
        let len = out.len() - start;
        match out[start..].strip_suffix(&TAIL) {
            Some(stripped) => out.truncate(start + stripped.len()),
            // Nothing to flush: an empty block takes its place, of which one byte is left (RFC 7692 §7.2.3.6).
            None => {
                debug_assert_eq!(len, 0, "a flush ends with its tail");
                out.push(0);
            }
        }
    }
    Ok(())
}
