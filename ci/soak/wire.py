"""RFC 6455 and RFC 7692 as naively as they can be written: frames out, events in."""

import struct
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {TEXT: "text", BINARY: "binary", PING: "ping", PONG: "pong"}
RSV1, RSV2, RSV3 = 0x40, 0x20, 0x10
TAIL = b"\x00\x00\xff\xff"


class Wrong(Exception):
    """What the server did wrong: which check has seen it, and what it saw."""

    def __init__(self, check, what):
        super().__init__(f"{check}: {what}")
        self.check = check


def xor(payload, key):
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def header(opcode, length, *, fin=True, rsv=0, key=b"", form=None):
    """Returns a header; `form` is 7, 16 or 64 bits of length, the shortest unless said."""
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    first, mask = (0x80 if fin else 0) | rsv | opcode, 0x80 if key else 0
    if form == 7:
        return struct.pack(">BB", first, mask | length) + key
    if form == 16:
        return struct.pack(">BBH", first, mask | 126, length) + key
    return struct.pack(">BBQ", first, mask | 127, length) + key


def frame(rng, opcode, payload=b"", **how):
    """Returns a client's frame, masked with a key of its own."""
    key = rng.randbytes(4)
    return header(opcode, len(payload), key=key, **how) + xor(payload, key)


class Agreed:
    """What the server's handshake has answered to an offer of permessage-deflate."""

    def __init__(self, answer):
        params = [part.strip().partition("=") for part in answer.split(";")]
        if params[0][0] != "permessage-deflate":
            raise Wrong("status", f"the extension {answer!r} was not offered")
        values = {name: value for name, _, value in params[1:]}
        self.server_takeover = "server_no_context_takeover" not in values
        self.client_takeover = "client_no_context_takeover" not in values
        self.client_bits = int(values.get("client_max_window_bits", 15))


class Deflater:
    """The client's compressor."""

    def __init__(self, agreed, bits):
        self.agreed, self.bits = agreed, min(bits, agreed.client_bits)
        self.zlib = None

    def __call__(self, rng, payload):
        is_last_block = rng.random() < 0.1
        if self.zlib is None or not self.agreed.client_takeover or rng.random() < 0.1:
            self.zlib = zlib.compressobj(rng.randint(0, 9), zlib.DEFLATED, -self.bits, rng.randint(1, 9))
        out = self.zlib.compress(payload)
        if is_last_block:  # RFC 7692 §7.2.3.4
            out, self.zlib = out + self.zlib.flush(zlib.Z_FINISH) + b"\x00", None
            return out
        out += self.zlib.flush(rng.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
        # Behind a flush, zlib flushes no nothing: an empty block is a byte (RFC 7692 §7.2.3.6).
        assert out.endswith(TAIL) or not payload
        return out[:-4] or b"\x00"


class Reader:
    """Takes the server's bytes apart, and refuses all that a server may not send."""

    def __init__(self, agreed):
        self.agreed, self.zlib = agreed, None
        self.input, self.at = bytearray(), 0
        self.open = None  # the opcode, RSV1 and the payload of a message that has begun
        self.data, self.pongs = [], []
        self.close = None  # its code, None where it has none, and its reason

    def feed(self, received):
        self.input += received
        while self.take():
            pass
        del self.input[: self.at]
        self.at = 0

    def take(self):
        """Takes one frame; tells whether there was one."""
        buf, at = self.input, self.at
        if len(buf) < at + 2:
            return False
        first, length = buf[at], buf[at + 1]
        if length & 0x80:
            raise Wrong("frame", "the server has masked a frame")
        extra = {126: 2, 127: 8}.get(length, 0)
        if len(buf) < at + 2 + extra:
            return False
        if extra:
            length = int.from_bytes(buf[at + 2 : at + 2 + extra], "big")
            if length < (126 if extra == 2 else 65536):
                raise Wrong("frame", "a length is not in its shortest form")
        start = at + 2 + extra
        if len(buf) < start + length:
            return False
        self.at = start + length
        self.frame(bool(first & 0x80), first & 0x70, first & 0x0F, bytes(buf[start : self.at]))
        return True

    def frame(self, fin, rsv, opcode, payload):
        if self.close is not None:
            raise Wrong("frame", "a frame behind the close frame")
        if opcode >= CLOSE:
            if opcode not in (CLOSE, PONG) or not fin or rsv or len(payload) > 125:
                raise Wrong("frame", f"no control frame of an echo: {opcode} {fin} {rsv} {len(payload)}")
            self.control(opcode, payload)
            return
        if (opcode == CONTINUATION) != (self.open is not None) or opcode > BINARY:
            raise Wrong("frame", f"opcode {opcode} out of sequence")
        if rsv not in ((0, RSV1) if self.agreed and opcode else (0,)):
            raise Wrong("frame", f"reserved bits {rsv:#x}")
        if opcode:
            self.open = (opcode, bool(rsv), bytearray())
        self.open[2].extend(payload)
        if fin:
            (opcode, is_compressed, payload), self.open = self.open, None
            self.message(opcode, self.inflated(payload) if is_compressed else bytes(payload))

    def control(self, opcode, payload):
        if opcode == PONG:
            self.pongs.append(payload)
        elif not payload:
            self.close = (None, "")
        else:
            try:
                self.close = (struct.unpack(">H", payload[:2])[0], payload[2:].decode())
            except (struct.error, UnicodeDecodeError) as error:
                raise Wrong("frame", f"a close frame with {payload!r}") from error

    def message(self, opcode, payload):
        if opcode == TEXT:
            try:
                payload.decode()
            except UnicodeDecodeError as error:
                raise Wrong("frame", "a text that is not UTF-8") from error
        self.data.append((opcode, payload))

    def inflated(self, payload):
        if self.zlib is None or not self.agreed.server_takeover:
            self.zlib = zlib.decompressobj(-15)
        try:
            return self.zlib.decompress(bytes(payload) + TAIL)
        except zlib.error as error:
            raise Wrong("frame", f"no DEFLATE: {error}") from error
