"""An echo server of PyPI `websockets` with the contract of examples/echo, for our client to talk to.

It echoes every message whole. Beyond that: a request path /close/CODE/REASON makes it close at once; the path /fragments
makes it echo in three fragments, cut anywhere, with a ping before each of the last two.

Usage: server.py [--no-deflate]
"""

import asyncio
import itertools
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

numbers = itertools.count(1)


def close_text(close):
    return "none" if close is None or close.code == 1005 else f'{close.code} "{close.reason}"'


async def echo_in_fragments(connection, message, pongs):
    payload = message.encode() if isinstance(message, str) else message
    cut = len(payload) // 3

    async def fragments():
        yield payload[:cut]
        for piece in (payload[cut : 2 * cut], payload[2 * cut :]):
            pongs.append(await connection.ping(b"ping %d" % len(pongs)))
            yield piece

    await connection.send(fragments(), text=isinstance(message, str))


async def talk(connection, number, pongs):
    path = connection.request.path
    if path.startswith("/close/"):
        _, _, code, reason = path.split("/", 3)
        await connection.close(int(code), reason)
        return
    async for message in connection:
        is_text = isinstance(message, str)
        length = len(message.encode()) if is_text else len(message)
        print(f"connection {number}: {'text' if is_text else 'binary'} of {length}", flush=True)
        if path == "/fragments":
            await echo_in_fragments(connection, message, pongs)
        else:
            await connection.send(message)


async def handle(connection):
    number, pongs = next(numbers), []
    try:
        await talk(connection, number, pongs)
    except ConnectionClosed:
        pass
    await connection.wait_closed()
    if pongs:
        answered = sum(1 for pong in pongs if pong.done() and not pong.exception())
        print(f"connection {number}: {answered} of {len(pongs)} pings answered", flush=True)
    sent, received = connection.protocol.close_sent, connection.protocol.close_rcvd
    print(f"connection {number}: sent close {close_text(sent)}, received close {close_text(received)}", flush=True)


async def main():
    compression = None if "--no-deflate" in sys.argv else "deflate"
    options = {"compression": compression, "max_size": 2**25, "ping_interval": None, "close_timeout": 5}
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on ws://127.0.0.1:{port}/", flush=True)
        await server.serve_forever()


asyncio.run(main())
