//! The oracle: a WebSocket decoder that is meant to be obviously right, and nothing else.
//!
//! It takes one byte at a time, keeps the header it is in as a list of bytes, counts in `u128`, unmasks byte by byte,
//! and copies everything. It shares no code with the crate but the names of the errors.

use websocket_wire::{Claims, Config, DecodeError, Limits, Opcode, Role, Rsv};

/// What an endpoint accepts, in plain numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) is_server: bool,
    pub(crate) frame_len: u64,
    pub(crate) message_len: u64,
    pub(crate) fragments: u32,
    /// Reserved bits, as they stand in the first byte.
    pub(crate) frame_rsv: u8,
    pub(crate) message_rsv: u8,
    /// Reserved opcodes that are claimed.
    pub(crate) opcodes: Vec<u8>,
    pub(crate) allow_non_minimal_length: bool,
    pub(crate) allow_mask_mismatch: bool,
    pub(crate) skip_text_validation: bool,
}

impl Rules {
    pub(crate) fn strict(is_server: bool) -> Self {
        Self {
            is_server,
            frame_len: 16 << 20,
            message_len: 64 << 20,
            fragments: 1 << 17,
            frame_rsv: 0,
            message_rsv: 0,
            opcodes: Vec::new(),
            allow_non_minimal_length: false,
            allow_mask_mismatch: false,
            skip_text_validation: false,
        }
    }

    /// The strict rules without limits.
    pub(crate) fn unlimited(is_server: bool) -> Self {
        Self { frame_len: u64::MAX, message_len: u64::MAX, fragments: u32::MAX, ..Self::strict(is_server) }
    }

    /// Returns the same rules in the words of the crate.
    pub(crate) fn config(&self) -> Config {
        let rsv = Rsv::from_first_byte;
        let mut claims = Claims::NONE.frame_rsv(rsv(self.frame_rsv)).message_rsv(rsv(self.message_rsv));
        for bits in &self.opcodes {
            claims = claims.opcode(Opcode::from_bits(*bits).unwrap());
        }
        let limits = Limits { frame_len: self.frame_len, message_len: self.message_len, fragments: self.fragments };
        let mut config = Config::new(if self.is_server { Role::Server } else { Role::Client });
        config = config.limits(limits).claims(claims);
        if self.allow_non_minimal_length {
            config = config.allow_non_minimal_length();
        }
        if self.allow_mask_mismatch {
            config = config.allow_mask_mismatch();
        }
        if self.skip_text_validation {
            config = config.skip_text_validation();
        }
        config
    }
}

/// A frame with all of its payload that was delivered, joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) len: u64,
    pub(crate) message_opcode: u8,
    /// Whether the payload is a text message in one frame that was validated to its end.
    pub(crate) is_whole_text: bool,
    pub(crate) payload: Vec<u8>,
}

/// How things stand behind the bytes that were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Open,
    Closed,
    Failed(DecodeError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header,
    Payload,
    Behind,
}

/// The message that is open.
#[derive(Clone, Copy, Debug)]
struct Message {
    opcode: u8,
    len: u128,
    frames: u128,
    is_validated: bool,
}

/// The decoder, one byte at a time.
#[derive(Clone, Debug)]
pub(crate) struct Oracle {
    rules: Rules,
    pub(crate) frames: Vec<Joined>,
    pub(crate) verdict: Verdict,
    /// How many bytes were seen; once there is a verdict, the count at which it was reached.
    pub(crate) seen: usize,
    /// How many of them are done with: everything before the first byte that was not delivered.
    pub(crate) consumed: usize,
    place: Place,
    head: Vec<u8>,
    body: Vec<u8>,
    message: Option<Message>,
    utf8: Utf8,
}

impl Oracle {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self {
            rules: rules.clone(),
            frames: Vec::new(),
            verdict: Verdict::Open,
            seen: 0,
            consumed: 0,
            place: Place::Header,
            head: Vec::new(),
            body: Vec::new(),
            message: None,
            utf8: Utf8::new(),
        }
    }

    /// Returns the state behind all of `bytes`.
    pub(crate) fn of(rules: &Rules, bytes: &[u8]) -> Self {
        let mut oracle = Self::new(rules);
        bytes.iter().for_each(|byte| oracle.push(*byte));
        oracle
    }

    pub(crate) fn push(&mut self, byte: u8) {
        if self.place == Place::Behind {
            return;
        }
        self.seen += 1;
        let result = if self.place == Place::Header { self.push_head(byte) } else { self.push_body(byte) };
        if let Err(error) = result {
            self.verdict = Verdict::Failed(error);
            self.place = Place::Behind;
        }
    }

    /// Tells whether the stream may end behind the bytes that are consumed.
    pub(crate) fn is_idle(&self) -> bool {
        let is_between_frames = match self.place {
            Place::Header => true,
            Place::Payload => self.body.is_empty() || self.is_control(),
            Place::Behind => false,
        };
        is_between_frames && self.message.is_none()
    }

    /// Returns how many bytes it takes at least until something can be said.
    pub(crate) fn needed(&self) -> usize {
        let masked = if self.head.get(1).is_some_and(|second| second & 0x80 != 0) { 4 } else { 0 };
        match self.place {
            Place::Behind => 1,
            Place::Payload if self.is_control() => self.len() as usize - self.body.len(),
            Place::Payload => 1,
            Place::Header if self.head.len() < 2 => 2 - self.head.len(),
            Place::Header if self.head.len() < 2 + self.extended() => 2 + self.extended() - self.head.len(),
            Place::Header => {
                let rest = 2 + self.extended() + masked - self.head.len();
                rest + if self.is_control() { self.len() as usize } else { usize::from(self.len() > 0) }
            }
        }
    }

    fn fin(&self) -> bool {
        self.head[0] & 0b1000_0000 != 0
    }

    fn rsv(&self) -> u8 {
        self.head[0] & 0b0111_0000
    }

    fn opcode(&self) -> u8 {
        self.head[0] & 0b0000_1111
    }

    fn is_control(&self) -> bool {
        self.opcode() >= 8
    }

    fn is_masked(&self) -> bool {
        self.head[1] & 0b1000_0000 != 0
    }

    /// Returns how many bytes of length follow the first two.
    fn extended(&self) -> usize {
        match self.head[1] & 0b0111_1111 {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }

    /// Returns the declared length of the payload.
    fn len(&self) -> u128 {
        match self.extended() {
            0 => u128::from(self.head[1] & 0b0111_1111),
            extended => self.head[2..2 + extended].iter().fold(0, |sum, byte| sum * 256 + u128::from(*byte)),
        }
    }

    fn key(&self) -> Option<[u8; 4]> {
        let at = 2 + self.extended();
        self.is_masked().then(|| [self.head[at], self.head[at + 1], self.head[at + 2], self.head[at + 3]])
    }

    fn push_head(&mut self, byte: u8) -> Result<(), DecodeError> {
        self.head.push(byte);
        if self.head.len() < 2 {
            return Ok(());
        }
        if self.head.len() == 2 {
            self.judge_first_two()?;
        }
        if self.head.len() == 2 + self.extended() {
            self.judge_len()?;
        }
        if self.head.len() == 2 + self.extended() + if self.is_masked() { 4 } else { 0 } {
            self.place = Place::Payload;
            if self.len() == 0 {
                return self.end_frame();
            }
        }
        Ok(())
    }

    fn judge_first_two(&self) -> Result<(), DecodeError> {
        let (rules, opcode) = (&self.rules, self.opcode());
        let begins_message = (1..=7).contains(&opcode);
        let allowed = rules.frame_rsv | if begins_message { rules.message_rsv } else { 0 };
        if self.rsv() & !allowed != 0 {
            return Err(DecodeError::ReservedBits);
        }
        if !matches!(opcode, 0 | 1 | 2 | 8 | 9 | 10) && !rules.opcodes.contains(&opcode) {
            return Err(DecodeError::ReservedOpcode);
        }
        if opcode == 0 && self.message.is_none() {
            return Err(DecodeError::UnexpectedContinuation);
        }
        if begins_message && self.message.is_some() {
            return Err(DecodeError::InterleavedMessage);
        }
        if rules.is_server && !self.is_masked() && !rules.allow_mask_mismatch {
            return Err(DecodeError::MissingMask);
        }
        if !rules.is_server && self.is_masked() && !rules.allow_mask_mismatch {
            return Err(DecodeError::UnexpectedMask);
        }
        if self.is_control() && !self.fin() {
            return Err(DecodeError::FragmentedControl);
        }
        if self.is_control() && self.extended() > 0 {
            return Err(DecodeError::ControlTooLong);
        }
        if opcode == 8 && self.len() == 1 {
            return Err(DecodeError::InvalidCloseLength);
        }
        Ok(())
    }

    fn judge_len(&self) -> Result<(), DecodeError> {
        let (rules, len) = (&self.rules, self.len());
        if len >= 1 << 63 {
            return Err(DecodeError::LengthTopBit);
        }
        let shortest = match len {
            0..126 => 0,
            126..65_536 => 2,
            _ => 8,
        };
        if self.extended() != shortest && !rules.allow_non_minimal_length {
            return Err(DecodeError::NonMinimalLength);
        }
        if self.is_control() {
            return Ok(());
        }
        if len > u128::from(rules.frame_len) || len > usize::MAX as u128 {
            return Err(DecodeError::FrameTooLong);
        }
        let (sum, frames) = self.message.map_or((0, 0), |message| (message.len, message.frames));
        if sum + len > u128::from(rules.message_len) {
            return Err(DecodeError::MessageTooLong);
        }
        let is_whole_message = self.fin() && self.message.is_none();
        if !is_whole_message && rules.fragments < u32::MAX && frames + 1 > u128::from(rules.fragments) {
            return Err(DecodeError::TooManyFragments);
        }
        Ok(())
    }

    fn push_body(&mut self, byte: u8) -> Result<(), DecodeError> {
        let plain = match self.key() {
            Some(key) => byte ^ key[self.body.len() % 4],
            None => byte,
        };
        let is_last = self.body.len() as u128 + 1 == self.len();
        if !self.is_control() {
            self.judge_text(plain, is_last)?;
            self.begin_delivery();
            self.frames.last_mut().unwrap().payload.push(plain);
            self.consumed = self.seen;
        }
        self.body.push(plain);
        if is_last { self.end_frame() } else { Ok(()) }
    }

    /// Tells whether the bytes of this data frame are text that is to be UTF-8.
    fn is_validated(&self) -> bool {
        match self.message {
            Some(message) => message.is_validated,
            None => {
                let is_transformed = self.rsv() & self.rules.message_rsv != 0;
                self.opcode() == 1 && !is_transformed && !self.rules.skip_text_validation
            }
        }
    }

    fn judge_text(&mut self, plain: u8, is_last: bool) -> Result<(), DecodeError> {
        if !self.is_validated() {
            return Ok(());
        }
        let is_good = self.utf8.push(plain);
        if !is_good || (is_last && self.fin() && !self.utf8.is_complete()) {
            return Err(DecodeError::InvalidUtf8);
        }
        Ok(())
    }

    /// Puts the frame on the list, once: with the first byte of a data frame, or with all of a control frame.
    fn begin_delivery(&mut self) {
        if !self.body.is_empty() && !self.is_control() {
            return;
        }
        let is_validated = self.is_validated();
        let (len, opcode) = (self.len(), self.opcode());
        let message_opcode = if opcode == 0 { self.message.unwrap().opcode } else { opcode };
        self.frames.push(Joined {
            fin: self.fin(),
            rsv: self.rsv(),
            opcode,
            key: self.key(),
            len: u64::try_from(len).unwrap(),
            message_opcode,
            is_whole_text: opcode == 1 && self.fin() && is_validated,
            payload: Vec::new(),
        });
        if !self.is_control() {
            let before = self.message.unwrap_or(Message { opcode, len: 0, frames: 0, is_validated });
            self.message = Some(Message { len: before.len + len, frames: before.frames + 1, ..before });
        }
    }

    fn end_frame(&mut self) -> Result<(), DecodeError> {
        if self.opcode() == 8 {
            judge_close(&self.body)?;
        }
        if self.is_control() {
            self.begin_delivery();
            self.frames.last_mut().unwrap().payload = self.body.clone();
        } else if self.len() == 0 {
            if self.is_validated() && self.fin() && !self.utf8.is_complete() {
                return Err(DecodeError::InvalidUtf8);
            }
            self.begin_delivery();
        }
        self.consumed = self.seen;
        if self.opcode() == 8 {
            self.verdict = Verdict::Closed;
            self.place = Place::Behind;
            return Ok(());
        }
        if !self.is_control() && self.fin() {
            self.message = None;
            self.utf8 = Utf8::new();
        }
        self.head.clear();
        self.body.clear();
        self.place = Place::Header;
        Ok(())
    }
}

/// Judges the body of a close frame, which is not one byte long (§5.5.1, §7.4).
fn judge_close(body: &[u8]) -> Result<(), DecodeError> {
    if body.is_empty() {
        return Ok(());
    }
    let code = u32::from(body[0]) * 256 + u32::from(body[1]);
    let is_registered =
        matches!(code, 1000 | 1001 | 1002 | 1003 | 1007 | 1008 | 1009 | 1010 | 1011 | 1012 | 1013 | 1014);
    if !is_registered && !(3000..5000).contains(&code) {
        return Err(DecodeError::InvalidCloseCode);
    }
    let mut utf8 = Utf8::new();
    if body[2..].iter().all(|byte| utf8.push(*byte)) && utf8.is_complete() {
        Ok(())
    } else {
        Err(DecodeError::InvalidCloseReason)
    }
}

/// UTF-8 by table 3-7 of the Unicode standard, "Well-Formed UTF-8 Byte Sequences": what may follow, last first.
#[derive(Clone, Debug)]
pub(crate) struct Utf8 {
    follow: Vec<(u8, u8)>,
}

impl Utf8 {
    pub(crate) fn new() -> Self {
        Self { follow: Vec::new() }
    }

    /// Takes a byte; returns false where it cannot stand here.
    pub(crate) fn push(&mut self, byte: u8) -> bool {
        if let Some((low, high)) = self.follow.pop() {
            return low <= byte && byte <= high;
        }
        const ANY: (u8, u8) = (0x80, 0xBF);
        let follow: &[(u8, u8)] = match byte {
            0x00..=0x7F => &[],
            0xC2..=0xDF => &[ANY],
            0xE0 => &[ANY, (0xA0, 0xBF)],
            0xE1..=0xEC => &[ANY, ANY],
            0xED => &[ANY, (0x80, 0x9F)],
            0xEE..=0xEF => &[ANY, ANY],
            0xF0 => &[ANY, ANY, (0x90, 0xBF)],
            0xF1..=0xF3 => &[ANY, ANY, ANY],
            0xF4 => &[ANY, ANY, (0x80, 0x8F)],
            0x80..=0xC1 | 0xF5..=0xFF => return false,
        };
        self.follow = follow.to_vec();
        true
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.follow.is_empty()
    }
}
