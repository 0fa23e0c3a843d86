//! The opening handshake (RFC 6455 §4): an HTTP/1.1 upgrade, both roles, bytes in and bytes out.
//!
//! Nothing here opens a socket, draws a random number or allocates. The caller collects what arrives in a buffer and
//! passes the whole of it again until the head is there; what comes back is a view of that buffer, and `consumed` says
//! where the first frame begins.
//!
//! ```text
//!  client                                                        server
//!  Key::new(16 random bytes)
//!  client::Request::new(uri, key) ── encode ──▶ bytes ──▶ server::Request::parse
//!                                                           │ ok                    │ HandshakeError
//!  Request::parse_response ◀── bytes ◀── encode ── request.accept()    server::Refusal::from(error)
//!    │ Outcome::Upgraded(Response)                        (101)             (400, 405, 426, 431)
//!    └ Outcome::Refused(Refusal)
//! ```
//!
//! Programs that have an HTTP library already pass what it parsed to
//! [`server::Request::from_parts`] and [`client::Request::response_from_parts`]: the same checks, without the parser.
//! With the feature `http` the types of the `http` crate are taken and given too: [`server::Request::from_http`],
//! [`server::Accept::to_http`], [`server::Refusal::to_http`], [`client::Request::to_http`],
//! [`client::Request::response_from_http`].
//!
//! | RFC 6455 | item |
//! |---|---|
//! | §3, WebSocket URIs | [`Uri`] |
//! | §4.1, client requirements | [`client`] |
//! | §4.2, server requirements | [`server`] |
//! | §1.3 and §4.2.2, proof that the key was read | [`accept_key`], [`Key`], [`AcceptKey`] |
//! | §4.4, other versions | [`HandshakeError::Version`], [`server::Refusal`] |
//! | §9.1, extensions | grammar and names here; parameters in [`extension::params`](crate::extension::params) |

mod address;
mod answer;
pub mod client;
mod error;
mod head;
#[cfg(feature = "http")]
mod http_types;
mod key;
mod list;
mod policy;
mod response;
pub mod server;
mod uri;
mod writer;

pub use error::{BuildError, HandshakeError, UriError};
pub use head::{HeadLimits, HeaderIter, Headers};
pub use key::{AcceptKey, Key, accept_key};
pub use uri::Uri;
