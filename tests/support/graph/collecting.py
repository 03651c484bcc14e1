"""A collector process between a fake Graph and a stack, and the tenants that it collects."""

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from runtime.embedded.child import Child
from runtime.embedded.leash import leashed
from tests.support.graph.directory import FakeTenant
from tests.support.graph.expected import expected_factors
from tests.support.graph.fake import FakeGraph
from tests.support.graph.sign_in import CLIENT_ID, CLIENT_SECRET
from tests.support.ports import HOST

NOTIFICATION_KEY = "invented-notification-key"


def collector_process(
    graph: FakeGraph,
    bootstrap: str,
    portal_url: str,
    log: Path,
    *,
    prefix: str = "poolwatch.",
    log_level: str = "info",
    **settings: Any,
) -> Child:
    """Return a collector, not started; `settings` are those of the group `graph`."""
    own = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "poll_s": 2, **settings}
    tree = {
        "url": portal_url,
        "kafka": {"bootstrap": bootstrap, "topic_prefix": prefix},
        "graph": own,
        "log": {"level": log_level, "format": "json"},
    }
    command = [sys.executable, "-m", "tests.support.graph.collector_main", graph.origin, json.dumps(tree)]
    return Child("the Graph collector", leashed(command), log)


class _NoHistory(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"items": [], "next_cursor": null}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def portal_without_history() -> Iterator[str]:
    """Yield the address of a portal that knows of no sync, for a collector beside which there is none."""
    with ThreadingHTTPServer((HOST, 0), _NoHistory) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def notifying(port: int) -> dict[str, Any]:
    """Return the settings of a collector that listens for notifications at a port."""
    return {
        "notification_url": f"http://127.0.0.1:{port}",
        "notification_key": NOTIFICATION_KEY,
        "listen_port": port,
    }


def enrol(portal_url: str, tenant: str, fake: FakeTenant, **graph: Any) -> None:
    """Let a tenant be collected."""
    body = {"ms_tenant_id": fake.ms_tenant_id, "acquired_licenses": 50_000, "graph": graph}
    httpx.patch(f"{portal_url}/api/v1/tenants/{tenant}/settings", json=body, timeout=30).raise_for_status()


def enrol_all(portal_url: str, tenants: Mapping[str, FakeTenant]) -> None:
    """Let many tenants be collected."""
    with ThreadPoolExecutor(16) as threads:
        for enrolled in [threads.submit(enrol, portal_url, name, fake) for name, fake in tenants.items()]:
            enrolled.result()


def fill(fake: FakeTenant, users: int, direct_routing: int, operator_connect: int = 0) -> list[str]:
    """Hire users who hold a licence; the first of them get numbers. Returns their ids."""
    fake.own_sku("MCOEV", users + 10)
    hired = [fake.add_user() for _ in range(users)]
    for number, user in enumerate(hired[: direct_routing + operator_connect]):
        fake.set_licenses(user, "MCOEV")
        kind = "directRouting" if number < direct_routing else "operatorConnect"
        fake.assign_number(user, f"+331{number:08d}", kind)  # type: ignore[arg-type]
    return hired


def expected_count(fake: FakeTenant) -> int:
    """Return how many subjects a tenant has that count, by what it is: template groups are not looked at."""
    return len(expected_factors(fake))
