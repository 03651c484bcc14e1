"""Names come from other people's directories, exports and scripts: on every page they are text, whatever is in them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.browsing import Watch
from tests.support.embedded_stack import EmbeddedStack
from tests.support.waiting import eventually

HIT = "document.title='hit'"
HOSTILE = f"""<img src=x onerror="{HIT}"> "quoted" 'single' `${{{HIT}}}` {{{{{HIT}}}}} </script></title>\\"""
SHORT = f"""<img src=x onerror="{HIT}"> "' {{{{7777*7777}}}}"""
"""Of 64 characters at most, as a source is."""
SUBJECT = """user:<b>#ext#?at=1&"'`${{7777*7777}}%2f\\"""
NUMBER = "number:+15550777"
PAGES = {
    "/": 1,
    "/tenants/{tenant}": 2,
    "/tenants/{tenant}/history?from=1h": 1,
    "/tenants/{tenant}/seats": 3,
    "/tenants/{tenant}/seats/{subject}": 8,
    "/tenants/{tenant}/seats/number:%2B15550777": 4,
    "/tenants/{tenant}/changes?from=1h": 2,
    "/tenants/{tenant}/settings": 1,
    "/tenants/{tenant}/what-if": 3,
    "/alerts?tenant={tenant}": 2,
    "/provider/settings": 0,
    "/tenants/{hostile}": 0,
    "/tenants/{tenant}/seats?at={hostile}": 3,
    "/tenants/{tenant}/history?from={hostile}&step=<b>1</b>": 1,
    "/tenants/{tenant}/changes?from={hostile}&kind={hostile}": 1,
}
"""Where each page is, and how often a hostile name stands there once all of it has come."""


@pytest.fixture(scope="module")
def hostile(demo: EmbeddedStack) -> Iterator[str]:
    """A tenant of which every text that somebody else writes is hostile."""
    name = f"hostile-{datetime.now(UTC):%H%M%S%f}"
    place = f"{demo.url}/api/v1/tenants/{name}"
    criteria = {
        "licensed_users_by_gateway": SHORT + "|.",
        "dr_numbers": re.escape(SHORT),
        "reject_service_numbers": "<x>",
    }
    settings = {"display_name": HOSTILE, "acquired_licenses": 1, "criteria": criteria, "gateways": ["a.example"],
                "alerts": {"dwell_s": 0}}  # fmt: skip
    for pool in (1, 2):
        body = settings | {"acquired_licenses": pool}
        httpx.put(f"{place}/settings", json=body, headers={"From": SHORT}, timeout=30).raise_for_status()
    answer = demo.post_events(*_events(name))
    assert (answer.status_code, []) == (202, answer.json()["rejected"]), answer.text
    eventually(lambda: demo.count(name)["currently_licensed"] == 2, 30)
    yield name
    httpx.delete(place, timeout=30).raise_for_status()


def _events(tenant: str) -> list[dict[str, Any]]:
    at = (datetime.now(UTC) - timedelta(seconds=5)).isoformat(timespec="milliseconds")

    def event(facet: str, subject: str, **facts: Any) -> dict[str, Any]:
        return {"type": facet, "tenant": tenant, "subject": subject, "observed_at": at, "source": SHORT, "facts": facts}

    return [
        event("directory", SUBJECT, display_name=HOSTILE, user_principal_name=HOSTILE, sip_address=HOSTILE,
              user_type=HOSTILE),
        event("interface", SUBJECT, changed_by=HOSTILE, change=HOSTILE),
        event("subscription", SUBJECT, skus=[HOSTILE], teams_phone=True, teams_phone_status=HOSTILE),
        event("voice", SUBJECT, gateway=HOSTILE, routing_policy=HOSTILE),
        event("phone_number", SUBJECT, number=HOSTILE, number_type="directRouting"),
        event("lifecycle", SUBJECT, groups=[HOSTILE]),
        event("dial_plan", NUMBER, number=HOSTILE, tag=HOSTILE, name=HOSTILE),
        event("service_number", NUMBER, number=HOSTILE, kind=HOSTILE),
    ]  # fmt: skip


def _holds_no_hit(page: Page) -> None:
    assert "hit" not in page.title().replace(HOSTILE, "")
    assert 0 == page.locator("img[src=x], b").count()
    assert f"{7777 * 7777}" not in page.content()


@pytest.mark.parametrize("path", PAGES)
def test_a_name_that_is_html_stays_a_name(open_page: OpenPage, watch: Watch, hostile: str, path: str) -> None:
    watch.expected.append("404")
    page = open_page(path.format(tenant=hostile, subject=quote(SUBJECT, safe=""), hostile=quote(SHORT, safe="")))
    if PAGES[path]:
        expect(page.get_by_text(HOSTILE).nth(PAGES[path] - 1)).to_be_attached()
    _holds_no_hit(page)


def test_who_changed_settings_is_a_name_in_the_chart_the_audit_and_the_news(
    open_page: OpenPage, hostile: str, demo: EmbeddedStack
) -> None:
    page = open_page(f"/tenants/{hostile}/history?from=1h")
    expect(page.get_by_role("cell", name=SHORT, exact=True).first).to_be_visible()
    box = page.locator(".plot canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2)
    expect(page.get_by_text(f"{SHORT}: ").first).to_be_visible()
    _holds_no_hit(page)
    page = open_page(f"/tenants/{hostile}/changes?from=1h")
    expect(page.get_by_text(SHORT).first).to_be_visible()
    _holds_no_hit(page)
    page = open_page(f"/tenants/{hostile}/settings")
    httpx.patch(
        f"{demo.url}/api/v1/tenants/{hostile}/settings", json={"stale_after_s": 77}, headers={"From": SHORT}, timeout=30
    ).raise_for_status()
    expect(page.get_by_text(f"{SHORT} changed these settings meanwhile")).to_be_visible()
    _holds_no_hit(page)


def test_what_somebody_types_stays_text(open_page: OpenPage, hostile: str) -> None:
    page = open_page(f"/tenants/{hostile}/seats")
    page.get_by_label("Search names").fill(f"{HOSTILE} nobody")
    expect(page.get_by_test_id("seats shown")).to_contain_text(f"{HOSTILE} nobody")
    _holds_no_hit(page)
    page = open_page(f"/tenants/{hostile}/what-if")
    page.get_by_role("textbox", name="Tags that are no service numbers").fill(f"{SHORT}(")
    expect(page.get_by_text("missing")).to_be_visible()
    _holds_no_hit(page)


def test_a_source_of_any_name_waits_as_text(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere, demo: EmbeddedStack, tmp_path: Path
) -> None:
    for users, age in ((40, timedelta(hours=1)), (5, timedelta())):
        file = tmp_path / f"{users}.csv"
        rows = [f"0a0a0a0a-0000-4000-8000-{n:012},user{n}@held.example,User {n},True" for n in range(users)]
        file.write_text("\n".join(["ObjectId,UserPrincipalName,DisplayName,AccountEnabled", *rows]) + "\n")
        observed = (datetime.now(UTC) - age).isoformat(timespec="milliseconds")
        elsewhere("import", "users", str(file), "-T", tenant, "--source", SHORT, "--observed-at", observed)
    eventually(lambda: "sync_held" in demo.count(tenant)["hints"], 30)
    page = open_page("/sync")
    row = page.get_by_role("row").filter(has_text=tenant).first
    expect(row).to_contain_text(SHORT)
    row.get_by_role("button", name="Let it through").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{SHORT} saw 5 of {tenant}")
    _holds_no_hit(page)


def test_a_subject_of_any_name_is_found_from_the_audit(open_page: OpenPage, hostile: str) -> None:
    page = open_page(f"/tenants/{hostile}")
    page.get_by_role("region", name="What changed last").get_by_role("link", name=HOSTILE).first.click()
    expect(page.get_by_text("Counted since")).to_be_visible()
    expect(page.get_by_text(SUBJECT, exact=True)).to_be_visible()
