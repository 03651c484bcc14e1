"""Owns what the demo runs on: a fake Graph, the product's stack, and the product's collector between them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from runtime.embedded.child import Child
from tests.demo.running import look_after, running, wait
from tests.demo.tenants import Customer
from tests.support.graph import FakeGraph, served_graph
from tests.support.graph.collecting import collector_process, notifying
from tests.support.ports import HOST, free_port

POLL_S = 5
_STOPPED_S = 30.0


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
        return wait(what, check, deadline_s, self._children)

    def look_after(self) -> None:
        """Raise DemoError if something that was started has ended."""
        look_after(self._children)

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
        notifications = free_port()
        up, http = stack.enter_context(running(data or logs / "data", port, logs, say))
        bootstrap = http.get("/readyz").raise_for_status().json()["kafka_bootstrap"]
        own = {"poll_s": POLL_S, **notifying(notifications)}
        collector = collector_process(graph, bootstrap, str(http.base_url).rstrip("/"), logs / "collector.log", **own)
        stack.callback(collector.stop, _STOPPED_S)
        collector.start()
        say(f"the collector polls every {POLL_S} s, and hears notifications at http://{HOST}:{notifications}")
        yield Stage(graph, http, [up, collector])
