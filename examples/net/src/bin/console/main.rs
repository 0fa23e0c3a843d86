//! A console for WebSockets: lines go out as texts while messages come in, on one thread, with TLS or without.

mod console;
mod hex;
mod link;
#[path = "../../../../support/open.rs"]
mod open;
mod options;
mod tls;

use std::net::TcpStream;
use std::process::ExitCode;

use bytes::BytesMut;
use console::Console;
use link::Link;
use open::{Fault, random};
use options::Options;
use websocket_wire::extension::deflate::{Agreement, Deflate, Offer, Tuning};
use websocket_wire::extension::params::List;
use websocket_wire::handshake::client::{Request, Response};
use websocket_wire::handshake::{Key, Uri};
use websocket_wire::{Extensions, Role};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{}", options::HELP);
        return ExitCode::SUCCESS;
    }
    let options = match Options::parse(&args) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}; see --help");
            return ExitCode::from(2);
        }
    };
    match open(&options).and_then(Console::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// Connects, with TLS where the URL says so, and makes the opening handshake.
fn open(options: &Options) -> Result<Console, Fault> {
    let url = open::complete(&options.url);
    let uri = Uri::parse(&url).map_err(|error| format!("{url} is no WebSocket URL: {error}"))?;
    let stream = open::connect(&uri)?;
    if uri.is_secure() {
        let (stream, (agreement, input)) = upgrade(tls::connect(stream, &uri, options)?, uri, options)?;
        let link = Link::tls(stream.conn, stream.sock)?;
        return Console::new(link, extensions(agreement), extensions(agreement), input, options);
    }
    let (stream, (agreement, input)): (TcpStream, _) = upgrade(stream, uri, options)?;
    Console::new(Link::plain(stream)?, extensions(agreement), extensions(agreement), input, options)
}

type Opened = (Option<Agreement>, BytesMut);

/// Makes the opening handshake over a stream that blocks.
fn upgrade<S: std::io::Read + std::io::Write>(
    mut stream: S,
    uri: Uri<'_>,
    options: &Options,
) -> Result<(S, Opened), Fault> {
    let offer = options.deflate.then_some(Offer::DEFAULT);
    let offers: Vec<String> = offer.iter().map(ToString::to_string).collect();
    let offers: Vec<&str> = offers.iter().map(String::as_str).collect();
    let protocols: Vec<&str> = options.protocols.iter().map(String::as_str).collect();
    let headers: Vec<(&str, &str)> =
        options.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut request =
        Request::new(uri, Key::new(random())).extensions(&offers).subprotocols(&protocols).headers(&headers);
    if let Some(origin) = &options.origin {
        request = request.origin(origin);
    }
    let agreed = |response: &Response<'_>| {
        if let Some(protocol) = response.subprotocol() {
            eprintln!("subprotocol {protocol}");
        }
        let Some(offer) = offer else { return Ok(None) };
        let agreement = offer.accept_response(List::new(response.extensions()));
        agreement.map_err(|error| Fault::from(format!("the server's answer to permessage-deflate is wrong: {error}")))
    };
    let (agreement, input) = open::shake_hands(&mut stream, &request, agreed)?;
    Ok((stream, (agreement, BytesMut::from(&input[..]))))
}

/// Returns the extensions of one direction.
fn extensions(agreement: Option<Agreement>) -> Extensions {
    let mut extensions = Extensions::new();
    if let Some(agreement) = agreement {
        let deflate = Deflate::new(Role::Client, agreement, Tuning::DEFAULT);
        extensions.register(Box::new(deflate)).expect("the only extension has no conflict");
    }
    extensions
}
