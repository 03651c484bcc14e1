"""The overview on screen: tenants are found, ordered and filtered by the server, and move by themselves."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.embedded_stack import EmbeddedStack


def _tenants(page: Page) -> list[str]:
    rows = page.get_by_role("region", name="Tenants").get_by_role("rowheader")
    return [text.split("\n")[0] for text in rows.all_inner_texts()]


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_it_lists_the_tenants_of_the_demo(open_page: OpenPage, demo: EmbeddedStack) -> None:
    page = open_page("/")
    tenants = [item["tenant"] for item in demo.get("/tenants")["items"]]
    assert len(tenants) >= 12
    for tenant in tenants:
        expect(page.locator(f'main a[href="/tenants/{tenant}"]').first).to_be_visible()


def test_a_tenant_is_there_with_its_figures_and_moves_by_itself(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere
) -> None:
    page = open_page("/")
    row = page.get_by_role("row").filter(has_text=tenant)
    for figure in ("37", "50", "13", "74.0 %"):
        expect(row.get_by_role("cell", name=figure, exact=True)).to_be_visible()
    _choose(page, "Show", "At their warning limit")
    expect(row).to_be_hidden()
    elsewhere("tenant", "set", tenant, "--pool", "40")
    _choose(page, "Show", "All tenants")
    _choose(page, "Show", "At their warning limit")
    expect(row).to_contain_text("92.5 %")
    elsewhere("tenant", "set", tenant, "--pool", "36")
    expect(row.get_by_role("cell", name="-1", exact=True)).to_be_visible()
    expect(row).to_contain_text("over the pool")


def test_search_filter_and_order_are_the_servers(open_page: OpenPage) -> None:
    page = open_page("/")
    expect(page.get_by_role("row").filter(has_text="Contoso")).to_be_visible()
    _choose(page, "Sort by", "Tenant")
    expect(page.get_by_role("region", name="Tenants").get_by_role("rowheader").first).to_contain_text("adventure-works")
    page.get_by_label("Search tenants").first.fill("NTOS")
    expect(page.get_by_text("1 tenant", exact=True)).to_be_visible()
    assert ["Contoso"] == [name.removesuffix("contoso").strip() for name in _tenants(page)]
    _choose(page, "Show", "Over the pool")
    expect(page.get_by_text("0 tenants", exact=True)).to_be_visible()
    expect(page.get_by_text("No tenant is found")).to_be_visible()


def test_a_name_leads_to_the_tenant(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Contoso", exact=True).click()
    page.wait_for_url("**/tenants/contoso")
    expect(page.get_by_test_id("Currently Licensed")).to_have_text("370")
