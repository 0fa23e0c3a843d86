//! Messages on their way out through extensions.

use alloc::vec::Vec;

use bytes::BufMut;

use super::Message;
use crate::close::CloseFrame;
use crate::encoder::Encoder;
use crate::error::EncodeError;
use crate::extension::Extensions;
use crate::side::Side;

impl<S: Side> Encoder<S> {
    /// Appends a message in one frame to `buf`, which can grow, as the extensions transform it. This encoder has been
    /// given their [`claims`](Extensions::claims).
    ///
    /// [`Extensions::encode`] does the same for messages in fragments, and for buffers that are kept.
    ///
    /// # Errors
    ///
    /// As [`Extensions::encode`] and [`encode_to`](Self::encode_to).
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
        // A message after the close frame would change what the extensions remember of the ones before it.
        if self.is_closed() {
            return Err(EncodeError::Closed);
        }
        let mut scratch = Vec::new();
        let (header, payload) = extensions.encode(header, payload, &mut scratch)?;
        self.encode_to(header, payload, buf)
    }
}
