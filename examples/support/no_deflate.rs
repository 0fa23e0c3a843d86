//! Stands for permessage-deflate where the feature is off: it is never agreed on.

use websocket_wire::{Extensions, Role};

use super::Fault;

pub(crate) type Agreement = std::convert::Infallible;
pub(crate) type Offer = std::convert::Infallible;

pub(crate) fn answer<'a>(_: impl Iterator<Item = &'a [u8]>) -> Result<Option<(String, Agreement)>, Fault> {
    Ok(None)
}

pub(crate) fn offer(_: &str) -> Result<Offer, Fault> {
    Err(Fault::Handshake("built without the feature deflate".into()))
}

pub(crate) fn agreed(_: Option<&Offer>, _: Option<&[u8]>) -> Result<Option<Agreement>, Fault> {
    Ok(None)
}

pub(crate) fn extensions(_: Role, _: Option<Agreement>) -> Extensions {
    Extensions::new()
}
