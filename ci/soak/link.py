"""One TCP connection to the server: bytes out in pieces, bytes in, resets."""

import asyncio
import random
import socket
import struct

import wire


class Link:
    def __init__(self, sock, rng):
        self.sock, self.rng = sock, rng
        self.loop, self.sending = asyncio.get_running_loop(), None

    @classmethod
    async def open(cls, port, rng):
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return cls(sock, rng)

    def begin(self, data):
        """Sends while something else is done."""
        self.sending = asyncio.ensure_future(self.send(data))

    async def send(self, data):
        """Writes all in one piece, in some, or byte by byte, with pauses. Returns whether the server has taken it."""
        cuts = random_cuts(self.rng, len(data))
        pause = self.rng.choice([0, 0, 0.001, 0.01]) if len(cuts) < 40 else 0
        view = memoryview(data)
        try:
            for start, end in zip([0, *cuts], [*cuts, len(data)]):
                await self.loop.sock_sendall(self.sock, view[start:end])
                if pause and self.rng.random() < 0.5:
                    await asyncio.sleep(pause * self.rng.random())
        except (ConnectionResetError, BrokenPipeError):
            return False
        return True

    async def receive(self, size=65536):
        """Returns what has come; nothing at the end of the stream, be it a reset."""
        try:
            return await self.loop.sock_recv(self.sock, size)
        except ConnectionResetError:
            return b""

    async def receive_head(self):
        """Returns the head of a response, empty where there is none, and what came behind it."""
        received = b""
        while b"\r\n\r\n" not in received:
            more = await self.receive()
            if not more:
                if received:
                    raise wire.Wrong("status", f"half a head: {received!r}")
                return b"", b""
            received += more
        head, _, rest = received.partition(b"\r\n\r\n")
        return head, rest

    def end(self):
        """Ends the stream in this direction."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server has reset it

    def reset(self):
        """Drops the connection without a goodbye."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        if self.sending:
            self.sending.cancel()
        self.sock.close()


def random_cuts(rng: random.Random, length):
    draw = rng.random()
    if draw < 0.3 or length < 2:
        return []
    if draw < 0.5 and length < 2000:
        return list(range(1, length))
    return sorted(rng.randrange(1, length) for _ in range(rng.randint(1, 20)))
