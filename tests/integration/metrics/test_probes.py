"""The port at which a process shows its figures and answers probes."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from runtime.metrics import health as watching
from runtime.metrics.exposition import Shown
from runtime.metrics.health import Health
from runtime.metrics.server import MetricsError, serve_figures

HOST = "127.0.0.1"


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def health(clock: list[float]) -> Health:
    return Health(lambda: clock[0])


@pytest.fixture
def port(health: Health) -> Iterator[int]:
    with serve_figures(HOST, 0, Shown(), health) as port:
        yield port


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://{HOST}:{port}{path}", timeout=5)


def test_a_process_is_not_ready_before_it_says_so_and_lives_all_the_while(port: int, health: Health) -> None:
    assert (503, {"ready": False}) == (get(port, "/readyz").status_code, get(port, "/readyz").json())
    assert 200 == get(port, "/livez").status_code
    health.ready()
    assert (200, {"ready": True}) == (get(port, "/readyz").status_code, get(port, "/readyz").json())


async def test_a_loop_that_stands_still_does_not_live_and_lives_once_it_goes_round(
    port: int, health: Health, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BEAT_S", 0.0)
    health.watch(asyncio.get_running_loop())
    clock[0] = watching.STANDS_STILL_S  # and nothing went round meanwhile: this test has not let go of the loop
    answer = get(port, "/livez")
    assert (503, False) == (answer.status_code, answer.json()["alive"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 200 == get(port, "/livez").status_code
    assert watching.STANDS_STILL_S == watching.registry.get_sample_value("poolwatch_event_loop_late_seconds_sum")


def test_figures_tell_version_memory_and_loop(port: int) -> None:
    text = get(port, "/metrics").text
    for name in ("poolwatch_build_info{", "process_resident_memory_bytes", "poolwatch_event_loop_late_seconds_bucket"):
        assert name in text
    assert "_created" not in text


def test_other_paths_are_answered_by_what_there_is(port: int) -> None:
    answer = get(port, "/")
    assert 404 == answer.status_code
    assert "/readyz" in answer.text


def test_a_port_in_use_is_named_with_its_setting(port: int, health: Health) -> None:
    with (
        pytest.raises(MetricsError, match=rf"{HOST}:{port}.*POOLWATCH_METRICS_PORT"),
        serve_figures(HOST, port, Shown(), health),
    ):
        pass
