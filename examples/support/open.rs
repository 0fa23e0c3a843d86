//! What every client does first: completes the URL, connects, makes the opening handshake. Over any blocking stream.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use websocket_wire::handshake::Uri;
use websocket_wire::handshake::client::{Outcome, Refusal, Request, Response};
use websocket_wire::{MaskingKey, Status};

pub(crate) type Fault = Box<dyn Error>;

/// How long a client waits for the connection, and for the server's answer to the handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Adds the scheme to a URL that has none: `wss` where the port is 443, `ws` otherwise.
pub(crate) fn complete(url: &str) -> String {
    if url.contains("://") {
        return url.into();
    }
    let authority = url.split(['/', '?']).next().unwrap_or_default();
    let scheme = if authority.ends_with(":443") { "wss" } else { "ws" };
    format!("{scheme}://{url}")
}

/// Connects to the host of `uri`, whichever of its addresses answers first.
pub(crate) fn connect(uri: &Uri<'_>) -> Result<TcpStream, Fault> {
    let (host, port) = (bare_host(uri), uri.port());
    let addresses =
        (host, port).to_socket_addrs().map_err(|error| format!("the host {host} was not found: {error}"))?;
    let mut fault = format!("the host {host} has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => fault = format!("cannot connect to {address}: {error}"),
        }
    }
    Err(fault.into())
}

/// Returns the host as resolvers and certificates have it: an IPv6 address without its brackets.
pub(crate) fn bare_host<'a>(uri: &Uri<'a>) -> &'a str {
    uri.host().trim_start_matches('[').trim_end_matches(']')
}

/// Makes the opening handshake; returns what `take` makes of the response, and the first bytes behind it.
pub(crate) fn shake_hands<T>(
    stream: &mut (impl Read + Write),
    request: &Request<'_>,
    take: impl FnOnce(&Response<'_>) -> Result<T, Fault>,
) -> Result<(T, Vec<u8>), Fault> {
    let mut out = vec![0; request.encoded_len()?];
    request.encode(&mut out)?;
    stream.write_all(&out).map_err(lost)?;
    stream.flush().map_err(lost)?;
    let mut input = Vec::new();
    loop {
        let answer = request.parse_response(&input).map_err(|e| format!("the server's answer is no handshake: {e}"))?;
        match answer {
            Status::Complete { value: Outcome::Upgraded(response), consumed } => {
                let taken = take(&response)?;
                return Ok((taken, input.split_off(consumed)));
            }
            Status::Complete { value: Outcome::Refused(refusal), .. } => return Err(refused(&refusal).into()),
            Status::Partial { .. } => {}
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).map_err(lost)? {
            0 => return Err("the server closed the connection instead of answering the handshake".into()),
            len => input.extend_from_slice(&chunk[..len]),
        }
    }
}

/// Returns unpredictable bytes of the operating system's.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}

/// Returns a fresh key, as every frame of a client needs one.
pub(crate) fn random_key() -> MaskingKey {
    MaskingKey::new(random())
}

fn lost(error: std::io::Error) -> String {
    format!("the connection failed in the handshake: {error}")
}

fn refused(refusal: &Refusal<'_>) -> String {
    let status = refusal.status();
    match refusal.header("Location") {
        Some(place) => format!("the server answered with status {status} instead of 101: see {}", place.escape_ascii()),
        None => format!("the server answered with status {status} instead of 101"),
    }
}
