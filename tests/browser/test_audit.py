"""The User License Audit on screen: the vendor's example field by field, and numbers that move by themselves."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.browsing import ZONE
from tests.support.embedded_stack import EmbeddedStack

EXAMPLE = {
    "Acquired Licenses": "500",
    "Currently Licensed": "370",
    "Available Licenses": "130",
    "Usage": "74.0 %",
    "User Licenses": "350",
    "DR Phone Licenses": "200",
    "Managed Users - Direct Routing": "200 (200)",
    "Managed Users - Operator Connect": "100 (100)",
    "Managed Users - By Template": "0 (0)",
    "Managed Users - By User Interface": "50 (50)",
    "Managed Service Numbers": "20 (20)",
}


def test_the_vendors_example_is_shown_field_by_field(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso")
    for label, figure in EXAMPLE.items():
        expect(page.get_by_text(label, exact=True).first).to_be_visible()
        expect(page.get_by_test_id(label)).to_have_text(figure)
    expect(page.get_by_text("Last Update", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Get History")).to_be_visible()
    expect(page.get_by_role("button", name="Refresh Licenses")).to_be_visible()


def test_figures_stand_still_as_the_page_opens(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso")
    expect(page.get_by_test_id("Currently Licensed")).to_have_text("370")
    assert 0 == page.locator(".live-number.moved").count(), "only what moves flashes"


WATCH_THE_POOL = """() => {
    window.sameDocument = true;
    window.seen = {};
    const figure = document.querySelector('[data-testid="Acquired Licenses"]');
    new MutationObserver(() => {
        if (figure.textContent !== "510") return;
        window.seen.at ??= Date.now();
        if (figure.classList.contains("moved")) window.seen.flashed = true;
    }).observe(figure, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


def test_what_another_process_changes_is_on_the_open_page_within_a_second_and_flashes(
    open_page: OpenPage, demo: EmbeddedStack, elsewhere: Elsewhere
) -> None:
    page = open_page("/tenants/contoso")
    page.evaluate(WATCH_THE_POOL)
    try:
        elsewhere("tenant", "set", "contoso", "--pool", "510")
        page.wait_for_function("window.seen.flashed")
        assert page.evaluate("window.sameDocument"), "without a reload"
        changed_at = datetime.fromisoformat(demo.get("/tenants/contoso/settings")["updated_at"])
        seen_at = datetime.fromtimestamp(page.evaluate("window.seen.at") / 1000, UTC)
        assert timedelta(0) <= seen_at - changed_at <= timedelta(seconds=1)
        expect(page.get_by_test_id("Available Licenses")).to_have_text("140")
        expect(page.get_by_text("the acquired licenses were changed")).to_be_visible()
    finally:
        elsewhere("tenant", "set", "contoso", "--pool", "500")
    expect(page.get_by_test_id("Available Licenses")).to_have_text("130")


def test_an_event_moves_the_figures_of_its_factor(open_page: OpenPage, demo: EmbeddedStack, tenant: str) -> None:
    page = open_page(f"/tenants/{tenant}")
    expect(page.get_by_test_id("Managed Service Numbers")).to_have_text("2 (2)")
    number = "+15550190077"
    demo.post_events(
        {
            "type": "dial_plan", "tenant": tenant, "subject": f"number:{number}", "source": "browser-test",
            "observed_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "facts": {"number": number, "tag": "door", "name": "Door"},
        }
    )  # fmt: skip
    expect(page.get_by_test_id("Managed Service Numbers")).to_have_text("3 (3)")
    expect(page.get_by_test_id("Currently Licensed")).to_have_text("38")


def test_instants_are_in_the_viewers_zone_with_utc_on_hover(open_page: OpenPage, demo: EmbeddedStack) -> None:
    page = open_page("/tenants/contoso")
    updated = page.locator("time").first
    at = datetime.fromisoformat(str(updated.get_attribute("datetime")))
    assert at == datetime.fromisoformat(demo.count("contoso")["computed_at"])
    local = at.astimezone(ZoneInfo(ZONE))
    expect(updated).to_have_text(f"{local:%b} {local.day}, {local.year}, {local:%I:%M:%S %p}".replace(", 0", ", "))
    expect(updated).to_have_attribute("title", f"{at:%Y-%m-%d %H:%M:%S} UTC")
