//! Connections that return whole messages.

use bytes::BytesMut;

use super::Connection;
use crate::error::DecodeError;
use crate::extension::Extensions;
use crate::message::{Assembler, Message};
use crate::opcode::Opcode;
use crate::side::Side;

impl<S: Side> Connection<S> {
    /// Returns the fresh connection as one that returns whole messages, as an [`Assembler`] does. To be called before
    /// anything is received.
    ///
    /// Messages are sent with [`Encoder::message_to`](crate::Encoder::message_to).
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use websocket_wire::{Connection, Message};
    ///
    /// let mut connection = Connection::server().messages();
    /// let mut input = BytesMut::from(&b"\x89\x80\0\0\0\0\x81\x82\0\0\0\0hi"[..]);
    /// assert_eq!(connection.next_message(&mut input)?, Some(Message::Ping("".into())));
    /// assert_eq!(connection.next_message(&mut input)?, Some(Message::Text("hi".into())));
    /// assert_eq!(connection.pending_output(), [0x8A, 0]);
    ///
    /// let mut out = BytesMut::new();
    /// connection.encoder()?.message_to(&Message::Text("ho".into()), &mut out)?;
    /// assert_eq!(&out[..], b"\x81\x02ho");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn messages(self) -> Connection<S, Assembler> {
        self.messages_with(Extensions::new())
    }

    /// Returns the fresh connection as one that returns whole messages as `extensions` decode them; see
    /// [`Assembler::with_extensions`]. What they claim may be sent too, with
    /// [`Encoder::message_with`](crate::Encoder::message_with) and the extensions of that direction.
    ///
    /// ```
    /// # use websocket_wire::{Connection, Extensions};
    /// assert_eq!(Connection::server().messages_with(Extensions::new()).error(), None);
    /// ```
    #[must_use]
    pub fn messages_with(self, extensions: Extensions) -> Connection<S, Assembler> {
        let config = *self.receiver.config();
        let encoder = self.encoder.claims(config.claims.with(extensions.claims()));
        let receiver = Assembler::with_extensions(config, extensions);
        // All else goes along: a close frame may be pending already.
        Connection {
            receiver,
            encoder,
            replies: self.replies,
            close_code: self.close_code,
            error: self.error,
            is_at_eof: self.is_at_eof,
            leaves_pings: self.leaves_pings,
            is_close_reply: self.is_close_reply,
        }
    }
}

impl<S: Side> Connection<S, Assembler> {
    /// Takes from the front of `input` what belongs to the next message and returns it once it is whole: what
    /// [`Assembler::next_message`] says holds here too. What is to be answered has been answered then, as by
    /// [`receive`](Connection::receive).
    ///
    /// # Errors
    ///
    /// As [`Assembler::next_message`]; the close frame that says so is pending, as behind
    /// [`receive`](Connection::receive).
    ///
    /// ```
    /// # use bytes::BytesMut;
    /// # use websocket_wire::{CloseCode, Connection};
    /// let mut connection = Connection::server().messages();
    /// let mut input = BytesMut::from(&b"\x88\x82\0\0\0\0\x03\xE9more"[..]);
    /// assert!(connection.next_message(&mut input)?.is_some());
    /// assert_eq!(connection.pending_output(), b"\x88\x02\x03\xE9");
    /// assert_eq!((connection.next_message(&mut input)?, input.len()), (None, 0));
    /// assert_eq!(connection.close_code(), Some(CloseCode::GOING_AWAY));
    /// # Ok::<(), websocket_wire::DecodeError>(())
    /// ```
    pub fn next_message(&mut self, input: &mut BytesMut) -> Result<Option<Message>, DecodeError> {
        let result = self.receiver.next_message(input);
        match &result {
            Ok(Some(Message::Close(close))) => self.answer_close(close.as_ref().map(|close| close.code)),
            // A reserved bit that was claimed makes it raw; it is a ping, or a close frame, all the same.
            Ok(Some(Message::Ping(payload))) => self.pong(payload),
            Ok(Some(Message::Raw { opcode: opcode @ (Opcode::Ping | Opcode::Close), payload, .. })) => {
                self.answer(*opcode, payload);
            }
            Err(error) => self.fail(*error),
            Ok(_) => {}
        }
        result
    }
}
