//! `Sec-WebSocket-Key` and the `Sec-WebSocket-Accept` that answers it (RFC 6455 §4.1 and §4.2.2).

use core::fmt;
use core::ops::Deref;

// The other crate unrolls its loops, which costs a Cortex-M3 2.3 KiB of flash and saves it a tenth of the instructions
// of a handshake.
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64")))]
use hmac_sha1_compact::Hash as Sha1;
#[cfg(any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64"))]
use sha1::{Digest, Sha1};

use super::HandshakeError;
use crate::utf8;

/// The string that every server appends to the key before hashing it (RFC 6455 §1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The digits of base64 (RFC 4648 §4).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A valid `Sec-WebSocket-Key`: the base64 text, 24 characters, of 16 bytes (RFC 6455 §4.1).
///
/// ```
/// use websocket_wire::handshake::Key;
///
/// let key = Key::new(*b"the sample nonce");
/// assert_eq!(key.as_str(), "dGhlIHNhbXBsZSBub25jZQ==");
/// assert_eq!(&*key.accept(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub(super) [u8; 24]);

impl Key {
    /// Encodes `nonce`, 16 bytes that the caller drew at random for this one connection.
    ///
    /// ```
    /// # use websocket_wire::handshake::Key;
    /// assert_eq!(Key::new([0; 16]).as_str(), "AAAAAAAAAAAAAAAAAAAAAA==");
    /// ```
    #[must_use]
    pub fn new(nonce: [u8; 16]) -> Self {
        Self(base64(&nonce))
    }

    /// Takes a received key; surrounding blanks are not removed.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Key`] when `text` is not the one canonical base64 text of exactly 16 bytes.
    ///
    /// ```
    /// # use websocket_wire::handshake::{HandshakeError, Key};
    /// assert!(Key::parse(b"dGhlIHNhbXBsZSBub25jZQ==").is_ok());
    /// assert_eq!(Key::parse(b"dGhlIHNhbXBsZSBub25jZR=="), Err(HandshakeError::Key));
    /// ```
    pub fn parse(text: &[u8]) -> Result<Self, HandshakeError> {
        Self::check(text).map(|key| Self(*key))
    }

    /// Does what [`parse`](Self::parse) does, but leaves the key where it lies.
    pub(super) fn check(text: &[u8]) -> Result<&[u8; 24], HandshakeError> {
        // "a base64-encoded (see Section 4 of [RFC4648]) value that, when decoded, is 16 bytes in length" (§4.2.1). Of
        // the 22nd digit four bits are left over, which have to be zero (RFC 4648 §3.5). By a decoder for any text this
        // took 600 bytes of a microcontroller's flash.
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let is_key = |key: &&[u8; 24]| {
            let (digits, end) = key.split_at(21);
            digits.iter().all(is_digit) && matches!(end, [b'A' | b'Q' | b'g' | b'w', b'=', b'='])
        };
        <&[u8; 24]>::try_from(text).ok().filter(is_key).ok_or(HandshakeError::Key)
    }

    /// Returns the 24 characters of the header value.
    ///
    /// ```
    /// # use websocket_wire::handshake::Key;
    /// assert_eq!(Key::new([255; 16]).as_str(), "/////////////////////w==");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }

    /// Computes the `Sec-WebSocket-Accept` that proves that the server read this key.
    ///
    /// ```
    /// # use websocket_wire::handshake::{Key, accept_key};
    /// let key = Key::new([7; 16]);
    /// assert_eq!(key.accept(), accept_key(key.as_str()));
    /// ```
    #[must_use]
    pub fn accept(&self) -> AcceptKey {
        // What `accept_key` hashes, in one piece of known length: 300 bytes less of a microcontroller's flash.
        let mut text = [0; 24 + GUID.len()];
        let (key, guid) = text.split_at_mut(24);
        key.copy_from_slice(&self.0);
        guid.copy_from_slice(GUID);
        AcceptKey(base64(&sha1(&text)))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.as_str()).finish()
    }
}

/// The value of `Sec-WebSocket-Accept`: 28 characters of base64 on the stack (RFC 6455 §4.2.2).
///
/// ```
/// use websocket_wire::handshake::accept_key;
///
/// let accept = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
/// assert_eq!(accept.as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// assert_eq!(accept.len(), 28);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AcceptKey(pub(super) [u8; Self::LEN]);

impl AcceptKey {
    /// How long each is.
    pub(crate) const LEN: usize = 28;

    /// Returns the 28 characters of the header value.
    ///
    /// ```
    /// # use websocket_wire::handshake::Key;
    /// assert_eq!(Key::new([0; 16]).accept().as_str(), "ICX+Yqv66kxgM0FcWaLWlFLwTAI=");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

impl Deref for AcceptKey {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for AcceptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AcceptKey").field(&self.as_str()).finish()
    }
}

/// Computes `Sec-WebSocket-Accept` from the text of a `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
///
/// The text is hashed as it stands; whether it is a valid key is for [`Key::parse`] to say.
///
/// ```
/// use websocket_wire::handshake::accept_key;
///
/// assert_eq!(&*accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[must_use]
pub fn accept_key(key: impl AsRef<[u8]>) -> AcceptKey {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    AcceptKey(base64(&hash.finalize()))
}

#[cfg(any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64"))]
fn sha1(text: &[u8]) -> [u8; 20] {
    Sha1::digest(text).into()
}

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64")))]
fn sha1(text: &[u8]) -> [u8; 20] {
    Sha1::hash(text)
}

/// Encodes with padding (RFC 4648 §4); `N` must be the exact length of the text.
fn base64<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [0; N];
    for (digits, bytes) in text.chunks_mut(4).zip(bytes.chunks(3)) {
        let mut group = [0; 4];
        for (place, byte) in group[1..].iter_mut().zip(bytes) {
            *place = *byte;
        }
        let group = u32::from_be_bytes(group);
        for (i, digit) in digits.iter_mut().enumerate() {
            *digit = DIGITS[(group >> (18 - 6 * i)) as usize % 64];
        }
    }
    // What no byte has a part in is padding.
    text[(4 * bytes.len()).div_ceil(3)..].fill(b'=');
    text
}

/// Returns base64 as what it is, text.
fn ascii(text: &[u8]) -> &str {
    utf8::text(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use std::string::String;

    #[test]
    fn sample_of_the_rfc() {
        let key = Key::parse(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        assert_eq!(key.accept().as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys_that_are_not_16_bytes_of_canonical_base64_are_refused() {
        let refused: [&[u8]; 8] = [
            b"",
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25jZQ== ",
            b"dGhlIHNhbXBsZSBub25jZS4=",
            b"dGhlIHNhbXBsZSBub25j_Q==",
            b"dGhlIHNhbXBsZSBub25jZZ==",
            b"dGhlIHNhbXBsZSBub25jZQ=A",
        ];
        for key in refused {
            assert_eq!(Key::parse(key), Err(HandshakeError::Key), "{}", key.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn a_key_is_valid_exactly_when_base64_decodes_it_to_16_bytes(
            text in "[A-Za-z0-9+/]{20}[A-Za-z0-9+/=]{0,2}[A-Zw=]{0,2}={0,2}"
        ) {
            let expected = STANDARD.decode(&text).is_ok_and(|bytes| bytes.len() == 16);
            prop_assert_eq!(Key::parse(text.as_bytes()).is_ok(), expected);
        }

        #[test]
        fn a_nonce_encodes_as_base64_says_and_parses_back(nonce: [u8; 16]) {
            let key = Key::new(nonce);
            prop_assert_eq!(String::from(key.as_str()), STANDARD.encode(nonce));
            prop_assert_eq!(Key::parse(key.as_str().as_bytes()), Ok(key));
        }
    }
}
