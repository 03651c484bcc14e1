"""Names come from other people's directories: on every page they are text, whatever is in them."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.embedded_stack import EmbeddedStack

HOSTILE = (
    """<img src=x onerror="document.title='hit'"> "quoted" 'single' `${document.title='hit'}` </script></title>\\"""
)


@pytest.mark.parametrize("path", ["/", "/tenants/{tenant}", "/sync"])
def test_a_name_that_is_html_stays_a_name(open_page: OpenPage, tenant: str, demo: EmbeddedStack, path: str) -> None:
    httpx.patch(
        f"{demo.url}/api/v1/tenants/{tenant}/settings", json={"display_name": HOSTILE}, timeout=20
    ).raise_for_status()
    at = (datetime.now(UTC) - timedelta(seconds=5)).isoformat(timespec="milliseconds")
    user = {"type": "directory", "tenant": tenant, "subject": f"user:{tenant}-000", "observed_at": at,
            "source": "browser-test", "facts": {"display_name": HOSTILE, "user_principal_name": HOSTILE}}  # fmt: skip
    assert 202 == demo.post_events(user).status_code
    page = open_page(path.format(tenant=tenant))
    if path != "/sync":
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
    assert "hit" not in page.title().replace(HOSTILE, "")
    assert 0 == page.locator("img[src=x]").count()
