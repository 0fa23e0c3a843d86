//! The transport: a client's bytes in memory, or the serial port; and the count of what happens between its calls.

use crate::machine;

/// A connection. What its own calls take is not counted.
pub struct Link<'a> {
    ends: Ends<'a>,
    spent: u32,
    calls: u32,
    /// Instructions from the end of one call to the beginning of the next, when nothing is between them.
    per_call: u32,
    since: machine::Stamp,
}

enum Ends<'a> {
    Script { input: &'a [u8], output: &'a mut [u8], written: usize },
    Serial,
}

impl<'a> Link<'a> {
    pub(crate) fn script(input: &'a [u8], output: &'a mut [u8]) -> Self {
        Self::new(Ends::Script { input, output, written: 0 })
    }

    pub(crate) fn serial() -> Self {
        machine::open_serial();
        Self::new(Ends::Serial)
    }

    fn new(ends: Ends<'a>) -> Self {
        machine::start_counting();
        let mut link = Self { ends, spent: 0, calls: 0, per_call: 0, since: machine::stamp() };
        link.write(&[]);
        link.spent = 0;
        link.write(&[]);
        (link.per_call, link.spent, link.calls) = (link.spent, 0, 0);
        link
    }

    /// The instructions between the calls.
    pub(crate) fn instructions(&self) -> u32 {
        self.spent - self.calls * self.per_call
    }

    /// What was sent, or nothing if it was too much to keep.
    pub(crate) fn written(&self) -> &[u8] {
        match &self.ends {
            Ends::Script { output, written, .. } => output.get(..*written).unwrap_or(&[]),
            Ends::Serial => &[],
        }
    }

    /// Waits for bytes and puts as many into `buf` as are here; 0 is the end.
    #[inline(never)]
    pub fn read(&mut self, buf: &mut [u8]) -> usize {
        self.pause();
        let len = match &mut self.ends {
            Ends::Script { input, .. } => {
                let (here, rest) = input.split_at(input.len().min(buf.len()));
                buf[..here.len()].copy_from_slice(here);
                *input = rest;
                here.len()
            }
            Ends::Serial => machine::receive(buf),
        };
        self.since = machine::stamp();
        len
    }

    /// Sends all of `bytes`.
    #[inline(never)]
    pub fn write(&mut self, bytes: &[u8]) {
        self.pause();
        match &mut self.ends {
            Ends::Script { output, written, .. } => {
                if let Some(room) = output.get_mut(*written..*written + bytes.len()) {
                    room.copy_from_slice(bytes);
                }
                *written += bytes.len();
            }
            Ends::Serial => machine::send(bytes),
        }
        self.since = machine::stamp();
    }

    #[inline(always)]
    fn pause(&mut self) {
        self.spent += machine::instructions_since(self.since);
        self.calls += 1;
    }
}
