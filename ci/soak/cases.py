"""Cases of a known verdict: what is sent behind the handshake, and what has to come back."""

import functools
import struct
import zlib

from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, RSV2, RSV3, TAIL, TEXT, Deflater, frame, header, xor

# The limits of the server: of `Limits::DEFAULT`.
FRAME, MESSAGE, FRAGMENTS = 16 << 20, 64 << 20, 131_072

LETTERS = "plain ascii äöüß кириллица 漢字かな 🦀🎉😀 \x00\x7f\u07ff\u0800\ud7ff\ue000\uffff"
# Unicode, table 3-7: what no text can contain, each wrong wherever it stands.
BAD_UTF8 = [b"\x80", b"\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf"]
BAD_UTF8 += [b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff", b"\xfe", b"\xe2\x82A", b"\xc3(", b"\xf0\x9f\xa6 "]
UNFINISHED_UTF8 = [b"\xc3", b"\xe2", b"\xe2\x82", b"\xf0", b"\xf0\x9f", b"\xf0\x9f\xa6"]
GOOD_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
BAD_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32768, 65535]
EDGES = [0, 1, 2, 31, 32, 63, 124, 125, 126, 127, 128, 65534, 65535, 65536]


class Case:
    """The bytes to send, and the verdict.

    `end` is "close", "fault", "eof" or "reset". A late peer waits before it reads, a deaf one does not read at all.
    """

    def __init__(self, rng, deflater):
        self.rng, self.deflater = rng, deflater
        self.wire = bytearray()
        self.data, self.pings, self.before = [], [], 0
        self.end, self.close = "close", None
        self.is_deaf, self.is_late = False, False

    def add(self, opcode, payload=b"", **how):
        self.wire += frame(self.rng, opcode, payload, **how)

    def ping(self):
        payload = self.rng.randbytes(self.rng.choice([0, 1, 4, 124, 125]))
        self.pings.append(payload)
        self.add(PING, payload)

    def between(self):
        """What may stand between the fragments of a message."""
        draw = self.rng.random()
        if draw < 0.2:
            self.ping()
        elif draw < 0.25:
            self.add(PONG, self.rng.randbytes(self.rng.randrange(126)))

    def message(self, opcode, payload, *, compress=None):
        """Adds a message in one frame or in more, empty ones among them, with control frames between."""
        rng, sent, rsv = self.rng, payload, 0
        if self.deflater and (rng.random() < 0.6 if compress is None else compress):
            sent, rsv = self.deflater(rng, payload), RSV1
        count = 1 if rng.random() < 0.5 else rng.randint(2, 8)
        cuts = [0, *sorted(rng.randint(0, len(sent)) for _ in range(count - 1)), len(sent)]
        for i in range(count):
            piece, is_first = sent[cuts[i] : cuts[i + 1]], i == 0
            self.add(opcode if is_first else CONTINUATION, piece, fin=i + 1 == count, rsv=rsv if is_first else 0)
            if i + 1 < count:
                self.between()

    def valid(self, size=None):
        opcode, payload = some_payload(self.rng, size)
        self.message(opcode, payload)
        self.data.append((opcode, payload))
        self.between()

    def fault(self, code, pings):
        """Makes it the verdict that the server refuses this, behind the first `pings` of the pings."""
        self.end, self.close, self.before = "fault", code, pings

    def pings_due(self):
        """Returns how many pings have to be answered."""
        return {"fault": self.before, "reset": 0}.get(self.end, len(self.pings))


def some_payload(rng, size=None):
    if size is None:
        draw = rng.random()
        size = rng.choice(EDGES) if draw < 0.3 else rng.randrange(300) if draw < 0.85 else rng.randrange(30_000)
        size = rng.randrange(300_000) if draw > 0.99 else size
    if rng.random() < 0.5:
        return BINARY, rng.randbytes(size) if rng.random() < 0.7 else rng.randbytes(1) * size
    return TEXT, text(rng, size)


def text(rng, size):
    """Returns UTF-8 of `size` bytes at most."""
    unit = "".join(rng.choices(LETTERS, k=rng.randint(1, 40))).encode()
    return (unit * (size // len(unit) + 1))[:size].decode(errors="ignore").encode()


# What is refused. Each is called with the case behind some valid messages.


def open_message(case):
    """Sometimes begins a message, and tells so: most faults are the same inside of one."""
    is_open = case.rng.random() < 0.3
    if is_open:
        case.add(case.rng.choice([TEXT, BINARY]), b"begun", fin=False)
    return is_open


def reserved_opcode(case):
    open_message(case)
    case.add(case.rng.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), case.rng.randbytes(case.rng.randrange(200)))


def reserved_bit(case):
    case.add(case.rng.choice([TEXT, BINARY, PING]), b"bit", rsv=case.rng.choice([RSV2, RSV3, RSV2 | RSV3]))


def rsv1_unasked(case):
    case.add(case.rng.choice([TEXT, BINARY, PING, CLOSE]), b"", rsv=RSV1)


def rsv1_on_control(case):
    case.add(case.rng.choice([PING, PONG, CLOSE]), b"", rsv=RSV1)


def rsv1_on_continuation(case):
    case.add(TEXT, b"begun", fin=False)
    case.add(CONTINUATION, b"", rsv=RSV1, fin=case.rng.random() < 0.5)


def unmasked(case):
    open_message(case)
    payload = case.rng.randbytes(case.rng.choice([0, 1, 125, 126]))
    opcode = case.rng.choice([PING, PONG]) if len(payload) < 126 else CONTINUATION
    case.wire += header(opcode, len(payload)) + payload


def fragmented_control(case):
    open_message(case)
    case.add(case.rng.choice([CLOSE, PING, PONG]), b"", fin=False)


def long_control(case):
    open_message(case)
    case.add(case.rng.choice([CLOSE, PING, PONG]), case.rng.randbytes(case.rng.choice([126, 127, 65536])))


def long_form(case):
    form, length = case.rng.choice([(16, 0), (16, 125), (64, 0), (64, 125), (64, 126), (64, 65535)])
    case.add(BINARY, case.rng.randbytes(length), form=form)


def top_bit(case):
    length = case.rng.choice([1 << 63, (1 << 64) - 1, (1 << 63) | 5])
    case.wire += header(case.rng.choice([TEXT, BINARY]), length, key=b"mask", form=64)


def unexpected_continuation(case):
    case.add(CONTINUATION, case.rng.randbytes(case.rng.randrange(200)), fin=case.rng.random() < 0.5)


def interleaved(case):
    case.add(case.rng.choice([TEXT, BINARY]), b"begun", fin=False)
    case.between()
    case.add(case.rng.choice([TEXT, BINARY]), b"another", fin=case.rng.random() < 0.5)


def much_unread(case):
    """A server that drops the socket here resets the connection, and what the peer has not read is lost."""
    case.is_late, payload = True, case.rng.randbytes(100_000)
    case.add(BINARY, payload)
    case.data.append((BINARY, payload))
    case.add(PING, bytes(65_000))


def close_of_one_byte(case):
    open_message(case)
    case.add(CLOSE, case.rng.randbytes(1))


def close_code(case):
    open_message(case)
    case.add(CLOSE, struct.pack(">H", case.rng.choice(BAD_CODES)) + text(case.rng, 20))


def close_reason(case):
    case.add(CLOSE, struct.pack(">H", 1000) + text(case.rng, 20) + case.rng.choice(BAD_UTF8 + UNFINISHED_UTF8))


def broken_text(case):
    before, after = text(case.rng, case.rng.randrange(2000)), text(case.rng, case.rng.randrange(200))
    return before + case.rng.choice(BAD_UTF8) + after


def unfinished_text(case):
    return text(case.rng, case.rng.randrange(2000)) + case.rng.choice(UNFINISHED_UTF8)


def invalid_text(case):
    case.message(TEXT, broken_text(case), compress=False)


def text_ends_early(case):
    case.message(TEXT, unfinished_text(case), compress=False)


def text_fails_fast(case):
    """The fault is in a fragment; the final one never comes."""
    case.add(TEXT, broken_text(case), fin=False)


def compressed_invalid_text(case):
    case.message(TEXT, case.rng.choice([broken_text, unfinished_text])(case), compress=True)


def long_frame(case):
    length = case.rng.choice([FRAME + 1, FRAME + 2, 1 << 32, (1 << 63) - 1])
    opcode = CONTINUATION if open_message(case) else case.rng.choice([TEXT, BINARY])
    case.wire += header(opcode, length, key=b"mask")


def long_message(case):
    piece = xor(bytes(FRAME), b"mask")
    for i in range(MESSAGE // FRAME):
        case.wire += header(CONTINUATION if i else BINARY, FRAME, fin=False, key=b"mask") + piece
    case.add(CONTINUATION, b"!")


def bomb(case):
    case.add(BINARY, packed_bomb(), rsv=RSV1)


@functools.cache
def packed_bomb():
    """Returns the limit of a message and one byte, in a window of 2^9 bytes, which every server has."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -9)
    sent = b"".join(packer.compress(bytes(1 << 20)) for _ in range(MESSAGE >> 20)) + packer.compress(b"!")
    return (sent + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def many_fragments(case):
    empty = header(CONTINUATION, 0, fin=False, key=b"mask")
    case.add(BINARY, b"", fin=False)
    case.wire += empty * FRAGMENTS


def reserved_block(case):
    case.add(BINARY, b"\x06" + case.rng.randbytes(20), rsv=RSV1)


def wrong_stored_length(case):
    case.add(BINARY, b"\x00\x05\x00\x00\x00hello", rsv=RSV1)


def too_far_back(case):
    dictionary = case.rng.randbytes(200)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
    sent = (packer.compress(dictionary) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    try:
        zlib.decompressobj(-15).decompress(sent + TAIL)
    except zlib.error:
        case.add(BINARY, sent, rsv=RSV1)
        return
    raise AssertionError("zlib accepts it")


# The close code, whether deflate is wanted (None: either way), and how often among the others.
FAULTS = {
    reserved_opcode: (1002, None, 4),
    reserved_bit: (1002, None, 4),
    rsv1_unasked: (1002, False, 3),
    rsv1_on_control: (1002, True, 3),
    rsv1_on_continuation: (1002, True, 3),
    unmasked: (1002, None, 4),
    fragmented_control: (1002, None, 4),
    long_control: (1002, None, 4),
    long_form: (1002, None, 4),
    top_bit: (1002, None, 4),
    unexpected_continuation: (1002, None, 4),
    interleaved: (1002, None, 4),
    much_unread: (1002, None, 1),
    close_of_one_byte: (1002, None, 4),
    close_code: (1002, None, 4),
    close_reason: (1007, None, 4),
    invalid_text: (1007, None, 6),
    text_ends_early: (1007, None, 6),
    text_fails_fast: (1007, None, 4),
    compressed_invalid_text: (1007, True, 6),
    reserved_block: (1007, True, 3),
    wrong_stored_length: (1007, True, 3),
    too_far_back: (1007, True, 3),
    long_frame: (1009, None, 4),
    long_message: (1009, None, 0.03),
    bomb: (1009, True, 0.1),
    many_fragments: (1008, None, 0.3),
}


# What is accepted, and what just ends.


def close(case):
    code, reason = case.rng.choice(GOOD_CODES), text(case.rng, case.rng.choice([0, 5, 123]))
    case.add(CLOSE, struct.pack(">H", code) + reason)
    case.close = (code, reason.decode())


def close_without_code(case):
    case.add(CLOSE)
    case.close = (None, "")


def close_inside_message(case):
    case.add(TEXT, b"never finished", fin=False)
    close(case)


def large(case):
    case.valid(case.rng.choice([1 << 20, (1 << 20) + 1, 3 << 20]))
    close(case)


def largest(case):
    payload = bytes(FRAME)
    case.add(BINARY, payload)
    case.data.append((BINARY, payload))
    close(case)


def as_many_fragments(case):
    case.add(BINARY, b"", fin=False)
    case.wire += header(CONTINUATION, 0, fin=False, key=b"mask") * (FRAGMENTS - 2)
    case.add(CONTINUATION, b"end")
    case.data.append((BINARY, b"end"))
    close(case)


def eof(case):
    case.end = "eof"


def eof_inside_frame(case):
    case.end = "eof"
    unfinished = frame(case.rng, BINARY, case.rng.randbytes(case.rng.choice([1, 200, 70_000])))
    case.wire += unfinished[: case.rng.randint(1, len(unfinished) - 1)]


def reset(case):
    case.end = "reset"
    del case.wire[case.rng.randint(0, len(case.wire)) :]


def deaf(case):
    """Sends more than the buffers hold, reads nothing, and resets."""
    case.end, case.is_deaf = "reset", True
    payload = case.rng.randbytes(1 << 20)
    for _ in range(12):
        case.add(BINARY, payload)
        case.data.append((BINARY, payload))


ENDS = {
    close: 30,
    close_without_code: 8,
    close_inside_message: 4,
    large: 1,
    largest: 0.1,
    as_many_fragments: 0.2,
    eof: 4,
    eof_inside_frame: 4,
    reset: 8,
    deaf: 0.3,
}
HEAVY = (long_message, bomb, many_fragments, largest, as_many_fragments, deaf)


def conversation(rng, kind, agreed, bits):
    """Returns the case of this kind on a connection where `agreed` was."""
    case = Case(rng, Deflater(agreed, bits) if agreed else None)
    # `too_far_back` is valid behind what was compressed.
    for _ in range(0 if kind in HEAVY or kind is too_far_back else rng.choice([0, 0, 1, 2, 4, 8])):
        case.valid()
    pings = len(case.pings)
    kind(case)
    if kind in FAULTS:
        case.fault(FAULTS[kind][0], pings)
        if rng.random() < 0.3:  # "MUST NOT continue to attempt to process data" (§7.1.7)
            case.wire += rng.choice([rng.randbytes(rng.randrange(3000)), frame(rng, TEXT, b"not to be echoed")])
    return case
