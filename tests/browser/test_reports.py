"""Monthly reports on screen: found from the history, read, and taken away in every form."""

import json
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage


def test_a_month_is_read_and_taken_away(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/tenants/contoso/history")
    page.get_by_role("link", name="Monthly reports").click()
    expect(page.get_by_test_id("report notes")).to_contain_text("Made-up demo data.")
    licenses = page.get_by_role("region", name="Licenses", exact=True)
    expect(licenses.get_by_role("row", name="Acquired Licenses at the end")).to_contain_text("500")
    factors = page.get_by_role("region", name="License factors")
    expect(factors.get_by_role("row", name="Managed Users - Direct Routing")).to_be_visible()
    starts = {"CSV": b"tenant,", "JSON": b"{", "HTML": b"<!DOCTYPE html>", "PDF": b"%PDF-"}
    for form, start in starts.items():
        with page.expect_download() as downloading:
            page.get_by_role("button", name=f"Download as {form}").click()
        target = tmp_path / downloading.value.suggested_filename
        downloading.value.save_as(target)
        assert target.read_bytes().startswith(start)
        assert target.name.startswith("contoso-20")
    assert "contoso" == json.loads(next(tmp_path.glob("*.json")).read_text())["tenant"]


def test_the_current_month_is_said_to_be_open(open_page: OpenPage) -> None:
    page = open_page(f"/tenants/contoso/reports?month={datetime.now(UTC):%Y-%m}")
    expect(page.get_by_test_id("report notes")).to_contain_text("This period is not closed")
    page = open_page("/tenants/contoso/reports?month=October")
    expect(page.get_by_text("a month is written 2026-10, not 'October'")).to_be_visible()
