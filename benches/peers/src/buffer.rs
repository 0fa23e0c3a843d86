//! The read loop around the codecs that decode from the front of a `BytesMut`.

use std::rc::Rc;

use bytes::BytesMut;

use crate::peer::{Receiver, Sink};
use crate::pipe::READ;

/// A codec that takes whole messages from the front of a buffer.
pub trait Codec {
    /// Takes the messages that are there, `frames` at most; returns how many.
    fn take(&mut self, buf: &mut BytesMut, frames: usize, sink: &mut Sink) -> usize;
}

pub struct Buffered<C> {
    codec: C,
    buf: BytesMut,
}

impl<C> Buffered<C> {
    pub fn new(codec: C) -> Self {
        Self { codec, buf: BytesMut::with_capacity(2 * READ) }
    }
}

impl<C: Codec> Receiver for Buffered<C> {
    fn load(&mut self, wire: &Rc<[u8]>) {
        self.buf.clear();
        self.buf.extend_from_slice(wire);
    }

    fn drain(&mut self, frames: usize, sink: &mut Sink) {
        let taken = self.codec.take(&mut self.buf, frames, sink);
        assert_eq!(taken, frames);
    }

    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink) {
        let mut left = frames;
        for chunk in wire.chunks(READ) {
            self.buf.extend_from_slice(chunk);
            left -= self.codec.take(&mut self.buf, left, sink);
        }
        assert_eq!(left, 0);
    }
}
