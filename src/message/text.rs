//! Text that is valid UTF-8 by its type (RFC 6455 §5.6).

use alloc::string::String;
use core::fmt;
use core::ops::Deref;
use core::str::Utf8Error;

use bytes::Bytes;

/// A text that shares its bytes: a `str` behind a [`Bytes`]. A clone costs a reference count.
///
/// It can be made only of what is known to be UTF-8, so it derefs to `str` without a look at the bytes.
///
/// ```
/// use bytes::Bytes;
/// use websocket_wire::Text;
///
/// let text = Text::try_from(Bytes::from_static("Grüße".as_bytes()))?;
/// assert_eq!(text.to_uppercase(), "GRÜSSE");
/// assert_eq!(Bytes::from(text), "Grüße");
/// assert!(Text::try_from(Bytes::from_static(b"\xFF")).is_err());
/// # Ok::<(), core::str::Utf8Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text(Bytes);

impl Text {
    /// Takes `bytes` for text without a look at them.
    ///
    /// # Safety
    ///
    /// `bytes` are valid UTF-8.
    #[allow(unsafe_code)]
    pub(super) unsafe fn from_valid(bytes: Bytes) -> Self {
        debug_assert!(core::str::from_utf8(&bytes).is_ok());
        Self(bytes)
    }

    /// Returns the text as a `str`.
    ///
    /// ```
    /// # use websocket_wire::Text;
    /// assert_eq!(Text::from("abc").as_str(), "abc");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        #[allow(unsafe_code)]
        // SAFETY: every way to make a `Text` asks for valid UTF-8, and no method changes the bytes.
        unsafe {
            core::str::from_utf8_unchecked(&self.0)
        }
    }

    /// Returns the text in memory of its own, of exactly its length, so that it keeps nothing else alive: copies it.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use websocket_wire::Text;
    /// let buffer = Bytes::from(String::from("a line of a long page"));
    /// let text = Text::try_from(buffer.slice(..6))?.compacted();
    /// assert!(text == "a line" && buffer.is_unique());
    /// # Ok::<(), core::str::Utf8Error>(())
    /// ```
    #[must_use]
    pub fn compacted(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&'static str> for Text {
    /// Borrows the text for ever; nothing is copied.
    fn from(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Text {
    /// Takes the allocation over; nothing is copied.
    fn from(text: String) -> Self {
        Self(Bytes::from(text.into_bytes()))
    }
}

impl TryFrom<Bytes> for Text {
    type Error = Utf8Error;

    /// Validates the bytes and takes them over; nothing is copied.
    fn try_from(bytes: Bytes) -> Result<Self, Utf8Error> {
        core::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }
}

impl From<Text> for Bytes {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().into()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
