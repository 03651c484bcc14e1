"""An HTTP or HTTPS server of a test, in threads of this process, on a free port of the loopback address."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.certificates import Certificate
from tests.support.ports import HOST


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        """Accept; the handshake is left to the connection's own thread, so that a bad one holds nobody up."""
        accepted, address = super().get_request()
        if self.tls is not None:
            accepted = self.tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        return accepted, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a handshake that fails is what tests are after, and they see it on the other side."""


@contextlib.contextmanager
def served(
    handler: type[BaseHTTPRequestHandler], shows: Certificate | None = None, asks_for: Path | None = None
) -> Iterator[str]:
    """Serve, over TLS with a certificate; clients need one that `asks_for` signed. Yields the address."""
    server = _Server((HOST, 0), handler)
    if shows is not None:
        server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=asks_for)
        server.tls.load_cert_chain(shows.certificate, shows.key)
        server.tls.verify_mode = ssl.CERT_REQUIRED if asks_for else ssl.CERT_NONE
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield f"{'https' if shows else 'http'}://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
