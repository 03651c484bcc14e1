"""The pages of history while it cannot be read: each says so and what to do, and the rest of it lives."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.ailing_portal import TENANT
from tests.support.ports import HOST, free_port
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def ailing() -> Iterator[str]:
    port = free_port()
    url = f"http://{HOST}:{port}"
    process = subprocess.Popen([sys.executable, "-m", "tests.support.ailing_portal", str(port)])

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/healthz").is_success
        except httpx.TransportError:
            return False

    try:
        eventually(answers, 30)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def test_the_history_page_says_what_to_do_and_can_be_asked_again(open_page: OpenPage, ailing: str) -> None:
    page = open_page(f"{ailing}/tenants/{TENANT}/history")
    state = page.get_by_test_id("state")
    expect(state).to_contain_text("History cannot be read from ClickHouse now: check that it runs")
    page.get_by_role("button", name="Get History").click()
    expect(state).to_contain_text("then press Get History")
    expect(page.get_by_text("None.", exact=True)).to_be_hidden()
    expect(page.get_by_role("button", name="Download as CSV")).to_be_disabled()
    expect(page.get_by_role("heading", level=1)).to_have_text(TENANT)


def test_the_page_of_changes_says_it_of_both_its_parts(open_page: OpenPage, ailing: str) -> None:
    page = open_page(f"{ailing}/tenants/{TENANT}/changes")
    expect(page.get_by_test_id("changes shown")).to_contain_text("Changes cannot be read from ClickHouse now")
    expect(page.get_by_test_id("settings shown")).to_contain_text("The log of settings cannot be read")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_test_id("changes shown")).to_contain_text("then press Show")
