//! The extensions of a connection, in the order of negotiation.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::output::{Decoded, Output};
use super::{Extension, Part};
use crate::config::{Claims, Limits};
use crate::error::{DecodeError, EncodeError};
use crate::header::Header;
use crate::opcode::Opcode;
use crate::rsv::Rsv;
use crate::sequence::Sequence;

/// The extensions that were negotiated, in that order: what is sent passes them first to last, what is received last to
/// first (RFC 6455 §9.1).
///
/// Each of the two directions uses its own half of an extension, so one object serves both, or two objects one each
/// where they live in different threads.
///
/// ```
/// use websocket_wire::{Claims, Extensions};
///
/// let extensions = Extensions::new();
/// assert_eq!((extensions.claims(), extensions.is_empty()), (Claims::NONE, true));
/// ```
pub struct Extensions {
    stages: Vec<Stage>,
    claims: Claims,
    sending: Sequence,
}

/// An extension and how far it is with the messages that are open.
struct Stage {
    extension: Box<dyn Extension>,
    claims: Claims,
    /// It takes part in the message that is being sent.
    is_sending: bool,
    /// What it has decoded of the message that is being received.
    out: Output,
}

/// An extension claims what another one has.
///
/// ```
/// use websocket_wire::{ClaimConflict, Rsv};
///
/// assert_eq!(ClaimConflict::Rsv(Rsv::RSV1).to_string(), "another extension uses {RSV1}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ClaimConflict {
    /// These reserved bits have an owner.
    Rsv(Rsv),
    /// This opcode has an owner.
    Opcode(Opcode),
}

impl fmt::Display for ClaimConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsv(bits) => write!(f, "another extension uses {bits:?}"),
            Self::Opcode(opcode) => write!(f, "another extension uses the opcode {opcode:?}"),
        }
    }
}

impl core::error::Error for ClaimConflict {}

impl Extensions {
    /// Returns no extensions.
    ///
    /// ```
    /// # use websocket_wire::Extensions;
    /// assert!(Extensions::new().is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { stages: Vec::new(), claims: Claims::NONE, sending: Sequence::new() }
    }

    /// Adds the extension that was negotiated next.
    ///
    /// # Errors
    ///
    /// The first of its claims that another extension has. Then it was not added. RFC 7692 §5: "A server MUST NOT
    /// accept a PMCE extension negotiation offer together with another extension if the PMCE will conflict with the
    /// extension on their use of the RSV1 bit."
    ///
    /// ```
    /// # use websocket_wire::{ClaimConflict, Claims, DecodeError, EncodeError, Extension, Extensions, Output, Part, Rsv};
    /// struct Own(Rsv);
    /// impl Extension for Own {
    ///     fn claims(&self) -> Claims { Claims::NONE.frame_rsv(self.0) }
    ///     fn encode(&mut self, _: Part<'_>, _: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> { Ok(None) }
    ///     fn decode(&mut self, _: Part<'_>, _: &mut Output) -> Result<(), DecodeError> { Ok(()) }
    /// }
    ///
    /// let mut extensions = Extensions::new();
    /// assert_eq!(extensions.register(Box::new(Own(Rsv::RSV3))), Ok(()));
    /// assert_eq!(extensions.register(Box::new(Own(Rsv::RSV3))), Err(ClaimConflict::Rsv(Rsv::RSV3)));
    /// assert_eq!(extensions.register(Box::new(Own(Rsv::RSV2))), Ok(()));
    /// ```
    pub fn register(&mut self, extension: Box<dyn Extension>) -> Result<(), ClaimConflict> {
        let claims = extension.claims();
        let bits = claims.rsv();
        if self.claims.rsv().intersects(bits) {
            return Err(ClaimConflict::Rsv(bits.without(bits.without(self.claims.rsv()))));
        }
        if let Some(&opcode) = Opcode::ALL.iter().find(|&&opcode| claims.owns(opcode) && self.claims.owns(opcode)) {
            return Err(ClaimConflict::Opcode(opcode));
        }
        self.claims = self.claims.with(claims);
        self.stages.push(Stage { extension, claims, is_sending: false, out: Output::default() });
        Ok(())
    }

    /// Transforms a frame to be sent: a whole message, a fragment of one, or a control frame, described as for an
    /// [`Encoder`](crate::Encoder), which is to send what is returned and has been given these
    /// [`claims`](Self::claims).
    ///
    /// `scratch` is a buffer of the caller's, for one message at a time; the payload that is returned lies there, or is
    /// the one that was given where no extension has a part in the message. Every fragment is returned at once and can
    /// be read by the peer when it arrives. Reserved bits stand on the first frame only.
    ///
    /// # Errors
    ///
    /// [`EncodeError::ReservedOpcode`], and the faults in the order of fragments; then nothing has changed. What an
    /// extension says; then the message that is open cannot be continued.
    ///
    /// ```
    /// # use websocket_wire::{EncodeError, Extensions, Header, Opcode};
    /// let (mut extensions, mut scratch) = (Extensions::new(), Vec::new());
    /// let (header, payload) = extensions.encode(Opcode::Text, b"abc", &mut scratch)?;
    /// assert_eq!((header, payload), (Header::new(Opcode::Text), &b"abc"[..]));
    /// let orphan = extensions.encode(Opcode::Continuation, b"abc", &mut scratch);
    /// assert_eq!(orphan, Err(EncodeError::UnexpectedContinuation));
    /// # Ok::<(), EncodeError>(())
    /// ```
    pub fn encode<'a>(
        &mut self,
        header: impl Into<Header>,
        payload: &'a [u8],
        scratch: &'a mut Vec<u8>,
    ) -> Result<(Header, &'a [u8]), EncodeError> {
        let mut header = header.into();
        if !self.claims.allows(header.opcode) {
            return Err(EncodeError::ReservedOpcode);
        }
        header.check()?;
        let is_first = header.opcode != Opcode::Continuation;
        let opcode = if is_first { header.opcode } else { self.sending.message().unwrap_or(header.opcode) };
        let sequence = self.sending.after(&header, &Limits::NONE)?;
        let (mut rsv, mut is_changed, mut made) = (header.rsv, false, Vec::new());
        scratch.clear();
        for stage in &mut self.stages {
            let part = Part { opcode, rsv, is_first, is_last: header.fin, payload };
            let bits = if is_changed {
                made.clear();
                let bits = stage.encode(Part { payload: scratch, ..part }, &mut made)?;
                bits.inspect(|_| core::mem::swap(scratch, &mut made))
            } else {
                stage.encode(part, scratch)?.or_else(|| {
                    scratch.clear();
                    None
                })
            };
            is_changed |= bits.is_some();
            rsv |= bits.unwrap_or(Rsv::NONE);
        }
        self.sending = sequence;
        header.rsv = if is_first { rsv } else { header.rsv };
        Ok((header, if is_changed { &scratch[..] } else { payload }))
    }

    /// Tells whether an extension decodes the messages of this opcode whose first frame has these bits.
    #[inline]
    pub(crate) const fn decodes(&self, opcode: Opcode, rsv: Rsv) -> bool {
        self.claims.transforms(rsv) || self.claims.owns(opcode)
    }

    /// Decodes a part of a message for which [`decodes`](Self::decodes) is true, up to `limit` bytes of the message,
    /// and validates it where it `is_text`. Returns the message with its last part.
    pub(crate) fn decode(
        &mut self,
        part: Part<'_>,
        limit: usize,
        is_text: bool,
    ) -> Result<Option<Decoded>, DecodeError> {
        if part.opcode.is_control() {
            return self.decode_control(part, limit);
        }
        let Some(last) = self.stages.iter().position(|stage| stage.decodes(&part)) else {
            return Ok(None);
        };
        let (mut rsv, mut from, mut result) = (part.rsv, None, Ok(()));
        for at in (last..self.stages.len()).rev() {
            let (stages, behind) = self.stages.split_at_mut(at + 1);
            let stage = &mut stages[at];
            if !stage.decodes(&part) {
                continue;
            }
            if part.is_first {
                stage.out = Output::of_message(limit, is_text && at == last);
            }
            let source = from.map(|from: usize| &mut behind[from - at - 1].out);
            let payload = source.as_ref().map_or(part.payload, |out| out.written());
            // What came before a fault goes on, because a stage further on may find one in it, which then is the first.
            let is_last = part.is_last && result.is_ok();
            let decoded = stage.extension.decode(Part { rsv, is_last, payload, ..part }, &mut stage.out);
            result = decoded.and(result);
            if let Some(source) = source {
                source.hand_on(part.is_last);
            }
            (rsv, from) = (stage.claims.undone(rsv), Some(at));
        }
        result?;
        if part.is_last { core::mem::take(&mut self.stages[last].out).finish(rsv).map(Some) } else { Ok(None) }
    }

    /// Decodes a control frame, which is whole and may stand between the fragments of a message: a message of its own.
    fn decode_control(&mut self, part: Part<'_>, limit: usize) -> Result<Option<Decoded>, DecodeError> {
        let Some(stage) = self.stages.iter_mut().find(|stage| stage.decodes(&part)) else {
            return Ok(None);
        };
        let mut out = Output::new(limit);
        stage.extension.decode(part, &mut out)?;
        out.finish(part.rsv).map(Some)
    }

    /// Returns all that these extensions claim, for [`Config::claims`](crate::Config::claims) and
    /// [`Encoder::claims`](crate::Encoder::claims).
    ///
    /// ```
    /// # use websocket_wire::{Claims, Extensions};
    /// assert_eq!(Extensions::new().claims(), Claims::NONE);
    /// ```
    #[must_use]
    pub const fn claims(&self) -> Claims {
        self.claims
    }

    /// Tells whether there is no extension.
    ///
    /// ```
    /// # use websocket_wire::Extensions;
    /// assert!(Extensions::default().is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }
}

impl Stage {
    /// Returns the bits to set where the extension has transformed the part, `None` where it has not.
    fn encode(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<Option<Rsv>, EncodeError> {
        let is_asked = match (part.opcode.is_control(), part.is_first) {
            (true, _) => self.claims.owns(part.opcode),
            (false, true) => true,
            (false, false) => self.is_sending,
        };
        if !is_asked {
            return Ok(None);
        }
        let bits = self.extension.encode(part, out)?;
        if part.opcode.is_data() && part.is_first {
            self.is_sending = bits.is_some();
        }
        let own = |bits: Rsv| bits.without(Rsv::ALL.without(self.claims.rsv()));
        Ok(if part.is_first { bits.map(own) } else { Some(Rsv::NONE) })
    }

    fn decodes(&self, part: &Part<'_>) -> bool {
        self.claims.transforms(part.rsv) || self.claims.owns(part.opcode)
    }
}

impl Default for Extensions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions")
            .field("count", &self.stages.len())
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}
