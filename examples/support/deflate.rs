//! permessage-deflate for the examples: negotiated where the feature is on.

use websocket_wire::extension::deflate::{Agreement, Deflate, Offer, Tuning};
use websocket_wire::extension::params::List;
use websocket_wire::{Extensions, Role};

use super::Fault;

/// Chooses from a client's offers; returns the answer and what was agreed on.
pub(crate) fn answer<'a>(offers: impl Iterator<Item = &'a [u8]>) -> Result<Option<(String, Agreement)>, Fault> {
    let agreement = Offer::DEFAULT.accept(List::new(offers)).map_err(|error| Fault::Handshake(error.to_string()))?;
    Ok(agreement.map(|agreement| (agreement.to_string(), agreement)))
}

/// Reads an offer from the command line, as `server_max_window_bits=10; client_no_context_takeover`.
pub(crate) fn offer(params: &str) -> Result<Offer, Fault> {
    let mut offer = Offer::DEFAULT;
    for param in params.split(';').map(str::trim).filter(|param| !param.is_empty()) {
        let (name, value) = param.split_once('=').unwrap_or((param, "15"));
        let bits = value.parse().map_err(|_| Fault::Handshake(format!("{value} is no number of bits")))?;
        match name {
            "server_no_context_takeover" => offer.server_no_context_takeover = true,
            "client_no_context_takeover" => offer.client_no_context_takeover = true,
            "server_max_window_bits" => offer.server_max_window_bits = bits,
            "client_max_window_bits" => offer.client_max_window_bits = bits,
            _ => return Err(Fault::Handshake(format!("{name} is no parameter of permessage-deflate"))),
        }
    }
    Ok(offer)
}

/// Reads the server's answer to an offer.
pub(crate) fn agreed(offer: Option<&Offer>, answer: Option<&[u8]>) -> Result<Option<Agreement>, Fault> {
    let Some(offer) = offer else {
        return Ok(None);
    };
    offer.accept_response(List::new(answer)).map_err(|error| Fault::Handshake(error.to_string()))
}

/// Returns the extensions of one end and one direction.
pub(crate) fn extensions(role: Role, agreement: Option<Agreement>) -> Extensions {
    let mut extensions = Extensions::new();
    if let Some(agreement) = agreement {
        let deflate = Deflate::new(role, agreement, Tuning { threshold: 0, ..Tuning::DEFAULT });
        extensions.register(Box::new(deflate)).expect("the only extension has no conflict");
    }
    extensions
}
