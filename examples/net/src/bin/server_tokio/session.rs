//! One connection behind the handshake: bytes in, messages, bytes out, and when it is over.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use websocket_wire::extension::deflate::{Deflate, Tuning};
use websocket_wire::{
    Assembler, Close, CloseCode, Config, DecodeError, EncodeError, Encoder, Extensions, Limits, Message, Role,
    SendQueue, Server, Text,
};

use crate::accept::Accepted;
use crate::options::Options;
use crate::room::{News, Room};

/// How much may wait to be written, in bytes, before nothing more is read from a peer that reads nothing.
const HIGH_WATER: usize = 1 << 20;

/// How many pings may be unanswered.
const MAX_UNANSWERED: u32 = 2;

/// The state of one connection. It does no I/O: what was read lies in `input`, what is to be written in `queue`.
pub(crate) struct Session {
    pub(crate) input: BytesMut,
    pub(crate) queue: SendQueue<Server>,
    assembler: Assembler,
    /// The extensions of the way out; the assembler has those of the way in.
    extensions: Extensions,
    room: Option<Arc<Room>>,
    options: Arc<Options>,
    /// The close frames, `Some(None)` one without a code.
    sent: Option<Option<Close>>,
    received: Option<Option<Close>>,
    error: Option<DecodeError>,
    unanswered: u32,
    ping_at: Option<Instant>,
    idle_at: Option<Instant>,
    /// When the peer has to have answered our close frame.
    close_by: Option<Instant>,
}

impl Session {
    pub(crate) fn new(accepted: Accepted, options: Arc<Options>, room: Option<Arc<Room>>) -> Self {
        // Each direction has a state of its own, and an object of its own for it.
        let extensions = || {
            let mut extensions = Extensions::new();
            if let Some(agreement) = accepted.deflate {
                let deflate = Deflate::new(Role::Server, agreement, Tuning::DEFAULT);
                extensions.register(Box::new(deflate)).expect("the only extension has no conflict");
            }
            extensions
        };
        let limits = Limits { frame_len: options.max_message, message_len: options.max_message, ..Limits::DEFAULT };
        let outgoing = extensions();
        Self {
            assembler: Assembler::with_extensions(Config::server().limits(limits), extensions()),
            queue: SendQueue::new(Encoder::server().claims(outgoing.claims())),
            extensions: outgoing,
            input: accepted.input,
            room,
            sent: None,
            received: None,
            error: None,
            unanswered: 0,
            ping_at: in_future(options.ping),
            idle_at: in_future(options.idle),
            close_by: None,
            options,
        }
    }

    /// Takes the messages out of the input, unless what is to be written piles up. To be called again when
    /// either has changed.
    pub(crate) fn process(&mut self) -> Result<(), EncodeError> {
        while self.wants_input() {
            match self.assembler.next_message(&mut self.input) {
                Ok(Some(message)) => self.take(message)?,
                Ok(None) => break,
                Err(error) => {
                    self.error = Some(error);
                    return self.close_now(error.close_code(), error.to_string());
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, message: Message) -> Result<(), EncodeError> {
        match message {
            Message::Ping(payload) => self.queue.pong(&payload),
            Message::Pong(_) => Ok(()),
            Message::Close(close) => {
                self.received = Some(close.clone());
                // "When sending a Close frame in response, the endpoint typically echos the status code it received." (§5.5.1)
                self.close(close)
            }
            // Behind our close frame nothing may be sent.
            _ if self.is_closing() => Ok(()),
            message => {
                self.idle_at = in_future(self.options.idle);
                match &self.room {
                    Some(room) => room.publish(&message),
                    None => self.queue.push_message_with(&mut self.extensions, message),
                }
            }
        }
    }

    /// Sends what goes to all; closes instead where too much waits already.
    pub(crate) fn tell(&mut self, news: Result<Arc<News>, RecvError>) -> Result<(), EncodeError> {
        match news {
            _ if self.is_closing() => Ok(()),
            Ok(news) if self.queue.len() <= self.options.max_queue => {
                self.queue.push_prepared(news.frame(!self.extensions.is_empty()))
            }
            _ => self.close_now(CloseCode::TRY_AGAIN_LATER, "too slow"),
        }
    }

    /// Tells whether others are behind with what goes to all, so that this connection is not to add to it now.
    pub(crate) fn is_ahead(&self) -> bool {
        self.room.as_ref().is_some_and(|room| room.is_ahead())
    }

    /// Takes note that the peer is there: it has sent something.
    pub(crate) fn heard(&mut self) {
        self.unanswered = 0;
    }

    /// Takes note that something was written. While nothing is read, that is all there is to tell that the peer is there.
    pub(crate) fn wrote(&mut self) {
        if !self.wants_input() {
            self.unanswered = 0;
        }
    }

    /// Closes behind all that waits.
    pub(crate) fn close(&mut self, close: Option<Close>) -> Result<(), EncodeError> {
        self.queue.close(close.as_ref().map(Close::as_frame))?;
        self.closing(close);
        Ok(())
    }

    /// Closes ahead of all that waits.
    fn close_now(&mut self, code: CloseCode, reason: impl Into<Text>) -> Result<(), EncodeError> {
        let close = Close { code, reason: reason.into() };
        self.queue.close_now(Some(close.as_frame()))?;
        self.closing(Some(close));
        Ok(())
    }

    fn closing(&mut self, close: Option<Close>) {
        if self.sent.is_none() {
            self.sent = Some(close);
            self.close_by = in_future(Some(self.options.close_timeout));
        }
    }

    /// Does what is to be done by now. Returns whether the connection is to be dropped.
    pub(crate) fn tick(&mut self, now: Instant) -> Result<bool, EncodeError> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if self.is_closing() {
            return Ok(is_due(self.close_by));
        }
        if is_due(self.idle_at) {
            self.close(Some(Close { code: CloseCode::GOING_AWAY, reason: "idle".into() }))?;
        } else if is_due(self.ping_at) && self.unanswered >= MAX_UNANSWERED {
            self.close_now(CloseCode::POLICY_VIOLATION, "unanswered pings")?;
        } else if is_due(self.ping_at) {
            self.queue.ping(b"")?;
            self.unanswered += 1;
            self.ping_at = in_future(self.options.ping);
        }
        Ok(false)
    }

    /// Returns when [`tick`](Self::tick) is to be called next.
    pub(crate) fn next_tick(&self) -> Option<Instant> {
        if self.is_closing() { self.close_by } else { self.ping_at.into_iter().chain(self.idle_at).min() }
    }

    pub(crate) fn wants_input(&self) -> bool {
        self.error.is_none() && (self.queue.len() < HIGH_WATER || self.is_closing())
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.queue.is_closed()
    }

    /// Tells whether our close frame is written, and the peer's is here or will not be waited for.
    pub(crate) fn is_over(&self) -> bool {
        self.is_closing() && self.queue.is_empty() && (self.received.is_some() || self.error.is_some())
    }

    /// Tells whether both sides have said goodbye, or why not.
    pub(crate) fn summary(&self) -> String {
        let closes = format!("sent close {}, received close {}", named(&self.sent), named(&self.received));
        match self.error {
            Some(error) => format!("{closes}; the peer broke the protocol: {error}"),
            None => closes,
        }
    }
}

fn named(close: &Option<Option<Close>>) -> String {
    match close {
        Some(Some(close)) => format!("{} {:?}", close.code.0, close.reason),
        Some(None) => "without a code".into(),
        None => "none".into(),
    }
}

fn in_future(time: Option<Duration>) -> Option<Instant> {
    time.map(|time| Instant::now() + time)
}
