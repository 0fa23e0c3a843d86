//! A server and a client that talk through pipes, which cut as they like and may damage a byte. What either end writes is
//! what the oracle takes, damage or not; without damage every message arrives, the last ping is answered, and the closing
//! handshake comes to its end at both.
#![no_main]

mod support;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use support::oracle::{Oracle, Rules, Verdict};
use support::send::key;
use websocket_wire::{CloseCode, CloseFrame, Connection, Header, MaskingKey, Opcode, Side, Status};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum What {
    Message {
        len: u8,
        fin: bool,
    },
    Ping(u8),
    Close,
    /// Writes so many bytes of the replies.
    Write(u8),
    /// Lets so many bytes come out of the pipe at the other end.
    Deliver(u8),
    /// Changes a byte that is on its way.
    Damage {
        at: u8,
        by: u8,
    },
}

fuzz_target!(|steps: Vec<(bool, What)>| {
    let mut drawn = 0;
    let keys = || {
        drawn += 1;
        MaskingKey::new(key(drawn))
    };
    let (mut server, mut client) = (End::new(Connection::server()), End::new(Connection::client(keys)));
    let mut is_damaged = false;
    for (is_server, what) in steps {
        is_damaged |= if is_server { server.act(what, &mut client) } else { client.act(what, &mut server) };
        assert!(server.connection.pending_output().len() <= 262 && client.connection.pending_output().len() <= 262);
    }
    settle(&mut server, &mut client);
    if !is_damaged && !server.connection.is_close_sent() {
        assert_eq!((server.last_ping, client.last_ping), (server.last_pong, client.last_pong));
    }
    server.connection.close(Some(CloseFrame::new(CloseCode::NORMAL, "end"))).unwrap();
    settle(&mut server, &mut client);
    if !is_damaged {
        assert_eq!((&server.sent, &client.sent), (&client.received, &server.received));
        assert_eq!((server.connection.error(), client.connection.error()), (None, None));
        assert!(server.connection.should_close_tcp() && client.connection.is_close_received());
        assert_eq!(server.connection.close_code(), client.connection.close_code());
    }
    server.check_end(&Rules::strict(false));
    client.check_end(&Rules::strict(true));
});

/// Writes all replies and delivers all bytes until nothing moves any more.
fn settle<A: Side, B: Side>(a: &mut End<A>, b: &mut End<B>) {
    for _ in 0..4 {
        a.write(usize::MAX);
        a.deliver(usize::MAX, b);
        b.write(usize::MAX);
        b.deliver(usize::MAX, a);
    }
    assert!(a.pipe.is_empty() && b.pipe.is_empty());
}

struct End<S> {
    connection: Connection<S>,
    /// All that was ever written, and what of it is on its way, perhaps damaged.
    written: Vec<u8>,
    pipe: Vec<u8>,
    inbox: Vec<u8>,
    sent: Vec<Vec<u8>>,
    sending: Option<Vec<u8>>,
    received: Vec<Vec<u8>>,
    receiving: Vec<u8>,
    last_ping: Option<u8>,
    last_pong: Option<u8>,
}

impl<S: Side> End<S> {
    fn new(connection: Connection<S>) -> Self {
        let (written, pipe, inbox, receiving) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (sent, sending, received) = (Vec::new(), None, Vec::new());
        Self { connection, written, pipe, inbox, sent, sending, received, receiving, last_ping: None, last_pong: None }
    }

    /// Returns whether it did damage.
    fn act<T: Side>(&mut self, what: What, peer: &mut End<T>) -> bool {
        match what {
            What::Message { len, fin } => self.send(len, fin),
            What::Ping(payload) => {
                let mut out = [0; 7];
                if let Ok(Ok(len)) = self.connection.encoder().map(|encoder| encoder.ping(&[payload], &mut out)) {
                    self.put(&out[..len]);
                    self.last_ping = Some(payload);
                }
            }
            What::Close => self.connection.close(None).unwrap(),
            What::Write(len) => self.write(len.into()),
            What::Deliver(len) => self.deliver(len.into(), peer),
            What::Damage { at, by } => match self.pipe.get_mut(usize::from(at)) {
                Some(byte) if by != 0 => *byte ^= by,
                _ => return false,
            },
        }
        matches!(what, What::Damage { .. })
    }

    fn send(&mut self, len: u8, fin: bool) {
        let opcode = if self.sending.is_some() { Opcode::Continuation } else { Opcode::Binary };
        let (payload, mut out) = (vec![len; usize::from(len)], [0; 300]);
        let header = Header { fin, ..Header::new(opcode) };
        let result = self.connection.encoder().and_then(|encoder| encoder.encode(header, &payload, &mut out));
        let Ok(written) = result else { return };
        self.put(&out[..written]);
        self.sending.get_or_insert_default().extend(payload);
        if fin {
            self.sent.extend(self.sending.take());
        }
    }

    fn write(&mut self, len: usize) {
        let pending = self.connection.pending_output();
        let pending = pending[..len.min(pending.len())].to_vec();
        self.connection.consume_output(pending.len());
        self.put(&pending);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.written.extend(bytes);
        self.pipe.extend(bytes);
    }

    fn deliver<T: Side>(&mut self, len: usize, peer: &mut End<T>) {
        peer.inbox.extend(self.pipe.drain(..len.min(self.pipe.len())));
        peer.receive();
    }

    fn receive(&mut self) {
        let mut at = 0;
        while let Ok(Status::Complete { value: frame, consumed }) = self.connection.receive(&mut self.inbox[at..]) {
            assert!(consumed > 0);
            at += consumed;
            match frame.message_opcode() {
                Opcode::Binary => self.receiving.extend(frame.payload()),
                Opcode::Pong => self.last_pong = frame.payload().first().copied(),
                _ => {}
            }
            if frame.ends_message() {
                self.received.push(std::mem::take(&mut self.receiving));
            }
        }
        self.inbox.drain(..at);
    }

    fn check_end(mut self, rules: &Rules) {
        self.connection.receive_eof();
        self.write(usize::MAX);
        assert!(self.connection.should_close_tcp());
        let oracle = Oracle::of(rules, &self.written);
        assert!(!matches!(oracle.verdict, Verdict::Failed(_)), "{:?}", oracle.verdict);
        assert_eq!(oracle.consumed, self.written.len(), "whole frames, and none behind a close frame");
    }
}
