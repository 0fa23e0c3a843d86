"""PyPI `websockets`, through its Sans-I/O layer, whose C extension masks and whose zlib is CPython's.

Usage: websockets_python.py [GROUP]    one line a case of the groups whose name contains GROUP: group, series, label, nanoseconds
                                a message, with tabs between. The cases are those of src/cases/messages.rs.
"""

import random
import sys
import time
import zlib

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Opcode
from websockets.protocol import OPEN, SERVER, Protocol

READ = 64 << 10
BYTES, SENT = 512 << 10, 64 << 10
WORDS = ["open", "closed", "pending", "limit", "market", "alpha", "london", "paris", "tokyo", "lima"]
RANDOM = random.Random(8)


def json(length):
    text = ""
    while len(text) < length:
        id, cents, at = RANDOM.getrandbits(32), RANDOM.randrange(100_000), RANDOM.getrandbits(30)
        kind, place, ok = WORDS[RANDOM.randrange(5)], WORDS[5 + RANDOM.randrange(5)], str(at % 2 == 0).lower()
        text += (
            f'{{"id":{id},"kind":"{kind}","place":"{place}","price":{cents // 100}.{cents % 100:02},'
            f'"at":"2026-11-22T{at}Z","ok":{ok}}},'
        )
    return text[:length]


def frame(first, payload):
    length = len(payload)
    if length < 126:
        header = bytes([first, 0x80 | length])
    elif length < 1 << 16:
        header = bytes([first, 0x80 | 126]) + length.to_bytes(2, "big")
    else:
        header = bytes([first, 0x80 | 127]) + length.to_bytes(8, "big")
    key = RANDOM.randbytes(4)
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes((key * (length // 4 + 1))[:length], "big"))
    return header + key + masked.to_bytes(length, "big")


def protocol(takeover):
    server = Protocol(SERVER, state=OPEN, max_size=None)
    if takeover is not None:
        server.extensions = [PerMessageDeflate(not takeover, not takeover, 15, 15, {"level": 6})]
    return server


def receive(server, wire):
    parts, texts = [], []
    for at in range(0, len(wire), READ):
        server.receive_data(wire[at : at + READ])
        for event in server.events_received():
            assert event.opcode in (Opcode.TEXT, Opcode.CONT)
            parts.append(event.data)
            if event.fin:
                texts.append(b"".join(parts).decode() if len(parts) > 1 else parts[0].decode())
                parts.clear()
    return texts


def send(server, texts):
    for text in texts:
        server.send_text(text.encode())
    return b"".join(server.data_to_send())


def best(run, count):
    """The best of the samples of half a second, for one of `count` messages, in nanoseconds."""
    until, least = time.perf_counter() + 0.5, float("inf")
    while time.perf_counter() < until:
        start = time.perf_counter_ns()
        run()
        least = min(least, time.perf_counter_ns() - start)
    return least / count


def size(length):
    return f"{length >> 20} MiB" if length >= 1 << 20 else f"{length >> 10} KiB" if length >= 1 << 10 else f"{length} B"


def assemble(group):
    for length, fragment in [(1 << 10, 1 << 10), (1 << 10, 128), (64 << 10, 64 << 10), (64 << 10, 4 << 10), (1 << 20, 16 << 10)]:
        texts = [json(length) for _ in range(max(2, BYTES // length))]
        wire = b"".join(
            frame((at + fragment >= length) << 7 | (at == 0), text.encode()[at : at + fragment])
            for text in texts
            for at in range(0, length, fragment)
        )
        server = protocol(None)
        assert receive(server, wire) == texts
        series = "whole" if length == fragment else f"fragments of {size(fragment)}"
        yield group, series, size(length), best(lambda: receive(server, wire), len(texts))


def cases(length, takeover):
    compressor = zlib.compressobj(6, wbits=-15)
    texts, wire = [json(length) for _ in range(BYTES // length)], b""
    for text in texts:
        wire += frame(0xC1, (compressor.compress(text.encode()) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4])
        if not takeover:
            compressor = zlib.compressobj(6, wbits=-15)
    return texts, wire


def deflate(group):
    for takeover in (True, False):
        series = "takeover" if takeover else "no takeover"
        for length in (1 << 10, 64 << 10):
            texts, wire = cases(length, takeover)
            server = protocol(takeover)
            if group.endswith("receive"):
                assert receive(server, wire) == texts
                yield group, series, size(length), best(lambda: receive(server, wire), len(texts))
            else:
                texts = texts[: max(2, SENT // length)]
                assert len(send(server, texts)) < length * len(texts) // 2
                yield group, series, size(length), best(lambda: send(server, texts), len(texts))


for group, run in [("assemble, 64 KiB reads", assemble), ("deflate, receive", deflate), ("deflate, send", deflate)]:
    if (sys.argv[1] if len(sys.argv) > 1 else "") in group:
        for line in run(group):
            print(*line[:3], f"{line[3]:.1f}", sep="\t", flush=True)
