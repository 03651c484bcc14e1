"""The User License Audit on screen: the vendor's example field by field, and numbers that move by themselves."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage

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
