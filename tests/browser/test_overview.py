"""The overview on screen: all tenants of the demo, moving by themselves."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.embedded_stack import EmbeddedStack


def test_it_lists_the_tenants_of_the_demo(open_page: OpenPage, demo: EmbeddedStack) -> None:
    page = open_page("/")
    tenants = [item["tenant"] for item in demo.get("/tenants")["items"]]
    assert len(tenants) >= 12
    for tenant in tenants:
        expect(page.locator(f'main a[href="/tenants/{tenant}"]').first).to_be_visible()
