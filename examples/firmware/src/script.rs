//! What the client says: one line a workload.

/// The masked frames of a client, or its request.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) is_handshake: bool,
    pub(crate) needs_stream: bool,
    /// Whether a buffer ends within a fragment.
    pub(crate) cuts_fragments: bool,
    /// How often the frames come.
    times: usize,
    frames: &'static [Frame],
}

/// The first byte of a frame, and its payload.
pub(crate) struct Frame(pub(crate) u8, pub(crate) &'static [u8]);

const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Version: 13\r\n\r\n";

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const CLOSE: Frame = Frame(0x88, b"\x03\xe8bye");

const ASCII: &[u8; 200] = b"{\"station\":\"north\",\"temperature\":21.5,\"humidity\":43,\"wind\":{\"speed\":7.2,\"gust\
    \":11.9,\"direction\":\"WSW\"},\"pressure\":1013.25,\"battery\":3.71,\"uptime\":8640021,\"status\":\"nominal\",\"alarm\":[],\"since\":1763841}";
const OTHER: &[u8] =
    "Погода на сегодня: ясно, 21 °C. 天気は晴れ、気温は二十一度です。🌤 Grüße aus Köln. Ветер слабый, порывы до восьми.....................".as_bytes();
const BYTES: [u8; 1000] = {
    let mut bytes = [0; 1000];
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = (i * 31 ^ i >> 3) as u8;
        i += 1;
    }
    bytes
};

const fn echo(name: &'static str, times: usize, frames: &'static [Frame]) -> Workload {
    Workload { name, is_handshake: false, needs_stream: false, cuts_fragments: false, times, frames }
}

const _: () = assert!(OTHER.len() == 200);

const MIXED: &[Frame] = &[
    Frame(TEXT, b"Hello"),
    Frame(BINARY, BYTES.first_chunk::<125>().unwrap()),
    Frame(BINARY, BYTES.first_chunk::<126>().unwrap()),
    // A text in three fragments, cut within code points, with a ping between them.
    Frame(0x01, "Grüße, ".as_bytes().split_at(3).0),
    Frame(PING, b"are you there?"),
    Frame(0x00, "Grüße, 天気".as_bytes().split_at(3).1.split_at(9).0),
    Frame(PONG, b""),
    Frame(0x80, "Grüße, 天気".as_bytes().split_at(12).1),
    Frame(TEXT, b""),
    Frame(0x02, b""),
    Frame(0x80, BYTES.first_chunk::<200>().unwrap()),
    Frame(PING, b""),
];

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload { is_handshake: true, ..echo("handshake", 0, &[]) },
    echo("close", 0, &[]),
    echo("binary 8", 16, &[Frame(BINARY, BYTES.first_chunk::<8>().unwrap())]),
    echo("binary 200", 16, &[Frame(BINARY, BYTES.first_chunk::<200>().unwrap())]),
    echo("text 8", 16, &[Frame(TEXT, ASCII.first_chunk::<8>().unwrap())]),
    echo("text 200", 16, &[Frame(TEXT, ASCII)]),
    echo("not ASCII 12", 16, &[Frame(TEXT, "Погода".as_bytes())]),
    echo("not ASCII 200", 16, &[Frame(TEXT, OTHER)]),
    Workload { cuts_fragments: true, ..echo("mixed", 3, MIXED) },
    Workload { needs_stream: true, ..echo("binary 1000", 3, &[Frame(BINARY, &BYTES)]) },
];

impl Workload {
    /// All frames, the close frame at the end.
    pub(crate) fn frames(&self) -> impl Iterator<Item = &'static Frame> + Clone {
        (0..self.times).flat_map(|_| self.frames).chain([const { &CLOSE }])
    }
}

/// A client's bytes.
pub(crate) struct Script<'a> {
    buf: &'a mut [u8],
    len: usize,
    frames: usize,
    payload_len: usize,
}

impl<'a> Script<'a> {
    pub(crate) fn new(buf: &'a mut [u8]) -> Self {
        Self { buf, len: 0, frames: 0, payload_len: 0 }
    }

    pub(crate) fn write(&mut self, workload: &Workload) {
        if workload.is_handshake {
            return self.put(REQUEST);
        }
        for frame in workload.frames() {
            self.frame(frame);
        }
    }

    fn frame(&mut self, &Frame(first, payload): &Frame) {
        self.frames += 1;
        let key = (self.frames as u32).wrapping_mul(0x9e37_79b9).to_be_bytes();
        let len = payload.len();
        if len < 126 {
            self.put(&[first, 0x80 | len as u8]);
        } else {
            self.put(&[first, 0x80 | 126, (len >> 8) as u8, len as u8]);
        }
        self.put(&key);
        self.put(payload);
        let end = self.len;
        for (byte, mask) in self.buf[end - len..end].iter_mut().zip(key.iter().cycle()) {
            *byte ^= mask;
        }
        self.payload_len += len;
    }

    fn put(&mut self, bytes: &[u8]) {
        self.buf[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Changes one bit of a byte in the middle.
    pub(crate) fn corrupt(&mut self) {
        self.buf[self.len / 2] ^= 1;
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buf[..self.len]
    }

    pub(crate) fn frames(&self) -> usize {
        self.frames
    }

    /// Of all frames together.
    pub(crate) fn payload_len(&self) -> usize {
        self.payload_len
    }
}
