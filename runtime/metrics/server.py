"""Owns the port of a process for `/metrics`, `/livez` and `/readyz`, which are answered by a thread of its own."""

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import make_wsgi_app

from runtime.metrics.exposition import Shown
from runtime.metrics.health import STANDS_STILL_S, Health

_SILENT_S = 10.0


class MetricsError(Exception):
    """The figures of a process cannot be shown; the text says why, and what to do."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # Not HTTPServer's: it asks the name service who it is, which may take seconds, and nobody wants to know.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _ServerOfSix(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = _SILENT_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
        """Say nothing: a scrape every few seconds is no news."""


@contextlib.contextmanager
def serve_figures(host: str, port: int, shown: Shown, health: Health) -> Iterator[int]:
    """Serve until left; yields the port, which is a free one for 0. Raises MetricsError.

    Nobody has to say who he is here: no figure names a tenant or a person. Whom it listens to is the settings' affair.
    """
    server_class = _ServerOfSix if ":" in host else _Server
    try:
        server = server_class((host, port), _Handler)
    except OSError as error:
        raise MetricsError(
            f"metrics cannot be served at {host}:{port}: {error.strerror}. Stop what listens there, or choose another"
            " port (POOLWATCH_METRICS_PORT) or address (POOLWATCH_METRICS_HOST)"
        ) from error
    server.set_app(_routed(shown, health))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _routed(shown: Shown, health: Health) -> Callable[..., Iterable[bytes]]:
    metrics: Any = make_wsgi_app(shown)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        if path == "/livez":
            said = {"alive": health.is_alive, "stands_still_s": round(health.stands_still_s, 1)}
            return _probe(start_response, health.is_alive, said | {"allowed_s": STANDS_STILL_S})
        if path == "/readyz":
            return _probe(start_response, ready := health.is_ready(), {"ready": ready})
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"here are /metrics, /livez and /readyz\n"]

    return app


def _probe(start_response: Callable[..., Any], good: bool, said: dict[str, Any]) -> Iterable[bytes]:
    start_response("200 OK" if good else "503 Service Unavailable", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]
