"""What could be reclaimed, on screen: led to by the audit, narrowed by reason, taken away as CSV."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.browsing import grave_findings
from tests.support.embedded_stack import EmbeddedStack
from tests.support.waiting import eventually


def test_a_disabled_account_is_found_from_the_audit_page_on(
    open_page: OpenPage, tenant: str, demo: EmbeddedStack, tmp_path: Path
) -> None:
    at = datetime.now(UTC) - timedelta(seconds=1)
    off = {"display_name": "User 004", "account_enabled": False, "user_principal_name": f"user004@{tenant}.example"}
    told = {"type": "directory", "tenant": tenant, "subject": f"user:{tenant}-004", "source": "browser-test",
            "observed_at": at.isoformat(timespec="milliseconds"), "facts": off}  # fmt: skip
    demo.post_events(told).raise_for_status()
    eventually(lambda: demo.get(f"/tenants/{tenant}/reclaim?reason=disabled_account")["items"] or None, 30)
    page = open_page(f"/tenants/{tenant}")
    page.get_by_role("link", name="Seats that could be freed").click()
    # Ten users of Operator Connect and five changed by hand have no Teams Phone licence.
    expect(page.get_by_test_id("reclaim totals")).to_have_text(
        "16 seats could be freed of 16 subjects that are worth a look."
    )
    expect(_rows(page)).to_have_count(16)
    page.get_by_label("Reason").click()
    page.get_by_role("option", name="Disabled account").click()
    expect(_rows(page)).to_have_count(1)
    expect(_rows(page).first).to_contain_text("User 004")
    expect(_rows(page).first).to_contain_text("The account is disabled and still counted at")
    assert page.url.endswith("/reclaim?reason=disabled_account")
    assert [] == grave_findings(page)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download as CSV").click()
    downloading.value.save_as(tmp_path / "reclaim.csv")
    with (tmp_path / "reclaim.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (f"user:{tenant}-004", "disabled_account", "1") == (row["subject"], row["reason"], row["saving"])
    page.get_by_role("link", name="User 004").click()
    expect(page.get_by_role("heading", name="User 004")).to_be_visible()


def _rows(page: Page) -> Locator:
    return page.get_by_role("region", name="Seats that could be freed").locator("tbody tr")
