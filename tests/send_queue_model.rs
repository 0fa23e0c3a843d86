//! The queue of what is to be written: whatever is pushed, and however little is written at a time, the bytes are those of
//! a model that knows frames only.
#![cfg(feature = "alloc")]

mod support;

use std::cell::Cell;
use std::collections::VecDeque;

use bytes::Buf;
use proptest::prelude::*;
use support::build::{Built, frame};
use support::oracle::{Oracle, Rules, Verdict};
use support::send::{self, all};
use websocket_wire::{
    Close, CloseCode, CloseFrame, EncodeError, Encoder, Fragmenter, Message, Opcode, PreparedFrame, SendQueue, Side,
};

/// The queue as the rules tell it: whole frames in two lines, and the rest of the one that has begun.
#[derive(Default)]
struct Model {
    is_client: bool,
    fragment_len: usize,
    draws: u32,
    control: VecDeque<Vec<u8>>,
    data: VecDeque<Vec<u8>>,
    begun: VecDeque<u8>,
    is_data_begun: bool,
    close: Option<Vec<u8>>,
    is_closed: bool,
}

impl Model {
    fn encode(&mut self, frame: Built) -> Vec<u8> {
        self.draws += 1;
        if self.is_client { frame.key(send::key(self.draws)).wire() } else { frame.wire() }
    }

    fn push(&mut self, opcode: u8, payload: &[u8]) -> bool {
        if self.is_closed || self.close.is_some() {
            return false;
        }
        let mut pieces: Vec<_> = payload.chunks(self.fragment_len).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let count = pieces.len();
        for (i, piece) in pieces.into_iter().enumerate() {
            let frame = frame(if i == 0 { opcode } else { 0 }, piece);
            let frame = self.encode(Built { fin: i + 1 == count, ..frame });
            self.data.push_back(frame);
        }
        true
    }

    fn control(&mut self, opcode: u8, payload: &[u8]) {
        if !self.is_closed {
            let frame = self.encode(frame(opcode, payload));
            self.control.push_back(frame);
        }
    }

    fn close(&mut self, body: &[u8]) {
        if !self.is_closed && self.close.is_none() {
            self.close = Some(body.to_vec());
            self.settle();
        }
    }

    fn close_now(&mut self, body: &[u8]) {
        if !self.is_closed {
            self.data.clear();
            self.close = Some(body.to_vec());
            self.settle();
        }
    }

    /// A close frame goes out once no data is ahead of it.
    fn settle(&mut self) {
        let is_data_left = !self.data.is_empty() || (self.is_data_begun && !self.begun.is_empty());
        if !is_data_left && let Some(body) = self.close.take() {
            self.control(8, &body);
            self.is_closed = true;
        }
    }

    fn write(&mut self) -> Option<u8> {
        if self.begun.is_empty() {
            self.is_data_begun = self.control.is_empty();
            self.begun = self.control.pop_front().or_else(|| self.data.pop_front())?.into();
        }
        let byte = self.begun.pop_front();
        self.settle();
        byte
    }

    fn len(&self) -> usize {
        let waiting = self.control.iter().chain(&self.data);
        waiting.map(Vec::len).sum::<usize>() + self.begun.len()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Message { is_text: bool, len: usize },
    Copy { len: usize },
    Prepared { len: usize },
    Ping { len: usize },
    Pong { len: usize },
    Close { reason: usize },
    CloseNow { reason: usize },
    Write { len: usize, most: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let len = || prop_oneof![6 => 0usize..20, 2 => 110usize..140, 2 => 2040usize..2060, 1 => 4000usize..10_000];
    prop_oneof![
        6 => (any::<bool>(), len()).prop_map(|(is_text, len)| Step::Message { is_text, len }),
        2 => len().prop_map(|len| Step::Copy { len }),
        2 => len().prop_map(|len| Step::Prepared { len }),
        2 => (0usize..126).prop_map(|len| Step::Ping { len }),
        2 => (0usize..30).prop_map(|len| Step::Pong { len }),
        1 => prop::bool::weighted(0.2).prop_flat_map(|_| (0usize..20).prop_map(|reason| Step::Close { reason })),
        1 => (0usize..20).prop_map(|reason| Step::CloseNow { reason }),
        8 => (prop_oneof![0usize..8, 0usize..300, 0usize..5000], 1usize..6).prop_map(|(len, most)| Step::Write { len, most }),
    ]
}

/// Takes up to `len` bytes of the first `most` slices, as a write might; checks all that the queue shows.
fn write<S: Side>(queue: &mut SendQueue<S>, len: usize, most: usize) -> Vec<u8> {
    let (all, total) = (all(queue), queue.len());
    assert_eq!(all.len(), total);
    let mut slices = vec![&[][..]; most];
    let count = queue.slices(&mut slices);
    assert!(slices[..count].iter().all(|slice| !slice.is_empty()));
    let shown = slices[..count].concat();
    assert!(all.starts_with(&shown));
    assert!(count == most || shown.len() == total, "less slices than asked for are all");
    assert_eq!(queue.chunk(), slices[..count].first().copied().unwrap_or_default());
    let len = len.min(shown.len());
    queue.advance(len);
    shown[..len].to_vec()
}

/// Runs the steps on the queue and on the model, and compares after each. `prepared` pushes one frame for many.
fn run<S: Side>(
    mut queue: SendQueue<S>,
    mut model: Model,
    steps: &[Step],
    prepared: impl Fn(&mut SendQueue<S>, &PreparedFrame) -> Option<Result<(), EncodeError>>,
) -> Vec<u8> {
    let mut wire = Vec::new();
    let text = |len: usize| "abcdefghij".repeat(len / 10 + 1)[..len].to_owned();
    for step in steps {
        match *step {
            Step::Message { is_text, len } => {
                let message = if is_text { Message::Text(text(len).into()) } else { Message::Binary(text(len).into()) };
                let is_pushed = model.push(if is_text { 1 } else { 2 }, text(len).as_bytes());
                assert_eq!(queue.push_message(message), if is_pushed { Ok(()) } else { Err(EncodeError::Closed) });
            }
            Step::Copy { len } => {
                let result = Fragmenter::new(Opcode::Text, model.fragment_len)
                    .finish(text(len).as_bytes())
                    .try_for_each(|(header, payload)| queue.push_copy(header, payload));
                assert_eq!(result.is_ok(), model.push(1, text(len).as_bytes()));
            }
            Step::Prepared { len } => {
                let frame = PreparedFrame::new(Opcode::Binary, text(len).as_bytes()).unwrap();
                if let Some(result) = prepared(&mut queue, &frame) {
                    let whole = std::mem::replace(&mut model.fragment_len, usize::MAX);
                    assert_eq!(result.is_ok(), model.push(2, text(len).as_bytes()));
                    model.fragment_len = whole;
                }
            }
            Step::Ping { len } => {
                queue.ping(text(len).as_bytes()).unwrap();
                model.control(9, text(len).as_bytes());
            }
            Step::Pong { len } => {
                queue.push_message(Message::Pong(text(len).into())).unwrap();
                model.control(10, text(len).as_bytes());
            }
            Step::Close { reason } => {
                let body = [&[3, 232], text(reason).as_bytes()].concat();
                let close = Close { code: CloseCode::NORMAL, reason: text(reason).into() };
                queue.push_message(Message::Close(Some(close))).unwrap();
                model.close(&body);
            }
            Step::CloseNow { reason } => {
                let body = [&[3, 233], text(reason).as_bytes()].concat();
                queue.close_now(Some(CloseFrame::new(CloseCode::GOING_AWAY, &text(reason)))).unwrap();
                model.close_now(&body);
            }
            Step::Write { len, most } => {
                let written = write(&mut queue, len, most);
                let expected: Vec<_> = (0..written.len()).map_while(|_| model.write()).collect();
                assert_eq!(written, expected);
                wire.extend(written);
            }
        }
        assert_eq!(queue.len(), model.len(), "behind {step:?}");
        assert_eq!(queue.is_closed(), model.is_closed || model.close.is_some());
    }
    while !queue.is_empty() {
        wire.extend(write(&mut queue, usize::MAX, 3));
    }
    let rest: Vec<_> = std::iter::from_fn(|| model.write()).collect();
    assert!(wire.ends_with(&rest));
    assert_eq!(queue.messages(), 0);
    wire
}

proptest! {
    #![proptest_config(support::cases(400))]

    #[test]
    fn any_pushes_and_any_partial_writes_give_the_models_bytes(
        steps in prop::collection::vec(step(), 0..40),
        fragment_len in prop_oneof![Just(usize::MAX), 1usize..9, 1000usize..5000],
    ) {
        let model = |is_client| Model { is_client, fragment_len, ..Model::default() };
        let queue = SendQueue::new(Encoder::server()).fragmenting(fragment_len);
        let wire = run(queue, model(false), &steps, |queue, frame| Some(queue.push_prepared(frame)));
        let verdict = Oracle::of(&Rules::strict(false), &wire).verdict;
        prop_assert!(!matches!(verdict, Verdict::Failed(_)), "{:?}", verdict);

        let draws = Cell::new(0);
        let queue = SendQueue::new(Encoder::client(send::keys(&draws))).fragmenting(fragment_len);
        let wire = run(queue, model(true), &steps, |_, _| None);
        let verdict = Oracle::of(&Rules::strict(true), &wire).verdict;
        prop_assert!(!matches!(verdict, Verdict::Failed(_)), "{:?}", verdict);
    }
}
