"""Settings on screen: what is edited, what is wrong with it, who was first, and the removal of a tenant."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.embedded_stack import EmbeddedStack
from tests.support.waiting import eventually


def test_what_is_edited_is_told_judged_and_saved(open_page: OpenPage, tenant: str, demo: EmbeddedStack) -> None:
    page = open_page(f"/tenants/{tenant}/settings")
    expect(_unsaved(page)).to_have_text("All is saved")
    pool = page.get_by_label("Acquired Licenses")
    expect(pool).to_have_value("50")
    pool.fill("-3")
    expect(page.get_by_text("Input should be greater than or equal to 0")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    pool.fill("60")
    page.get_by_label("PSTN gateways").fill(f"sbc1.{tenant}.example\nsbc2.{tenant}.example")
    expect(_unsaved(page)).to_have_text("Not saved: Acquired Licenses, PSTN gateways")
    page.get_by_role("button", name="Save").click()
    expect(_unsaved(page)).to_have_text("All is saved")
    expect(page.get_by_test_id("revision")).to_have_text("Revision 2")
    known = demo.get(f"/tenants/{tenant}/settings")
    assert (60, [f"sbc1.{tenant}.example", f"sbc2.{tenant}.example"], "local") == (
        known["acquired_licenses"], known["gateways"], known["updated_by"],
    )  # fmt: skip


def test_a_switch_says_its_default_and_goes_back_to_it(
    open_page: OpenPage, tenant: str, demo: EmbeddedStack, elsewhere: Elsewhere
) -> None:
    elsewhere("tenant", "set", tenant, "--factor", "user_interface=off")
    page = open_page(f"/tenants/{tenant}/settings")
    switch = page.get_by_role("combobox", name="Managed Users - By User Interface")
    expect(switch).to_have_value("Off")
    page.get_by_role("button", name="Restore provider defaults").click()
    expect(switch).to_have_value("Default: on")
    page.get_by_role("button", name="Save").click()
    expect(_unsaved(page)).to_have_text("All is saved")
    assert demo.get(f"/tenants/{tenant}/settings")["factors"]["user_interface"] is None


def test_who_was_first_is_told_and_what_is_edited_stays(
    open_page: OpenPage, tenant: str, demo: EmbeddedStack, elsewhere: Elsewhere
) -> None:
    page = open_page(f"/tenants/{tenant}/settings")
    page.get_by_label("Display name").fill("Somewhere")
    expect(_unsaved(page)).to_have_text("Not saved: Display name")
    elsewhere("tenant", "set", tenant, "--pool", "77")
    news = page.get_by_role("alert", name="Changed meanwhile")
    expect(news).to_contain_text("changed these settings meanwhile")
    expect(news.get_by_role("row", name="Acquired Licenses")).to_contain_text("77")
    expect(page.get_by_label("Acquired Licenses")).to_have_value("77")
    expect(page.get_by_label("Display name")).to_have_value("Somewhere")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("revision")).to_have_text("Revision 3")
    known = demo.get(f"/tenants/{tenant}/settings")
    assert ("Somewhere", 77) == (known["display_name"], known["acquired_licenses"])


def test_a_tenant_goes_only_by_its_written_name(open_page: OpenPage, demo: EmbeddedStack, elsewhere: Elsewhere) -> None:
    elsewhere("tenant", "set", "t-to-go", "--pool", "5")
    page = open_page("/tenants/t-to-go/settings")
    page.get_by_role("button", name="Remove …").click()
    remove = page.get_by_role("button", name="Remove for good")
    page.get_by_role("dialog").get_by_label("Tenant id").fill("t-to-g")
    expect(remove).to_be_disabled()
    page.get_by_role("dialog").get_by_label("Tenant id").fill("t-to-go")
    remove.click()
    page.wait_for_url(re.compile(r"^[^?]*//[^/]*/$"))
    eventually(lambda: "t-to-go" not in [each["tenant"] for each in demo.get("/tenants?limit=100")["items"]], 10)


def test_the_provider_has_defaults_for_all(open_page: OpenPage, demo: EmbeddedStack) -> None:
    page = open_page("/provider/settings")
    page.get_by_label("Only if it lasts (seconds)").fill("30")
    page.get_by_role("button", name="Save").click()
    expect(_unsaved(page)).to_have_text("All is saved")
    assert 30 == demo.get("/provider/settings")["alerts"]["dwell_s"]
    expect(open_page("/tenants/contoso/settings").get_by_text("Provider's default: 30")).to_be_visible()
    page.get_by_label("Only if it lasts (seconds)").fill("")
    page.get_by_role("button", name="Save").click()
    expect(_unsaved(page)).to_have_text("All is saved")


def _unsaved(page: Page) -> Locator:
    return page.get_by_test_id("unsaved")
