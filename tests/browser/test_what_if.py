"""What-if on screen: now and then side by side, who makes the difference, and nothing applied unconfirmed."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.browsing import PHONE, Theme, grave_findings, overflow_px
from tests.support.embedded_stack import EmbeddedStack


def test_a_factor_that_is_tried_changes_nothing_before_it_is_applied(
    open_page: OpenPage, tenant: str, demo: EmbeddedStack
) -> None:
    page = open_page(f"/tenants/{tenant}/what-if")
    expect(_figures(page, "Currently Licensed")).to_have_text(["37", "37", "–"])
    expect(page.get_by_role("button", name="Apply …")).to_be_disabled()
    page.get_by_role("combobox", name="Managed Users - By User Interface").click()
    page.get_by_role("option", name="Off").click()
    expect(_figures(page, "Managed Users - By User Interface")).to_have_text(["5", "0", "-5"])
    expect(_figures(page, "Available Licenses")).to_have_text(["13", "18", "+5"])
    lost = page.get_by_role("region", name="Would not be counted any more")
    expect(lost.locator("tbody tr")).to_have_count(5)
    expect(lost.get_by_role("link", name="User 030")).to_be_visible()
    page.get_by_role("button", name="Apply …").click()
    dialog = page.get_by_role("dialog", name="Apply what was tried")
    expect(dialog.get_by_role("heading")).to_have_text("37 now, 32 then")
    expect(dialog.get_by_role("row", name="Managed Users - By User Interface")).to_contain_text("off")
    dialog.get_by_role("button", name="Not yet").click()
    assert demo.get(f"/tenants/{tenant}/settings")["factors"]["user_interface"] is None
    page.get_by_role("button", name="Apply …").click()
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_test_id("what-if state")).to_have_text("Nothing is tried yet: change a setting.")
    assert demo.get(f"/tenants/{tenant}/settings")["factors"]["user_interface"] is False


def test_a_pattern_is_tried_against_what_there_is(open_page: OpenPage, tenant: str) -> None:
    page = open_page(f"/tenants/{tenant}/what-if", size=PHONE)
    pattern = page.get_by_label("Tags that are no service numbers", exact=True)
    pattern.fill("(lobby")
    expect(page.get_by_text("is not one that RE2 takes")).to_be_visible()
    expect(page.get_by_role("button", name="Apply …")).to_be_disabled()
    pattern.fill("^lobby$")
    expect(_figures(page, "Managed Service Numbers")).to_have_text(["2", "1", "-1"])
    page.get_by_text("1 of 2 values hit; 1 of them would be judged otherwise").click()
    hits = page.get_by_role("region", name="Hits of Tags that are no service numbers")
    expect(hits.get_by_role("row", name="lobby").get_by_role("cell")).to_have_text(["1", "not tried", "hit"])
    assert overflow_px(page) <= 0, "the page is wider than the window"
    page.get_by_role("button", name="Restore provider defaults").click()
    expect(_figures(page, "Managed Service Numbers")).to_have_text(["2", "2", "–"])


def test_who_was_first_is_told_and_what_is_tried_is_tried_on_top(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere, demo: EmbeddedStack
) -> None:
    page = open_page(f"/tenants/{tenant}/what-if")
    page.get_by_label("Acquired Licenses").fill("40")
    expect(_figures(page, "Acquired Licenses")).to_have_text(["50", "40", "-10"])
    elsewhere("tenant", "set", tenant, "--factor", "service_number=off")
    page.get_by_role("button", name="Apply …").click()
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Somebody else changed these settings first.")).to_be_visible()
    assert demo.get(f"/tenants/{tenant}/settings")["acquired_licenses"] == 50
    expect(page.get_by_role("combobox", name="Managed Service Numbers")).to_have_value("Off")
    expect(page.get_by_label("Acquired Licenses")).to_have_value("40")
    page.get_by_role("button", name="Apply …").click()
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    expect(page.get_by_test_id("what-if state")).to_have_text("Nothing is tried yet: change a setting.")
    assert demo.get(f"/tenants/{tenant}/settings")["acquired_licenses"] == 40


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_grave_in_what_is_asked_before_applying(
    open_page: OpenPage, tenant: str, theme: Theme
) -> None:
    page = open_page(f"/tenants/{tenant}/what-if", theme, PHONE)
    page.get_by_label("Acquired Licenses").fill("40")
    page.get_by_role("button", name="Apply …").click()
    dialog = page.get_by_role("dialog", name="Apply what was tried")
    expect(dialog.get_by_role("button", name="Apply")).to_be_visible()
    page.wait_for_function("!document.querySelector('.q-dialog [class*=-active]')")
    # axe takes the backdrop, whose z-index is -1, to lie above the dialog, and would judge the buttons by its grey.
    page.evaluate("document.querySelector('.q-dialog__backdrop').style.display = 'none'")
    assert [] == grave_findings(page)


def _figures(page: Page, name: str) -> Locator:
    row = page.get_by_role("region", name="Now and then").get_by_role("row", name=name)
    return row.get_by_role("cell")
