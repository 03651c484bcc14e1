"""From the start of `poolwatch up` on an empty directory to the first count of an event that was posted."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx

from runtime.embedded.child import Child
from schemas.times import format_time
from tests.bench.figures import Figure
from tests.bench.stage import Stage
from tests.support.ports import free_port

_DEADLINE_S = 90.0
_EVENT = {"type": "phone_number", "tenant": "contoso", "subject": "user:1", "facts": {"number_type": "directRouting"}}


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield the seconds."""
    runs = [_start(stage) for _ in range(1 if stage.quick else 3)]
    words = "empty data directory; an event is posted as soon as the portal takes it, and asked for until it is counted"
    yield Figure("embedded, start to first count", min(runs), "s", "at most", 10, 5, note=words, runs=runs)


def _start(stage: Stage) -> float:
    port, data = free_port(), stage.folder / stage.new_name()
    command = [sys.executable, "-m", "runtime.cli.main", "up", "--data", str(data), "--port", str(port)]
    child = Child("poolwatch up", command, stage.folder / "up.log", os.environ)
    begin = time.monotonic()
    child.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15) as http:
            child.wait_ready(lambda: _answers(http, "/readyz").get("ready") is True, _DEADLINE_S)
            event = _EVENT | {"observed_at": format_time(datetime.now(UTC))}
            child.wait_ready(lambda: http.post("/api/v1/events", json=event).status_code == 202, _DEADLINE_S)
            child.wait_ready(
                lambda: _answers(http, "/api/v1/tenants/contoso/licenses").get("currently_licensed") == 1, _DEADLINE_S
            )
        return time.monotonic() - begin
    finally:
        child.stop(deadline_s=30)


def _answers(http: httpx.Client, path: str) -> dict[str, object]:
    try:
        answer: dict[str, object] = http.get(path).json()
    except (httpx.HTTPError, ValueError):
        return {}
    return answer
