//! The endpoint against a model of it that keeps whole frames in a list, and two endpoints that talk through a pipe that
//! cuts everywhere.

mod support;

use proptest::prelude::*;
use support::build::frame;
use support::cases;
use websocket_wire::{CloseCode, CloseFrame, Connection, DecodeError, MaskingKey, Server, Side, Status};

/// What can happen to a server.
#[derive(Clone, Debug)]
enum Step {
    /// A ping comes.
    Ping(Vec<u8>),
    /// A message comes.
    Data,
    /// A close frame comes.
    Close(Option<u16>),
    /// An unmasked frame comes.
    Fault,
    /// The stream ends.
    Eof,
    /// The caller closes, with a reason of that many bytes.
    CloseOurs(usize),
    /// So much of what is pending is written, in 256ths.
    Write(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..126).prop_map(Step::Ping),
        2 => Just(Step::Data),
        1 => prop::option::of(prop_oneof![Just(1000), 3000u16..5000]).prop_map(Step::Close),
        1 => Just(Step::Fault),
        1 => Just(Step::Eof),
        1 => (0usize..124).prop_map(Step::CloseOurs),
        8 => any::<u8>().prop_map(Step::Write),
    ]
}

/// The replies as whole frames; the first has been written up to `written`.
#[derive(Default)]
struct Model {
    frames: Vec<Vec<u8>>,
    written: usize,
    is_close_sent: bool,
    is_close_received: bool,
    is_failed: bool,
    is_at_eof: bool,
    code: Option<u16>,
}

impl Model {
    fn hears(&self) -> bool {
        !self.is_close_received && !self.is_failed
    }

    fn pong(&mut self, payload: &[u8]) {
        if !self.is_close_sent && !self.is_at_eof {
            self.frames.truncate(usize::from(self.written > 0));
            self.frames.push(frame(10, payload).wire());
        }
    }

    fn close(&mut self, body: &[u8]) {
        if !self.is_close_sent && !self.is_at_eof {
            self.is_close_sent = true;
            self.frames.truncate(1);
            self.frames.push(frame(8, body).wire());
        }
    }

    fn pending(&self) -> Vec<u8> {
        self.frames.concat()[self.written..].to_vec()
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Ping(payload) if self.hears() => self.pong(payload),
            Step::Close(code) if self.hears() => {
                self.is_close_received = true;
                self.code = Some(code.unwrap_or(1005));
                self.close(&code.map_or(vec![], |code| code.to_be_bytes().to_vec()));
            }
            Step::Fault if self.hears() => {
                self.is_failed = true;
                self.close(&[b"\x03\xEA", DecodeError::MissingMask.to_string().as_bytes()].concat());
            }
            Step::Eof => {
                self.is_at_eof = true;
                if !self.is_close_received && !self.is_failed {
                    self.frames.clear();
                    self.written = 0;
                }
                self.code.get_or_insert(1006);
            }
            Step::CloseOurs(len) => self.close(&[&b"\x03\xE9"[..], &vec![b'x'; *len]].concat()),
            Step::Write(share) => {
                self.written += self.pending().len() * usize::from(*share) / 255;
                while self.frames.first().is_some_and(|first| first.len() <= self.written) {
                    self.written -= self.frames.remove(0).len();
                }
            }
            _ => {}
        }
    }

    fn check(&self, server: &mut Connection<Server>) {
        assert_eq!(server.pending_output(), self.pending());
        assert_eq!(server.is_close_sent(), self.is_close_sent);
        assert_eq!(server.is_close_received(), self.is_close_received);
        assert_eq!(server.close_code().map(u16::from), self.code);
        assert_eq!(server.error().is_some(), self.is_failed);
        let is_over = self.is_failed || self.is_at_eof || (self.is_close_sent && self.is_close_received);
        assert_eq!(server.should_close_tcp(), is_over && self.pending().is_empty());
        assert_eq!(server.encoder().is_ok(), self.written == 0 && !self.is_at_eof);
    }
}

/// Gives one frame, in pieces of `piece`; returns how many came out.
fn receive(server: &mut Connection<Server>, wire: &[u8], piece: usize) -> usize {
    let (mut buf, mut frames) = (Vec::new(), 0);
    for piece in wire.chunks(piece) {
        buf.extend(piece);
        while let Ok(Status::Complete { value, consumed }) = server.receive(&mut buf) {
            frames += usize::from(value.is_last_part());
            buf.drain(..consumed);
        }
    }
    frames
}

fn apply(server: &mut Connection<Server>, step: &Step, piece: usize, hears: bool) {
    let key = [1, 2, 3, 4];
    let wire = match step {
        Step::Ping(payload) => frame(9, payload).key(key).wire(),
        Step::Data => frame(1, "data").key(key).wire(),
        Step::Close(code) => frame(8, code.map_or(vec![], |code| code.to_be_bytes().to_vec())).key(key).wire(),
        Step::Fault => vec![0x81, 0],
        Step::Eof => {
            server.receive_eof();
            return;
        }
        Step::CloseOurs(len) => {
            return server.close(Some(CloseFrame::new(CloseCode::GOING_AWAY, &"x".repeat(*len)))).unwrap();
        }
        Step::Write(share) => {
            return server.consume_output(server.pending_output().len() * usize::from(*share) / 255);
        }
    };
    let expected = usize::from(hears && !matches!(step, Step::Fault));
    assert_eq!(receive(server, &wire, piece), expected, "delivered");
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn a_server_does_what_the_model_does(steps in prop::collection::vec(step(), 0..40), piece in 1usize..20) {
        let (mut server, mut model) = (Connection::server(), Model::default());
        for step in &steps {
            let hears = model.hears();
            model.apply(step);
            apply(&mut server, step, piece, hears);
            model.check(&mut server);
        }
    }

    #[test]
    fn two_ends_understand_each_other_through_any_pipe(
        moves in prop::collection::vec((0u8..8, any::<bool>(), 1usize..40), 0..150),
        end in any::<bool>(),
    ) {
        let mut key = 0u32;
        let mut client = End::new(Connection::client(move || { key += 0x0101_0307; MaskingKey::new(key.to_be_bytes()) }));
        let mut server = End::new(Connection::server());
        for (action, to_client, len) in moves {
            if to_client { server.act(action, len); client.take(&mut server.outbox, len) }
            else { client.act(action, len); server.take(&mut client.outbox, len) }
        }
        let code = Some(CloseCode::NORMAL);
        if end { client.close(code) } else { server.close(code) }
        for _ in 0..4 {
            client.write(usize::MAX);
            server.take(&mut client.outbox, usize::MAX);
            server.write(usize::MAX);
            client.take(&mut server.outbox, usize::MAX);
        }
        assert_eq!((&client.received, &server.received), (&server.sent, &client.sent));
        assert!(server.connection.should_close_tcp());
        // Who did not begin has sent back what it got.
        let codes = (client.closed_with.or(server.closed_with), server.closed_with.or(client.closed_with));
        assert_eq!(codes, (Some(server.connection.receive_eof()), Some(client.connection.receive_eof())));
        assert!(client.connection.is_close_received() && client.connection.should_close_tcp());
    }
}

/// An end, what it has given to its pipe, and what it has got out of the other one.
struct End<S> {
    connection: Connection<S>,
    outbox: Vec<u8>,
    inbox: Vec<u8>,
    sent: Vec<u8>,
    received: Vec<u8>,
    /// The code of the close frame that this end sent unasked.
    closed_with: Option<CloseCode>,
}

impl<S: Side> End<S> {
    fn new(connection: Connection<S>) -> Self {
        Self { connection, outbox: vec![], inbox: vec![], sent: vec![], received: vec![], closed_with: None }
    }

    fn close(&mut self, code: Option<CloseCode>) {
        if !self.connection.is_close_sent() {
            self.closed_with = Some(code.unwrap_or(CloseCode::NO_STATUS));
        }
        self.connection.close(code.map(|code| CloseFrame::new(code, "done"))).unwrap();
    }

    /// Writes replies, or sends a message or a ping, or, rarely, closes.
    fn act(&mut self, action: u8, len: usize) {
        if action < 3 {
            return self.write(len);
        }
        if (action, len) == (7, 39) {
            return self.close(None);
        }
        let (payload, mut out) = (vec![len as u8; 5 * len], [0; 256]);
        let Ok(encoder) = self.connection.encoder() else { return };
        let frame = match action {
            3 => encoder.ping(&payload[..len], &mut out),
            _ => encoder.binary(&payload, &mut out).inspect(|_| self.sent.extend(&payload)),
        };
        self.outbox.extend(&out[..frame.unwrap_or(0)]);
    }

    /// Writes at most `len` bytes of what is pending.
    fn write(&mut self, len: usize) {
        let len = len.min(self.connection.pending_output().len());
        self.outbox.extend(&self.connection.pending_output()[..len]);
        self.connection.consume_output(len);
    }

    /// Takes at most `len` bytes out of the pipe.
    fn take(&mut self, pipe: &mut Vec<u8>, len: usize) {
        self.inbox.extend(pipe.drain(..len.min(pipe.len())));
        while let Status::Complete { value, consumed } = self.connection.receive(&mut self.inbox).unwrap() {
            if value.header().opcode.is_data() {
                self.received.extend(value.payload());
            }
            self.inbox.drain(..consumed);
        }
    }
}
