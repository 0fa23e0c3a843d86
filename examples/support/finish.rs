//! How a server leaves a TCP connection so that all it has sent arrives.

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How long the peer may take to see that the stream has ended.
const LINGER: Duration = Duration::from_secs(2);

/// Ends the stream and reads on until the peer has seen that (RFC 6455 §7.1.1): to close a socket with unread bytes resets
/// the connection, and the peer may lose the close frame and what went before it.
pub(crate) fn finish(mut stream: TcpStream) {
    let (end, mut unread) = (Instant::now() + LINGER, [0; 4096]);
    stream.shutdown(Shutdown::Write).ok();
    loop {
        // No time at all is an error.
        let left = stream.set_read_timeout(Some(end.saturating_duration_since(Instant::now())));
        if left.is_err() || !matches!(stream.read(&mut unread), Ok(1..)) {
            return;
        }
    }
}
