"""The pages of a tenant, opened by those who may not know of it."""

import re

import httpx
import pytest
from nicegui import Client

from portal.web.site import PAGES
from tests.support.signing_in import SignInPortal

MODULES = tuple(page.__name__ for page in PAGES)
OF_A_TENANT = sorted(
    path
    for builder, path in Client.page_routes.items()
    if builder.__module__ in MODULES and path.startswith("/tenants/{tenant}")
)


def seen(answer: httpx.Response, tenant: str) -> tuple[int, str]:
    """Return what can be told apart, without the name that was asked with and the page's own id."""
    return answer.status_code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", answer.text.replace(tenant, "…"))


def test_all_pages_of_a_tenant_are_tried() -> None:
    assert 7 <= len(OF_A_TENANT)


@pytest.mark.parametrize("path", OF_A_TENANT)
@pytest.mark.parametrize("query", ["", "?from=nonsense&at=nonsense"])
async def test_no_page_tells_others_whether_there_is_a_tenant(portal: SignInPortal, path: str, query: str) -> None:
    async with portal.signed_in("tia") as tia:
        there, not_there = [
            seen(await tia.get(path.format(tenant=name, subject="user:bo") + query), name)
            for name in ("fabrikam", "nowhere1")
        ]
    assert 404 == there[0]
    assert not_there == there


async def test_the_providers_defaults_are_no_page_of_a_tenants_people(portal: SignInPortal) -> None:
    async with portal.signed_in("tia") as tia:
        assert 403 == (await tia.get("/provider/settings")).status_code
