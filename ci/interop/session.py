"""The sessions that record.py stores, with PyPI `websockets` as the client.

Usage: session.py URL
"""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

URL = sys.argv[1].rstrip("/")
TEXTS = ["", "plain", "äöü ß", "Ελληνικά", "кириллица", "漢字かな交じり", "🦀🎉 mixed with ascii"]
LENGTHS = [0, 1, 125, 126, 200]


def open_connection(path):
    return connect(URL + path, compression=None, ping_interval=None, proxy=None, open_timeout=5, close_timeout=5)


async def whole_messages():
    async with open_connection("/") as connection:
        for message in [*TEXTS, *(bytes(range(length)) for length in LENGTHS)]:
            await connection.send(message)
            assert await connection.recv() == message
        for payload in (b"", b"hello", bytes(range(125))):
            await (await connection.ping(payload))
        await connection.close(1000, "bye")


async def fragments():
    text = " · ".join(TEXTS).encode()
    binary = bytes(range(200))

    async with open_connection("/fragments") as connection:

        async def pieces(payload, length):
            yield b""
            for at in range(0, len(payload), length):
                await (await connection.ping(b"at %d" % at))
                yield payload[at : at + length]

        await connection.send(pieces(text, 11), text=True)
        assert (await connection.recv()).encode() == text
        await connection.send(pieces(binary, 70), text=False)
        assert await connection.recv() == binary
        await connection.close(3001, "größer")


async def closed_by_the_server():
    async with open_connection("/close/4001/enough") as connection:
        try:
            await connection.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd.code == 4001


async def main():
    for session in (whole_messages, fragments, closed_by_the_server):
        await asyncio.wait_for(session(), 20)


asyncio.run(main())
