//! A builder of frames, right and wrong: every field goes on the wire as it is told.

/// How the length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In the shortest form, as §5.2 asks.
    Shortest,
    /// In two more bytes.
    Bits16,
    /// In eight more bytes.
    Bits64,
    /// In eight more bytes that say this, whatever the payload.
    Declared(u64),
}

/// A frame as it is to go on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) form: Form,
    pub(crate) payload: Vec<u8>,
}

/// Returns a final frame without a mask.
pub(crate) fn frame(opcode: u8, payload: impl AsRef<[u8]>) -> Built {
    let payload = payload.as_ref().to_vec();
    Built { fin: true, rsv: 0, opcode, key: None, form: Form::Shortest, payload }
}

impl Built {
    pub(crate) fn fragment(self) -> Self {
        Self { fin: false, ..self }
    }

    pub(crate) fn rsv(self, rsv: u8) -> Self {
        Self { rsv, ..self }
    }

    pub(crate) fn key(self, key: [u8; 4]) -> Self {
        Self { key: Some(key), ..self }
    }

    pub(crate) fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Returns the bytes of the frame.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let mut wire = vec![u8::from(self.fin) * 128 + self.rsv + self.opcode];
        wire.extend(length(self.payload.len() as u64, self.form));
        if let Some(key) = self.key {
            wire[1] += 128;
            wire.extend(key);
        }
        let masked = |(i, byte): (usize, &u8)| byte ^ self.key.map_or(0, |key| key[i % 4]);
        wire.extend(self.payload.iter().enumerate().map(masked));
        wire
    }
}

/// Returns the frames one behind the other.
pub(crate) fn stream(frames: &[Built]) -> Vec<u8> {
    frames.iter().flat_map(Built::wire).collect()
}

/// Returns a client's frames: each with a key of its own.
pub(crate) fn masked(frames: &[Built]) -> Vec<Built> {
    let key = |i: usize| [0x37 + i as u8, 0xFA, 0x21, 0x3D];
    frames.iter().enumerate().map(|(i, frame)| frame.clone().key(key(i))).collect()
}

/// Returns the second byte, without the MASK bit, and the length that follows it.
fn length(len: u64, form: Form) -> Vec<u8> {
    match form {
        Form::Shortest if len < 126 => vec![len as u8],
        Form::Shortest if len < 65_536 => length(len, Form::Bits16),
        Form::Shortest | Form::Bits64 => length(len, Form::Declared(len)),
        Form::Bits16 => vec![126, (len >> 8) as u8, len as u8],
        Form::Declared(len) => std::iter::once(127).chain((0..8).rev().map(|i| (len >> (8 * i)) as u8)).collect(),
    }
}
