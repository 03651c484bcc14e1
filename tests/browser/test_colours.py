"""The colours of the pages: the system's unless the visitor chooses, and then the chosen ones on every page."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browsing import wait_until_live


def _is_dark(page: Page) -> None:
    expect(page.locator("body")).to_have_class(re.compile("body--dark"))


def _is_light(page: Page) -> None:
    expect(page.locator("body")).to_have_class(re.compile("body--light"))


def test_a_page_follows_the_system(open_page: OpenPage) -> None:
    page = open_page("/", "dark")
    _is_dark(page)
    page.emulate_media(color_scheme="light")
    _is_light(page)


def test_what_is_chosen_stays_on_every_page(open_page: OpenPage) -> None:
    page = open_page("/")
    _is_light(page)
    page.get_by_role("button", name="Colours: auto").click()
    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
    _is_dark(page)

    page.goto("/tenants/contoso")
    wait_until_live(page)
    _is_dark(page)
    page.get_by_role("button", name="Colours: dark").click()
    expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    _is_light(page)
