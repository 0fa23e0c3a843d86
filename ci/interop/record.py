"""Records sessions between real peers for tests/captures.rs: both directions as they were on the wire.

A TCP proxy stands between a client and a server of two other implementations. Each connection becomes three files:
NAME.client and NAME.server, the bytes that each side sent, handshake included, and NAME.messages, what is to be decoded
from them: one line a message, `SIDE KIND LENGTH HEX`, control frames where they stand, a message where it ends. These
lines come from the frame parser of `websockets`, so nothing in them depends on our code.

Usage: record.py DIRECTORY, with `ws` on NODE_PATH
"""

import asyncio
import pathlib
import sys

from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

HERE = pathlib.Path(__file__).parent
DIRECTORY = pathlib.Path(sys.argv[1])
PYTHON = [sys.executable]
NODE = ["node"]
PAIRS = [
    ("websockets-to-ws", [*PYTHON, HERE / "session.py"], [*NODE, HERE / "server.js"]),
    ("ws-to-websockets", [*NODE, HERE / "session.js"], [*PYTHON, HERE / "server.py"]),
]
SESSIONS = {"/": "whole", "/fragments": "fragments", "/close/4001/enough": "server-close"}


def frames(wire, masked):
    """Yields the frames of one direction, from behind the HTTP head on."""
    reader = StreamReader()
    reader.feed_data(wire[wire.index(b"\r\n\r\n") + 4 :])
    reader.feed_eof()
    while True:
        at_end = reader.at_eof()
        try:
            next(at_end)
            raise AssertionError("the end of the stream is known")
        except StopIteration as result:
            if result.value:
                return
        try:
            next(Frame.parse(reader.read_exact, mask=masked))
            raise AssertionError("the capture ends inside a frame")
        except StopIteration as result:
            yield result.value


def messages(wire, side):
    """Yields one line a message."""
    opened = None
    for frame in frames(wire, masked=side == "client"):
        if frame.opcode >= Opcode.CLOSE:
            yield f"{side} {frame.opcode.name.lower()} {len(frame.data)} {frame.data.hex()}".rstrip()
            continue
        if frame.opcode is not Opcode.CONT:
            opened = (frame.opcode.name.lower(), bytearray())
        kind, payload = opened
        payload += frame.data
        if frame.fin:
            yield f"{side} {kind} {len(payload)} {payload.hex()}".rstrip()


def store(pair, sides):
    path = sides["client"].split(b" ", 2)[1].decode()
    name = f"{pair}-{SESSIONS[path]}"
    for side, wire in sides.items():
        (DIRECTORY / f"{name}.{side}").write_bytes(wire)
    lines = [line for side, wire in sides.items() for line in messages(wire, side)]
    (DIRECTORY / f"{name}.messages").write_text("\n".join(lines) + "\n")
    print(f"{name}: {len(sides['client'])} and {len(sides['server'])} bytes, {len(lines)} messages")


async def pump(reader, writer, stored):
    while chunk := await reader.read(65_536):
        stored += chunk
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


async def record(pair, client_command, server_command):
    server = await asyncio.create_subprocess_exec(*server_command, stdout=asyncio.subprocess.PIPE)
    greeting = (await server.stdout.readline()).decode()
    port = int(greeting.rsplit(":", 1)[1].rstrip("/\n"))

    async def proxy(client_reader, client_writer):
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        sides = {"client": bytearray(), "server": bytearray()}
        await asyncio.gather(
            pump(client_reader, server_writer, sides["client"]),
            pump(server_reader, client_writer, sides["server"]),
        )
        server_writer.close()
        client_writer.close()
        store(pair, {side: bytes(wire) for side, wire in sides.items()})

    try:
        async with await asyncio.start_server(proxy, "127.0.0.1", 0) as listener:
            url = "ws://127.0.0.1:%d/" % listener.sockets[0].getsockname()[1]
            client = await asyncio.create_subprocess_exec(*client_command, url)
            assert await asyncio.wait_for(client.wait(), 60) == 0, "the client failed"
            await asyncio.sleep(0.5)
    finally:
        server.kill()
        await server.wait()


async def main():
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for pair in PAIRS:
        await record(*pair)


asyncio.run(main())
