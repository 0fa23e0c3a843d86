"""PyPI `websockets` with permessage-deflate, with every combination of parameters that it has.

Usage: deflate.py client URL       one line a combination, exit status 1 when one fails
       deflate.py serve PARAMS     an echo server that asks for these, as in "server_max_window_bits=10"
"""

import asyncio
import itertools
import os
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

LIMITS = {"max_size": 2**25, "ping_interval": None, "close_timeout": 5}
TEXT = '{"id": 7, "name": "größer 漢字 🦀", "list": [1, 2, 3]}, ' * 60
MESSAGES = [TEXT, TEXT, "", b"", b"\x00" * 100_000, os.urandom(70_000), TEXT * 30, "a", TEXT.encode()]


async def exchange(parameters):
    factory = ClientPerMessageDeflateFactory(**parameters, compress_settings={"memLevel": 5})
    async with connect(sys.argv[2], extensions=[factory], compression=None, proxy=None, **LIMITS) as connection:
        agreed = connection.protocol.extensions
        assert len(agreed) == 1, "no extension was agreed on"
        for message in MESSAGES:
            await connection.send(message)
            assert await connection.recv() == message
        pieces = [TEXT[:500], "", TEXT[500:1001], TEXT[1001:]]

        async def with_pings():
            for piece in pieces:
                await (await connection.ping(b"between"))
                yield piece

        await connection.send(with_pings())
        assert await connection.recv() == TEXT
        return agreed[0]


async def client():
    failed = 0
    flags, bits = (False, True), (None, 9, 12, 15)
    for server_flag, client_flag, server_bits, client_bits in itertools.product(flags, flags, bits, (*bits, True)):
        parameters = {
            "server_no_context_takeover": server_flag,
            "client_no_context_takeover": client_flag,
            "server_max_window_bits": server_bits,
            "client_max_window_bits": client_bits,
        }
        try:
            print(f"ok websockets/client {await asyncio.wait_for(exchange(parameters), 30)}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL websockets/client {parameters}: {type(error).__name__} {error}", flush=True)
    sys.exit(failed > 0)


async def echo(connection):
    async for message in connection:
        if isinstance(message, str) and message:
            half = len(message) // 2
            await connection.send([message[:half], message[half:]])
        else:
            await connection.send(message)


async def server():
    pairs = [param.strip().partition("=") for param in sys.argv[2].split(";") if param.strip()]
    parameters = {name: int(value) if value else True for name, _, value in pairs}
    factory = ServerPerMessageDeflateFactory(**parameters)
    async with serve(echo, "127.0.0.1", 0, extensions=[factory], compression=None, **LIMITS) as listening:
        print("listening on ws://127.0.0.1:%d/" % listening.sockets[0].getsockname()[1], flush=True)
        await listening.serve_forever()


asyncio.run(client() if sys.argv[1] == "client" else server())
