"""The server under test, and what the operating system tells of it."""

import os
import re
import subprocess
import time


class Server:
    def __init__(self, command, log):
        # Freed memory goes back at once, so that what is resident is what is held.
        malloc = {"ARENA_MAX": "1", "TRIM_THRESHOLD_": "65536", "MMAP_THRESHOLD_": "65536"}
        env = os.environ | {f"MALLOC_{name}": value for name, value in malloc.items()}
        self.log = open(log, "a+", errors="replace")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env)
        self.port = self.listening()

    def listening(self):
        for _ in range(200):
            match = re.search(r"listening on ws://[^/]*:(\d+)/", self.text())
            if match:
                return int(match[1])
            time.sleep(0.05)
        raise SystemExit(f"the server does not listen: {self.text()}")

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def is_alive(self):
        return self.process.poll() is None

    def panics(self):
        return [line for line in self.text().splitlines() if "panicked" in line or "overflowed its stack" in line]

    def resident(self):
        """Returns the resident memory in bytes."""
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def peak(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s*(\d+) kB", status.read())[1]) << 10

    def held(self):
        """Returns how many threads and how many open files there are."""
        pid = self.process.pid
        return len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
