//! Frames that are encoded once and sent to many.

use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::Message;
use crate::close::CloseFrame;
use crate::encoder::Encoder;
use crate::error::EncodeError;
use crate::header::Header;
use crate::opcode::Opcode;
use crate::side::Server;

/// A frame of a server, encoded once, whose bytes any number of connections share.
///
/// A server does not mask (RFC 6455 §5.1), so the same bytes go to every client. A client has to mask each frame with a
/// fresh key; there is no way for it to send one of these. Whether a connection may send the frame, now, is for its
/// [`Encoder`] to say: [`Encoder::prepared`], [`SendQueue::push_prepared`](crate::SendQueue::push_prepared).
///
/// A frame with reserved bits, as one that holds a compressed message, is refused where they were not negotiated; a
/// server that compresses for some prepares two.
///
/// ```
/// use websocket_wire::{EncodeError, Encoder, Message, PreparedFrame};
///
/// let frame = PreparedFrame::of(&Message::Text("to all".into()))?;
/// let mut encoders = [Encoder::server(), Encoder::server()];
/// let mut wires = [vec![], vec![]];
/// for (encoder, wire) in encoders.iter_mut().zip(&mut wires) {
///     wire.push(encoder.prepared(&frame)?); // the same memory for all
/// }
/// assert_eq!(wires[0][0], &b"\x81\x06to all"[..]);
/// assert_eq!(wires[0][0].as_ptr(), wires[1][0].as_ptr());
///
/// encoders[0].close(None, &mut [0; 2])?;
/// assert_eq!(encoders[0].prepared(&frame), Err(EncodeError::Closed));
/// # Ok::<(), EncodeError>(())
/// ```
///
/// ```compile_fail,E0599
/// # use websocket_wire::{Encoder, MaskingKey, Opcode, PreparedFrame};
/// let frame = PreparedFrame::new(Opcode::Ping, b"").unwrap();
/// let _ = Encoder::client(|| MaskingKey::new([1, 2, 3, 4])).prepared(&frame);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PreparedFrame {
    header: Header,
    bytes: Bytes,
}

impl PreparedFrame {
    /// Encodes a frame, described as for an [`Encoder`]; copies the payload, once.
    ///
    /// # Errors
    ///
    /// What a frame breaks whoever sends it: [`EncodeError::FragmentedControl`], [`EncodeError::ControlTooLong`],
    /// [`EncodeError::PayloadTooLong`] and [`EncodeError::InvalidClose`].
    ///
    /// ```
    /// # use websocket_wire::{EncodeError, Opcode, PreparedFrame};
    /// assert_eq!(PreparedFrame::new(Opcode::Ping, &[0; 126]), Err(EncodeError::ControlTooLong));
    /// ```
    pub fn new(header: impl Into<Header>, payload: &[u8]) -> Result<Self, EncodeError> {
        let header = Header { mask: None, payload_len: payload.len() as u64, ..header.into() };
        let head = header.encode()?;
        if header.opcode == Opcode::Close {
            CloseFrame::parse(payload)?;
        }
        let mut bytes = BytesMut::with_capacity(head.len() + payload.len());
        bytes.put_slice(&head);
        bytes.put_slice(payload);
        Ok(Self { header, bytes: bytes.freeze() })
    }

    /// Encodes a message in one frame; copies its payload, once.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// ```
    /// # use websocket_wire::{Close, CloseCode, Message, PreparedFrame};
    /// let close = Close { code: CloseCode::GOING_AWAY, reason: "restart".into() };
    /// assert_eq!(PreparedFrame::of(&Message::Close(Some(close)))?.header().payload_len, 9);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn of(message: &Message) -> Result<Self, EncodeError> {
        let mut body = [0; CloseFrame::MAX_LEN];
        let (header, payload) = message.parts(&mut body);
        Self::new(header, payload)
    }

    /// Returns the header.
    ///
    /// ```
    /// # use websocket_wire::{Opcode, PreparedFrame};
    /// assert_eq!(PreparedFrame::new(Opcode::Binary, &[1, 2])?.header().payload_len, 2);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the payload.
    ///
    /// ```
    /// # use websocket_wire::{Opcode, PreparedFrame};
    /// assert_eq!(PreparedFrame::new(Opcode::Binary, &[1, 2])?.payload(), [1, 2]);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.header.encoded_len()..]
    }

    /// Returns the whole frame, without the consent of an encoder.
    pub(super) const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Encoder<Server> {
    /// Returns the bytes of a frame that was encoded once for many connections, to be sent on this one. Nothing is
    /// copied.
    ///
    /// # Errors
    ///
    /// The rule that the frame would break on this connection; then the encoder is as it was.
    ///
    /// ```
    /// # use websocket_wire::{EncodeError, Encoder, Header, Opcode, PreparedFrame};
    /// let message = PreparedFrame::new(Opcode::Text, b"news")?;
    /// let mut encoder = Encoder::server();
    /// assert_eq!(encoder.prepared(&message)?, &b"\x81\x04news"[..]);
    /// encoder.header(Header::new(Opcode::Binary).fragment(), 0)?;
    /// assert_eq!(encoder.prepared(&message), Err(EncodeError::UnfinishedMessage));
    /// # Ok::<(), EncodeError>(())
    /// ```
    pub fn prepared(&mut self, frame: &PreparedFrame) -> Result<Bytes, EncodeError> {
        self.header(frame.header, frame.header.payload_len)?;
        Ok(frame.bytes.clone())
    }
}

impl fmt::Debug for PreparedFrame {
    /// Shows the header, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedFrame").field("header", &self.header).finish_non_exhaustive()
    }
}
