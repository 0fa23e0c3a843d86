//! A stream in memory, for peers whose API wants one: `std::io`, tokio and futures.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one read gives at most.
pub const READ: usize = 64 << 10;

struct Ends {
    input: Rc<[u8]>,
    at: usize,
    output: Vec<u8>,
}

/// One end of a connection; clones are the same end.
#[derive(Clone)]
pub struct Pipe(Rc<RefCell<Ends>>);

impl Pipe {
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(Ends { input: Rc::new([]), at: 0, output: Vec::new() })))
    }

    /// Makes `wire` what will be read next.
    pub fn load(&self, wire: &Rc<[u8]>) {
        let mut ends = self.0.borrow_mut();
        ends.input = wire.clone();
        ends.at = 0;
    }

    pub fn written<R>(&self, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        f(&mut self.0.borrow_mut().output)
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let ends = &mut *self.0.borrow_mut();
        let n = buf.len().min(ends.input.len() - ends.at).min(READ);
        if n == 0 && !buf.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buf[..n].copy_from_slice(&ends.input[ends.at..ends.at + n]);
        ends.at += n;
        Ok(n)
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().output.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let ends = &mut *self.0.borrow_mut();
        let n = buf.remaining().min(ends.input.len() - ends.at).min(READ);
        buf.put_slice(&ends.input[ends.at..ends.at + n]);
        ends.at += n;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let output = &mut self.0.borrow_mut().output;
        let before = output.len();
        bufs.iter().for_each(|buf| output.extend_from_slice(buf));
        Poll::Ready(Ok(output.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
