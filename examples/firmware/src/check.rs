//! What the server has to say to a workload. It reads frames in the plainest way and shares nothing with any codec.

use crate::script::{Frame, Workload};

const ACCEPT: &[u8] = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// Tells whether `output` answers the workload: the same messages, however cut into fragments; a pong for each ping; the
/// close frame; each kind in order, and nothing else.
pub(crate) fn answers(workload: &Workload, output: &[u8]) -> bool {
    if workload.is_handshake {
        return is_upgrade(output);
    }
    let data = workload.frames().filter(|frame| is_data(frame.0));
    let control = workload.frames().filter(|frame| matches!(frame.0 & 0x0f, 8 | 9));
    is_echo(data, output) && are_replies(control, output)
}

fn is_upgrade(output: &[u8]) -> bool {
    output.starts_with(b"HTTP/1.1 101 ")
        && output.ends_with(b"\r\n\r\n")
        && output.windows(ACCEPT.len()).filter(|window| *window == ACCEPT).count() == 1
}

/// Compares bytes and ends of messages, whatever the fragments.
fn is_echo<'f>(sent: impl Iterator<Item = &'f Frame> + Clone, output: &[u8]) -> bool {
    let received = || Frames(output).filter(|frame| is_data(frame.0));
    same(starts(sent.clone().map(|f| (f.0, f.1.len()))), starts(received().map(|f| (f.0, f.1.len()))))
        && same(sent.flat_map(|frame| frame.1), received().flat_map(|frame| frame.1))
}

/// Returns opcode and length of each message, given the frames that it is made of.
fn starts(mut frames: impl Iterator<Item = (u8, usize)>) -> impl Iterator<Item = (u8, usize)> {
    core::iter::from_fn(move || {
        let (mut first, mut len) = frames.next()?;
        let opcode = first & 0x0f;
        while first & 0x80 == 0 {
            let (next, more) = frames.next()?;
            (first, len) = (next, len + more);
            if next & 0x0f != 0 {
                return Some((0xff, len)); // no continuation: equals nothing that was sent
            }
        }
        Some((opcode, len))
    })
}

fn are_replies<'f>(sent: impl Iterator<Item = &'f Frame>, output: &[u8]) -> bool {
    let replies = Frames(output).filter(|frame| !is_data(frame.0));
    // A pong has the opcode behind a ping's. A close frame may say less than the one that it answers.
    let mut sent = sent.map(|f| if f.0 == 0x88 { (0x88, &f.1[..2]) } else { (f.0 + 1, f.1) });
    let mut replies = replies.map(|f| if f.0 == 0x88 { (0x88, f.1.get(..2).unwrap_or(f.1)) } else { (f.0, f.1) });
    same(&mut sent, &mut replies)
}

fn is_data(first: u8) -> bool {
    first & 0x08 == 0
}

fn same<T: PartialEq>(mut a: impl Iterator<Item = T>, mut b: impl Iterator<Item = T>) -> bool {
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (a, b) if a == b => {}
            _ => return false,
        }
    }
}

/// Unmasked frames: first bytes and payloads. What is not a whole frame comes as one with a first byte of 0xff.
struct Frames<'a>(&'a [u8]);

impl<'a> Iterator for Frames<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (first, start, len): (u8, usize, usize) = match *self.0 {
            [] => return None,
            [first, 126, high, low, ..] => (first, 4, u16::from_be_bytes([high, low]).into()),
            [first, len @ 0..126, ..] => (first, 2, usize::from(len)),
            _ => (0xff, 0, usize::MAX),
        };
        let rest = core::mem::take(&mut self.0);
        let Some(end) = start.checked_add(len).filter(|end| *end <= rest.len()) else {
            return Some((0xff, rest));
        };
        self.0 = &rest[end..];
        Some((first, &rest[start..end]))
    }
}
