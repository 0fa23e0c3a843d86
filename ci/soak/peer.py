"""A hostile peer: speaks cases of a known verdict to a server that echoes, on many connections at once.

Usage: peer.py --minutes M [--seed S] [--plant NAME] -- SERVER [ARGUMENT...]
       peer.py --case N --seed S -- SERVER [ARGUMENT...]

Case N of a seed is the same in every run. Exits with 1 where a check fails, and names it. With `--plant`, something is
made wrong on purpose that the check of that name has to find.
"""

import argparse
import asyncio
import collections
import random
import sys
import tempfile
import time

import cases
import heads
from link import Link
from server import Server
from wire import Reader, Wrong

CONNECTIONS = 24
PATIENCE = 60  # seconds for one connection
DRAIN = 30  # seconds until the server has let all go
ENOUGH = 5  # failures, to end the run
GROWTH = 4 << 20  # bytes that may be resident more than after the warm-up
WARM_UP = 0.25  # of the rounds
LEAST = 4  # rounds, however slow the machine
PLANTS = ["panic", "close", "echo", "status", "hang", "leak", "memory", "empty"]

CONVERSATIONS = {**{kind: weight for kind, (_, _, weight) in cases.FAULTS.items()}, **cases.ENDS}
HEADS = {f"refused: {name}": 1 for name in heads.REFUSED} | {
    "garbage": 5,
    "partial head, end": 3,
    "partial head, reset": 3,
    "partial head, held": 1,
    "slow head": 1,
}
KINDS = [*CONVERSATIONS, *HEADS]
WEIGHTS = [*CONVERSATIONS.values(), *HEADS.values()]


class Soak:
    def __init__(self, server, seed, plant=None, rate=150, tolerant=False):
        self.server, self.seed, self.plant, self.rate = server, seed, plant, rate
        # A server may drop what waits where it closes, or where the peer has: what comes is whole and in order.
        self.is_tolerant = tolerant
        self.started = 0
        self.passed, self.agreed, self.messages, self.octets = collections.Counter(), 0, 0, 0
        self.failures = []
        self.held = []  # connections that stay open until the end of the round

    async def worker(self, until):
        while (time.monotonic() < until or self.started < len(KINDS)) and len(self.failures) < ENOUGH:
            start, number = time.monotonic(), self.started
            self.started += 1
            await self.case(number)
            await asyncio.sleep(max(0, CONNECTIONS / self.rate - (time.monotonic() - start)))

    async def case(self, number):
        rng = random.Random(f"{self.seed}/{number}")
        # Each kind once, then by weight.
        kind = KINDS[number] if number < len(KINDS) else rng.choices(KINDS, WEIGHTS)[0]
        name = kind if isinstance(kind, str) else kind.__name__.replace("_", " ")
        link = None
        try:
            link = await asyncio.wait_for(Link.open(self.server.port, rng), PATIENCE)
            run = self.head(kind, rng, link) if isinstance(kind, str) else self.conversation(kind, rng, link)
            await asyncio.wait_for(run, 0.001 if self.plant == "hang" else PATIENCE)
            self.passed[name] += 1
        except TimeoutError:
            self.fail("hang", number, name, f"not over after {PATIENCE} s")
        except Wrong as wrong:
            self.fail(wrong.check, number, name, wrong)
        except (OSError, AssertionError, ValueError, KeyError) as error:
            self.fail("frame", number, name, repr(error))
        finally:
            if link and link not in self.held:
                link.close()

    def fail(self, check, number, name, what):
        self.failures.append(check)
        if len(self.failures) <= ENOUGH:
            print(f"FAIL {check}: case {number} of seed {self.seed} ({name}): {what}", flush=True)

    # The conversation behind a good handshake.

    async def conversation(self, kind, rng, link, slow=False):
        wants_deflate = cases.FAULTS[kind][1] if kind in cases.FAULTS else None
        is_offered = rng.random() < 0.5 if wants_deflate is None else wants_deflate
        offer, bits = heads.offer(rng) if is_offered else (None, 15)
        head = heads.Head(rng, offer)
        case = None
        if not is_offered and rng.random() < 0.3:  # the frames come with the request
            case = cases.conversation(rng, kind, None, bits)
            link.begin(bytes(head) + case.wire)
        elif slow:
            await self.trickle(rng, link, bytes(head))
        else:
            await link.send(bytes(head))
        response, rest = await link.receive_head()
        agreed = heads.upgraded(response, head.key, is_offered)
        if case is None:
            case = cases.conversation(rng, kind, agreed, bits)
            link.begin(case.wire)
        self.agreed += agreed is not None
        reader = Reader(agreed)
        reader.feed(rest)
        await self.exchange(case, rng, link, reader)
        self.judge(case, reader)

    async def exchange(self, case, rng, link, reader):
        """Reads while the case is sent, until the server ends the connection, or it is reset."""
        if case.is_deaf:
            await asyncio.wait([link.sending], timeout=0.3)
            link.sending.cancel()
            await asyncio.wait([link.sending])  # the loop lets the descriptor go, before another socket has it
            link.reset()
            return
        reading = asyncio.ensure_future(read_all(link, reader, rng.random() < 0.05, case.is_late))
        await link.sending
        if case.end == "reset":
            await asyncio.wait([reading], timeout=rng.random() * 0.02)
            reading.cancel()
            await asyncio.wait([reading])
            link.reset()
        elif case.end == "eof":
            link.end()
        if not reading.cancelled():
            await reading

    def judge(self, case, reader):
        expected = list(case.data)
        if self.plant == "echo" and expected:
            expected[-1] = (expected[-1][0], expected[-1][1] + b"!")
        is_prefix = case.end == "reset" or (self.is_tolerant and case.end in ("fault", "eof"))
        if reader.data != (expected[: len(reader.data)] if is_prefix else expected):
            raise Wrong("echo", f"{len(expected)} messages were sent, {len(reader.data)} came back, or others")
        self.judge_pongs(case, reader)
        self.judge_close(case, reader)
        self.messages += len(reader.data)
        self.octets += sum(len(payload) for _, payload in reader.data)

    def judge_pongs(self, case, reader):
        if self.is_tolerant:  # "MAY elect to send a Pong frame for only the most recently processed Ping" (§5.5.3)
            pings = iter(case.pings)
            is_right = all(pong in pings for pong in reader.pongs)
        else:
            is_right = case.pings[: len(reader.pongs)] == reader.pongs and len(reader.pongs) >= case.pings_due()
        if not is_right:
            raise Wrong("echo", f"{len(case.pings)} pings, {len(reader.pongs)} pongs, or others")

    def judge_close(self, case, reader):
        if case.end == "fault":
            expected = case.close + (self.plant == "close")
            if reader.close is None or reader.close[0] != expected:
                raise Wrong("close", f"{reader.close} where the code is {expected}")
        elif case.end == "close" and reader.close != case.close:
            raise Wrong("close", f"{reader.close} in answer to {case.close}")
        elif case.end in ("eof", "reset") and reader.close is not None:
            raise Wrong("close", f"{reader.close} without a reason")

    # The opening handshake, abused.

    async def head(self, kind, rng, link):
        if kind == "slow head":
            await self.conversation(cases.close, rng, link, slow=True)
        elif kind == "garbage":
            await link.send(heads.garbage(rng))
            link.end()
            self.refused(await link.receive_head(), {400, 405, 426, 431}, may_be_silent=True)
        elif kind.startswith("refused: "):
            spoil, statuses = heads.REFUSED[kind.removeprefix("refused: ")]
            head = heads.Head(rng)
            spoil(rng, head)
            await link.send(bytes(head))
            self.refused(await link.receive_head(), statuses)
        else:
            await self.partial(kind, rng, link)

    async def partial(self, kind, rng, link):
        head = bytes(heads.Head(rng))
        await link.send(head[: rng.randint(0, len(head) - 1)])
        if kind == "partial head, held":
            self.held.append(link)
        elif kind == "partial head, reset":
            link.reset()
        else:
            link.end()
            self.refused(await link.receive_head(), {400}, may_be_silent=True)
            if await link.receive():
                raise Wrong("status", "more behind the refusal")

    def refused(self, received, statuses, may_be_silent=False):
        (head, rest) = received
        if not head and may_be_silent:
            return
        start = head.split(b"\r\n")[0].decode("latin-1")
        expected = {418} if self.plant == "status" else statuses
        if not any(start.startswith(f"HTTP/1.1 {status} ") for status in expected) or rest:
            raise Wrong("status", f"{start!r} where {sorted(expected)} is right")

    async def trickle(self, rng, link, head):
        for at in range(0, len(head), 8):
            await link.send(head[at : at + 8])
            await asyncio.sleep(rng.random() * 0.1)

    # The rounds.

    async def round(self, seconds):
        """Runs cases for so long, resets what was held, and waits until the server has let all go."""
        until = time.monotonic() + seconds
        await asyncio.gather(*(self.worker(until) for _ in range(CONNECTIONS)))
        if self.plant == "panic":
            self.server.log.write("thread '<unnamed>' panicked at nowhere\n")
            self.server.log.flush()
        if self.plant == "leak":
            self.leaked = await Link.open(self.server.port, None)
        for link in self.held:
            link.reset()
        self.held.clear()

    async def drained(self, idle):
        """Waits until the server holds no more threads and files than `idle`."""
        until = time.monotonic() + (1 if self.plant == "leak" else DRAIN)
        while any(now > before for now, before in zip(self.server.held(), idle)):
            if time.monotonic() > until:
                self.fail("leak", "any", "drained", f"{self.server.held()} threads and files, {idle} before")
                return
            await asyncio.sleep(0.05)

    async def run(self, seconds):
        """Runs rounds for so long; returns the resident memory behind each."""
        # What the server starts once, it starts for the first connection.
        (await Link.open(self.server.port, None)).reset()
        await asyncio.sleep(1)
        idle, resident = self.server.held(), []
        until, length = time.monotonic() + seconds, min(10, seconds / 10)
        while time.monotonic() < until or 0 < len(resident) < LEAST:
            if self.failures or not self.server.is_alive():
                break
            await self.round(length)
            if not self.server.is_alive():
                break
            await self.drained(idle)
            resident.append(self.server.resident() + (len(resident) << 22 if self.plant == "memory" else 0))
        return resident

    def check(self, resident):
        """Judges the run as a whole."""
        if not self.server.is_alive():
            self.fail("panic", "any", "run", f"the server has ended with {self.server.process.returncode}")
        for line in self.server.panics():
            self.fail("panic", "any", "run", line)
        names = {kind if isinstance(kind, str) else kind.__name__.replace("_", " ") for kind in KINDS}
        if not self.failures and (missing := names - self.passed.keys()):
            self.fail("empty", "none", "run", f"no case of {', '.join(sorted(missing))}")
        if not self.failures and (growth := grown(resident)) > GROWTH:
            self.fail("memory", "any", "run", f"{growth:,} bytes more are resident than after the warm-up")

    def report(self, resident, seconds):
        for name, count in sorted(self.passed.items()):
            print(f"{count:>8} {name}")
        total = sum(self.passed.values())
        print(f"{total:>8} cases on as many connections, {self.agreed} with permessage-deflate, in {seconds:.0f} s")
        print(f"{self.messages:>8} messages of {self.octets:,} bytes came back whole")
        if resident and self.server.is_alive():
            warm = warm_up(resident)
            later = max(resident[len(warm) :], default=0)
            print(f"resident when idle, {len(resident)} rounds: {kib(max(warm))} at most in the first {len(warm)}, "
                  f"{kib(later)} at most later, {kib(resident[-1])} at the end; {kib(self.server.peak())} at the peak")
            print("idle threads and files at the end: {} and {}".format(*self.server.held()))


async def read_all(link, reader, is_slow, is_late):
    """Reads to the end of the stream."""
    await asyncio.sleep(0.3 if is_late else 0)
    while received := await link.receive(4096 if is_slow else 1 << 18):
        reader.feed(received)
        if is_slow:
            await asyncio.sleep(0.001)


def warm_up(resident):
    return resident[: max(1, int(len(resident) * WARM_UP))]


def grown(resident):
    """Returns by how many bytes the memory has grown since the warm-up, less than zero where it has shrunk."""
    warm = warm_up(resident)
    return max(resident[len(warm) :], default=0) - max(warm)


def kib(octets):
    return f"{octets >> 10:,} KiB"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(1 << 32)))
    parser.add_argument("--rate", type=float, default=150, help="connections a second, at most")
    parser.add_argument("--case", type=int, help="run this case alone")
    parser.add_argument("--plant", choices=PLANTS)
    parser.add_argument("--tolerant", action="store_true", help="the server may drop what waits when it closes")
    parser.add_argument("server", nargs="+")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with tempfile.NamedTemporaryFile() as log:
        server = Server(args.server, log.name)
        soak = Soak(server, args.seed, args.plant, args.rate, args.tolerant)
        start = time.monotonic()
        try:
            if args.case is None:
                resident = asyncio.run(soak.run(0 if args.plant == "empty" else args.minutes * 60))
                soak.check(resident)
                soak.report(resident, time.monotonic() - start)
            else:
                asyncio.run(soak.case(args.case))
                print(soak.passed, server.text())
        finally:
            server.stop()
    return 1 if soak.failures else 0


if __name__ == "__main__":
    sys.exit(main())
