//! The byte stream below the frames, TCP or TLS on TCP, which never blocks once it is open.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use bytes::BytesMut;
use rustls::ClientConnection;

/// How much is read at once, in bytes.
const READ: usize = 16 << 10;

/// An open stream that does not block.
pub(crate) struct Link {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Link {
    pub(crate) fn plain(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, tls: None })
    }

    pub(crate) fn tls(tls: ClientConnection, stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, tls: Some(Box::new(tls)) })
    }

    /// Reads once to the end of `input`; returns how many bytes came, 0 at the end of the stream, or `WouldBlock`.
    pub(crate) fn read(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        let len = input.len();
        input.resize(len + READ, 0);
        let result = self.read_slice(&mut input[len..]);
        input.truncate(len + result.as_ref().map_or(0, |read| *read));
        match result {
            // Many servers end TLS without a word. A close frame that has not come says that something is missing.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
            result => result,
        }
    }

    fn read_slice(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.read(buf) };
        loop {
            match tls.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result,
            }
            tls.read_tls(&mut self.stream)?; // of an end of the stream, the reader knows next
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Tells whether TLS has decrypted bytes that were not read, of which the operating system does not know.
    pub(crate) fn has_more(&mut self) -> bool {
        let state = self.tls.as_mut().map(|tls| tls.process_new_packets());
        state.is_some_and(|state| state.is_ok_and(|state| state.plaintext_bytes_to_read() > 0))
    }

    /// Writes as much of `out` as goes, and removes it.
    pub(crate) fn write(&mut self, out: &mut BytesMut) -> io::Result<()> {
        loop {
            let written = match &mut self.tls {
                Some(tls) => tls.writer().write(out),
                None if out.is_empty() => Ok(0),
                None => self.stream.write(out),
            };
            let taken = match written {
                Ok(len) => out.split_to(len).len(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            if !self.flush_tls()? || taken == 0 {
                return Ok(());
            }
        }
    }

    /// Says farewell in TLS, as far as that goes at once.
    pub(crate) fn end(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            self.flush_tls().ok(); // the peer may be gone, and then there is nobody to tell
        }
    }

    /// Tells whether bytes wait here, beside those that the caller has.
    pub(crate) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Writes what TLS has encrypted; returns whether that was all.
    fn flush_tls(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else { return Ok(true) };
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
