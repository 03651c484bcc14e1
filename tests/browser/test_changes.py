"""The page of changes: what moved and why, and who changed which setting."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.embedded_stack import EmbeddedStack
from tests.support.waiting import eventually

NUMBER = "+15550190077"


def test_what_moved_is_there_with_its_name_its_factors_and_its_seat(
    open_page: OpenPage, demo: EmbeddedStack, tenant: str
) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    user = f"user:{tenant}-020"
    demo.post_events({"type": "phone_number", "tenant": tenant, "subject": user, "source": "browser-test",
                      "observed_at": now, "facts": {"number": NUMBER, "number_type": "directRouting"}})  # fmt: skip
    eventually(lambda: "moved" in [item["kind"] for item in demo.changes(tenant)], 30)
    page = open_page(f"/tenants/{tenant}/changes?kind=moved")
    moved = page.get_by_role("region", name="What moved").get_by_role("row")
    expect(moved).to_have_count(2)
    expect(moved.nth(1)).to_contain_text("User 020")
    expect(moved.nth(1).get_by_role("cell").nth(3)).to_have_text("Operator Connect")
    expect(moved.nth(1).get_by_role("cell").nth(4)).to_have_text("Direct Routing")
    expect(moved.nth(1)).to_contain_text("an observation by browser-test")
    moved.nth(1).get_by_role("link", name="User 020").click()
    expect(page).to_have_url(f"/tenants/{tenant}/seats/{user}")


def test_settings_say_whom_they_moved_and_stand_in_the_audit(
    open_page: OpenPage, demo: EmbeddedStack, tenant: str, elsewhere: Elsewhere
) -> None:
    page = open_page(f"/tenants/{tenant}/changes")
    elsewhere("tenant", "set", tenant, "--factor", "service_number=off")
    page.get_by_role("button", name="The count has moved: read again").click()
    row = page.get_by_role("region", name="What moved").get_by_role("row").nth(1)
    expect(row).to_contain_text("Managed Service Numbers: default → off")
    expect(row).to_contain_text("2 lost: Service Numbers -2")
    page.reload()
    audit = page.get_by_role("region", name="Settings audit").get_by_role("row")
    expect(audit.nth(1)).to_contain_text("Managed Service Numbers")
    expect(audit.nth(1).get_by_role("cell").nth(-1)).to_have_text("off")
    expect(audit.filter(has_text="Acquired Licenses").get_by_role("cell").nth(-1)).to_have_text("50")


def test_more_is_loaded_and_a_filter_narrows_list_address_and_csv(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso/changes?from=30d")
    rows = page.get_by_role("region", name="What moved").get_by_role("row")
    expect(rows).to_have_count(1 + 50)
    page.get_by_role("button", name="Load more").click()
    expect(rows).to_have_count(1 + 100)
    page.get_by_role("combobox", name="Factor").click()
    page.get_by_role("option", name="Managed Service Numbers").click()
    expect(page.get_by_test_id("changes shown")).to_contain_text("20 shown, newest first: all there are.")
    expect(rows).to_have_count(1 + 20)
    expect(page).to_have_url("/tenants/contoso/changes?from=30d&factor=service_number")
    with page.expect_download() as found:
        page.get_by_role("button", name="Download as CSV").click()
    read = list(csv.DictReader(io.StringIO(Path(found.value.path()).read_text())))
    assert [("gained", "service_number")] * 20 == [(row["kind"], row["to_factor"]) for row in read]


def test_nothing_and_no_range_are_told(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso/changes?from=2020-01&to=2020-01")
    shown = page.get_by_test_id("changes shown")
    expect(shown).to_have_text("Nobody and nothing moved in this range.")
    page = open_page("/tenants/contoso/changes?from=yesterday")
    expect(page.get_by_test_id("changes shown")).to_contain_text("a time is 30d or 12h (ago)")
    expect(page.get_by_test_id("settings shown")).to_contain_text("changed something")
