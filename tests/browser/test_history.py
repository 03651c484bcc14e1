"""The history page: figures, a chart with its points as a table, a live end, and what is given away of it."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.embedded_stack import EmbeddedStack

SLOW_MS = 20_000
ZOOM_TO_THE_END = """async () => {
    const { echarts } = await import("poolwatch-history");
    const chart = echarts.getInstanceByDom(document.querySelector(".plot"));
    chart.dispatchAction({ type: "dataZoom", start: 99, end: 100 });
}"""
SETTINGS = "Settings changed in this range"


def downloaded(page: Page, button: str) -> Path:
    with page.expect_download() as found:
        page.get_by_role("button", name=button).click()
    return Path(found.value.path())


def drawn(page: Page) -> list[str]:
    """Return the names of what the chart draws."""
    names: list[str] = page.evaluate(
        """async () => {
            const { echarts } = await import("poolwatch-history");
            return echarts.getInstanceByDom(document.querySelector(".plot")).getOption().series.map((one) => one.name);
        }"""
    )
    return names


def test_the_vendors_example_over_time_says_what_it_shows(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso/history?from=30d")
    expect(page.get_by_test_id("Last")).to_have_text("370")
    expect(page.get_by_test_id("Over the pool")).to_have_text("0 h")
    expect(page.get_by_text("Made-up demo data")).to_be_visible()
    chart = page.get_by_role("img", name="Currently Licensed of Contoso from")
    expect(chart).to_be_visible()
    peak = page.get_by_test_id("Peak").inner_text()
    assert f"peak {peak} at" in str(chart.get_attribute("aria-label"))
    assert {"Currently Licensed", "Minimum to maximum", "Pool (Acquired Licenses)"} <= set(drawn(page))


def test_get_history_takes_a_range_and_the_view_stands_in_the_address(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso/history?from=30d")
    page.get_by_role("combobox", name="Time range").click()
    page.get_by_role("option", name="Last 7 days").click()
    page.get_by_role("combobox", name="Step").click()
    page.get_by_role("option", name="1 day").click()
    page.get_by_role("button", name="Get History").click()
    expect(page).to_have_url("/tenants/contoso/history?from=7d&step=1d")
    page.get_by_text("Points as a table").click()
    points = page.get_by_role("region", name="Points as a table").get_by_role("row")
    expect(points).to_have_count(1 + 8)
    expect(points.nth(1)).to_contain_text("370")
    page.get_by_role("radio", name="By factor").click()
    expect(page.get_by_role("list", name="Legend")).to_contain_text("Operator Connect")
    expect(page).to_have_url("/tenants/contoso/history?from=7d&step=1d&view=factors")
    assert {"Direct Routing", "Operator Connect", "Service Numbers"} <= set(drawn(page))


def test_its_end_is_live_and_a_changed_pool_is_marked_with_who_and_what(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere
) -> None:
    page = open_page(f"/tenants/{tenant}/history?from=1h")
    expect(page.get_by_test_id("Last")).to_have_text("37")
    page.evaluate("window.sameDocument = true")
    elsewhere("tenant", "set", tenant, "--pool", "30", "--factor", "service_number=off")
    expect(page.get_by_test_id("Last")).to_have_text("35")
    expect(page.get_by_test_id("Over the pool")).to_have_text("1 min")
    changed = page.get_by_role("region", name=SETTINGS)
    row = changed.get_by_role("row").filter(has_text="Acquired Licenses").first
    expect(row).to_contain_text("50")
    expect(row).to_contain_text("30")
    expect(changed.get_by_role("row").filter(has_text="Managed Service Numbers")).to_contain_text("off")
    expect(page.get_by_role("list", name="Legend")).to_contain_text("Over the pool")
    assert page.evaluate("window.sameDocument"), "without a reload"


def test_a_zoom_fetches_finer_points_and_the_link_shows_what_is_looked_at(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso/history?from=90d&view=factors")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text("Points as a table").click()
    points = page.get_by_role("region", name="Points as a table").get_by_role("row")
    expect(points).not_to_have_count(0)
    before = points.count()
    page.evaluate(ZOOM_TO_THE_END)
    expect(points).not_to_have_count(before, timeout=SLOW_MS)
    assert points.count() > before + 50
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("The link is copied")).to_be_visible(timeout=SLOW_MS)
    link = urlsplit(page.evaluate("navigator.clipboard.readText()"))
    query = parse_qs(link.query)
    assert ({"from", "to", "view"}, ["factors"]) == (set(query), query["view"])
    other = open_page(f"{link.path}?{link.query}")
    expect(other.get_by_role("radio", name="By factor")).to_be_checked()
    expect(other.get_by_text("From – to …")).to_be_visible()
    expect(other.get_by_role("img", name=f"to {query['to'][0][:10]}")).to_be_visible()


def test_csv_is_that_of_the_api_and_png_is_a_picture(open_page: OpenPage, demo: EmbeddedStack) -> None:
    query = _past(demo)
    page = open_page(f"/tenants/contoso/history?{httpx.QueryParams(query)}")
    expected = httpx.get(
        f"{demo.url}/api/v1/tenants/contoso/licenses/history", params=query, headers={"Accept": "text/csv"}, timeout=30
    )
    assert expected.text == downloaded(page, "Download as CSV").read_bytes().decode()
    assert downloaded(page, "Download as PNG").read_bytes().startswith(b"\x89PNG")


def _past(demo: EmbeddedStack) -> dict[str, str]:
    points = demo.get("/tenants/contoso/licenses/history", **{"from": "30d"})["points"]
    return {"from": points[10]["at"], "to": points[200]["at"]}


def test_a_range_that_is_none_says_what_is_taken_and_the_page_lives(open_page: OpenPage) -> None:
    page = open_page("/tenants/contoso/history?from=yesterday")
    expect(page.get_by_test_id("state")).to_contain_text("a time is 30d or 12h (ago)")
    page.get_by_role("combobox", name="Time range").click()
    page.get_by_role("option", name="Last day").click()
    page.get_by_role("button", name="Get History").click()
    expect(page.get_by_test_id("Last")).to_have_text("370")
    expect(page.get_by_test_id("state")).to_be_hidden()


def test_below_the_chart_it_says_when_the_pool_runs_out(open_page: OpenPage, demo: EmbeddedStack, tenant: str) -> None:
    page = open_page("/tenants/contoso/history?from=30d")
    answer = demo.get("/tenants/contoso/forecast")
    expect(page.get_by_test_id("forecast")).to_have_text(answer["explanation"][0])
    expect(page.get_by_role("img", name="Forecast, ")).to_be_visible()
    expect(page.get_by_role("list", name="What the forecast shows")).to_contain_text("pool of 500")
    page = open_page(f"/tenants/{tenant}/history?from=1h")
    expect(page.get_by_test_id("forecast")).to_contain_text("21 whole days of history are needed and 0 are there")
    expect(page.get_by_role("img", name="Forecast, ")).to_have_count(0)
