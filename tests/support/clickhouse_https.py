"""ClickHouse's HTTP interface over TLS, as far as our client needs it, before the engine of the run: no server of
ClickHouse is at hand here, and its client's handshakes, headers and refusals can be tried all the same."""

import base64
import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from tests.support.certificates import Certificate
from tests.support.engine import ClickHouse
from tests.support.tls_server import served

USER, PASSWORD = "ana", "correct-horse"


@contextlib.contextmanager
def secured_clickhouse(engine: ClickHouse, shows: Certificate, asks_for: Path | None = None) -> Iterator[str]:
    """Serve the engine by HTTPS to one user, who signs in by password, or by certificate if they are asked for."""
    with (
        contextlib.closing(clickhouse_connect.get_client(**engine.connection)) as client,
        served(_handler(client), shows, asks_for) as address,
    ):
        yield address


def _handler(client: Client) -> type[BaseHTTPRequestHandler]:
    right = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer a statement: in the body, or in the address with the rows to insert as the body."""
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if not self._may():
                self._answer(403, b"Code: 516. DB::Exception: ana: Authentication failed", "516")
                return
            asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            statement = b"\n".join(part for part in (asked.get("query", "").encode(), body) if part).decode()
            given = {name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")}
            try:
                with turn:
                    client.command(f"USE `{asked.get('database', 'default')}`")
                    has_rows = statement.startswith(("SELECT", "EXISTS")) and "FORMAT" not in statement
                    content = client.raw_query(statement, given, fmt="TabSeparated" if has_rows else None)
            except ClickHouseError as error:
                self._answer(500, str(error).encode(), str(getattr(error, "code", None) or 1_000))
            else:
                self._answer(200, content)

        def _may(self) -> bool:
            if self.headers.get("X-ClickHouse-SSL-Certificate-Auth") == "on":
                connection: Any = self.connection
                return bool(connection.getpeercert()) and self.headers["X-ClickHouse-User"] == USER
            return self.headers["Authorization"] == right

        def _answer(self, status: int, content: bytes, code: str = "") -> None:
            self.send_response(status)
            if code:
                self.send_header("X-ClickHouse-Exception-Code", code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Say nothing."""

    return Handler
