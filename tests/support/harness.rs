//! The harness: feeds the decoder piece by piece and, after every piece, holds it to the oracle and to its contract.

use std::ops::Range;

use websocket_wire::{CloseFrame, DecodeError, Decoder, Frame, Header, Status};

use super::oracle::{Joined, Oracle, Rules, Verdict};

/// What `decode` returned as a frame, copied out so that the buffer is free again.
struct Part {
    joined: Joined,
    range: Range<usize>,
    is_first: bool,
    is_last: bool,
    ends_message: bool,
    text: Option<String>,
    close: Option<(u16, String)>,
}

impl Part {
    fn of(frame: &Frame<'_>) -> Self {
        let Header { fin, rsv, opcode, mask, payload_len } = *frame.header();
        let joined = Joined {
            fin,
            rsv: rsv.bits(),
            opcode: opcode.bits(),
            key: mask.map(|key| key.to_bytes()),
            len: payload_len,
            message_opcode: frame.message_opcode().bits(),
            is_whole_text: false,
            payload: frame.payload().to_vec(),
        };
        let close = |close: CloseFrame<'_>| (close.code().0, close.reason().to_owned());
        Self {
            joined,
            range: frame.range(),
            is_first: frame.is_first_part(),
            is_last: frame.is_last_part(),
            ends_message: frame.ends_message(),
            text: frame.text().map(str::to_owned),
            close: frame.close().map(close),
        }
    }
}

/// One decoder, one oracle, and the buffer between them.
pub(crate) struct Harness {
    decoder: Decoder,
    oracle: Oracle,
    buf: Vec<u8>,
    consumed: usize,
    frames: Vec<Joined>,
    /// A part left bytes of its own frame behind: the first of them must be a fault.
    owes_fault: bool,
}

/// Feeds `stream` up to each of `cuts` in turn, then to its end.
pub(crate) fn check(rules: &Rules, stream: &[u8], cuts: impl IntoIterator<Item = usize>) {
    let mut harness = Harness::new(rules);
    let mut fed = 0;
    for cut in cuts.into_iter().chain([stream.len()]) {
        harness.feed(&stream[fed..cut]);
        fed = cut;
    }
    harness.check_end();
}

/// Feeds `stream` as a whole, and then byte by byte.
pub(crate) fn check_both_ways(rules: &Rules, stream: &[u8]) {
    check(rules, stream, []);
    check(rules, stream, 1..stream.len());
}

impl Harness {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self {
            decoder: Decoder::new(rules.config()),
            oracle: Oracle::new(rules),
            buf: Vec::new(),
            consumed: 0,
            frames: Vec::new(),
            owes_fault: false,
        }
    }

    /// Gives `bytes` to both, lets the decoder take all it can, and compares.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buf.extend(bytes);
        bytes.iter().for_each(|byte| self.oracle.push(*byte));
        while self.step() {}
        assert_eq!(self.consumed, self.oracle.consumed, "consumed, behind {} bytes", self.buf.len());
        assert_eq!(self.verdict(), self.oracle.verdict, "verdict, behind {} bytes", self.buf.len());
        assert_eq!(self.decoder.is_idle(), self.oracle.is_idle(), "idle, behind {} bytes", self.buf.len());
        assert_eq!(self.frames.len(), self.oracle.frames.len(), "frames, behind {} bytes", self.buf.len());
        assert_eq!(self.frames.last(), self.oracle.frames.last(), "behind {} bytes", self.buf.len());
    }

    /// Compares all that came out, and checks that a verdict is final.
    pub(crate) fn check_end(mut self) {
        assert_eq!(self.frames, self.oracle.frames);
        if self.verdict() == Verdict::Open {
            return;
        }
        for bytes in [&b""[..], b"\x81", b"\x81\x00", b"\x81\x80\0\0\0\0", b"\xFF\xFF\xFF", &[0; 200]] {
            let mut buf = bytes.to_vec();
            match (self.decoder.decode(&mut buf), self.oracle.verdict) {
                (Err(error), Verdict::Failed(expected)) => assert_eq!(error, expected),
                (Ok(Status::Partial { needed: 1 }), Verdict::Closed) => {}
                (other, verdict) => panic!("{other:?} behind {verdict:?}"),
            }
            assert_eq!(buf, bytes, "behind a verdict nothing is touched");
        }
    }

    fn verdict(&self) -> Verdict {
        match (self.decoder.error(), self.decoder.is_closed()) {
            (Some(error), false) => Verdict::Failed(error),
            (None, true) => Verdict::Closed,
            (None, false) => Verdict::Open,
            (Some(_), true) => panic!("closed and failed at once"),
        }
    }

    /// Calls `decode` once; returns whether it is to be called again.
    fn step(&mut self) -> bool {
        let before = self.buf[self.consumed..].to_vec();
        match self.decoder.decode(&mut self.buf[self.consumed..]) {
            Ok(Status::Complete { value, consumed }) => {
                let part = Part::of(&value);
                assert!(!self.owes_fault, "a part left bytes behind that are no fault");
                self.accept(part, consumed, &before);
                true
            }
            Ok(Status::Partial { needed }) => {
                assert_eq!(self.buf[self.consumed..], before, "Partial leaves the buffer as it was");
                assert_eq!(needed, self.oracle.needed(), "needed, behind {} bytes", self.buf.len());
                assert!(!self.owes_fault && needed > 0);
                false
            }
            Err(error) => {
                assert_eq!(self.buf[self.consumed..], before, "an error leaves the buffer as it was");
                assert!(!self.owes_fault || error == DecodeError::InvalidUtf8);
                self.owes_fault = false;
                false
            }
        }
    }

    fn accept(&mut self, part: Part, consumed: usize, before: &[u8]) {
        let here = &self.buf[self.consumed..];
        assert!(consumed > 0, "every call consumes, needs more, or fails");
        assert_eq!(here[consumed..], before[consumed..], "the bytes behind `consumed` stay as they were");
        assert_eq!(here[part.range.clone()], part.joined.payload, "the range is where the payload lies");
        assert_eq!(part.range.end, consumed);
        assert!(part.is_first || part.range.start == 0);
        assert!(!part.joined.payload.is_empty() || part.joined.len == 0, "a part has at least one byte");
        let is_whole = part.is_first && part.is_last;
        self.owes_fault = !part.is_last && consumed < here.len();
        self.consumed += consumed;

        self.join(&part);
        let place = self.frames.len() - 1;
        let (joined, expected) = (&mut self.frames[place], &self.oracle.frames[place]);
        joined.is_whole_text = expected.is_whole_text;
        let is_last = joined.payload.len() as u64 == joined.len;
        assert_eq!(part.is_last, is_last);
        assert_eq!(part.ends_message, is_last && joined.fin && joined.opcode < 8);
        let text = (is_whole && expected.is_whole_text).then_some(&expected.payload[..]);
        assert_eq!(part.text.as_deref().map(str::as_bytes), text, "text only where a whole message is valid");
        assert_eq!(part.close, close(expected));
    }

    fn join(&mut self, part: &Part) {
        if part.is_first {
            self.frames.push(part.joined.clone());
            return;
        }
        let frame = self.frames.last_mut().expect("a part of no frame");
        let payload = [&frame.payload[..], &part.joined.payload].concat();
        *frame = Joined { payload, is_whole_text: frame.is_whole_text, ..part.joined.clone() };
    }
}

/// Returns what a close frame that passed the oracle says.
fn close(frame: &Joined) -> Option<(u16, String)> {
    let (code, reason) = frame.payload.split_first_chunk()?;
    (frame.opcode == 8).then(|| (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap()))
}
