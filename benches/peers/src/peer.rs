//! What a contestant can do. Each file of `peers/` fills in what its crate's public API allows.

use std::hint::black_box;
use std::rc::Rc;

use crate::corpus::Digest;

/// Where a payload lies in a buffer.
#[derive(Clone, Copy)]
pub struct Slot {
    pub start: usize,
    pub len: usize,
}

/// A loop over the payloads of a buffer: masks each in place.
pub type MaskLoop = Box<dyn Fn(&mut [u8], &[Slot], [u8; 4])>;
/// The same, unmasking and validating. Tells whether all were valid.
pub type TextLoop = Box<dyn Fn(&mut [u8], &[Slot], [u8; 4]) -> bool>;
/// A loop over headers at the given places of a buffer. Returns the sum of the payload lengths.
pub type ParseLoop = Box<dyn Fn(&[u8], &[usize]) -> u64>;

pub struct Peer {
    pub name: &'static str,
    pub mask: Option<MaskLoop>,
    pub text: Option<TextLoop>,
    pub parse: Option<ParseLoop>,
    pub write: Option<Box<dyn HeaderWriter>>,
    pub receiver: Option<Box<dyn Receiver>>,
    /// A client's and a server's.
    pub senders: Option<[Box<dyn Sender>; 2]>,
    /// Makes the server's end of a connection, which receives and sends whole messages. `None` where it cannot.
    pub messages: Option<Box<dyn Fn(Deal) -> Option<End>>>,
}

/// What was agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deal {
    Plain,
    /// permessage-deflate at level 6, with context takeover in both directions.
    Takeover,
    /// And with none.
    NoTakeover,
}

pub struct End {
    pub receiver: Box<dyn Receiver>,
    pub sender: Box<dyn Sender>,
}

impl End {
    pub fn new(receiver: impl Receiver + 'static, sender: impl Sender + 'static) -> Self {
        Self { receiver: Box::new(receiver), sender: Box::new(sender) }
    }
}

impl Peer {
    pub fn new(name: &'static str) -> Self {
        Self { name, mask: None, text: None, parse: None, write: None, receiver: None, senders: None, messages: None }
    }

    // The loops are made here, around a function that is known at compile time, so that each contestant's may be inlined.

    pub fn masks(mut self, f: impl Fn(&mut [u8], [u8; 4]) + 'static) -> Self {
        self.mask = Some(Box::new(move |buf, slots, key| {
            for slot in slots {
                f(&mut buf[slot.start..slot.start + slot.len], key);
            }
        }));
        self
    }

    pub fn texts(mut self, f: impl Fn(&mut [u8], [u8; 4]) -> bool + 'static) -> Self {
        self.text = Some(Box::new(move |buf, slots, key| {
            slots.iter().fold(true, |valid, slot| valid & f(&mut buf[slot.start..slot.start + slot.len], key))
        }));
        self
    }

    /// `f` returns the payload length, having read the whole header.
    pub fn parses(mut self, f: impl Fn(&[u8]) -> u64 + 'static) -> Self {
        self.parse =
            Some(Box::new(move |buf, places| places.iter().fold(0, |sum, &place| sum.wrapping_add(f(&buf[place..])))));
        self
    }

    /// `f` encodes the header of a whole binary frame, for a payload length and a key, and returns its bytes.
    pub fn writes<T: 'static>(
        mut self,
        scratch: T,
        f: impl for<'a> Fn(&'a mut T, u64, [u8; 4]) -> &'a [u8] + 'static,
    ) -> Self {
        self.write = Some(Box::new(Writes { scratch, f }));
        self
    }

    pub fn receives(mut self, receiver: impl Receiver + 'static) -> Self {
        self.receiver = Some(Box::new(receiver));
        self
    }

    pub fn sends(mut self, client: impl Sender + 'static, server: impl Sender + 'static) -> Self {
        self.senders = Some([Box::new(client), Box::new(server)]);
        self
    }

    pub fn exchanges(mut self, f: impl Fn(Deal) -> Option<End> + 'static) -> Self {
        self.messages = Some(Box::new(f));
        self
    }
}

/// Encodes headers.
pub trait HeaderWriter {
    /// One after the other, for payload lengths and keys.
    fn run(&mut self, headers: &[(u64, [u8; 4])]);
    fn one(&mut self, len: u64, key: [u8; 4]) -> Vec<u8>;
}

struct Writes<T, F> {
    scratch: T,
    f: F,
}

impl<T, F: for<'a> Fn(&'a mut T, u64, [u8; 4]) -> &'a [u8]> HeaderWriter for Writes<T, F> {
    #[inline(never)]
    fn run(&mut self, headers: &[(u64, [u8; 4])]) {
        for &(len, key) in headers {
            black_box((self.f)(&mut self.scratch, len, key));
        }
    }

    fn one(&mut self, len: u64, key: [u8; 4]) -> Vec<u8> {
        (self.f)(&mut self.scratch, len, key).to_vec()
    }
}

/// Where a server's messages go.
///
/// One type, whether the bytes are looked at or only counted, so that the code that is checked is the code that is timed.
#[derive(Default)]
pub struct Sink {
    pub count: Count,
    pub digest: Option<Digest>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Count {
    pub messages: usize,
    pub bytes: usize,
}

impl Sink {
    /// Takes a piece of a message.
    #[inline(always)]
    pub fn part(&mut self, payload: &[u8]) {
        // As if the bytes were read: they must be in memory. `black_box` would also write to memory, as no reader does.
        // SAFETY: no instruction at all.
        unsafe {
            std::arch::asm!(
                "/* {0} {1} */",
                in(reg) payload.as_ptr(),
                in(reg) payload.len(),
                options(readonly, nostack, preserves_flags)
            );
        }
        self.count.bytes += payload.len();
        if let Some(digest) = &mut self.digest {
            digest.take(payload);
        }
    }

    /// The message is complete.
    #[inline(always)]
    pub fn end(&mut self) {
        self.count.messages += 1;
        if let Some(digest) = &mut self.digest {
            digest.end();
        }
    }

    #[inline(always)]
    pub fn message(&mut self, payload: &[u8]) {
        self.part(payload);
        self.end();
    }
}

/// The server's end of a connection, from bytes to payloads; text is validated.
pub trait Receiver {
    /// Puts the wire, as far as the API allows, where the decoder wants it. Not timed.
    fn load(&mut self, wire: &Rc<[u8]>);
    /// Receives `frames` messages, the wire having been loaded.
    fn drain(&mut self, frames: usize, sink: &mut Sink);
    /// Receives `frames` messages from `wire`, which comes in reads of 64 KiB; each read is a copy.
    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink);
}

/// One end of a connection that writes whole messages into a buffer which it keeps and which grows.
pub trait Sender {
    /// Gives the payload in the form that the API wants; not timed.
    fn load(&mut self, is_text: bool, payload: &[u8]);
    /// Sends the message `times` times, behind each other.
    fn send(&mut self, times: usize);
    /// Shows what was sent, and forgets it; the buffer stays allocated where the API allows.
    fn finish(&mut self, look: &mut dyn FnMut(&[u8]));
}
