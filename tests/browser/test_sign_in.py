"""Signing in, and out, in a browser; and an open page whose session ends."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.services import utc_now
from tests.support.browsing import Watch, grave_findings, wait_until_live
from tests.support.oidc.provider import running_provider, skip_without_oidc
from tests.support.ports import HOST, free_port
from tests.support.signing_in import running_portal, sealed_session

Open = Callable[..., Page]
COOKIE = "poolwatch-session"
"""Without the prefix that only https can have."""


@pytest.fixture(scope="module")
def url(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    skip_without_oidc()
    folder, port = tmp_path_factory.mktemp("sign-in"), free_port()
    own = f"http://{HOST}:{port}"
    with running_provider(folder, own) as provider, running_portal(folder, provider, at=port, public_url=own):
        yield own


@pytest.fixture
def stranger(chromium: Browser, url: str, watch: Watch) -> Iterator[Page]:
    context = chromium.new_context(base_url=url)
    context.set_default_timeout(20_000)
    watch.over(context)
    yield context.new_page()
    context.close()


def name_account(page: Page, account: str) -> None:
    page.get_by_label("Account").fill(account)
    page.get_by_role("button", name="Continue").click()


def test_a_page_asks_to_sign_in_and_comes_back_and_signing_out_ends_it(stranger: Page, url: str) -> None:
    page = stranger
    page.goto("/who/contoso")
    name_account(page, "ana")
    page.wait_for_url(f"{url}/who/contoso")
    wait_until_live(page)
    expect(page.get_by_test_id("principal")).to_have_text("ana@msp.example")
    page.get_by_role("button", name="Say who").click()
    expect(page.get_by_test_id("said")).to_have_text("still ana@msp.example")
    other = page.context.new_page()
    other.goto("/who/fabrikam")
    wait_until_live(other)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{url}/auth/signed-out**")
    expect(page.get_by_role("heading")).to_have_text("Signed out")
    assert [] == grave_findings(page)
    expect(other.get_by_label("Account")).to_be_visible(timeout=20_000)


def test_without_a_role_a_page_says_so_and_lets_one_sign_out(stranger: Page, watch: Watch) -> None:
    watch.expected.append("403")
    page = stranger
    page.goto("/")
    name_account(page, "nora")
    expect(page.get_by_role("main")).to_contain_text("nobody has given you a role in Poolwatch")
    assert [] == grave_findings(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("heading")).to_have_text("Signed out")


def test_an_open_page_ends_with_its_session(stranger: Page, url: str) -> None:
    page = stranger
    ends = utc_now() + timedelta(seconds=8)
    page.context.add_cookies([{"name": COOKIE, "value": sealed_session(ends), "url": url}])
    page.goto("/who/contoso")
    wait_until_live(page)
    page.get_by_role("button", name="Say who").click()
    expect(page.get_by_test_id("said")).to_have_text("still ana@msp.example")
    expect(page.get_by_label("Account")).to_be_visible(timeout=20_000)
    assert utc_now() >= ends
    name_account(page, "ana")
    page.wait_for_url(f"{url}/who/contoso")
