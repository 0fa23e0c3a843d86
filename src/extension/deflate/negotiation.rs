//! The four parameters of permessage-deflate, offered and answered (RFC 7692 §5, §7.1).

use core::fmt;

use crate::extension::params::{Extension, List, ListError, Value};

/// The name of the extension (RFC 7692 §7).
const NAME: &str = "permessage-deflate";

/// What was agreed on. Written with `Display`, it is the server's answer.
///
/// ```
/// use websocket_wire::extension::deflate::Agreement;
///
/// let agreement = Agreement { server_max_window_bits: Some(10), ..Agreement::DEFAULT };
/// assert_eq!(agreement.to_string(), "permessage-deflate; server_max_window_bits=10");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Agreement {
    /// The server compresses each message without a look at the ones before it (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client compresses each message without a look at the ones before it (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The server's window is at most of 2 to the power of this many bytes: 8 to 15 (§7.1.2.1). `None` is 15 as well.
    pub server_max_window_bits: Option<u8>,
    /// The client's window is at most of 2 to the power of this many bytes: 8 to 15 (§7.1.2.2). `None` is 15 as well.
    pub client_max_window_bits: Option<u8>,
}

impl Agreement {
    /// Context takeover and windows of 32 KiB, both ways: an answer without parameters.
    pub const DEFAULT: Self = Self {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: None,
    };
}

impl Default for Agreement {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        flag(f, Name::ServerNoContextTakeover, self.server_no_context_takeover)?;
        flag(f, Name::ClientNoContextTakeover, self.client_no_context_takeover)?;
        bits(f, Name::ServerMaxWindowBits, self.server_max_window_bits)?;
        bits(f, Name::ClientMaxWindowBits, self.client_max_window_bits)
    }
}

/// What this endpoint wants: as a client it offers it, as a server it holds the offers against it.
///
/// ```
/// use websocket_wire::extension::deflate::{Agreement, Offer};
/// use websocket_wire::extension::params::List;
///
/// let offer = Offer::DEFAULT;
/// assert_eq!(offer.to_string(), "permessage-deflate; client_max_window_bits");
///
/// let server = Offer { client_max_window_bits: 12, ..Offer::DEFAULT };
/// let agreement = server.accept(List::new([offer.to_string().as_bytes()]))?.unwrap();
/// assert_eq!(agreement.to_string(), "permessage-deflate; client_max_window_bits=12");
///
/// assert_eq!(offer.accept_response(List::new([agreement.to_string().as_bytes()]))?, Some(agreement));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Offer {
    /// The server is to compress without context takeover.
    pub server_no_context_takeover: bool,
    /// The client is to compress without context takeover.
    pub client_no_context_takeover: bool,
    /// The largest window that the server may use: 9 to 15 bits; 8 where this end is the client.
    pub server_max_window_bits: u8,
    /// The largest window that the client may use: 9 to 15 bits; 8 where this end is the server.
    pub client_max_window_bits: u8,
}

/// Why a client has to fail the connection (RFC 7692 §7.1).
///
/// ```
/// use websocket_wire::extension::deflate::{NegotiationError, Offer};
/// use websocket_wire::extension::params::List;
///
/// let response = List::new([&b"permessage-deflate; server_max_window_bits=16"[..]]);
/// assert_eq!(Offer::DEFAULT.accept_response(response), Err(NegotiationError::InvalidValue));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum NegotiationError {
    /// The header is no list of extensions, or too long a one.
    List(ListError),
    /// The extension is there more than once.
    Repeated,
    /// A parameter that is not one of the four.
    UnknownParameter,
    /// A parameter is there more than once.
    DuplicateParameter,
    /// A window that is not 8 to 15 in decimal digits without a leading zero, or none, or a value where none may be.
    InvalidValue,
    /// A parameter of the answer that the offer does not allow, or one of the offer that the answer does not take up.
    NotAsOffered,
}

impl fmt::Display for NegotiationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List(error) => return error.fmt(f),
            Self::Repeated => "permessage-deflate was agreed on twice",
            Self::UnknownParameter => "permessage-deflate has no such parameter",
            Self::DuplicateParameter => "a parameter of permessage-deflate is repeated",
            Self::InvalidValue => "a parameter of permessage-deflate has an invalid value",
            Self::NotAsOffered => "the answer does not fit the offer of permessage-deflate",
        })
    }
}

impl core::error::Error for NegotiationError {}

impl From<ListError> for NegotiationError {
    fn from(error: ListError) -> Self {
        Self::List(error)
    }
}

impl Offer {
    /// Context takeover and windows of 32 KiB both ways; a smaller one for the client if the server asks for it.
    pub const DEFAULT: Self = Self {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    };

    /// Chooses, as a server, from the offers of a client. Returns the agreement, whose `Display` is the answer, or
    /// `None` where no offer can be accepted; then the handshake goes on without the extension.
    ///
    /// "The order of elements is important as it specifies the client's preference" (RFC 7692 §5), so the first offer
    /// that can be kept is taken. Declined are offers with a parameter that is unknown, repeated or has an invalid
    /// value (§7.1), those that hold the server to a window of 2^8 bytes, which zlib cannot compress with, and those
    /// whose client cannot be held to [`client_max_window_bits`](Self::client_max_window_bits).
    ///
    /// # Errors
    ///
    /// Where the header breaks its grammar, or is too long. That is the fault of the handshake, not of an offer.
    ///
    /// ```
    /// # use websocket_wire::extension::deflate::Offer;
    /// # use websocket_wire::extension::params::List;
    /// let offers = List::new([&b"permessage-deflate; x, permessage-deflate; client_no_context_takeover"[..]]);
    /// let agreement = Offer::DEFAULT.accept(offers)?.unwrap();
    /// assert_eq!(agreement.to_string(), "permessage-deflate; client_no_context_takeover");
    /// # Ok::<(), websocket_wire::extension::params::ListError>(())
    /// ```
    pub fn accept<'a, I>(&self, offers: List<'a, I>) -> Result<Option<Agreement>, ListError>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let mut agreement = None;
        for offer in offers {
            let offer = offer?;
            if agreement.is_none() && offer.name() == NAME {
                agreement = Params::read(&offer).ok().and_then(|offered| self.agree(offered));
            }
        }
        Ok(agreement)
    }

    fn agree(&self, offered: Params) -> Option<Agreement> {
        // "A server accepts an extension negotiation offer with this parameter by including the
        // 'server_max_window_bits' extension parameter in the extension negotiation response" (§7.1.2.1): also where it
        // is 15.
        let server_max_window_bits = at_most(self.server_max_window_bits, offered.server_bits);
        // "If a received extension negotiation offer doesn't have the 'client_max_window_bits' [...], the corresponding
        // extension negotiation response to the offer MUST NOT include" it. (§7.1.2.2)
        let client_max_window_bits = match offered.client_bits {
            Some(bits) => at_most(self.client_max_window_bits, bits),
            None if self.client_max_window_bits < 15 => return None,
            None => None,
        };
        // zlib has no raw stream with a window of 2^8 bytes.
        let can_be_kept = server_max_window_bits.is_none_or(|bits| bits > 8);
        can_be_kept.then_some(Agreement {
            server_no_context_takeover: offered.server_no_context_takeover || self.server_no_context_takeover,
            client_no_context_takeover: offered.client_no_context_takeover || self.client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
        })
    }

    /// Reads, as the client that has made this offer, the answer of the server. `None` says that the server has
    /// declined.
    ///
    /// # Errors
    ///
    /// The client is to fail the connection: the answer has a parameter that is unknown, repeated, has an invalid value
    /// or does not fit the offer (RFC 7692 §7.1).
    ///
    /// ```
    /// # use websocket_wire::extension::deflate::{NegotiationError, Offer};
    /// # use websocket_wire::extension::params::List;
    /// assert_eq!(Offer::DEFAULT.accept_response(List::new(None)), Ok(None));
    /// let offer = Offer { server_no_context_takeover: true, ..Offer::DEFAULT };
    /// let ignores_it = List::new([&b"permessage-deflate"[..]]);
    /// assert_eq!(offer.accept_response(ignores_it), Err(NegotiationError::NotAsOffered));
    /// ```
    pub fn accept_response<'a, I>(&self, response: List<'a, I>) -> Result<Option<Agreement>, NegotiationError>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let mut agreement = None;
        for extension in response {
            let extension = extension?;
            if extension.name() != NAME {
                continue;
            }
            let answered = self.check(Params::read(&extension)?)?;
            if agreement.replace(answered).is_some() {
                return Err(NegotiationError::Repeated);
            }
        }
        Ok(agreement)
    }

    fn check(&self, answered: Params) -> Result<Agreement, NegotiationError> {
        // "A server accepts an extension negotiation offer that includes the 'server_no_context_takeover' extension
        // parameter by including [it] in the corresponding extension negotiation response" (§7.1.1.1)
        let ignores_takeover = self.server_no_context_takeover && !answered.server_no_context_takeover;
        let server_max_window_bits = answered.server_bits;
        // In an answer the parameter must have a value, no larger than the one offered (§7.1.2.2).
        let client_max_window_bits = match answered.client_bits {
            Some(None) => return Err(NegotiationError::InvalidValue),
            Some(bits) => bits,
            None => at_most(self.client_max_window_bits, None),
        };
        let exceeds = server_max_window_bits.unwrap_or(15) > self.server_max_window_bits
            || client_max_window_bits.unwrap_or(15) > self.client_max_window_bits;
        if ignores_takeover || exceeds {
            return Err(NegotiationError::NotAsOffered);
        }
        Ok(Agreement {
            server_no_context_takeover: answered.server_no_context_takeover,
            client_no_context_takeover: answered.client_no_context_takeover || self.client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
        })
    }
}

impl Default for Offer {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Offer {
    /// Writes the offer as it stands in the header. `client_max_window_bits` is always there, so that the server may
    /// choose.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        flag(f, Name::ServerNoContextTakeover, self.server_no_context_takeover)?;
        flag(f, Name::ClientNoContextTakeover, self.client_no_context_takeover)?;
        bits(f, Name::ServerMaxWindowBits, at_most(self.server_max_window_bits, None))?;
        match at_most(self.client_max_window_bits, None) {
            None => write!(f, "; {}", Name::ClientMaxWindowBits.as_str()),
            fewer => bits(f, Name::ClientMaxWindowBits, fewer),
        }
    }
}

/// The names of the parameters.
#[derive(Clone, Copy)]
enum Name {
    ServerNoContextTakeover,
    ClientNoContextTakeover,
    ServerMaxWindowBits,
    ClientMaxWindowBits,
}

impl Name {
    const ALL: [Self; 4] = [
        Self::ServerNoContextTakeover,
        Self::ClientNoContextTakeover,
        Self::ServerMaxWindowBits,
        Self::ClientMaxWindowBits,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::ServerNoContextTakeover => "server_no_context_takeover",
            Self::ClientNoContextTakeover => "client_no_context_takeover",
            Self::ServerMaxWindowBits => "server_max_window_bits",
            Self::ClientMaxWindowBits => "client_max_window_bits",
        }
    }
}

/// Returns the smaller of a limit of this end and what the other end says, `None` where neither limits anything.
fn at_most(own: u8, other: Option<u8>) -> Option<u8> {
    match other {
        Some(other) => Some(own.min(other)),
        None => (own < 15).then_some(own),
    }
}

fn flag(f: &mut fmt::Formatter<'_>, name: Name, is_set: bool) -> fmt::Result {
    if is_set { write!(f, "; {}", name.as_str()) } else { Ok(()) }
}

fn bits(f: &mut fmt::Formatter<'_>, name: Name, bits: Option<u8>) -> fmt::Result {
    bits.map_or(Ok(()), |bits| write!(f, "; {}={bits}", name.as_str()))
}

/// The parameters of one element, each known, valid and there once.
#[derive(Clone, Copy, Default)]
struct Params {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_bits: Option<u8>,
    /// There, and with a value or without.
    client_bits: Option<Option<u8>>,
}

impl Params {
    fn read(extension: &Extension<'_>) -> Result<Self, NegotiationError> {
        let mut params = Self::default();
        for param in extension.params() {
            let name = Name::ALL.into_iter().find(|name| name.as_str() == param.name());
            let is_duplicate = match name.ok_or(NegotiationError::UnknownParameter)? {
                Name::ServerNoContextTakeover => set(&mut params.server_no_context_takeover, param.value())?,
                Name::ClientNoContextTakeover => set(&mut params.client_no_context_takeover, param.value())?,
                Name::ServerMaxWindowBits => {
                    let value = param.value().and_then(window_bits).ok_or(NegotiationError::InvalidValue)?;
                    params.server_bits.replace(value).is_some()
                }
                Name::ClientMaxWindowBits => {
                    let value = param.value().map(|value| window_bits(value).ok_or(NegotiationError::InvalidValue));
                    params.client_bits.replace(value.transpose()?).is_some()
                }
            };
            if is_duplicate {
                return Err(NegotiationError::DuplicateParameter);
            }
        }
        Ok(params)
    }
}

/// Sets a flag, which has no value, and tells whether it was set before.
fn set(flag: &mut bool, value: Option<Value<'_>>) -> Result<bool, NegotiationError> {
    if value.is_some() { Err(NegotiationError::InvalidValue) } else { Ok(core::mem::replace(flag, true)) }
}

/// "a decimal integer value without leading zeroes between 8 to 15, inclusive" (RFC 7692 §7.1.2.1)
fn window_bits(value: Value<'_>) -> Option<u8> {
    let texts = ["8", "9", "10", "11", "12", "13", "14", "15"];
    (8..).zip(texts).find_map(|(bits, text)| (value == text).then_some(bits))
}
