"""Owns what the demo runs on: a fake Graph, the product's stack, and the product's collector between them."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from runtime.embedded.child import Child
from runtime.embedded.leash import leashed
from tests.demo.tenants import Customer
from tests.support.graph import FakeGraph, served_graph
from tests.support.graph.collecting import collector_process, notifying
from tests.support.ports import HOST, free_port

POLL_S = 5
_READY_S = 90.0
_STOPPED_S = 30.0
_PAUSE_S = 0.1


class DemoError(Exception):
    """Something was not seen in time, or ended; the text is a sentence."""


class Stage:
    """A Graph, and a Poolwatch that collects from it."""

    def __init__(self, graph: FakeGraph, http: httpx.Client, children: list[Child]) -> None:
        self.graph = graph
        self._http = http
        self._children = children

    @property
    def url(self) -> str:
        """Where the portal answers."""
        return str(self._http.base_url).rstrip("/")

    def enrol(self, customer: Customer) -> None:
        """Let Poolwatch collect a customer."""
        body = {
            "ms_tenant_id": customer.fake.ms_tenant_id,
            "display_name": customer.name.title(),
            "acquired_licenses": customer.acquired,
            "gateways": [f"sbc.{customer.name}.example"],
            "graph": {"template_groups": customer.template_groups},
        }
        self._http.patch(f"/api/v1/tenants/{customer.name}/settings", json=body).raise_for_status()

    def licensed(self, name: str) -> int:
        """Return how many licences a tenant uses."""
        return int(self._get(f"/tenants/{name}/licenses")["currently_licensed"])

    def sources(self, name: str) -> list[dict[str, Any]]:
        """Return how the parts of a tenant's sources are doing, as `poolwatch sources` shows it."""
        items: list[dict[str, Any]] = self._get(f"/tenants/{name}/sources")["items"]
        return items

    def wait(self, what: str, check: Callable[[], bool], deadline_s: float) -> float:
        """Wait until `check` is true, and return the seconds that took. Raises DemoError."""
        begin = time.monotonic()
        while not check():
            self.look_after()
            if time.monotonic() - begin > deadline_s:
                raise DemoError(f"within {deadline_s:g} s it was not seen that {what}")
            time.sleep(_PAUSE_S)
        return time.monotonic() - begin

    def look_after(self) -> None:
        """Raise DemoError if something that was started has ended."""
        for child in self._children:
            if not child.alive:
                raise DemoError(f"{child.name} has ended; its log ends with:\n{child.log_tail()}")

    def _get(self, path: str) -> Any:
        return self._http.get(f"/api/v1{path}").raise_for_status().json()


@contextmanager
def open_stage(data: Path | None, port: int | None, say: Callable[[str], None]) -> Iterator[Stage]:
    """Start everything, and stop it by the handles it was started with. Without `data` all is gone at the end. Raises
    ChildFailedError."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="poolwatch-demo-")))
        graph = stack.enter_context(served_graph())
        say(f"a Microsoft Graph that is made up answers at {graph.url}")
        port, notifications = port or free_port(), free_port()
        arguments = ["--data", str(data or logs / "data"), "--port", str(port)]
        command = [sys.executable, "-m", "runtime.cli.main", "up", *arguments]
        # Settings of this shell may name another Graph.
        env = {name: value for name, value in os.environ.items() if not name.startswith("POOLWATCH_")}
        up = Child("poolwatch up", leashed(command), logs / "up.log", env)
        stack.callback(up.stop, _STOPPED_S)
        up.start()
        http = stack.enter_context(httpx.Client(base_url=f"http://{HOST}:{port}", timeout=30.0, trust_env=False))
        up.wait_ready(lambda: f"Poolwatch answers at {http.base_url}".rstrip("/") in up.log_tail(), _READY_S)
        say(f"`poolwatch up` answers at {http.base_url}".rstrip("/"))
        bootstrap = http.get("/readyz").raise_for_status().json()["kafka_bootstrap"]
        own = {"poll_s": POLL_S, **notifying(notifications)}
        collector = collector_process(graph, bootstrap, f"http://{HOST}:{port}", logs / "collector.log", **own)
        stack.callback(collector.stop, _STOPPED_S)
        collector.start()
        say(f"the collector polls every {POLL_S} s, and hears notifications at http://{HOST}:{notifications}")
        yield Stage(graph, http, [up, collector])
