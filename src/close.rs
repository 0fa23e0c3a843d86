//! The close frame: its code and its reason (RFC 6455 §5.5.1, §7.4).

use core::fmt;

use crate::utf8;

/// A close code: why a connection ends (§7.4).
///
/// Holds any 16-bit number, because a peer may send any; [`is_allowed_in_frame`](Self::is_allowed_in_frame) tells
/// which ones may stand in a close frame. The names are those of the IANA registry.
///
/// ```
/// use websocket_wire::CloseCode;
///
/// assert_eq!(CloseCode(1000), CloseCode::NORMAL);
/// assert!(CloseCode::NORMAL.is_allowed_in_frame());
/// assert!(!CloseCode::ABNORMAL.is_allowed_in_frame());
/// assert!(CloseCode(4999).is_allowed_in_frame());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: the purpose of the connection has been fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the endpoint goes away, as a server that shuts down or a page that is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: a protocol error.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data that the endpoint cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: reported where a close frame had no code. Never sent.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: reported where a connection ended without a close frame. Never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that does not fit its type, as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a policy was violated.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message too big to process.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the client wanted an extension that the server did not negotiate.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the server met a condition that kept it from fulfilling the request.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the service is overloaded; try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid response from upstream.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: reported where the TLS handshake failed. Never sent.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// Tells whether the code may stand in a close frame, sent or received.
    ///
    /// True for 1000-1003 and 1007-1014 (registered) and for 3000-4999 (libraries and applications). False for the
    /// codes that are only reported (1005, 1006, 1015), for 1004, and for all that is unassigned (§7.4.1, §7.4.2).
    ///
    /// ```
    /// # use websocket_wire::CloseCode;
    /// assert!(CloseCode(3000).is_allowed_in_frame());
    /// assert!(![0, 999, 1004, 1005, 1006, 1015, 2999, 5000].iter().any(|c| CloseCode(*c).is_allowed_in_frame()));
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_allowed_in_frame(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Returns the name in the IANA registry, or `None` for a code without one.
    ///
    /// ```
    /// # use websocket_wire::CloseCode;
    /// assert_eq!(CloseCode::GOING_AWAY.name(), Some("Going Away"));
    /// assert_eq!(CloseCode(4000).name(), None);
    /// ```
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1000 => "Normal Closure",
            1001 => "Going Away",
            1002 => "Protocol Error",
            1003 => "Unsupported Data",
            1005 => "No Status Received",
            1006 => "Abnormal Closure",
            1007 => "Invalid Frame Payload Data",
            1008 => "Policy Violation",
            1009 => "Message Too Big",
            1010 => "Mandatory Extension",
            1011 => "Internal Error",
            1012 => "Service Restart",
            1013 => "Try Again Later",
            1014 => "Bad Gateway",
            1015 => "TLS Handshake",
            _ => return None,
        })
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

/// The body of a close frame: a code and a reason of at most 123 bytes.
///
/// A close frame may also have no body at all; that is `None` wherever an `Option<CloseFrame>` stands.
///
/// ```
/// use websocket_wire::{CloseCode, CloseFrame};
///
/// let close = CloseFrame::new(CloseCode::NORMAL, "bye");
/// let mut body = [0; CloseFrame::MAX_LEN];
/// assert_eq!(close.encode(&mut body), b"\x03\xE8bye");
/// assert_eq!(CloseFrame::parse(b"\x03\xE8bye"), Ok(Some(close)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CloseFrame<'a> {
    code: CloseCode,
    reason: &'a str,
}

impl<'a> CloseFrame<'a> {
    /// The longest body in bytes: what a control frame can hold (§5.5).
    pub const MAX_LEN: usize = 125;
    /// The longest reason in bytes: a body without the two bytes of its code.
    pub const MAX_REASON_LEN: usize = Self::MAX_LEN - 2;

    /// Returns the body with `code` and as much of `reason` as fits 123 bytes, cut where a code point begins.
    ///
    /// The code is not judged here; the encoder refuses one that may not be sent.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CloseFrame};
    /// let long = "é".repeat(100);
    /// assert_eq!(CloseFrame::new(CloseCode::NORMAL, &long).reason().len(), 122);
    /// ```
    #[must_use]
    pub fn new(code: CloseCode, reason: &'a str) -> Self {
        let mut len = reason.len().min(Self::MAX_REASON_LEN);
        while !reason.is_char_boundary(len) {
            len -= 1;
        }
        Self { code, reason: &reason[..len] }
    }

    /// Reads the unmasked payload of a close frame; `None` is the empty body.
    ///
    /// # Errors
    ///
    /// - [`InvalidClose::Length`] for one byte: "If there is a body, the first two bytes of the body MUST be a 2-byte
    ///   unsigned integer" (§5.5.1).
    /// - [`InvalidClose::Code`] for a code that may not stand in a frame (§7.4).
    /// - [`InvalidClose::Reason`] for a reason that is not UTF-8 (§5.5.1).
    /// - [`InvalidClose::Length`] for a body of more than 125 bytes, which no control frame can hold.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CloseFrame, InvalidClose};
    /// assert_eq!(CloseFrame::parse(b""), Ok(None));
    /// assert_eq!(CloseFrame::parse(b"\x03"), Err(InvalidClose::Length));
    /// assert_eq!(CloseFrame::parse(b"\x03\xED"), Err(InvalidClose::Code(CloseCode::NO_STATUS)));
    /// assert_eq!(CloseFrame::parse(b"\x03\xE8\xFF"), Err(InvalidClose::Reason));
    /// ```
    pub fn parse(payload: &'a [u8]) -> Result<Option<Self>, InvalidClose> {
        let (code, reason) = match payload.split_first_chunk() {
            Some((code, reason)) => (CloseCode(u16::from_be_bytes(*code)), reason),
            None if payload.is_empty() => return Ok(None),
            None => return Err(InvalidClose::Length),
        };
        if reason.len() > Self::MAX_REASON_LEN {
            return Err(InvalidClose::Length);
        }
        if !code.is_allowed_in_frame() {
            return Err(InvalidClose::Code(code));
        }
        match utf8::text(reason) {
            Some(reason) => Ok(Some(Self { code, reason })),
            None => Err(InvalidClose::Reason),
        }
    }

    /// Writes the body to the front of `body` and returns the bytes written: 2 to 125.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CloseFrame};
    /// let mut body = [0; CloseFrame::MAX_LEN];
    /// assert_eq!(CloseFrame::new(CloseCode::GOING_AWAY, "").encode(&mut body), [0x03, 0xE9]);
    /// ```
    #[must_use]
    pub fn encode<'o>(&self, body: &'o mut [u8; CloseFrame::MAX_LEN]) -> &'o [u8] {
        let len = 2 + self.reason.len();
        body[..2].copy_from_slice(&self.code.0.to_be_bytes());
        body[2..len].copy_from_slice(self.reason.as_bytes());
        &body[..len]
    }

    /// Returns the code.
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CloseFrame};
    /// assert_eq!(CloseFrame::new(CloseCode(4000), "").code(), CloseCode(4000));
    /// ```
    #[must_use]
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// Returns the reason, 0 to 123 bytes of UTF-8 "not necessarily human readable" (§5.5.1).
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, CloseFrame};
    /// assert_eq!(CloseFrame::new(CloseCode::NORMAL, "done").reason(), "done");
    /// ```
    #[must_use]
    pub const fn reason(&self) -> &'a str {
        self.reason
    }
}

/// What is wrong with the body of a close frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum InvalidClose {
    /// A body of one byte, or of more than 125.
    Length,
    /// A code that may not stand in a frame.
    Code(CloseCode),
    /// A reason that is not UTF-8.
    Reason,
}

impl fmt::Display for InvalidClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("a close frame body is empty or 2 to 125 bytes long"),
            Self::Code(code) => write!(f, "close code {code} may not stand in a close frame"),
            Self::Reason => f.write_str("the close reason is not valid UTF-8"),
        }
    }
}

impl core::error::Error for InvalidClose {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_codes_are_exactly_the_registered_and_the_private_ones() {
        let codes = 0..=if cfg!(miri) { 5010 } else { u16::MAX };
        let allowed: std::vec::Vec<u16> = codes.filter(|c| CloseCode(*c).is_allowed_in_frame()).collect();
        let expected = [1000, 1001, 1002, 1003].into_iter().chain(1007..=1014).chain(3000..=4999);
        assert!(allowed.into_iter().eq(expected));
    }

    #[test]
    fn codes_have_the_names_of_the_registry() {
        let registered = [
            (1000, "Normal Closure"),
            (1001, "Going Away"),
            (1002, "Protocol Error"),
            (1003, "Unsupported Data"),
            (1005, "No Status Received"),
            (1006, "Abnormal Closure"),
            (1007, "Invalid Frame Payload Data"),
            (1008, "Policy Violation"),
            (1009, "Message Too Big"),
            (1010, "Mandatory Extension"),
            (1011, "Internal Error"),
            (1012, "Service Restart"),
            (1013, "Try Again Later"),
            (1014, "Bad Gateway"),
            (1015, "TLS Handshake"),
        ];
        for code in (990..1030).chain([0, 3000, 4999, u16::MAX]) {
            let name = registered.iter().find(|(of, _)| *of == code).map(|(_, name)| *name);
            let shown = name.map_or(std::format!("{code}"), |name| std::format!("{code} ({name})"));
            let close = CloseCode::from(code);
            assert_eq!((close.name(), std::format!("{close}"), u16::from(close)), (name, shown, code));
            assert_eq!(std::format!("{close:?}"), std::format!("CloseCode({code})"));
        }
    }

    #[test]
    fn a_body_is_empty_or_has_two_bytes_or_more() {
        let long = [b"\x03\xE8", &[b'r'; CloseFrame::MAX_REASON_LEN + 1][..]].concat();
        assert_eq!(CloseFrame::parse(b""), Ok(None));
        assert_eq!(CloseFrame::parse(b"\x03"), Err(InvalidClose::Length));
        assert_eq!(CloseFrame::parse(&long), Err(InvalidClose::Length));
        let longest = CloseFrame::parse(&long[..CloseFrame::MAX_LEN]).unwrap().unwrap();
        assert_eq!(longest.reason().len(), CloseFrame::MAX_REASON_LEN);
    }

    #[test]
    fn what_is_wrong_with_a_body_is_shown() {
        let texts = [InvalidClose::Length, InvalidClose::Code(CloseCode(1005)), InvalidClose::Reason]
            .map(|error| std::format!("{error}"));
        assert!(texts[0].contains("bytes") && texts[1].contains("1005") && texts[2].contains("UTF-8"), "{texts:?}");
    }

    #[test]
    fn the_reason_is_cut_at_a_code_point_at_every_length() {
        for width in 1..=4 {
            let point = ["a", "é", "€", "😀"][width - 1];
            for lead in 0..4 {
                let long = "x".repeat(lead) + &point.repeat(130);
                let close = CloseFrame::new(CloseCode::NORMAL, &long);
                assert_eq!(close.reason().len(), lead + (CloseFrame::MAX_REASON_LEN - lead) / width * width);
                let mut body = [0xA5; CloseFrame::MAX_LEN];
                assert_eq!(CloseFrame::parse(close.encode(&mut body)), Ok(Some(close)));
            }
        }
    }
}
