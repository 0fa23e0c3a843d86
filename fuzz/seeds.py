"""Makes the first inputs of the fuzz targets from tests/vectors/ and from samples of the RFCs, into fuzz/corpus/.

What stands in front of a stream, and how long it is, is told by the type of each target's input.
"""

import pathlib
import re
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
# Longer streams are the same again, only slower.
LONGEST = 4096

# The bits of `Setup::flags` in fuzz_targets/support/mod.rs.
FLAGS = {
    "allow_non_minimal_length": 2,
    "allow_mask_mismatch": 4,
    "skip_text_validation": 8,
    "message_rsv": 16,
    "frame_rsv": 32,
    "opcode": 64,
    "frame_len": 128,
    "message_len": 128,
    "fragments": 128,
}

REQUEST = b"""GET /chat?room=1 HTTP/1.1\r
Host: server.example.com:8080\r
Upgrade: h2c, websocket\r
Connection: keep-alive, Upgrade\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
Origin: http://example.com\r
Sec-WebSocket-Protocol: chat, superchat\r
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r
Sec-WebSocket-Version: 13\r
\r
"""

RESPONSE = b"""HTTP/1.1 101 Switching Protocols\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
Sec-WebSocket-Protocol: chat\r
Sec-WebSocket-Extensions: x-one; a="1"\r
\r
"""

LISTS = [
    b"permessage-deflate",
    b"permessage-deflate; client_max_window_bits",
    b"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    b"permessage-deflate; server_max_window_bits=10; client_max_window_bits=\"9\"",
    b"permessage-deflate; server_max_window_bits=8, permessage-deflate",
    b"foo ;\ta = 1 ; b ,,bar \nbaz; c=\"\\2\\3\"",
]

# RFC 7692 section 7.2.3.
DEFLATED = ["f248cdc9c90700", "f200110000", "000500faff48656c6c6f00", "f348cdc9c9070000", "f24805000000ffffcac9c90700", "00"]


def main():
    for target, seeds in targets().items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for i, seed in enumerate(seeds):
            (folder / f"seed-{i:04}").write_bytes(seed)
        print(f"{target}: {len(seeds)} seeds")


def targets():
    streams = list(vectors())
    setups = [bytes([flags, 0x53, cut, 0]) + stream for cut, (flags, stream) in enumerate_cuts(streams)]
    texts = [b"", b"Hello", "aé€😀".encode() * 9, b"\xed\xa0\x80", b"ok\xf4\x90", b"\xe2\x82"]
    deflated = [bytes.fromhex(text) for text in DEFLATED] + [compressed(text * 50, level) for text in texts for level in (1, 9)]
    return {
        "decode": setups,
        "assembler": setups,
        "differential": [bytes([flags & 1]) + stream for flags, stream in streams if flags < 2],
        "header": [stream[:32] for _, stream in streams],
        "mask": [bytes([1, 2, 3, 4, 5, 6, 7]) + text * 9 for text in texts],
        "utf8": [bytes([1, 2, 3, 4, 5, 6]) + text * 9 for text in texts],
        "inflate": [bytes([flags, 0, 3, 0, 4, 0, len(seed), 0]) + seed + seed for seed in deflated for flags in (7, 31)],
        "extension_params": [bytes([0, 6, 6]) + text for text in LISTS],
        "handshake_server": [bytes([5, 0]) + REQUEST + rest for rest in (b"", b"\x81\x80")],
        "handshake_client": [
            bytes([5, 0]) + text for text in (RESPONSE, b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + RESPONSE)
        ],
    }


def enumerate_cuts(streams):
    return [(i % 8, stream) for i, stream in enumerate(streams)]


def compressed(text, level):
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def vectors():
    """Yields the flags and the stream of every vector."""
    for path in sorted((ROOT / "tests" / "vectors").glob("*.txt")):
        for block in re.split(r"^\[", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            fields = [line.partition(" ") for line in block.splitlines()[1:] if line and not line.startswith("#")]
            words = [word.split("=")[0] for name, _, value in fields if name == "config" for word in value.split()]
            flags = int(("role", " ", "server") in fields)
            for word in words:
                flags |= FLAGS[word]
            stream = b"".join(hex_bytes(word) for name, _, value in fields if name == "stream" for word in value.split())
            if len(stream) <= LONGEST:
                yield flags, stream


def hex_bytes(word):
    digits, _, times = word.partition("*")
    return bytes.fromhex(digits) * int(times or 1)


main()
