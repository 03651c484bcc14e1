"""Alerts on screen, raised by the real alert process: listed live, seen, muted, told of beside the figures; and their
settings."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.browsing import PHONE, grave_findings, overflow_px, unreached_by_keyboard
from tests.support.embedded_stack import EmbeddedStack


def test_an_alert_appears_is_seen_muted_and_goes_without_a_reload(
    open_page: OpenPage, tenant: str, demo: EmbeddedStack, elsewhere: Elsewhere
) -> None:
    page, audit = open_page(f"/alerts?tenant={tenant}"), open_page(f"/tenants/{tenant}")
    expect(page.get_by_role("region", name="What is watched")).to_contain_text("Warning: 90 % of the pool")
    elsewhere("tenant", "set", tenant, "--pool", "40", "--dwell", "0")  # 37 of 40: 92.5 %
    row = page.get_by_role("region", name="Alerts", exact=True).get_by_role("row").nth(1)
    expect(row).to_contain_text("37 of 40 licences are in use, 92.5 % of the pool", timeout=20_000)
    expect(row).to_contain_text("90 % is the limit")
    expect(page.get_by_role("link", name="Alerts (")).to_be_visible()
    expect(audit.get_by_role("region", name="Open alerts")).to_contain_text("Warning: 37 of 40 licences")
    overview = open_page("/")
    overview.get_by_label("Search tenants").fill(tenant)
    expect(overview.get_by_role("row").filter(has_text=tenant).get_by_role("link", name="1 alert")).to_be_visible()
    history = page.get_by_role("region", name="What there was")
    expect(history.get_by_role("row").nth(1)).to_contain_text("Raised: warning")

    assert [] == grave_findings(audit)
    assert [] == unreached_by_keyboard(page)
    row.get_by_role("button", name="Mute").click()
    dialog = page.get_by_role("dialog", name="Mute")
    expect(dialog).to_contain_text("Mute Pool of")
    page.wait_for_function("!document.querySelector('.q-dialog [class*=-active]')")
    # axe takes the backdrop, whose z-index is -1, to lie above the dialog, and would judge the buttons by its grey.
    page.evaluate("document.querySelector('.q-dialog__backdrop').style.display = 'none'")
    assert [] == grave_findings(page)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    row.get_by_role("button", name="Seen").click()
    expect(row).to_contain_text("by local")
    row.get_by_role("button", name="Mute").click()
    dialog.get_by_label("Reason").fill("licences are ordered")
    dialog.get_by_role("button", name="Mute").click()
    expect(dialog).to_be_hidden()
    expect(row).to_contain_text("muted until")
    (silence,) = demo.get(f"/tenants/{tenant}/alerts")["silences"]
    assert ("pool", "licences are ordered") == (silence["rule"], silence["reason"])
    page.set_viewport_size(PHONE)
    assert overflow_px(page) <= 0, "the page is wider than the window"
    row.get_by_role("button", name="Unmute").click()
    expect(row.get_by_text("muted until")).to_have_count(0)

    elsewhere("tenant", "set", tenant, "--pool", "50")
    expect(page.get_by_role("region", name="What is watched")).to_be_visible(timeout=20_000)
    expect(audit.get_by_role("region", name="Open alerts")).to_be_hidden()


def test_the_settings_of_alerts_are_set_with_silences_and_channels(
    open_page: OpenPage, tenant: str, demo: EmbeddedStack
) -> None:
    page = open_page(f"/tenants/{tenant}/settings")
    page.get_by_label("Grace above the pool (days)").fill("30")
    page.get_by_label("Channels").fill("ops\nsales")
    _add_window(page, "2099-01-01T08:00:00", "2099-01-01T10:00:00", "maintenance")
    expect(page.get_by_test_id("unsaved")).to_have_text("Not saved: Grace above the pool (days), Channels, Silences")
    assert [] == grave_findings(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("unsaved")).to_have_text("All is saved")
    known = demo.get(f"/tenants/{tenant}/settings")["alerts"]
    assert (30, ["ops", "sales"], ["maintenance"]) == (
        known["grace_days"], known["channels"], [each["reason"] for each in known["silences"]],
    )  # fmt: skip
    page.get_by_role("button", name="Remove the silence").click()
    page.get_by_label("Channels").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("unsaved")).to_have_text("All is saved")
    known = demo.get(f"/tenants/{tenant}/settings")["alerts"]
    assert (30, None, None) == (known["grace_days"], known["channels"], known["silences"])


def _add_window(page: Page, since: str, until: str, reason: str) -> None:
    page.get_by_role("combobox", name="For how long").click()
    page.get_by_role("option", name="From – to …").click()
    page.get_by_label("From (empty: now)").fill(since)
    page.get_by_label("To", exact=True).fill(until)
    page.get_by_label("Reason", exact=True).fill(reason)
    page.get_by_role("button", name="Add silence").click()
    expect(page.get_by_role("region", name="Silences")).to_contain_text(reason)
