"""PyPI `websockets` or `aiohttp` as the client of server_tokio: one line a check, exit status 1 when one fails.

Usage: echoed.py websockets|aiohttp URL deflate|plain|broadcast
"""

import asyncio
import os
import sys

import aiohttp
import websockets
from websockets.asyncio.client import connect

LIBRARY, URL, MODE = sys.argv[1:]
SCRIPTS = "Latin äöü · Ελληνικά · кириллица · 漢字かな · 🦀🎉"
LIMIT = 2**24
CHECK_SECONDS = 20


class Websockets:
    """One connection of `websockets`."""

    async def open(self):
        compression = None if MODE == "plain" else "deflate"
        self.socket = await connect(
            URL, compression=compression, max_size=2 * LIMIT, ping_interval=None, close_timeout=5, proxy=None
        )
        self.extensions = self.socket.response.headers.get("Sec-WebSocket-Extensions", "")
        return self

    async def send(self, message):
        await self.socket.send(message)

    async def receive(self):
        return await self.socket.recv()

    async def ping(self, payload):
        await (await self.socket.ping(payload))

    async def close(self, code, reason):
        await self.socket.close(code, reason)
        received = self.socket.protocol.close_rcvd
        return received.code, received.reason

    async def closed_by_peer(self):
        try:
            await self.socket.recv()
        except websockets.exceptions.ConnectionClosed as closed:
            return closed.rcvd.code
        raise AssertionError("a message came")


class Aiohttp:
    """One connection of `aiohttp`."""

    async def open(self):
        self.session = aiohttp.ClientSession()
        compress = 0 if MODE == "plain" else 15
        self.socket = await self.session.ws_connect(URL, compress=compress, max_msg_size=2 * LIMIT, autoclose=True)
        self.extensions = "permessage-deflate" if self.socket.compress else ""
        return self

    async def send(self, message):
        await (self.socket.send_str if isinstance(message, str) else self.socket.send_bytes)(message)

    async def receive(self):
        message = await self.socket.receive()
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        return message.data

    async def ping(self, payload):
        # The pong is answered to the library alone; what comes behind shows that the connection has gone on.
        await self.socket.ping(payload)
        await expect_echo(self, "behind the ping")

    async def close(self, code, reason):
        await self.socket.close(code=code, message=reason.encode())
        await self.session.close()
        return self.socket.close_code, reason

    async def closed_by_peer(self):
        message = await self.socket.receive()
        assert message.type == aiohttp.WSMsgType.CLOSE, message
        await self.session.close()
        return message.data


def peer():
    return {"websockets": Websockets, "aiohttp": Aiohttp}[LIBRARY]().open()


async def expect(connection, message):
    answer = await connection.receive()
    assert answer == message, f"sent {len(message)}, got {len(answer)} of {type(answer).__name__}"


async def expect_echo(connection, message):
    await connection.send(message)
    await expect(connection, message)


def echoes(message):
    async def check():
        connection = await peer()
        await expect_echo(connection, message)
        assert await connection.close(1000, "") == (1000, "")

    return check


async def agrees_on_deflate():
    connection = await peer()
    assert ("permessage-deflate" in connection.extensions) == (MODE != "plain"), connection.extensions
    await connection.close(1000, "")


async def answers_pings():
    connection = await peer()
    for payload in (b"", b"four", os.urandom(125)):
        await connection.ping(payload)
    await connection.close(1000, "")


async def echoes_many_in_order():
    messages = [f"message {number}" if number % 2 else number.to_bytes(4, "big") * number for number in range(1000)]
    connection = await peer()

    async def send_all():
        for message in messages:
            await connection.send(message)

    sender = asyncio.create_task(send_all())
    for message in messages:
        await expect(connection, message)
    await sender
    await connection.close(1000, "")


def answers_close(code, reason):
    async def check():
        assert await (await peer()).close(code, reason) == (code, reason)

    return check


async def refuses_what_is_too_long():
    connection = await peer()
    # Zeros are no long message before they are inflated.
    await connection.send(bytes(LIMIT + 1))
    code = await connection.closed_by_peer()
    assert code == 1009, code


async def echoes_fragments():
    connection = await peer()
    pieces = [SCRIPTS.encode()[at : at + 3].hex() for at in range(0, 60, 3)]
    await connection.send(pieces)
    await expect(connection, "".join(pieces))
    await connection.close(1000, "")


async def reaches_all():
    connections = [await peer() for _ in range(3)]
    for connection in connections:
        await asyncio.sleep(0.1)  # until it is in the room
    for message in (SCRIPTS, os.urandom(100), b"again and again " * 10_000, ""):
        await connections[0].send(message)
        for connection in connections:
            await expect(connection, message)
    for connection in connections:
        assert await connection.close(1000, "all") == (1000, "all")


CHECKS = [("permessage-deflate agreed on as it should", agrees_on_deflate)]
if MODE == "broadcast":
    CHECKS += [("three clients receive what one sends", reaches_all)]
else:
    CHECKS += [
        ("empty text", echoes("")),
        ("empty binary", echoes(b"")),
        ("text in five scripts", echoes(SCRIPTS)),
        *((f"binary of {length}", echoes(os.urandom(length))) for length in (1, 125, 126, 65_535, 65_536, 2**20)),
        ("text of 3 MiB", echoes(SCRIPTS * 2**15)),
        ("pings", answers_pings),
        ("1000 messages in order", echoes_many_in_order),
        ("close 1000 answered", answers_close(1000, "bye")),
        ("close 3000 answered", answers_close(3000, "größer")),
        ("a message too long closed with 1009", refuses_what_is_too_long),
    ]
    if LIBRARY == "websockets":  # the other one sends whole messages only
        CHECKS += [("fragments", echoes_fragments)]


async def main():
    failed = 0
    for what, check in CHECKS:
        try:
            await asyncio.wait_for(check(), CHECK_SECONDS)
            print(f"ok {LIBRARY}/client, {MODE}: {what}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL {LIBRARY}/client, {MODE}: {what}: {type(error).__name__} {error}", flush=True)
    sys.exit(failed > 0)


asyncio.run(main())
