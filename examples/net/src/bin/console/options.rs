//! The command line.

use std::time::Duration;

pub(crate) const HELP: &str = "\
A console for WebSockets: lines go out as texts while messages come in.

    console [OPTION...] URL    as in console wss://example.com/chat, or console 127.0.0.1:9001

    -H, --header \"NAME: VALUE\" a header for the opening handshake; may be given several times
        --origin ORIGIN        the header Origin
        --protocol NAME        offer a subprotocol; may be given several times
        --deflate              offer permessage-deflate
        --ca FILE              trust the certificates of this PEM file, instead of the public ones
        --insecure             trust every certificate
        --heartbeat SECONDS    between two pings, 30 unless given; 0 sends none. Behind three that are unanswered, the
                               connection is closed with 1008
        --hex                  show every frame on standard error, in hexadecimal, as it is on the wire
    -h, --help                 show this text

A URL without a scheme is wss:// where its port is 443, and ws:// otherwise. A line that is not UTF-8 goes out as a binary
message; a binary message that comes in is shown in hexadecimal. The end of the input closes with 1000, SIGINT and SIGTERM
with 1001.

The exit status is 0 behind a close of our own, 1 behind anything else, with a sentence that says what, and 2 for wrong
arguments.";

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) origin: Option<String>,
    pub(crate) protocols: Vec<String>,
    pub(crate) deflate: bool,
    pub(crate) ca: Option<String>,
    pub(crate) insecure: bool,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) hex: bool,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self {
            url: String::new(),
            headers: Vec::new(),
            origin: None,
            protocols: Vec::new(),
            deflate: false,
            ca: None,
            insecure: false,
            heartbeat: Some(Duration::from_secs(30)),
            hex: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().cloned().ok_or(format!("{arg} lacks its value"));
            match arg.as_str() {
                "-H" | "--header" => options.headers.push(header(&value()?)?),
                "--origin" => options.origin = Some(value()?),
                "--protocol" => options.protocols.push(value()?),
                "--deflate" => options.deflate = true,
                "--ca" => options.ca = Some(value()?),
                "--insecure" => options.insecure = true,
                "--heartbeat" => options.heartbeat = interval(&value()?)?,
                "--hex" => options.hex = true,
                url if options.url.is_empty() && !url.starts_with('-') => options.url = url.into(),
                other => return Err(format!("what is {other}?")),
            }
        }
        if options.url.is_empty() { Err("there is no URL".into()) } else { Ok(options) }
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or(format!("the header {text:?} has no colon"))?;
    Ok((name.into(), value.trim().into()))
}

fn interval(text: &str) -> Result<Option<Duration>, String> {
    let interval = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let interval = interval.ok_or(format!("{text} is no number of seconds"))?;
    Ok(Some(interval).filter(|interval| !interval.is_zero()))
}
