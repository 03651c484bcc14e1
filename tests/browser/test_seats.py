"""Seats on screen: who is counted, found and paged on the server, as it was; and why, now and then."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.embedded_stack import EmbeddedStack
from tests.support.waiting import eventually


def test_the_figures_are_those_of_the_count_and_choose_what_is_listed(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso/seats")
    for factor, figure in {"counted": 370, "direct_routing": 200, "lifecycle": 0, "user_interface": 50}.items():
        expect(page.get_by_test_id(f"seats {factor}")).to_have_text(str(figure))
    page.get_by_role("button", name="Service Numbers 20").click()
    expect(_shown(page)).to_have_text("1 to 20, the last of them")
    expect(_rows(page)).to_have_count(20)
    expect(_rows(page).first).to_contain_text("number:+1555021")
    assert {"factor": ["service_number"]} == parse_qs(urlsplit(page.url).query)
    page.get_by_role("button", name="By Template 0").click()
    expect(_shown(page)).to_have_text("Nobody and nothing is counted at this factor.")


def test_pages_follow_each_other_and_lead_back(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso/seats?factor=direct_routing")
    expect(_shown(page)).to_have_text("1 to 50, with more to follow")
    first = _rows(page).first.inner_text()
    for shown in ("51 to 100, with more to follow", "101 to 150, with more to follow", "151 to 200, the last of them"):
        page.get_by_role("button", name="Next").click()
        expect(_shown(page)).to_have_text(shown)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    for _ in range(3):
        page.get_by_role("button", name="Previous").click()
    expect(_shown(page)).to_have_text("1 to 50, with more to follow")
    expect(_rows(page).first).to_have_text(first, use_inner_text=True)


def test_a_search_finds_by_name_and_is_not_told_in_the_address(open_page: OpenPage, tenant: str) -> None:
    page = open_page(f"/tenants/{tenant}/seats")
    page.get_by_label("Search names, principal names and ids").fill("user 02")
    expect(_shown(page)).to_have_text("1 to 10, the last of them")
    expect(_rows(page).first).to_contain_text("User 020")
    assert "02" not in urlsplit(page.url).query
    page.get_by_label("Search names, principal names and ids").fill("nobody of this name")
    expect(_shown(page)).to_contain_text("Nothing that is found here holds “nobody of this name”")


def test_all_that_is_found_comes_as_csv(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/tenants/contoso/seats?factor=operator_connect")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download all as CSV").click()
    downloading.value.save_as(tmp_path / "seats.csv")
    with (tmp_path / "seats.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert 100 == len(rows)
    assert {"operator_connect"} == {row["factor"] for row in rows}


def test_a_count_that_moved_is_told_and_rows_stay_until_they_are_asked_for(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere
) -> None:
    page = open_page(f"/tenants/{tenant}/seats")
    expect(_rows(page)).to_have_count(37)
    elsewhere("tenant", "set", tenant, "--factor", "user_interface=off")
    expect(page.get_by_test_id("seats counted")).to_have_text("32")
    expect(_rows(page)).to_have_count(37)
    page.get_by_role("button", name="The count has moved: read again").click()
    expect(_rows(page)).to_have_count(32)


def test_seats_are_shown_as_they_were(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere, demo: EmbeddedStack
) -> None:
    eventually(lambda: len(demo.get(f"/tenants/{tenant}/seats")["items"]) == 37, 30)
    before = _now()
    elsewhere("tenant", "set", tenant, "--factor", "user_interface=off")
    page = open_page(f"/tenants/{tenant}/seats")
    expect(page.get_by_test_id("seats counted")).to_have_text("32")
    page = open_page(f"/tenants/{tenant}/seats?at={before}")
    expect(page.get_by_test_id("seats counted")).to_have_text("37")
    expect(_rows(page)).to_have_count(37)
    page.get_by_role("button", name="Back to now").click()
    expect(_rows(page)).to_have_count(32)
    assert {"factor": ["counted"]} == parse_qs(urlsplit(page.url).query)


def test_a_seat_says_why_it_is_counted_and_what_is_known_of_it(open_page: OpenPage, tenant: str) -> None:
    page = open_page(f"/tenants/{tenant}/seats")
    page.get_by_role("link", name="User 003", exact=True).click()
    expect(page.get_by_role("heading", name="User 003")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text(
        f"at Managed Users - Direct Routing, because it has a Direct Routing number through the gateway"
        f" sbc1.{tenant}.example"
    )
    decision = page.get_by_role("region", name="Decisions").get_by_role("row", name="Direct Routing")
    expect(decision.get_by_role("cell").nth(2)).to_have_text("yes")
    expect(page.get_by_role("region", name="Facts").get_by_role("row", name="Voice")).to_contain_text("browser-test")


def test_the_history_of_a_seat_leads_to_what_held_then(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere, demo: EmbeddedStack
) -> None:
    elsewhere("tenant", "set", tenant, "--factor", "user_interface=off")
    seat = f"tenants/{tenant}/seats/user:{tenant}-034"
    eventually(lambda: len(demo.get(f"/{seat}")["changes"]) == 2, 30)
    page = open_page(f"/{seat}")
    expect(page.locator(".verdict")).to_contain_text("Not counted since")
    expect(page.locator(".verdict")).to_contain_text("By User Interface alone, and that is switched off")
    history = page.get_by_role("region", name="History of its changes")
    history.get_by_role("row").nth(2).get_by_role("link").click()
    expect(page.locator(".verdict")).to_contain_text("Counted since")
    expect(page.locator(".verdict")).to_contain_text("because it was changed by hand")
    expect(history.get_by_role("row").nth(2).get_by_role("link")).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Back to now").click()
    expect(page.locator(".verdict")).to_contain_text("Not counted since")


def test_an_instant_before_a_seat_was_known_is_no_error(open_page: OpenPage, tenant: str) -> None:
    page = open_page(f"/tenants/{tenant}/seats/user:{tenant}-003?at=1d")
    expect(page.get_by_text(f"Nothing is known of user:{tenant}-003 at that instant.")).to_be_visible()
    expect(page.get_by_text("It was known at other times")).to_be_visible()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _rows(page: Page) -> Locator:
    return page.get_by_role("region", name="Seats").locator("tbody tr")


def _shown(page: Page) -> Locator:
    return page.get_by_test_id("seats shown")
