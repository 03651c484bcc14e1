"""What holds of every page: axe-core finds nothing grave, a phone shows it whole, a keyboard reaches all of it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.browsing import DESKTOP, PHONE, Theme, grave_findings, overflow_px, unreached_by_keyboard

PAGES = (
    "/",
    "/sync",
    "/alerts",
    "/tenants/contoso",
    "/tenants/contoso/seats",
    "/tenants/contoso/seats/number:+15550210000",
    "/tenants/contoso/settings",
    "/tenants/contoso/what-if",
    "/provider/settings",
    "/tenants/contoso/history?from=30d",
    "/tenants/contoso/changes",
    "/tenants/contoso/reclaim",
    "/tenants/contoso/reports",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_grave(open_page: OpenPage, path: str, theme: Theme) -> None:
    assert [] == grave_findings(open_page(path, theme))


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_it_whole(open_page: OpenPage, path: str) -> None:
    page = open_page(path, size=PHONE)
    assert overflow_px(page) <= 0, "the page is wider than the window"
    assert [] == grave_findings(page)


@pytest.mark.parametrize("path", PAGES)
def test_the_keyboard_reaches_every_control_and_shows_where_it_is(open_page: OpenPage, path: str) -> None:
    assert [] == unreached_by_keyboard(open_page(path))


@pytest.mark.parametrize("path", PAGES)
def test_the_first_stop_leads_past_the_navigation(open_page: OpenPage, path: str) -> None:
    page = open_page(path, size=DESKTOP)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


@pytest.mark.parametrize("path", PAGES)
def test_it_says_its_language_and_has_one_main_heading(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    expect(page.locator("html")).to_have_attribute("lang", "en-US")
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
