"""A portal with ten thousand tenants and a year of their history, asked over HTTP as the pages and scripts ask it."""

import statistics
import time
from collections.abc import Iterator
from itertools import cycle, islice

import httpx
from playwright.sync_api import Browser

from tests.bench.figures import Figure, percentile
from tests.bench.provider import fill
from tests.bench.stage import Stage, wait_for_portal
from tests.support.browsing import wait_until_live
from tests.support.chromium import HOW_TO_GET_IT, find_chromium, running_chromium
from tests.support.ports import HOST, free_port

TENANTS = 10_000
QUESTIONS = 60
_WARM_UP = 10
OPENINGS = 9
_PAGES = {
    "first page": [{"sort": "tenant"}, {"sort": "usage"}],
    "first page, searched": [{"search": "wing", "sort": "usage"}, {"search": "Trey Research 17"}],
    "first page with sparklines": [{"sort": "usage", "sparkline": "30d"}, {"sort": "licensed", "sparkline": "30d"}],
}
"""What is asked in turn; in words, and as parameters."""


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield the 95th percentile of pages of the overview, and of a tenant's year."""
    prefix, port = stage.new_topics(), free_port()
    provider = fill(stage, prefix, TENANTS // 10 if stage.quick else TENANTS)
    with (
        stage.child("portal", prefix=prefix, port=port, cores=0) as portal,
        httpx.Client(base_url=f"http://{HOST}:{port}/api/v1", timeout=30) as http,
    ):
        wait_for_portal(portal, port, 120)
        about = f"{provider.tenants:,} tenants with a year of history, over HTTP, warm"
        for what, questions in _PAGES.items():
            value = percentile(_ask(http, [("/tenants", question) for question in questions]), 95)
            note = f"{QUESTIONS} pages of 100, {about}"
            yield Figure(f"overview, {what}, p95", value, "ms", "at most", *stage.limits(200, 50), note=note)
        names = [key.decode() for key, _ in provider.records()["tenants"]][
            :: provider.tenants // (QUESTIONS + _WARM_UP)
        ]
        value = percentile(_ask(http, [(f"/tenants/{name}/licenses/history", {"from": "365d"}) for name in names]), 95)
        note = f"years of {QUESTIONS} tenants at auto step, of {about}"
        yield Figure("a tenant's year in the API, p95", value, "ms", "at most", *stage.limits(50, 20), note=note)
        yield from _in_a_browser(stage, f"http://{HOST}:{port}/", provider.tenants)


def _in_a_browser(stage: Stage, url: str, tenants: int) -> Iterator[Figure]:
    """Yield how long the page of all tenants takes until it is there with its figures and obeys, in a new session of
    the browser each time: nothing is in its cache."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(f"no Chromium opens the overview: {HOW_TO_GET_IT}")
    with running_chromium(path) as chromium:
        milliseconds = [_open(chromium, url) for _ in range(1 + OPENINGS)][1:]
    note = f"median of {OPENINGS} openings with an empty cache until 50 of {tenants:,} tenants are there and live"
    yield Figure(
        "overview in a browser, usable after", statistics.median(milliseconds), "ms", "at most",
        *stage.limits(1_000, 500), note=note,
    )  # fmt: skip


def _open(chromium: Browser, url: str) -> float:
    context = chromium.new_context()
    try:
        page = context.new_page()
        began = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.get_by_role("rowheader").nth(49).wait_for()
        wait_until_live(page)
        return 1_000 * (time.perf_counter() - began)
    finally:
        context.close()


def _ask(http: httpx.Client, questions: list[tuple[str, dict[str, str]]]) -> list[float]:
    milliseconds = []
    for path, parameters in islice(cycle(questions), QUESTIONS + _WARM_UP):
        began = time.perf_counter()
        answer = http.get(path, params=parameters)
        milliseconds.append(1_000 * (time.perf_counter() - began))
        answer.raise_for_status()
        if not any(answer.json().get(name) for name in ("items", "points")):
            raise RuntimeError(f"{path} with {parameters} was answered with nothing: its time means nothing")
    return milliseconds[_WARM_UP:]
