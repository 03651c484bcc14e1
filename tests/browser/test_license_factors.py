"""License Factors on screen: a draft says what it would count, Apply makes it so, and subjects fall through."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.embedded_stack import EmbeddedStack


def test_what_is_switched_off_falls_through_after_apply_and_comes_back(
    open_page: OpenPage, tenant: str, demo: EmbeddedStack
) -> None:
    at = (datetime.now(UTC) - timedelta(seconds=5)).isoformat(timespec="milliseconds")
    # One of the five that were changed by hand is in a template group as well, which goes first.
    demo.post_events({"type": "lifecycle", "tenant": tenant, "subject": f"user:{tenant}-030", "observed_at": at,
                      "source": "browser-test", "facts": {"groups": ["frontline"]}})  # fmt: skip
    page = open_page(f"/tenants/{tenant}")
    template, by_hand = (
        page.get_by_test_id(f"Managed Users - {name}") for name in ("By Template", "By User Interface")
    )
    expect(template).to_have_text("1 (1)")
    expect(by_hand).to_have_text("4 (5)")
    apply = page.get_by_role("button", name="Apply")
    expect(apply).to_be_disabled()

    page.get_by_role("checkbox", name="Managed Users - By Template").click()
    expect(page.get_by_text("Apply would count 37 (+0).")).to_be_visible()
    page.get_by_role("checkbox", name="Managed Service Numbers").click()
    expect(page.get_by_text("Apply would count 35 (-2).")).to_be_visible()
    expect(template).to_have_text("1 (1)")
    apply.click()
    expect(template).to_have_text("0 (1) (n/a)")
    expect(by_hand).to_have_text("5 (5)")
    expect(page.get_by_test_id("Managed Service Numbers")).to_have_text("0 (2) (n/a)")
    expect(page.get_by_test_id("Currently Licensed")).to_have_text("35")
    assert 35 == demo.count(tenant)["currently_licensed"]

    page.get_by_role("button", name="Restore provider defaults").click()
    expect(template).to_have_text("1 (1)")
    expect(page.get_by_test_id("Currently Licensed")).to_have_text("37")
    expect(page.get_by_role("button", name="Restore provider defaults")).to_be_hidden()


def test_a_draft_survives_what_happens_meanwhile_and_undo_drops_it(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere
) -> None:
    page = open_page(f"/tenants/{tenant}")
    box = page.get_by_role("checkbox", name="Managed Service Numbers")
    box.click()
    elsewhere("tenant", "set", tenant, "--pool", "60")
    expect(page.get_by_test_id("Acquired Licenses")).to_have_text("60")
    expect(box).not_to_be_checked()
    page.get_by_role("button", name="Undo").click()
    expect(box).to_be_checked()
    expect(page.get_by_test_id("Currently Licensed")).to_have_text("37")


def test_a_tenant_without_a_source_is_told_so_at_refresh(open_page: OpenPage, tenant: str) -> None:
    page = open_page(f"/tenants/{tenant}")
    page.get_by_role("button", name="Refresh Licenses").click()
    expect(page.get_by_text("No source of this tenant can be asked")).to_be_visible()
