"""Opening handshakes, good ones and bad ones, and the status that answers each."""

import base64
import hashlib

import wire

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §4.2.2


class Head:
    """The lines of a good request, to be spoilt."""

    def __init__(self, rng, offer=None):
        self.key = base64.b64encode(rng.randbytes(16))
        self.start = b"GET / HTTP/1.1"
        self.lines = {
            b"Host": b"127.0.0.1",
            b"Upgrade": b"websocket",
            b"Connection": b"keep-alive, Upgrade",
            b"Sec-WebSocket-Key": self.key,
            b"Sec-WebSocket-Version": b"13",
        }
        if offer:
            self.lines[b"Sec-WebSocket-Extensions"] = offer.encode()

    def __bytes__(self):
        lines = [self.start, *(name + b": " + value for name, value in self.lines.items())]
        return b"\r\n".join(lines) + b"\r\n\r\n"


def offer(rng):
    """Returns an offer of permessage-deflate, and the bits of the window that the client will use."""
    bits, params = rng.randint(9, 15), ["permessage-deflate"]
    params += ["client_no_context_takeover"] * (rng.random() < 0.3)
    params += ["server_no_context_takeover"] * (rng.random() < 0.3)
    params += [f"server_max_window_bits={rng.randint(9, 15)}"] * (rng.random() < 0.3)
    params += [rng.choice(["client_max_window_bits", f"client_max_window_bits={bits}"])] * (rng.random() < 0.5)
    return "; ".join(params), bits


def upgraded(response, key, is_offered):
    """Judges the head of a response that should be 101; returns what it says of permessage-deflate."""
    start, *lines = response.decode("latin-1").split("\r\n")
    values = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    if not start.startswith("HTTP/1.1 101 "):
        raise wire.Wrong("status", f"{start!r} instead of 101")
    if values.get("sec-websocket-accept") != accept or values.get("upgrade", "").lower() != "websocket":
        raise wire.Wrong("status", f"no answer to the key: {response!r}")
    answer = values.get("sec-websocket-extensions")
    if (answer is not None) and not is_offered:
        raise wire.Wrong("status", "an extension that was not offered")
    return wire.Agreed(answer) if answer is not None else None


def without(name):
    def spoil(rng, head):
        del head.lines[name]

    return spoil


def with_line(name, *values):
    def spoil(rng, head):
        head.lines[name] = rng.choice(values)

    return spoil


def with_start(*starts):
    def spoil(rng, head):
        head.start = rng.choice(starts)

    return spoil


def many_lines(rng, head):
    head.lines |= {b"X-%d" % i: b"" for i in range(rng.randint(64, 500))}


def long_line(rng, head):
    head.lines[b"Cookie"] = b"c" * rng.randint(16_384, 40_000)


# What is refused, and the statuses that do.
REFUSED = {
    "method": (with_start(b"POST / HTTP/1.1", b"HEAD / HTTP/1.1"), {405}),
    "HTTP version": (with_start(b"GET / HTTP/1.0", b"GET / HTTP/0.9", b"GET / HTTP/2.0"), {400}),
    "start line": (with_start(b"GET /", b"GET  / HTTP/1.1", b"/", b"GET / HTTP/1.1 x", b"\xff\xfe / HTTP/1.1"), {400}),
    "target": (with_start(b"GET * HTTP/1.1", b"GET x HTTP/1.1"), {400}),
    "no host": (without(b"Host"), {400}),
    "no upgrade": (without(b"Upgrade"), {426}),
    "other upgrade": (with_line(b"Upgrade", b"h2c", b"websockets", b""), {426}),
    "no connection": (without(b"Connection"), {400}),
    "no key": (without(b"Sec-WebSocket-Key"), {400}),
    "bad key": (with_line(b"Sec-WebSocket-Key", b"", b"c2hvcnQ=", b"!" * 24, b"A" * 24), {400}),
    "no version": (without(b"Sec-WebSocket-Version"), {426}),
    "other version": (with_line(b"Sec-WebSocket-Version", b"8", b"12", b"14", b"013", b"13, 8"), {426}),
    "body": (with_line(b"Content-Length", b"5", b"x"), {400}),
    "line": (with_line(b"B\x00d", b"x"), {400}),
    "extensions": (with_line(b"Sec-WebSocket-Extensions", b"a;", b"=", b'a; b="'), {400}),
    "many lines": (many_lines, {431}),
    "long line": (long_line, {431}),
}


def garbage(rng):
    """Returns bytes that are no request, however they go on."""
    return rng.choice(
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(300),  # another protocol: TLS
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x81\x85" + rng.randbytes(9) + b"\r\n\r\n",
            b"\x00" * rng.randint(1, 5000) + b"\r\n\r\n",
            rng.randbytes(rng.randint(1, 5000)) + b"\r\n\r\n",
            rng.randbytes(20_000).replace(b"\r\n", b""),
        ]
    )
