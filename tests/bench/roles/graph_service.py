"""What a Graph collector reads, in a process of its own: a fake Graph with tenants, and a portal that knows of no sync
before."""

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog

from runtime.logging import configure
from runtime.settings import Log
from streams.garbage import collect_rarely
from tests.support.graph import FakeGraph, served_graph
from tests.support.ports import HOST

log = structlog.get_logger()


class _Portal(BaseHTTPRequestHandler):
    """Has heard of no tenant: what a collector asks it is how earlier syncs went, and it sweeps the first as it is."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def fill(graph: FakeGraph, tenants: int, users: int) -> list[str]:
    """Add tenants of so many users, all licensed, six in ten with a number; return their Microsoft ids."""
    for _ in range(tenants):
        tenant = graph.add_tenant()
        tenant.own_sku("ENTERPRISEPREMIUM", users)
        for number in range(users):
            user = tenant.add_user()
            tenant.set_licenses(user, "ENTERPRISEPREMIUM")
            if number % 10 < 6:
                tenant.assign_number(user, f"+331{number:08d}", "operatorConnect" if number % 5 else "directRouting")
                tenant.set_voice(user, enabled=True, routing_policy="FR-National")
    return list(graph.tenants)


def run(arguments: dict[str, Any]) -> None:
    """Serve until SIGTERM; log where, and whom."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    portal = ThreadingHTTPServer((HOST, 0), _Portal)
    thread = threading.Thread(target=portal.serve_forever)
    with portal, served_graph() as graph:
        thread.start()
        tenants = fill(graph, arguments["tenants"], arguments["users"])
        collect_rarely()  # a fake that looks through its users for garbage would keep the collector waiting
        log.info(
            "bench_serves", graph=graph.origin, portal=f"http://{HOST}:{portal.server_address[1]}", tenants=tenants
        )
        stop.wait()
        portal.shutdown()
        thread.join()


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    run(json.loads(sys.argv[1]))
