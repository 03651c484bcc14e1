"""The pages in a real Chromium, on a real `poolwatch up --demo`.

How to write a page test:

    def test_a_ticked_box_moves_the_count(open_page: OpenPage, tenant: str, elsewhere: Elsewhere) -> None:
        page = open_page(f"/tenants/{tenant}")                    # 1280 px, light; returns when the page is live
        page.get_by_role("checkbox", name="Managed Service Numbers").click()
        expect(page.get_by_test_id("Currently Licensed")).to_have_text("35")
        elsewhere("tenant", "set", tenant, "--pool", "60")        # the command line, in another process
        expect(page.get_by_test_id("Acquired Licenses")).to_have_text("60")

Tests are plain functions: Playwright's synchronous interface holds the thread, so no test here is `async` and none runs
the command line in its own process. `expect` polls with a deadline of its own; use no sleep.

Fixtures
    open_page   open_page(path, theme="light"|"dark", size=DESKTOP|PHONE) gives a page, each in a session of its own
    tenant      a new tenant of the test's own, a tenth of the vendor's example: 37 of 50 as 20, 10, 0, 5, 2, with
                gateway, names and subscriptions; change it as you like
    elsewhere   runs `poolwatch …` in another process, must succeed, returns what it prints
    demo        the stack: `demo.url`, `demo.count(tenant)`, `demo.get(path)`, `demo.post_events(…)`. It is shared:
                look at contoso (the vendor's example, 370 of 500, stands still) and change nothing of it that you do
                not put back
    watch       what fails a test by itself: a request that leaves 127.0.0.1, an error on the console, an exception of
                the page. What is meant goes into `watch.expected`, as a pattern: watch.expected.append("404")
    every page is checked by axe-core, for width and by keyboard in test_every_page.py: add yours to its list
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Protocol

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.support.browsing import DESKTOP, ZONE, Theme, Watch, wait_until_live
from tests.support.chromium import HOW_TO_GET_IT, find_chromium, running_chromium
from tests.support.embedded_stack import EmbeddedStack, running_stack
from tests.support.small_tenant import COUNTED, events_of
from tests.support.summary import Summary
from tests.support.waiting import eventually

Elsewhere = Callable[..., str]


class OpenPage(Protocol):
    """Opens a page of the portal and returns it when it is live."""

    def __call__(self, path: str, theme: Theme = "light", size: ViewportSize = DESKTOP) -> Page: ...


# Of the package and not of the session: while Chromium runs, the asynchronous tests of the other tiers could not.
@pytest.fixture(scope="package")
def chromium(summary: Summary) -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip(f"NO CHROMIUM WAS FOUND: {HOW_TO_GET_IT}")
    with running_chromium(path) as browser:
        summary.engines["browser"] = f"Chromium {browser.version}"
        yield browser


@pytest.fixture(scope="package")
def demo(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    with running_stack(tmp_path_factory.mktemp("browser") / "data", demo=True) as stack:
        yield stack


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert [] == watch.left, "no request leaves this machine"
    assert [] == watch.unexpected(), "the browser has nothing to complain about"


@pytest.fixture
def open_page(chromium: Browser, demo: EmbeddedStack, watch: Watch) -> Iterator[OpenPage]:
    contexts: list[BrowserContext] = []

    def opened(path: str, theme: Theme = "light", size: ViewportSize = DESKTOP) -> Page:
        context = chromium.new_context(
            base_url=demo.url, color_scheme=theme, viewport=size, timezone_id=ZONE, locale="en-US"
        )
        contexts.append(context)
        context.set_default_timeout(30_000)
        watch.over(context)
        page = context.new_page()
        page.goto(path)
        wait_until_live(page)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def elsewhere(demo: EmbeddedStack) -> Elsewhere:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "runtime.cli.main", *arguments]
        known = os.environ | {"POOLWATCH_URL": demo.url}
        ended = subprocess.run(
            command, env=known, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, f"{arguments}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    return run


@pytest.fixture
def tenant(demo: EmbeddedStack) -> Iterator[str]:
    name = f"t-{uuid.uuid4().hex[:8]}"
    place = f"{demo.url}/api/v1/tenants/{name}"
    settings = {"acquired_licenses": 50, "gateways": [f"sbc1.{name}.example"]}
    httpx.put(f"{place}/settings", json=settings, timeout=30).raise_for_status()
    answer = demo.post_events(*events_of(name))
    assert (answer.status_code, []) == (202, answer.json()["rejected"]), answer.text

    def is_counted() -> bool:
        return [row["counted"] for row in demo.count(name)["factors"]] == COUNTED

    eventually(is_counted, 30)
    yield name
    httpx.delete(place, timeout=30).raise_for_status()
