//! Messages on their way out through extensions.

use alloc::vec::Vec;

use bytes::{BufMut, Bytes};

use super::{Message, SendQueue};
use crate::close::CloseFrame;
use crate::encoder::Encoder;
use crate::error::EncodeError;
use crate::extension::Extensions;
use crate::header::Header;
use crate::opcode::Opcode;
use crate::side::Side;

impl<S: Side> Encoder<S> {
    /// Appends a message in one frame to `buf`, which can grow, as the extensions transform it. This encoder has been
    /// given their [`claims`](Extensions::claims).
    ///
    /// [`Extensions::encode`] does the same for messages in fragments, and for buffers that are kept.
    ///
    /// # Errors
    ///
    /// As [`Extensions::encode`] and [`encode_to`](Self::encode_to). A message that this encoder refuses leaves the
    /// extensions as they were.
    ///
    /// Not so where it is what they have made of the message that cannot be sent: `buf` cannot grow and is too small
    /// for it, a control frame has become too long, or this encoder was not given their claims. Then nothing is
    /// written, and extensions that refer to earlier messages, as compression does, are of no more use on this
    /// connection.
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Extensions, Message};
    /// let (mut encoder, mut wire) = (Encoder::server(), Vec::new());
    /// encoder.message_with(&mut Extensions::new(), &Message::Text("abc".into()), &mut wire)?;
    /// assert_eq!(wire, b"\x81\x03abc");
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn message_with(
        &mut self,
        extensions: &mut Extensions,
        message: &Message,
        buf: &mut impl BufMut,
    ) -> Result<(), EncodeError> {
        let mut body = [0; CloseFrame::MAX_LEN];
        let (header, payload) = message.parts(&mut body);
        // A message that is not sent would change what the extensions remember of the ones before it.
        self.check_message(&header)?;
        let mut scratch = Vec::new();
        let (header, payload) = extensions.encode(header, payload, &mut scratch)?;
        self.encode_to(header, payload, buf)
    }
}

impl<S: Side> SendQueue<S> {
    /// Pushes a message as [`push_message`](Self::push_message) does, as the extensions transform it. The encoder of
    /// this queue has been given their [`claims`](Extensions::claims).
    ///
    /// # Errors
    ///
    /// As [`Extensions::encode`] and [`push_message`](Self::push_message). A message that the encoder refuses leaves
    /// the extensions as they were, but where it is what they have made of it that is refused: see
    /// [`Encoder::message_with`].
    ///
    /// ```
    /// # use websocket_wire::{Encoder, Extensions, Message, SendQueue};
    /// let mut extensions = Extensions::new();
    /// let mut queue = SendQueue::new(Encoder::server().claims(extensions.claims()));
    /// queue.push_message_with(&mut extensions, Message::Text("abc".into()))?;
    /// assert_eq!(queue.len(), 5);
    /// # Ok::<(), websocket_wire::EncodeError>(())
    /// ```
    pub fn push_message_with(&mut self, extensions: &mut Extensions, message: Message) -> Result<(), EncodeError> {
        let (header, payload): (Header, Bytes) = match message {
            Message::Text(text) => (Opcode::Text.into(), text.into()),
            Message::Binary(payload) => (Opcode::Binary.into(), payload),
            Message::Raw { opcode, rsv, payload } => (Header::new(opcode).with_rsv(rsv), payload),
            control => return self.push_message(control),
        };
        // A message that is not sent would change what the extensions remember of the ones before it.
        if self.is_closed() {
            return Err(EncodeError::Closed);
        }
        self.encoder().check_message(&header)?;
        let mut scratch = Vec::new();
        let (header, encoded) = extensions.encode(header, &payload, &mut scratch)?;
        let is_changed = !core::ptr::eq(encoded, &payload[..]);
        self.push_whole(header, if is_changed { scratch.into() } else { payload })
    }
}
