//! The frames of one direction in hexadecimal, as they are on the wire.

use std::fmt::Write;

use bytes::{Buf, BytesMut};
use websocket_wire::{RawFrame, Status};

/// How many bytes of a payload are shown.
const SHOWN: usize = 256;

/// Shows the frames of one direction, each once it is whole.
pub(crate) struct Tap {
    arrow: char,
    bytes: BytesMut,
}

impl Tap {
    /// Returns one whose lines begin with `arrow`.
    pub(crate) fn new(arrow: char) -> Self {
        Self { arrow, bytes: BytesMut::new() }
    }

    /// Takes the next bytes of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        while let Ok(Status::Complete { value: frame, consumed }) = RawFrame::parse(&self.bytes) {
            eprintln!("{}", self.line(&frame));
            self.bytes.advance(consumed);
        }
    }

    /// Header and payload apart: `> 81 85 37fa213d  7f9f4d5158`.
    fn line(&self, frame: &RawFrame<'_>) -> String {
        let payload = frame.payload();
        let mut line = format!("{} ", self.arrow);
        for byte in &frame.bytes()[..frame.bytes().len() - payload.len()] {
            write!(line, "{byte:02x}").expect("a string grows");
        }
        line.push_str("  ");
        for byte in payload.iter().take(SHOWN) {
            write!(line, "{byte:02x}").expect("a string grows");
        }
        if payload.len() > SHOWN {
            write!(line, "... {} bytes", payload.len()).expect("a string grows");
        }
        line
    }
}
