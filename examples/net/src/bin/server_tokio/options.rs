//! The command line.

use std::fmt;
use std::time::Duration;

pub(crate) const HELP: &str = "\
A WebSocket server on tokio: it echoes every message, or sends it to all.

    --listen ADDR                127.0.0.1:9001 unless said; port 0 takes a free one
    --broadcast                  send every message to all clients, its sender among them, instead of back
    --no-deflate                 decline permessage-deflate, which is accepted whenever a client offers it
    --origin ORIGIN              refuse all requests of other origins, as of none, with 403; may be repeated
    --protocol NAME              choose this subprotocol where it is offered; may be repeated, the best one first
    --max-message BYTES          close with 1009 for a longer message, compressed or not: 16777216 unless said
    --max-queue BYTES            with --broadcast, close with 1013 where more waits for a client: 33554432 unless said
    --ping SECONDS               how often to ping; closed with 1008 after two in silence: 20 unless said, 0 is never
    --idle SECONDS               close with 1001 after so long without a message: 0 unless said, which is never
    --handshake-timeout SECONDS  how long the opening handshake may take: 10 unless said
    --close-timeout SECONDS      how long the closing handshake may take, also at the end: 5 unless said
    --help                       show this text

SIGINT and SIGTERM close all connections with 1001 and end the program with status 0. Wrong arguments end it with 2.";

/// What the command line says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) listen: String,
    pub(crate) is_broadcast: bool,
    pub(crate) is_deflate: bool,
    /// The origins that are allowed; all where it is empty.
    pub(crate) origins: Vec<String>,
    pub(crate) protocols: Vec<String>,
    pub(crate) max_message: u64,
    pub(crate) max_queue: usize,
    pub(crate) ping: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) handshake_timeout: Duration,
    pub(crate) close_timeout: Duration,
}

/// What is wrong with the command line.
#[derive(Debug, PartialEq)]
pub(crate) enum Wrong {
    Unknown(String),
    NoValue(String),
    Value(String, String),
}

impl Options {
    /// Reads the arguments behind the program's name; `None` where they ask for help.
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Option<Self>, Wrong> {
        let (mut options, mut args) = (Self::default(), args);
        while let Some(name) = args.next() {
            match name.as_str() {
                "--help" | "-h" => return Ok(None),
                "--broadcast" => options.is_broadcast = true,
                "--no-deflate" => options.is_deflate = false,
                _ => {
                    if !OPTIONS.contains(&name.as_str()) {
                        return Err(Wrong::Unknown(name));
                    }
                    let value = args.next().ok_or_else(|| Wrong::NoValue(name.clone()))?;
                    options.set(&name, &value).ok_or(Wrong::Value(name, value))?;
                }
            }
        }
        Ok(Some(options))
    }

    /// Sets one of [`OPTIONS`]; returns `None` where the value is not one.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "--listen" => self.listen = value.into(),
            "--origin" => self.origins.push(value.into()),
            "--protocol" => self.protocols.push(value.into()),
            "--max-message" => self.max_message = value.parse().ok()?,
            "--max-queue" => self.max_queue = value.parse().ok()?,
            "--ping" => self.ping = Some(seconds(value)?).filter(|time| !time.is_zero()),
            "--idle" => self.idle = Some(seconds(value)?).filter(|time| !time.is_zero()),
            "--handshake-timeout" => self.handshake_timeout = seconds(value)?,
            "--close-timeout" => self.close_timeout = seconds(value)?,
            _ => return None,
        }
        Some(())
    }
}

/// The options that have a value.
const OPTIONS: [&str; 9] = [
    "--listen",
    "--origin",
    "--protocol",
    "--max-message",
    "--max-queue",
    "--ping",
    "--idle",
    "--handshake-timeout",
    "--close-timeout",
];

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9001".into(),
            is_broadcast: false,
            is_deflate: true,
            origins: Vec::new(),
            protocols: Vec::new(),
            max_message: 16 << 20,
            max_queue: 32 << 20,
            ping: Some(Duration::from_secs(20)),
            idle: None,
            handshake_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "{name} is not an option; --help shows those that are"),
            Self::NoValue(name) => write!(f, "{name} wants a value behind it"),
            Self::Value(name, value) => write!(f, "{value:?} is not a value of {name}"),
        }
    }
}

/// Reads a time of a day at most, also as a fraction.
fn seconds(value: &str) -> Option<Duration> {
    value
        .parse()
        .ok()
        .filter(|seconds| *seconds <= 86_400.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}
