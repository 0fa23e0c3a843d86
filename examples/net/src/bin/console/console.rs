//! The loop: standard input, the stream, the clock and the signals, whichever has something.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use websocket_wire::{
    Assembler, Client, Close, CloseCode, CloseFrame, Connection, Extensions, Heartbeat, MaskingKey, Message, Text,
};

use crate::hex::Tap;
use crate::link::Link;
use crate::open::{Fault, random, random_key};
use crate::options::Options;

/// How long the server may take to answer our close frame and to end the stream.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much may wait to be written before standard input waits too, in bytes.
const BACKLOG: usize = 64 << 10;

/// An open connection, standard input, and what is between them.
pub(crate) struct Console {
    link: Link,
    connection: Connection<Client<fn() -> MaskingKey>, Assembler>,
    sending: Extensions,
    input: BytesMut,
    out: BytesMut,
    stdin: File,
    /// The line of standard input that has not ended.
    line: BytesMut,
    signals: UnixStream,
    heartbeat: Option<Beat>,
    taps: Option<[Tap; 2]>,
    /// Why this side has begun to close.
    why: Option<Why>,
    /// When the end is no longer waited for; set once the connection closes, whoever began.
    deadline: Option<Instant>,
    has_stream_ended: bool,
    /// The server's close frame.
    farewell: Option<Close>,
}

/// Why this side closes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    EndOfInput,
    Signal,
    Unanswered,
}

/// The heartbeat and when it is due.
struct Beat {
    heartbeat: Heartbeat,
    interval: Duration,
    due: Instant,
}

/// What has something to be read or takes something to be written.
struct Ready {
    link: bool,
    stdin: bool,
    signals: bool,
}

impl Console {
    /// Takes over an open connection, the first bytes of which may be here already.
    pub(crate) fn new(
        link: Link,
        sending: Extensions,
        receiving: Extensions,
        input: BytesMut,
        options: &Options,
    ) -> Result<Self, Fault> {
        let (signals, told) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM] {
            signal_hook::low_level::pipe::register(signal, told.try_clone()?)?;
        }
        let heartbeat = || Heartbeat::new().salt(u64::from_ne_bytes(random()));
        let beat = |interval| Beat { heartbeat: heartbeat(), interval, due: Instant::now() + interval };
        let mut taps = options.hex.then(|| ['<', '>'].map(Tap::new));
        if let Some([received, _]) = &mut taps {
            received.push(&input);
        }
        Ok(Self {
            link,
            connection: Connection::client(random_key as fn() -> MaskingKey).messages_with(receiving),
            sending,
            input,
            out: BytesMut::new(),
            // Standard input itself, without the buffer that would hide from `poll` what it has read.
            stdin: File::from(io::stdin().as_fd().try_clone_to_owned()?),
            line: BytesMut::new(),
            signals,
            heartbeat: options.heartbeat.map(beat),
            taps,
            why: None,
            deadline: None,
            has_stream_ended: false,
            farewell: None,
        })
    }
    /// Runs until the connection has ended; the error is how, unless this side has closed it and the server agreed.
    pub(crate) fn run(mut self) -> Result<(), Fault> {
        self.receive()?;
        self.read_link()?; // TLS may have decrypted something that `poll` does not know of
        loop {
            self.tick()?;
            self.write()?;
            if self.is_over() {
                break;
            }
            let ready = self.wait()?;
            if ready.signals {
                self.take_signal()?;
            }
            if ready.stdin && self.takes_input() {
                self.read_input()?;
            }
            if ready.link && !self.has_stream_ended {
                self.read_link()?;
            }
        }
        self.link.end();
        self.verdict()
    }

    /// Waits until something can be done. `poll` and not epoll or kqueue, because standard input may be a file.
    fn wait(&self) -> Result<Ready, Fault> {
        let timeout = self.next_timeout().map(|timeout| Timespec::try_from(timeout).expect("some seconds"));
        let reads = |is_wanted| if is_wanted { PollFlags::IN } else { PollFlags::empty() };
        let writes = |is_wanted| if is_wanted { PollFlags::OUT } else { PollFlags::empty() };
        let link = reads(!self.has_stream_ended) | writes(!self.is_all_written());
        let mut fds = [
            PollFd::new(&self.link, link),
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.stdin, reads(self.takes_input())),
        ];
        // Without interest in it, a pipe whose writer is gone would wake `poll` again and again.
        let count = if self.takes_input() { 3 } else { 2 };
        match poll(&mut fds[..count], timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [link, signals, stdin] = fds.map(|fd| !fd.revents().is_empty());
        Ok(Ready { link, stdin, signals })
    }

    /// Returns how long there is nothing to do; `None` where nothing is timed.
    fn next_timeout(&self) -> Option<Duration> {
        let due = self.deadline.or(self.heartbeat.as_ref().map(|beat| beat.due))?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// Takes what is on standard input, every whole line of it as a message, and closes at its end.
    fn read_input(&mut self) -> Result<(), Fault> {
        let mut chunk = [0; 16 << 10];
        let len = match self.stdin.read(&mut chunk) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            result => result.map_err(|error| format!("standard input cannot be read: {error}"))?,
        };
        let mut known = self.line.len(); // without the end of a line
        self.line.extend_from_slice(&chunk[..len]);
        while let Some(at) = self.line[known..].iter().position(|byte| *byte == b'\n') {
            let line = self.line.split_to(known + at).freeze();
            self.line.advance(1);
            known = 0;
            self.send(line)?;
        }
        if len > 0 {
            return Ok(());
        }
        if !self.line.is_empty() {
            let line = self.line.split().freeze();
            self.send(line)?;
        }
        self.close(Why::EndOfInput, CloseCode::NORMAL)
    }

    fn send(&mut self, line: Bytes) -> Result<(), Fault> {
        let message = match String::from_utf8(line.to_vec()) {
            Ok(text) => Message::Text(Text::from(text)),
            Err(_) => Message::Binary(line),
        };
        let start = self.out.len();
        self.connection.encoder()?.message_with(&mut self.sending, &message, &mut self.out)?;
        self.show_sent(start);
        Ok(())
    }

    fn close(&mut self, why: Why, code: CloseCode) -> Result<(), Fault> {
        self.connection.close(Some(CloseFrame::new(code, "")))?;
        self.why = Some(why);
        Ok(())
    }

    /// A signal closes; while the connection closes, it ends the program.
    fn take_signal(&mut self) -> Result<(), Fault> {
        self.signals.read_exact(&mut [0])?;
        if self.connection.is_close_sent() {
            return Err("interrupted before the connection was closed".into());
        }
        self.close(Why::Signal, CloseCode::GOING_AWAY)
    }

    fn read_link(&mut self) -> Result<(), Fault> {
        loop {
            let len = self.input.len();
            match self.link.read(&mut self.input) {
                Ok(0) => self.end_stream(),
                Ok(_) => {
                    if let Some([received, _]) = &mut self.taps {
                        received.push(&self.input[len..]);
                    }
                    self.receive()?;
                    if self.link.has_more() {
                        continue;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                // The server need not have read all before it went.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => self.end_stream(),
                Err(error) => return Err(format!("the connection failed: {error}").into()),
            }
            return Ok(());
        }
    }

    fn end_stream(&mut self) {
        self.has_stream_ended = true;
        self.connection.receive_eof();
    }

    /// Shows the messages that are here.
    fn receive(&mut self) -> Result<(), Fault> {
        // An error stays in the connection; the close frame that says so is written first.
        while let Ok(Some(message)) = self.connection.next_message(&mut self.input) {
            match message {
                Message::Text(text) => writeln!(io::stdout(), "{text}")?,
                Message::Binary(bytes) => writeln!(io::stdout(), "{bytes:x}")?,
                Message::Pong(payload) => {
                    if let Some(beat) = &mut self.heartbeat {
                        beat.heartbeat.pong(&payload);
                    }
                }
                Message::Close(close) => self.farewell = close,
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends the ping that is due, unless the connection closes; from then on there is a deadline.
    fn tick(&mut self) -> Result<(), Fault> {
        let now = Instant::now();
        if self.connection.is_close_sent() || self.has_stream_ended {
            self.deadline.get_or_insert(now + PATIENCE);
            return Ok(());
        }
        let Some(beat) = self.heartbeat.as_mut().filter(|beat| now >= beat.due) else { return Ok(()) };
        beat.due = now + beat.interval;
        let mut ping = [0; Heartbeat::MAX_FRAME_LEN];
        let len = beat.heartbeat.tick(&mut self.connection, &mut ping)?;
        if len == 0 {
            self.why = Some(Why::Unanswered);
            self.deadline = Some(now + PATIENCE);
        }
        let start = self.out.len();
        self.out.extend_from_slice(&ping[..len]);
        self.show_sent(start);
        Ok(())
    }

    /// Writes what waits, as far as that goes; replies join it only while it is short, so that a server which sends pings
    /// and does not read makes nothing grow.
    fn write(&mut self) -> Result<(), Fault> {
        if self.out.len() < BACKLOG {
            let start = self.out.len();
            self.out.extend_from_slice(self.connection.pending_output());
            self.connection.consume_output(self.out.len() - start);
            self.show_sent(start);
        }
        match self.link.write(&mut self.out) {
            Ok(()) => Ok(()),
            // What the server said before it went is still to be read; behind that comes the end of the stream.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                self.out.clear();
                Ok(())
            }
            Err(error) => Err(format!("the connection failed: {error}").into()),
        }
    }

    fn show_sent(&mut self, start: usize) {
        if let Some([_, sent]) = &mut self.taps {
            sent.push(&self.out[start..]);
        }
    }

    fn is_all_written(&self) -> bool {
        self.out.is_empty() && !self.link.wants_write()
    }

    fn takes_input(&self) -> bool {
        !self.connection.is_close_sent() && self.out.len() < BACKLOG
    }

    fn is_over(&self) -> bool {
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        is_late || (self.connection.should_close_tcp() && self.is_all_written())
    }

    /// Says how the connection has ended.
    fn verdict(&self) -> Result<(), Fault> {
        if let Some(error) = self.connection.error() {
            let code = error.close_code();
            return Err(format!("the server broke the protocol: {error}; closed with {code}").into());
        }
        let is_closed = self.connection.is_close_received();
        Err(match (self.why, &self.farewell) {
            (Some(Why::Unanswered), _) => {
                "the server does not answer pings; closed with 1008 (Policy Violation)".into()
            }
            (Some(_), _) if is_closed => return Ok(()),
            (None, Some(close)) => format!("the server closed the connection: {} {:?}", close.code, close.reason),
            (None, None) if is_closed => "the server closed the connection, without a code".into(),
            _ if self.has_stream_ended => "the server dropped the connection without a close frame".into(),
            _ => format!("the server has not answered our close frame for {} s", PATIENCE.as_secs()),
        }
        .into())
    }
}
