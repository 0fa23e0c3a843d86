"""A page in headless Chromium as the client of server_tokio: one line a check, exit status 1 when one fails.

Usage: browser.py URL deflate|plain|refused PORT

Serves the page on 127.0.0.1:PORT, any with 0, and takes its verdict there.
"""

import http.server
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.parse

URL, MODE, PORT = sys.argv[1:]
PAGE = pathlib.Path(__file__).with_name("browser.html").read_bytes()
SECONDS = 100

verdicts = queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(PAGE if self.path.startswith("/?") else b"")

    def do_POST(self):
        verdicts.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.answer(b"")

    def log_message(self, *_):
        pass


def chromium(page, profile):
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-quic",
        "--no-first-run",
        "--no-proxy-server",
        f"--user-data-dir={profile}",
    ]
    # The debugging port keeps it running until it is ended.
    command = ["chromium", *options, "--remote-debugging-port=0", page]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    query = urllib.parse.urlencode({"server": URL, "mode": MODE})
    page = f"http://127.0.0.1:{server.server_address[1]}/?{query}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = chromium(page, profile)
        try:
            verdict = verdicts.get(timeout=SECONDS)
        except queue.Empty:
            verdict = f"FAIL browser, {MODE}: no verdict within {SECONDS} s"
        finally:
            browser.terminate()
            browser.wait(timeout=20)
    print(verdict, flush=True)
    sys.exit("FAIL" in verdict)


main()
