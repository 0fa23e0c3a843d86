"""PyPI `websockets` as the client of an echo server: one line a check, exit status 1 when one fails.

Usage: client.py URL
"""

import asyncio
import os
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

URL = sys.argv[1].rstrip("/")
SCRIPTS = "Latin äöü · Ελληνικά · кириллица · 漢字かな · 🦀🎉"
CHECK_SECONDS = 20


def open_connection(path="/"):
    options = {"max_size": 2**25, "ping_interval": None, "close_timeout": 5, "open_timeout": 5, "proxy": None}
    return connect(URL + path, **options)


async def expect_echo(connection, message):
    await connection.send(message)
    answer = await connection.recv()
    assert answer == message, f"sent {len(message)}, got {len(answer)} of {type(answer).__name__}"


async def expect_close(connection, code, reason):
    try:
        answer = await connection.recv()
    except ConnectionClosed as closed:
        assert closed.rcvd is not None, "the connection ended without a close frame"
        got = (closed.rcvd.code, closed.rcvd.reason)
        assert got == (code, reason), f"got {got}"
    else:
        raise AssertionError(f"got a message of {len(answer)}")


def echoes(message):
    async def check():
        async with open_connection() as connection:
            await expect_echo(connection, message)

    return check


async def declines_deflate():
    async with open_connection() as connection:
        assert "permessage-deflate" in connection.request.headers["Sec-WebSocket-Extensions"]
        assert "Sec-WebSocket-Extensions" not in connection.response.headers, "an extension was accepted"
        assert connection.protocol.extensions == []
        await expect_echo(connection, "not compressed")


async def echoes_text_in_fragments():
    payload = SCRIPTS.encode()

    async with open_connection() as connection:

        async def one_byte_each():
            for at in range(len(payload)):
                if at % 16 == 3:
                    await (await connection.ping(b"between %d" % at))
                yield payload[at : at + 1]

        await connection.send(one_byte_each(), text=True)
        assert await connection.recv() == SCRIPTS


async def echoes_binary_in_fragments():
    pieces = [b"", os.urandom(200), b"", b"", os.urandom(70_000), b""]
    async with open_connection() as connection:
        await connection.send(pieces)
        assert await connection.recv() == b"".join(pieces)


async def answers_pings():
    async with open_connection() as connection:
        for payload in (b"", b"four", b"\x00\xff", os.urandom(125)):
            # Resolves only for a pong with this payload.
            await (await connection.ping(payload))


async def ignores_unsolicited_pongs():
    async with open_connection() as connection:
        await connection.pong(b"nobody asked")
        await expect_echo(connection, "still here")


async def echoes_a_burst_in_order():
    messages = [f"message {number}" if number % 2 else number.to_bytes(4) * number for number in range(300)]
    async with open_connection() as connection:
        sender = asyncio.create_task(send_all(connection, messages))
        for message in messages:
            assert await connection.recv() == message
        await sender


async def send_all(connection, messages):
    for message in messages:
        await connection.send(message)


def answers_close(code, reason):
    async def check():
        async with open_connection() as connection:
            await connection.close(code, reason)
            await expect_close(connection, code, reason)

    return check


def is_closed_with(code, reason):
    async def check():
        async with open_connection(f"/close/{code}/{reason}") as connection:
            await expect_close(connection, code, reason)

    return check


async def refuses_invalid_text():
    async with open_connection() as connection:
        await connection.send(b"valid, and then \xc3\x28", text=True)
        try:
            await connection.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd is not None and closed.rcvd.code == 1007, f"got {closed.rcvd}"
        else:
            raise AssertionError("invalid text was echoed")


CHECKS = [
    ("permessage-deflate offered and declined", declines_deflate),
    ("empty text", echoes("")),
    ("empty binary", echoes(b"")),
    ("text in five scripts", echoes(SCRIPTS)),
    *((f"binary of {length}", echoes(os.urandom(length))) for length in (1, 125, 126, 127, 65_535, 65_536)),
    ("binary of 1 MiB", echoes(os.urandom(2**20))),
    ("text of 1 MiB", echoes((SCRIPTS * 2**15).encode()[: 2**20].decode(errors="ignore"))),
    ("text in one-byte fragments with pings between", echoes_text_in_fragments),
    ("binary in fragments, some of them empty", echoes_binary_in_fragments),
    ("ping payloads of 0, 4, 2 and 125 come back", answers_pings),
    ("unsolicited pong ignored", ignores_unsolicited_pongs),
    ("burst of 300 messages in order", echoes_a_burst_in_order),
    ("close 1000 answered", answers_close(1000, "bye")),
    ("close 1001 without a reason answered", answers_close(1001, "")),
    ("close 3000 answered", answers_close(3000, "größer")),
    ("close 4999 with a reason of 123 bytes answered", answers_close(4999, "r" * 123)),
    ("closed by the server with 1000", is_closed_with(1000, "done")),
    ("closed by the server with 1012", is_closed_with(1012, "restart")),
    ("closed by the server with 4321", is_closed_with(4321, "countdown")),
    ("invalid text closed with 1007", refuses_invalid_text),
]


async def main():
    failed = 0
    for what, check in CHECKS:
        try:
            await asyncio.wait_for(check(), CHECK_SECONDS)
            print(f"ok websockets/client {what}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL websockets/client {what}: {type(error).__name__} {error}", flush=True)
    sys.exit(failed > 0)


asyncio.run(main())
