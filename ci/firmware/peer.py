"""A client, PyPI `websockets`, that talks to a firmware over the serial port of the machine that the arguments start.

What it sends is cut at random places, always the same.
"""

import os
import random
import subprocess
import sys
import threading

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

TEXT = "Grüße, Погода, 天気, 🌤"
LONG = bytes(i * 7 & 0xFF for i in range(3000))


class Peer:
    def __init__(self, command):
        self.machine = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.timer = threading.Timer(80, self.machine.kill)
        self.timer.start()
        self.random = random.Random(1)
        self.client = ClientProtocol(parse_uri("ws://firmware.example/echo"))

    def flush(self):
        for data in self.client.data_to_send():
            while data:
                cut = self.random.randint(1, 300)
                self.machine.stdin.write(data[:cut])
                self.machine.stdin.flush()
                data = data[cut:]

    def receive(self):
        """Returns the events of the next bytes."""
        data = os.read(self.machine.stdout.fileno(), 4096)
        if not data:
            raise EOFError("the machine has stopped")
        self.client.receive_data(data)
        self.flush()
        return self.client.events_received()

    def open(self):
        self.client.send_request(self.client.connect())
        self.flush()
        answered = False
        while not answered:
            answered = bool(self.receive())
            if self.client.handshake_exc:
                raise self.client.handshake_exc

    def messages(self, count):
        """Returns so many messages, and the pongs that came before the last one ended."""
        found, pongs, open_message = [], [], None
        while len(found) < count:
            for event in self.receive():
                if event.opcode is Opcode.PONG:
                    pongs.append(bytes(event.data))
                elif event.opcode in (Opcode.TEXT, Opcode.BINARY):
                    open_message = (event.opcode, bytes(event.data))
                elif event.opcode is Opcode.CONT:
                    open_message = (open_message[0], open_message[1] + bytes(event.data))
                else:
                    raise ValueError(f"unexpected {event}")
                if event.opcode is not Opcode.PONG and event.fin:
                    found.append(open_message)
        return found, pongs

    def close(self):
        self.client.send_close(1000, "bye")
        self.flush()
        while self.client.close_rcvd is None:
            self.receive()
        code = self.client.close_rcvd.code
        status = self.machine.wait()
        self.timer.cancel()
        return code, status


def converse(peer):
    client = peer.client
    peer.open()
    client.send_text(TEXT.encode())
    client.send_binary(LONG)
    client.send_text(b"")
    whole = TEXT.encode()
    client.send_text(whole[:3], fin=False)
    client.send_ping(b"between")
    client.send_continuation(whole[3:20], fin=False)
    client.send_continuation(whole[20:], fin=True)
    client.send_ping(b"")
    client.send_binary(LONG[:126])
    peer.flush()
    found, pongs = peer.messages(5)
    expected = [
        (Opcode.TEXT, whole),
        (Opcode.BINARY, LONG),
        (Opcode.TEXT, b""),
        (Opcode.TEXT, whole),
        (Opcode.BINARY, LONG[:126]),
    ]
    assert found == expected, found
    assert pongs == [b"between", b""], pongs
    assert peer.close() == (1000, 0)


if __name__ == "__main__":
    peer = Peer(sys.argv[1:])
    try:
        converse(peer)
    finally:
        peer.timer.cancel()
        peer.machine.kill()
