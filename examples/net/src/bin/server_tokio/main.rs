//! A WebSocket server on tokio: `Assembler`, `Extensions` and `SendQueue` with all that a server needs around them.
//!
//! To be read in this order: here the connections are accepted, and each is driven by one task; `accept` is the opening
//! handshake; `session` is one connection without its I/O; `room` is what goes to all clients; `options` is the command
//! line.

mod accept;
mod options;
mod room;
mod session;

use std::io::ErrorKind::{TimedOut, UnexpectedEof};
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::BufMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use websocket_wire::{Close, CloseCode};

use options::{HELP, Options};
use room::{News, Room};
use session::Session;

/// How much is asked for at once, in bytes.
const READ: usize = 16 << 10;

/// How long the peer may take to see that the stream has ended.
const LINGER: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    match serve(Arc::new(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the server cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until a signal comes, and then until the connections are closed.
#[tokio::main]
async fn serve(options: Arc<Options>) -> io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let listener = TcpListener::bind(&options.listen).await?;
    log(format_args!("listening on ws://{}/", listener.local_addr()?));

    // Nothing is ever sent through it: that the sender is gone is the signal.
    let (running, stopped) = watch::channel(());
    let room = options.is_broadcast.then(|| Arc::new(Room::new()));
    let mut connections = JoinSet::new();
    for number in 1_u64.. {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        };
        match stream {
            Ok((stream, _)) => {
                let (options, room, stopped) = (options.clone(), room.clone(), stopped.clone());
                connections.spawn(async move {
                    let summary = connection(stream, options, room, stopped).await;
                    log(format_args!("connection {number}: {summary}"));
                });
            }
            // As where there are too many open files: those who are here are served on.
            Err(error) => {
                log(format_args!("connection {number}: not accepted: {error}"));
                sleep(Duration::from_millis(100)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }

    drop((listener, running));
    log(format_args!("closing {} connections", connections.len()));
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(options.close_timeout + LINGER, all).await.is_err() {
        log(format_args!("some connections did not close in time"));
    }
    Ok(())
}

/// Runs one connection from its first byte to its last; returns how it went.
async fn connection(
    mut stream: TcpStream,
    options: Arc<Options>,
    room: Option<Arc<Room>>,
    mut stopped: watch::Receiver<()>,
) -> String {
    _ = stream.set_nodelay(true);
    let accepted = tokio::select! {
        accepted = timeout(options.handshake_timeout, accept::accept(&mut stream, &options)) => accepted,
        _ = stopped.changed() => return "the server stopped within the handshake".into(),
    };
    let accepted = match accepted {
        Ok(Ok(accepted)) => accepted,
        Ok(Err(refused)) => {
            finish(stream).await;
            return refused.to_string();
        }
        Err(_) => return "the handshake took too long".into(),
    };
    let news = room.as_ref().map(|room| room.enter());
    let mut session = Session::new(accepted, options, room);
    let end = drive(&mut session, &mut stream, news, stopped).await;
    if end.is_ok() {
        finish(stream).await;
    }
    match end {
        Ok(()) => session.summary(),
        Err(error) => format!("{}; {error}", session.summary()),
    }
}

/// Reads, writes and waits for one connection until it is over. Every branch may be dropped at any time: reading and
/// writing keep what they have done in `session`.
async fn drive(
    session: &mut Session,
    stream: &mut TcpStream,
    mut news: Option<Receiver<Arc<News>>>,
    mut stopped: watch::Receiver<()>,
) -> io::Result<()> {
    let (mut reader, mut writer) = stream.split();
    let mut timer = pin!(sleep_until(Instant::now()));
    loop {
        // What goes to all is taken before more of it is made. No task waits for the network before it takes its own, so to
        // let the others run is enough.
        while let Some(Ok(taken)) = news.as_mut().map(Receiver::try_recv) {
            session.tell(Ok(taken))?;
        }
        if session.is_ahead() {
            yield_now().await;
            continue;
        }
        session.process()?;
        if session.is_over() {
            return Ok(());
        }
        let (wants_input, is_open, at) = (session.wants_input(), !session.is_closing(), session.next_tick());
        if let Some(at) = at.filter(|at| *at != timer.deadline()) {
            timer.as_mut().reset(at);
        }
        session.input.reserve(READ);
        let mut input = (&mut session.input).limit(READ);
        tokio::select! {
            count = reader.read_buf(&mut input), if wants_input => match count? {
                0 => return Err(io::Error::new(UnexpectedEof, "the peer dropped the connection")),
                _ => session.heard(),
            },
            count = writer.write_buf(&mut session.queue), if !session.queue.is_empty() => {
                count?;
                session.wrote();
            }
            news = next(&mut news) => session.tell(news)?,
            () = &mut timer, if at.is_some() => if session.tick(Instant::now())? {
                return Err(io::Error::new(TimedOut, "the peer has not answered the close frame in time"));
            },
            _ = stopped.changed(), if is_open => {
                session.close(Some(Close { code: CloseCode::GOING_AWAY, reason: "the server stops".into() }))?;
            }
        }
    }
}

/// Waits for what goes to all; for ever where nothing does.
async fn next(news: &mut Option<Receiver<Arc<News>>>) -> Result<Arc<News>, RecvError> {
    match news {
        Some(news) => news.recv().await,
        None => std::future::pending().await,
    }
}

/// Ends the stream and reads on until the peer has seen that: to close a socket with unread bytes resets the connection,
/// and the peer may lose the close frame.
async fn finish(mut stream: TcpStream) {
    let mut unread = [0; 4096];
    let seen = async {
        stream.shutdown().await?;
        while stream.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // Whatever goes wrong here, the connection is over.
    _ = timeout(LINGER, seen).await;
}

/// Prints a line. That nobody reads it any more is no reason to stop.
fn log(line: std::fmt::Arguments<'_>) {
    _ = writeln!(io::stdout(), "{line}");
}
