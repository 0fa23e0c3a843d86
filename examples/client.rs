//! The smallest client: sends one line, prints one reply, by turns.

#[path = "support/open.rs"]
mod open;

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use bytes::BytesMut;
use open::{Fault, random, random_key};
use websocket_wire::handshake::{Key, Uri, client::Request};
use websocket_wire::{Assembler, Client, CloseCode, CloseFrame, Connection, DecodeError, MaskSource, Message};

const HELP: &str = "\
Sends one line, prints one reply, by turns.

    client URL      as in client 127.0.0.1:9001/chat
    client --help   show this text

\"exit\", or the end of the input, closes the connection. The URL may lack its scheme, ws://, its port and its path.
There is no TLS here: for wss:// there is the program console, in examples/net.

The exit status is 0 behind a close of our own, 1 behind anything else, and 2 for wrong arguments.";

/// How long the server may take to answer our close frame.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        [url] if !url.starts_with('-') => run(url),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(url: &str) -> Result<(), Fault> {
    let mut session = open(url)?;
    let mut lines = io::stdin().lock().lines();
    loop {
        print!("> ");
        io::stdout().flush()?;
        match lines.next().transpose()? {
            Some(line) if line != "exit" => session.send(line)?,
            _ => return session.close(),
        }
        match session.reply()? {
            Message::Text(text) => println!("{text}"),
            other => println!("{other:?}"),
        }
    }
}

fn open(url: &str) -> Result<Session<impl MaskSource>, Fault> {
    let url = open::complete(url);
    let uri = Uri::parse(&url).map_err(|error| format!("{url} is no WebSocket URL: {error}"))?;
    if uri.is_secure() {
        return Err("there is no TLS here: use the program console, in examples/net, for wss://".into());
    }
    let mut stream = open::connect(&uri)?;
    let ((), input) = open::shake_hands(&mut stream, &Request::new(uri, Key::new(random())), |_| Ok(()))?;
    stream.set_read_timeout(None)?;
    Ok(Session { stream, connection: Connection::client(random_key).messages(), input: BytesMut::from(&input[..]) })
}

/// An open connection.
struct Session<M> {
    stream: TcpStream,
    connection: Connection<Client<M>, Assembler>,
    input: BytesMut,
}

impl<M: MaskSource> Session<M> {
    fn send(&mut self, line: String) -> Result<(), Fault> {
        let mut out = BytesMut::new();
        self.connection.encoder()?.message_to(&Message::Text(line.into()), &mut out)?;
        Ok(self.stream.write_all(&out)?)
    }

    /// Waits for the next text or binary message; pings are answered on the way.
    fn reply(&mut self) -> Result<Message, Fault> {
        loop {
            let message = self.connection.next_message(&mut self.input);
            self.write_replies()?;
            match message.map_err(broken)? {
                Some(message @ (Message::Text(_) | Message::Binary(_))) => return Ok(message),
                Some(Message::Close(Some(close))) => {
                    return Err(format!("the server closed the connection: {} {:?}", close.code, close.reason).into());
                }
                Some(Message::Close(None)) => return Err("the server closed the connection".into()),
                Some(_) => {}
                None => self.read_more()?,
            }
            if self.connection.should_close_tcp() {
                return Err("the server dropped the connection without a close frame".into());
            }
        }
    }

    /// Closes, and waits for the server's close frame and for the end of the stream.
    fn close(&mut self) -> Result<(), Fault> {
        self.connection.close(Some(CloseFrame::new(CloseCode::NORMAL, "")))?;
        self.stream.set_read_timeout(Some(PATIENCE))?;
        while !self.connection.should_close_tcp() {
            self.write_replies()?;
            if self.connection.next_message(&mut self.input)?.is_none() {
                self.read_more()?;
            }
        }
        match self.connection.close_code() {
            Some(code) if code != CloseCode::ABNORMAL => Ok(()),
            _ => Err("the server dropped the connection without a close frame".into()),
        }
    }

    /// Writes the pongs and close frames that the connection has made.
    fn write_replies(&mut self) -> io::Result<()> {
        let replies = self.connection.pending_output();
        self.stream.write_all(replies)?;
        self.connection.consume_output(replies.len());
        Ok(())
    }

    fn read_more(&mut self) -> Result<(), Fault> {
        let mut chunk = [0; 16 << 10];
        match self.stream.read(&mut chunk) {
            Ok(0) => _ = self.connection.receive_eof(),
            Ok(len) => self.input.extend_from_slice(&chunk[..len]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if !self.connection.is_close_received() {
                    return Err("the server has not answered our close frame in time".into());
                }
                self.connection.receive_eof(); // it has answered; to wait for the end of TCP has its limits
            }
            Err(error) => return Err(format!("the connection failed: {error}").into()),
        }
        Ok(())
    }
}

fn broken(error: DecodeError) -> String {
    format!("the server broke the protocol: {error}; closed with {}", error.close_code())
}
