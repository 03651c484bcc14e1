"""API tokens over the REST API: made, shown once, used, revoked, and never wider than who makes them."""

import hashlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from portal.access.gate import anybody_here
from portal.access.principals import Role
from portal.access.tokens import by_token_or, new_token
from portal.app import create_app
from schemas.times import format_time, parse_time
from tests.support.logs import heard
from tests.support.portal_world import START, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

URL = "/api/v1/tokens"
VIEWER = {"name": "reports", "role": "tenant_viewer", "tenants": ["acme"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A portal in which whoever sends no token is the provider's admin."""
    for name in ("acme", "fabrikam"):
        await world.set(name, START, acquired_licenses=5)
        await world.publish(name, START)
    app = create_app(world.services, by_token_or(world.services.tokens, anybody_here))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as client:
        yield client


async def made(http: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await http.post(URL, json=VIEWER | body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(http: httpx.AsyncClient, headers: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    page = (await http.get(URL, params={"limit": 1_000}, headers=headers)).json()
    return {item["id"]: item for item in page["items"]}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_token_opens_what_its_role_allows_and_nothing_once_revoked(http: httpx.AsyncClient) -> None:
    token = await made(http)
    headers = bearer(token["secret"])
    paths = ("/api/v1/tenants/acme/licenses", "/api/v1/tenants/fabrikam/licenses", "/api/v1/provider/settings", URL)
    assert [200, 404, 403, 403] == [(await http.get(path, headers=headers)).status_code for path in paths]
    answer = await http.delete(f"{URL}/{token['id']}")
    assert (200, token["id"]) == (answer.status_code, answer.json()["id"])
    after = await http.get(paths[0], headers=headers)
    assert (401, 'Bearer error="invalid_token"') == (after.status_code, after.headers["WWW-Authenticate"])
    assert "revoked" in after.json()["detail"]
    assert 404 == (await http.delete(f"{URL}/{token['id']}")).status_code


async def test_an_expired_token_opens_nothing(http: httpx.AsyncClient, world: World) -> None:
    now = datetime.now(UTC)
    expired, secret = new_token("old", "provider_admin", frozenset(), now, now - timedelta(days=1), "test")
    await world.services.tokens.add(expired)
    assert 401 == (await http.get("/api/v1/tenants", headers=bearer(secret))).status_code
    assert expired.id in await listed(http)


async def test_the_secret_is_shown_once_and_kept_nowhere(
    http: httpx.AsyncClient, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with heard("portal") as logged:
        token = await made(http, name="silent")
        headers = bearer(token["secret"])
        await http.get("/api/v1/tenants", headers=headers)
        await http.get("/api/v1/nowhere", headers=headers)
        shown = await http.get(URL)
        await http.delete(f"{URL}/{token['id']}")
        refused = await http.get(URL, headers=headers)
    with world.pool.lease() as client:
        rows = client.query("SELECT toString(tuple(*)) FROM api_tokens").result_rows
    kept = f"{logged} {caplog.text} {shown.text} {refused.text} {rows}"
    assert hashlib.sha256(token["secret"].encode()).hexdigest() in kept
    assert "token_made" in kept
    assert token["secret"].removeprefix("pw_") not in kept


async def test_a_token_says_who_made_it_until_when_it_works_and_when_it_was_used(http: httpx.AsyncClient) -> None:
    answer = await http.post(URL, json=VIEWER, headers={"From": "ana@msp.example"})
    assert "no-store" == answer.headers["Cache-Control"]
    token = answer.json()
    until = parse_time(token["created_at"]) + timedelta(days=90)
    assert ("ana@msp.example", format_time(until), None) == tuple(
        token[key] for key in ("created_by", "expires_at", "last_used_on")
    )
    await http.get("/api/v1/tenants", headers=bearer(token["secret"]))
    item = (await listed(http))[token["id"]]
    del token["secret"]
    assert token | {"last_used_on": datetime.now(UTC).date().isoformat()} == item


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "name: Field required"),
        (VIEWER | {"name": " "}, "name"),
        (VIEWER | {"name": "a\nb"}, "name"),
        (VIEWER | {"role": "root"}, "role"),
        (VIEWER | {"tenants": []}, "name at least one"),
        (VIEWER | {"tenants": ["Acme"]}, "a tenant id is 1 to 64"),
        (VIEWER | {"role": "provider_viewer"}, "leave tenants out"),
        (VIEWER | {"expires_in_days": 0}, "expires_in_days"),
        (VIEWER | {"expires_in_days": 1_096}, "expires_in_days"),
        (VIEWER | {"expires_at": "2020-01-01T00:00:00Z"}, "not in the past"),
        (VIEWER | {"expires_at": "2099-01-01T00:00:00Z"}, "within 1,095 days"),
        (VIEWER | {"expires_at": "2027-01-01T00:00:00Z", "expires_in_days": 1}, "not both"),
        (VIEWER | {"secret": "mine"}, "secret"),
        ([], "body"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_in_words(http: httpx.AsyncClient, body: Any, said: str) -> None:
    before = await listed(http)
    answer = await http.post(URL, json=body)
    assert 422 == answer.status_code
    assert said in answer.json()["detail"]
    assert before == await listed(http)


@pytest.mark.parametrize(
    ("role", "tenants", "status"),
    [
        ("tenant_viewer", ["acme"], 201),
        ("tenant_admin", ["acme"], 201),
        ("tenant_viewer", ["acme", "fabrikam"], 403),
        ("tenant_viewer", ["fabrikam"], 403),
        ("tenant_viewer", ["nowhere"], 403),
        ("provider_viewer", [], 403),
        ("provider_admin", [], 403),
    ],
)
async def test_a_tenants_admin_makes_tokens_of_its_tenants_alone(
    http: httpx.AsyncClient, role: Role, tenants: list[str], status: int
) -> None:
    admin = bearer((await made(http, name="admin", role="tenant_admin"))["secret"])
    body = {"name": "made", "role": role, "tenants": tenants}
    answer = await http.post(URL, json=body, headers=admin | {"From": "boss@msp.example"})
    assert status == answer.status_code, answer.text
    if status == 201:
        assert "token:admin" == answer.json()["created_by"]


async def test_a_tenants_admin_cannot_fill_every_portal_with_tokens(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = bearer((await made(http, name="admin", role="tenant_admin"))["secret"])
    monkeypatch.setattr("portal.api.tokens._MOST_OF_A_TENANT", len(await listed(http, admin)) + 1)
    one, other = [await http.post(URL, json=VIEWER, headers=admin) for _ in range(2)]
    assert (201, 409) == (one.status_code, other.status_code)
    assert "revoke those" in other.json()["detail"]
    await made(http)  # of the provider there may be more
    for token in list(await listed(http, admin))[-2:]:
        assert 200 == (await http.delete(f"{URL}/{token}", headers=admin)).status_code
    assert 201 == (await http.post(URL, json=VIEWER, headers=admin)).status_code


async def test_a_tenants_admin_sees_and_revokes_tokens_of_its_tenants_alone(http: httpx.AsyncClient) -> None:
    own = await made(http, name="own")
    others = [
        await made(http, tenants=["fabrikam"]), await made(http, tenants=["acme", "fabrikam"]),
        await made(http, role="provider_viewer", tenants=[]),
    ]  # fmt: skip
    admin = bearer((await made(http, name="admin", role="tenant_admin"))["secret"])
    seen = await listed(http, admin)
    assert own["id"] in seen
    assert not seen.keys() & {token["id"] for token in others}
    missing = await http.delete(f"{URL}/{'0' * 16}", headers=admin)
    for token in others:
        answer = await http.delete(f"{URL}/{token['id']}", headers=admin)
        assert (404, missing.text) == (answer.status_code, answer.text.replace(token["id"], "0" * 16))
    assert {token["id"] for token in others} <= (await listed(http)).keys()
    assert 200 == (await http.delete(f"{URL}/{own['id']}", headers=admin)).status_code


async def test_tokens_come_in_pages(http: httpx.AsyncClient) -> None:
    for _ in range(3):
        await made(http)
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = (await http.get(URL, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert list(await listed(http)) == found
