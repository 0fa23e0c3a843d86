//! What can be wrong: the peer's faults, each with the close code to send, and the caller's misuse of the encoder.

use core::fmt;

use crate::close::{CloseCode, InvalidClose};

/// A rule that the peer broke. The connection is to be failed (RFC 6455 §7.1.7) with [`close_code`](Self::close_code).
///
/// One variant for each MUST. Missing bytes are not an error: they are
/// [`Status::Partial`](crate::Status::Partial).
///
/// ```
/// use websocket_wire::{CloseCode, DecodeError, Decoder};
///
/// let mut unmasked = *b"\x81\x02hi";
/// let error = Decoder::server().decode(&mut unmasked).unwrap_err();
/// assert_eq!(error, DecodeError::MissingMask);
/// assert_eq!(error.close_code(), CloseCode::PROTOCOL_ERROR);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// A reserved bit is set that no negotiated extension claims there. §5.2: "MUST be 0 unless an extension is
    /// negotiated that defines meanings for non-zero values."
    ReservedBits,
    /// An opcode that no negotiated extension claims. §5.2: "If an unknown opcode is received, the receiving endpoint
    /// MUST _Fail the WebSocket Connection_."
    ReservedOpcode,
    /// A control frame without FIN. §5.5: "All control frames [...] MUST NOT be fragmented."
    FragmentedControl,
    /// A control frame of more than 125 bytes. §5.5: "All control frames MUST have a payload length of 125 bytes or
    /// less".
    ControlTooLong,
    /// A length in a longer form than it needs. §5.2: "in all cases, the minimal number of bytes MUST be used to
    /// encode the length".
    NonMinimalLength,
    /// A 64-bit length with its top bit set. §5.2: "the most significant bit MUST be 0".
    LengthTopBit,
    /// A frame without a mask came to a server. §5.1: "The server MUST close the connection upon receiving a frame
    /// that is not masked."
    MissingMask,
    /// A masked frame came to a client. §5.1: "A client MUST close a connection if it detects a masked frame."
    UnexpectedMask,
    /// A continuation frame while no message is open (§5.4).
    UnexpectedContinuation,
    /// A new data frame while a message is open. §5.4: "The fragments of one message MUST NOT be interleaved between
    /// the fragments of another message".
    InterleavedMessage,
    /// A frame longer than the limit, or than this machine can address (§10.4).
    FrameTooLong,
    /// The frames of a message, or what an extension makes of them, add up to more than the limit (§10.4).
    MessageTooLong,
    /// A message of more fragments than the limit, empty ones counted (§10.4).
    TooManyFragments,
    /// Text that is not UTF-8, or that ends inside a code point (§8.1).
    InvalidUtf8,
    /// A close frame with a body of one byte. §5.5.1: "If there is a body, the first two bytes of the body MUST be a
    /// 2-byte unsigned integer".
    InvalidCloseLength,
    /// A close frame with a code that may not stand in one (§7.4).
    InvalidCloseCode,
    /// A close frame with a reason that is not UTF-8 (§5.5.1, §8.1).
    InvalidCloseReason,
    /// A message that an extension cannot decode, as compressed data that are no DEFLATE stream (RFC 7692 §6.2,
    /// §7.2.2).
    InvalidExtensionData,
}

impl DecodeError {
    /// Returns the code of the close frame to send before the connection is dropped.
    ///
    /// 1007 for text that is not UTF-8 and for what an extension cannot decode, 1009 for what is too long, 1008 for too
    /// many fragments (their sum may well be small), and 1002 for all other faults (§7.4.1).
    ///
    /// ```
    /// # use websocket_wire::{CloseCode, DecodeError};
    /// assert_eq!(DecodeError::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
    /// assert_eq!(DecodeError::FrameTooLong.close_code(), CloseCode::MESSAGE_TOO_BIG);
    /// ```
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidCloseReason | Self::InvalidExtensionData => CloseCode::INVALID_PAYLOAD,
            Self::FrameTooLong | Self::MessageTooLong => CloseCode::MESSAGE_TOO_BIG,
            Self::TooManyFragments => CloseCode::POLICY_VIOLATION,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// Says the rule in words: 70 bytes at most.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ReservedBits => "a reserved bit is set that no extension claims",
            Self::ReservedOpcode => "the opcode is reserved and no extension claims it",
            Self::FragmentedControl => "a control frame is fragmented",
            Self::ControlTooLong => "a control frame is longer than 125 bytes",
            Self::NonMinimalLength => "the payload length is not in its shortest form",
            Self::LengthTopBit => "the top bit of the 64-bit payload length is set",
            Self::MissingMask => "a frame from a client is not masked",
            Self::UnexpectedMask => "a frame from a server is masked",
            Self::UnexpectedContinuation => "a continuation frame came while no message was open",
            Self::InterleavedMessage => "a new data frame came while a message was open",
            Self::FrameTooLong => "a frame is longer than the limit",
            Self::MessageTooLong => "a message is longer than the limit",
            Self::TooManyFragments => "a message has more fragments than the limit",
            Self::InvalidUtf8 => "a text message is not valid UTF-8",
            Self::InvalidCloseLength => "a close frame has a body of one byte",
            Self::InvalidCloseCode => "a close frame has a code that may not be sent",
            Self::InvalidCloseReason => "a close reason is not valid UTF-8",
            Self::InvalidExtensionData => "a message cannot be decoded by the extension that it uses",
        }
    }
}

impl From<InvalidClose> for DecodeError {
    fn from(error: InvalidClose) -> Self {
        match error {
            InvalidClose::Length => Self::InvalidCloseLength,
            InvalidClose::Code(_) => Self::InvalidCloseCode,
            InvalidClose::Reason => Self::InvalidCloseReason,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for DecodeError {}

/// A frame that the caller may not send, or has no room for. Nothing was written and nothing has changed.
///
/// ```
/// use websocket_wire::{EncodeError, Encoder, Opcode};
///
/// let mut encoder = Encoder::server();
/// assert_eq!(encoder.encode(Opcode::Text, b"hi", &mut [0; 3]), Err(EncodeError::BufferTooSmall { needed: 4 }));
/// assert_eq!(encoder.encode(Opcode::Continuation, b"hi", &mut [0; 9]), Err(EncodeError::UnexpectedContinuation));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum EncodeError {
    /// The room given is smaller than the `needed` bytes: of the whole frame, or of its header in front of a payload.
    BufferTooSmall {
        /// The room that would do, in bytes.
        needed: usize,
    },
    /// A reserved bit that no extension claims there (§5.2).
    ReservedBits,
    /// An opcode that no extension claims (§5.2).
    ReservedOpcode,
    /// A control frame without FIN (§5.5).
    FragmentedControl,
    /// A control frame of more than 125 bytes (§5.5).
    ControlTooLong,
    /// A payload of 2^63 bytes or more (§5.2), a message of 2^64 or more, or one with which more than `isize::MAX`
    /// bytes would wait in a queue: on a machine of 32 bits shared payloads can be that long.
    PayloadTooLong,
    /// A continuation frame while no message is open, as after the final fragment (§5.4).
    UnexpectedContinuation,
    /// A new message, or the end of the stream, before the final fragment of the message that is open (§5.4).
    UnfinishedMessage,
    /// A close frame whose body may not be sent (§5.5.1, §7.4).
    InvalidClose(InvalidClose),
    /// A frame after the close frame. §5.5.1: "The application MUST NOT send any more data frames after sending a
    /// Close frame." Also behind the end of the stream.
    Closed,
    /// A frame while a reply of the [`Connection`](crate::Connection) is partly written: what is left of it goes first.
    ReplyUnfinished,
}

impl From<InvalidClose> for EncodeError {
    fn from(error: InvalidClose) -> Self {
        Self::InvalidClose(error)
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BufferTooSmall { needed } => return write!(f, "the buffer is too small: {needed} bytes are needed"),
            Self::InvalidClose(error) => return error.fmt(f),
            Self::ReservedBits => "no extension claims the reserved bit",
            Self::ReservedOpcode => "no extension claims the reserved opcode",
            Self::FragmentedControl => "a control frame cannot be fragmented",
            Self::ControlTooLong => "a control frame cannot be longer than 125 bytes",
            Self::PayloadTooLong => "the payload, or what is queued with it, would be too long to be counted",
            Self::UnexpectedContinuation => "no message is open that could be continued",
            Self::UnfinishedMessage => "the message that is open has not had its final fragment",
            Self::Closed => "nothing can be sent after a close frame",
            Self::ReplyUnfinished => "a reply is partly written and has to be finished first",
        })
    }
}

impl core::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::InvalidClose(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(feature = "std")]
mod io {
    use std::io;

    use super::{DecodeError, EncodeError};

    impl From<DecodeError> for io::Error {
        /// Wraps the fault as [`io::ErrorKind::InvalidData`].
        fn from(error: DecodeError) -> Self {
            Self::new(io::ErrorKind::InvalidData, error)
        }
    }

    impl From<EncodeError> for io::Error {
        /// Wraps the misuse as [`io::ErrorKind::InvalidInput`].
        fn from(error: EncodeError) -> Self {
            Self::new(io::ErrorKind::InvalidInput, error)
        }
    }
}
