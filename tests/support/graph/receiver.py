"""Owns a receiver of change notifications that a test sees into, over HTTP in a thread of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.ports import HOST


class Receiver:
    """Receives notifications over HTTP. `greets` False answers the handshake wrongly; `failures` refuses so many."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.greets, self.failures = True, 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                token = parse_qs(urlsplit(self.path).query).get("validationToken")
                if token:
                    return self.reply(200, token[0].encode() if receiver.greets else b"hello")
                if receiver.failures:
                    receiver.failures -= 1
                    return self.reply(503, b"")
                receiver.notes += json.loads(sent)["value"]
                return self.reply(202, b"")

            def reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_request(self, code: object = None, size: object = None) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self.server.server_port}/notify?t=acme"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver until left."""
    receiver = Receiver()
    thread = Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.05}, name="receiver")
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()
