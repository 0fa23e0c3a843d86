//! Writes HTTP heads into the caller's buffer, or only counts.

use core::fmt;

use super::BuildError;
use super::head::{is_header_value, is_name, is_token};

/// Appends to `out` what fits and counts everything, so that an empty `out` measures.
pub(crate) struct Writer<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl Writer<'_> {
    /// Tells whether this one only counts.
    pub(crate) fn measures(&self) -> bool {
        self.out.is_empty()
    }

    // On small machines, a call is less code than what it does.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn put(&mut self, text: &[u8]) {
        let end = self.len + text.len();
        if let Some(place) = self.out.get_mut(self.len..end) {
            place.copy_from_slice(text);
        }
        self.len = end;
    }

    /// Counts what is not written.
    pub(crate) fn skip(&mut self, len: usize) {
        self.len += len;
    }

    pub(crate) fn header(&mut self, name: &str, value: &str) {
        self.list(name, &[value]);
    }

    /// Writes a header whose value is the comma-separated `elements`, or nothing if there are none.
    pub(crate) fn list(&mut self, name: &str, elements: &[&str]) {
        for (i, element) in elements.iter().enumerate() {
            if i == 0 {
                self.put(name.as_bytes());
                self.put(b": ");
            } else {
                self.put(b", ");
            }
            self.put(element.as_bytes());
        }
        if !elements.is_empty() {
            self.put(b"\r\n");
        }
    }

    pub(crate) fn headers(&mut self, headers: &[(&str, &str)]) {
        for (name, value) in headers {
            self.header(name, value);
        }
    }
}

/// A head that this side writes. Nothing is written of one that does not pass its check.
pub(crate) trait WriteHead {
    fn check(&self) -> Result<(), BuildError>;

    fn write(&self, writer: &mut Writer<'_>);

    /// Returns the length in bytes.
    fn encoded_len(&self) -> Result<usize, BuildError> {
        self.check()?;
        let mut writer = Writer { out: &mut [], len: 0 };
        self.write(&mut writer);
        Ok(writer.len)
    }

    /// Writes to the front of `out` and returns the length in bytes; on an error `out` is unchanged.
    fn encode(&self, out: &mut [u8]) -> Result<usize, BuildError> {
        let needed = self.encoded_len()?;
        let out = out.get_mut(..needed).ok_or(BuildError::BufferTooSmall { needed })?;
        self.write(&mut Writer { out, len: 0 });
        Ok(needed)
    }
}

/// Header lines to be written, of which `Debug` shows the names only: values may be cookies or passwords.
pub(crate) struct Names<'a>(pub(crate) &'a [(&'a str, &'a str)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Checks headers that the caller adds; `reserved` are further names that the handshake writes itself.
///
/// A name or value that could end the line would let its author write headers, or a second head.
pub(crate) fn check_headers(headers: &[(&str, &str)], reserved: &[&str]) -> Result<(), BuildError> {
    for (name, value) in headers {
        if !is_token(name.as_bytes()) {
            return Err(BuildError::HeaderName);
        }
        if !is_header_value(value.as_bytes()) {
            return Err(BuildError::HeaderValue);
        }
        let is = |known: &&str| is_name(name.as_bytes(), known);
        // Neither message has a body: what follows the head is a frame, or nothing.
        if ["Connection", "Content-Length", "Transfer-Encoding"].iter().any(is) || reserved.iter().any(is) {
            return Err(BuildError::ReservedHeader);
        }
    }
    Ok(())
}
