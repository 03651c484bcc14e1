"""A page whose server goes away says so, and is live again once the server is back."""

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.browsing import Watch, wait_until_live
from tests.support.embedded_stack import EmbeddedStack

GONE_S = 30_000


def test_a_lost_connection_is_shown_and_the_page_comes_back_by_itself(
    open_page: OpenPage, watch: Watch, demo: EmbeddedStack
) -> None:
    watch.expected += ["ERR_CONNECTION_REFUSED", "WebSocket", "503"]
    page = open_page("/tenants/contoso")
    lost = page.get_by_role("alert").filter(has_text="Connection lost")
    expect(lost).to_be_hidden()

    demo.interrupt()
    expect(lost).to_be_visible(timeout=GONE_S)
    expect(page.get_by_test_id("Currently Licensed")).to_have_text("370")

    demo.start()
    expect(lost).to_be_hidden(timeout=GONE_S)
    wait_until_live(page)
    expect(page.get_by_test_id("Currently Licensed")).to_have_text("370", timeout=GONE_S)
    settings = f"{demo.url}/api/v1/tenants/contoso/settings"
    try:
        httpx.patch(settings, json={"acquired_licenses": 520}, timeout=30).raise_for_status()
        expect(page.get_by_test_id("Acquired Licenses")).to_have_text("520")
    finally:
        httpx.patch(settings, json={"acquired_licenses": 500}, timeout=30).raise_for_status()
