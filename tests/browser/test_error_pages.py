"""What a visitor sees where a page cannot be shown: what happened and what to do next, not the text of an exception."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.bare_portal import SECRET, STRANGER
from tests.support.browsing import PHONE, Theme, Watch, grave_findings, overflow_px
from tests.support.ports import HOST, free_port
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    port = free_port()
    url = f"http://{HOST}:{port}"
    process = subprocess.Popen([sys.executable, "-m", "tests.support.bare_portal", str(port)])
    try:
        eventually(lambda: _answers(url), 30)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def assert_is_one_of_ours(page: Page, title: str, says: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("main")).to_contain_text(says)
    expect(page.get_by_role("link", name="Poolwatch")).to_be_visible()
    expect(page.get_by_role("link", name="Overview of all tenants")).to_be_visible()
    assert SECRET not in page.content()


def test_an_unknown_tenant_is_told_how_one_comes_to_be(open_page: OpenPage, watch: Watch) -> None:
    watch.expected.append("404")
    page = open_page("/tenants/nobody")
    assert_is_one_of_ours(page, "Nothing is here", "The tenant nobody was never heard of")
    page.get_by_role("link", name="Overview of all tenants").click()
    expect(page).to_have_url("/")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_error_page_is_as_usable_as_any(open_page: OpenPage, watch: Watch, theme: Theme) -> None:
    watch.expected.append("404")
    page = open_page("/no/such/page", theme, PHONE)
    assert_is_one_of_ours(page, "Nothing is here", "There is no page at /no/such/page.")
    assert [] == grave_findings(page)
    assert overflow_px(page) <= 0


def test_while_counting_begins_a_page_says_so_and_tries_again(open_page: OpenPage, watch: Watch, bare: str) -> None:
    watch.expected.append("503")
    page = open_page(f"{bare}/tenants/contoso")
    assert_is_one_of_ours(page, "Not yet", "Counts and settings are still being read from Kafka")
    with page.expect_navigation():
        pass
    assert_is_one_of_ours(page, "Not yet", "tries again")


def test_a_page_that_fails_says_where_the_reason_is(open_page: OpenPage, watch: Watch, bare: str) -> None:
    watch.expected.append("500")
    page = open_page(f"{bare}/broken")
    assert_is_one_of_ours(page, "This page failed", "its log has the reason under page_failed")


def test_what_fails_on_an_open_page_is_told_there(open_page: OpenPage, bare: str) -> None:
    page = open_page(f"{bare}/broken-later")
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_text("That failed. Load the page again")).to_be_visible()
    assert SECRET not in page.content()


def test_a_page_that_takes_too_long_says_so(open_page: OpenPage, watch: Watch, bare: str) -> None:
    watch.expected.append("500")
    page = open_page(f"{bare}/slow")
    expect(page.get_by_role("heading", level=1)).to_have_text("This page failed")
    expect(page.get_by_text("It took too long to make.")).to_be_visible()


def test_an_address_that_cannot_be_understood_says_what_is_wrong(open_page: OpenPage, watch: Watch, bare: str) -> None:
    watch.expected.append("422")
    page = open_page(f"{bare}/typed?at=noon")
    assert_is_one_of_ours(page, "The address cannot be understood", "At: Input should be a valid integer")


def test_a_stranger_is_told_to_sign_in(open_page: OpenPage, watch: Watch, bare: str) -> None:
    watch.expected.append("401")
    page = open_page(f"{bare}/typed?at=1")
    page.context.add_cookies([{"name": STRANGER, "value": "1", "url": bare}])
    page.goto(f"{bare}/tenants/contoso")
    assert_is_one_of_ours(page, "Sign in first", "Sign in, then open this page again")
    expect(page.get_by_test_id("principal")).to_have_count(0)


def test_what_is_no_page_gets_no_page(bare: str) -> None:
    answer = httpx.get(f"{bare}/_nicegui/none/static/none.js")
    assert (404, "application/json") == (answer.status_code, answer.headers["content-type"])
