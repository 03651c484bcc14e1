"""Every operation of the API, asked by those who may not: none succeeds, none tells anything of the tenant."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from portal.access.principals import Role
from portal.access.rules import rule_of
from portal.access.tokens import new_token
from portal.app import create_app
from schemas.times import format_time
from schemas.topics import TopicName
from tests.support.api_document import ApiDocument
from tests.support.endless import listening
from tests.support.portal_world import START, World, until
from tests.support.vendor_example import ANA, HELD, SAID, TENANT, tell_vendor_example

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "fabrikam"
NOWHERE = "nowhere"
"""Never heard of, and as long as the name of the tenant that there is."""
GUID = "0b7d1f5e-2c64-4c8b-9a47-3f5d1c2b4a69"
DEADLINE_S = 20.0
FOR_STRANGERS = {"get_health", "get_readiness"}
TOPICS: tuple[TopicName, ...] = ("commands", "user-changes", "assignments")
OF_THE_TENANT = (TENANT, "Contoso", "Ana Alba", ANA, HELD, GUID, "sbc1.contoso", "7f0c9c1e-43a8", "15550100", SAID)
"""What no answer to others may hold."""


@dataclass(frozen=True)
class Ask:
    """A request for an operation as its document's example has it, of a tenant."""

    operation: str
    method: str
    path: str
    body: Any
    accept: str

    @property
    def changes(self) -> bool:
        return self.method != "GET" and self.operation != "try_settings"


@dataclass
class Portal:
    """A portal that asks who somebody is, with real data in the tenant that is not to be seen."""

    world: World
    app: FastAPI
    http: httpx.AsyncClient
    refresh_id: str
    token_id: str

    async def headers_of(self, role: Role, *tenants: str) -> dict[str, str]:
        now = datetime.now(UTC)
        token, secret = new_token("test", role, frozenset(tenants), now + timedelta(days=1), now, "test")
        await self.world.services.tokens.add(token)
        return {"Authorization": f"Bearer {secret}"}

    def document(self) -> ApiDocument:
        return ApiDocument(self.app.openapi())

    def asks(self, tenant: str) -> Iterator[Ask]:
        """Yield every operation; paths and bodies that hold the tenant of the examples hold this one."""
        named = {"tenant": tenant, "subject": ANA, "sync_id": HELD, "refresh_id": self.refresh_id,
                 "token_id": self.token_id, "rule": "pool", "silence_id": "0123456789abcdef",
                 "table": "sync_marks"}  # fmt: skip
        for operation, (method, path) in self.document().places.items():
            described = self.document().operations[operation]
            content = described.get("requestBody", {}).get("content", {}).values()
            body = next((each["example"] for each in content), None)
            for accept in sorted(described["responses"].get("200", {"content": {"*/*"}})["content"]):
                of_one = f"?tenant={tenant}" if operation == "stream_counts" else ""  # to all it has no end
                yield Ask(operation, method, path.format_map(named) + of_one, _with(body, tenant), accept)

    async def answer(self, ask: Ask, headers: dict[str, str]) -> httpx.Response:
        async with asyncio.timeout(DEADLINE_S):  # of a stream that is opened to somebody the answer has no end
            return await self.http.request(
                ask.method, ask.path, json=ask.body, headers=headers | {"Accept": ask.accept}
            )

    async def records(self) -> int:
        found = 0
        for topic in TOPICS:
            found += len(await self.world.read_topic(topic))
        return found


def _with(value: Any, tenant: str) -> Any:
    if isinstance(value, list):
        return [_with(item, tenant) for item in value]
    if isinstance(value, dict):
        return {key: [tenant] if key == "tenants" else _with(item, tenant) for key, item in value.items()}
    return tenant if value == TENANT else value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def portal(world: World) -> AsyncIterator[Portal]:
    await tell_vendor_example(world)
    settings = world.settings_of(TENANT).model_dump(
        mode="json", include={"display_name", "acquired_licenses", "gateways", "ms_tenant_id", "graph"}
    )
    await world.set(TENANT, START + timedelta(hours=4), **settings | {"customer_guid": GUID})
    await world.set(OTHER, START, acquired_licenses=5)
    await world.publish(OTHER, START)
    refresh = await world.services.refreshes.refresh(TENANT, "test")
    now = datetime.now(UTC)
    token, _ = new_token(f"{TENANT} ci", "tenant_viewer", frozenset((TENANT,)), now + timedelta(days=1), now, "test")
    await world.services.tokens.add(token)
    app = create_app(world.services, world.services.tokens.recognise_token)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as http:
        yield Portal(world, app, http, refresh.id, token.id)


async def test_every_operation_has_a_rule(portal: Portal) -> None:
    ruled = {name: rule_of(*place) for name, place in portal.document().places.items()}
    assert [] == [name for name, rule in ruled.items() if rule is None]


async def test_an_operation_without_a_rule_answers_provider_admins_alone(world: World) -> None:
    app = create_app(world.services, world.services.tokens.recognise_token)

    @app.get("/api/v1/forgotten")
    async def forgotten() -> str:
        return "secret"

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as http:
        own = Portal(world, app, http, "", "")
        given: tuple[tuple[Role, tuple[str, ...]], ...] = (
            ("provider_admin", ()), ("provider_viewer", ()), ("tenant_admin", (TENANT,))
        )  # fmt: skip
        asked = [await http.get("/api/v1/forgotten", headers=await own.headers_of(role, *of)) for role, of in given]
        stranger = await http.get("/api/v1/forgotten")
    assert [200, 403, 403, 401] == [answer.status_code for answer in (*asked, stranger)]


@pytest.mark.parametrize("sent", [None, "Bearer pw_guessed", "Basic YTpi", "Bearer"])
async def test_strangers_are_asked_to_sign_in_by_every_operation(portal: Portal, sent: str | None) -> None:
    before, failed = await portal.records(), list[object]()
    for ask in portal.asks(TENANT):
        answer = await portal.answer(ask, {} if sent is None else {"Authorization": sent})
        asked_back = answer.headers.get("WWW-Authenticate", "")
        if ask.operation not in FOR_STRANGERS and (answer.status_code, asked_back.split(" ")[0]) != (401, "Bearer"):
            failed.append((ask, answer.status_code))
        failed += [(ask, answer.text)] if told_of_the_tenant(ask, answer) else []
    assert ([], before) == (failed, await portal.records())


async def test_strangers_are_not_told_where_the_broker_is(portal: Portal) -> None:
    body = (await portal.http.get("/readyz")).json()
    assert {"ready": True, "parts": {"counts": True, "history": True}} == body
    viewer = await portal.http.get("/readyz", headers=await portal.headers_of("provider_viewer"))
    assert portal.world.kafka.bootstrap == viewer.json()["kafka_bootstrap"]
    of_tenant = await portal.http.get("/readyz", headers=await portal.headers_of("tenant_admin", TENANT))
    assert body == of_tenant.json()


@pytest.mark.parametrize("role", ["tenant_viewer", "tenant_admin"])
async def test_to_others_a_tenant_does_not_exist_in_any_operation(portal: Portal, role: Role) -> None:
    headers, before, failed = await portal.headers_of(role, OTHER), await portal.records(), list[object]()
    for ask, missing in zip(portal.asks(TENANT), portal.asks(NOWHERE), strict=True):
        there, not_there = await portal.answer(ask, headers), await portal.answer(missing, headers)
        if TENANT in ask.path and there.status_code != 404:
            failed.append((ask, there.status_code, "is no 404"))
        if ask.changes and there.status_code < 400:
            failed.append((ask, there.status_code, "succeeds"))
        if told_of_the_tenant(ask, there):
            failed.append((ask, there.status_code, there.text))
        if seen(there, TENANT) != seen(not_there, NOWHERE):
            failed.append((ask, there.text, not_there.text))
    assert ([], before) == (failed, await portal.records())


@pytest.mark.parametrize(("role", "tenants"), [("tenant_viewer", (TENANT,)), ("provider_viewer", ())])
async def test_viewers_change_nothing(portal: Portal, role: Role, tenants: tuple[str, ...]) -> None:
    headers, before, failed = await portal.headers_of(role, *tenants), await portal.records(), list[object]()
    for ask in portal.asks(TENANT):
        answer = await portal.answer(ask, headers) if ask.changes else None
        if answer is not None and answer.status_code != 403:
            failed.append((ask, answer.status_code, answer.text))
    assert ([], before) == (failed, await portal.records())


async def test_a_viewer_sees_all_of_its_tenant(portal: Portal) -> None:
    headers = await portal.headers_of("tenant_viewer", TENANT)
    of_the_provider = {"get_metrics", "get_provider_settings", "list_tokens", "read_table"}
    refused: dict[str, str] = {}
    for ask in portal.asks(TENANT):
        if not ask.changes and ask.operation not in {"stream_counts", *of_the_provider}:
            answer = await portal.answer(ask, headers)
            refused |= {ask.operation: answer.text} if answer.status_code != 200 else {}
    assert {} == refused
    page = (await portal.http.get("/api/v1/tenants", headers=headers)).json()
    assert [TENANT] == [item["tenant"] for item in page["items"]]


@pytest.mark.parametrize("given", [GUID, TENANT])
async def test_a_customer_guid_of_a_tenant_that_is_not_seen_names_nobody(portal: Portal, given: str) -> None:
    headers = await portal.headers_of("tenant_viewer", OTHER)
    missing = GUID[::-1] if given == GUID else NOWHERE
    for name in ("licenseinfo", "licensedUsers"):
        there = await portal.http.get(f"/api/v3/customer/{given}/{name}", headers=headers)
        not_there = await portal.http.get(f"/api/v3/customer/{missing}/{name}", headers=headers)
        assert (404, seen(not_there, missing)) == (there.status_code, seen(there, given))
    own = await portal.headers_of("tenant_viewer", TENANT)
    assert 200 == (await portal.http.get(f"/api/v3/customer/{GUID}/licenseinfo", headers=own)).status_code


async def test_a_customer_guid_that_is_shared_names_the_tenant_that_is_seen(portal: Portal, world: World) -> None:
    await world.set("woodgrove", START, customer_guid=GUID)
    path = f"/api/v3/customer/{GUID}/licensedUsers"
    of = {name: await portal.headers_of("tenant_viewer", name) for name in ("woodgrove", TENANT)}
    users = {name: len((await portal.http.get(path, headers=headers)).json()) for name, headers in of.items()}
    assert {"woodgrove": 0, TENANT: 370} == users
    assert 409 == (await portal.http.get(path, headers=await portal.headers_of("provider_viewer"))).status_code


async def test_a_customer_guid_may_be_the_id_of_a_tenant_that_is_not_seen(portal: Portal, world: World) -> None:
    await world.set("tailspin", START, customer_guid=TENANT)
    answer = await portal.http.get(
        f"/api/v3/customer/{TENANT}/licensedUsers", headers=await portal.headers_of("tenant_viewer", "tailspin")
    )
    assert (200, []) == (answer.status_code, answer.json())


async def test_the_stream_tells_of_no_other_tenant(portal: Portal, world: World) -> None:
    async with listening(portal.app, "/api/v1/stream", await portal.headers_of("tenant_viewer", OTHER)) as heard:
        await until(lambda: OTHER in heard.text)
        await world.publish(TENANT, START + timedelta(hours=5))
        newest = await world.publish(OTHER, START + timedelta(hours=6))
        await until(lambda: f'"version":{newest.version}' in heard.text)
    assert 200 == heard.status
    assert TENANT not in heard.text


async def test_a_stream_ends_once_its_token_is_revoked(
    portal: Portal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.api.stream.KNOWN_S", 0.0)
    headers = await portal.headers_of("tenant_viewer", OTHER)
    async with listening(portal.app, "/api/v1/stream", headers) as heard:
        await until(lambda: OTHER in heard.text)
        (token,) = [each for each in await world.services.tokens.all() if each.digest == digest_of(headers)]
        await world.services.tokens.revoke(token, "test")
        newest = await world.publish(OTHER, START + timedelta(hours=7))
        await until(lambda: heard.ended)
    assert f'"version":{newest.version}' not in heard.text


async def test_a_tenant_admin_sends_events_of_its_tenants_alone(portal: Portal, world: World) -> None:
    def event(tenant: str, subject: str = "user:sent") -> dict[str, Any]:
        return {"type": "directory", "tenant": tenant, "subject": subject, "observed_at": format_time(START),
                "source": "test", "facts": {"display_name": "Bo"}}  # fmt: skip

    headers = await portal.headers_of("tenant_admin", OTHER, "not-made-yet")
    sent = [event(TENANT), event(OTHER), event(OTHER, "USER:bad"), event(NOWHERE), event("not-made-yet"), event(OTHER)]
    answer = await portal.http.post("/api/v1/events", json=sent, headers=headers)
    assert (202, 2) == (answer.status_code, answer.json()["accepted"])
    rejected = {item["index"]: item for item in answer.json()["rejected"]}
    assert [0, 2, 3, 4] == list(rejected)
    reasons = {name: rejected[index]["reason"].replace(name, "…") for index, name in
               ((0, TENANT), (3, NOWHERE), (4, "not-made-yet"))}  # fmt: skip
    assert 1 == len(set(reasons.values()))
    assert ["not_allowed", "invalid"] == [rejected[index]["kind"] for index in (0, 2)]
    records = [record.value.decode() for record in await world.read_topic("user-changes")]
    assert [OTHER] == sorted({name for value in records for name in re.findall(r'"tenant":"([^"]+)"', value)})


async def test_a_tenant_admin_changes_its_tenant_and_makes_none(portal: Portal, world: World) -> None:
    headers = await portal.headers_of("tenant_admin", OTHER, "not-made-yet")
    for method, path, status in (
        ("PATCH", f"/api/v1/tenants/{OTHER}/settings", 200),
        ("PATCH", "/api/v1/tenants/not-made-yet/settings", 404),
        ("PUT", "/api/v1/tenants/not-made-yet/settings", 404),
        ("DELETE", f"/api/v1/tenants/{OTHER}", 403),
        ("DELETE", f"/api/v1/tenants/{OTHER}?purge=true", 403),
        ("PATCH", "/api/v1/provider/settings", 403),
    ):
        answer = await portal.http.request(method, path, json={}, headers=headers | {"From": "boss@msp.example"})
        assert status == answer.status_code, (method, path, answer.text)
    await until(lambda: world.services.live.settings(OTHER).revision > 1)  # type: ignore[union-attr]  # it was set
    changed = world.services.live.settings(OTHER)
    assert changed is not None
    assert changed.updated_by == "token:test"


async def test_who_a_tenant_is_elsewhere_is_set_by_the_provider_alone(portal: Portal, world: World) -> None:
    path, guid = f"/api/v1/tenants/{TENANT}/settings", "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201"
    own = await portal.headers_of("tenant_admin", TENANT)
    for method, body, status in (
        ("PATCH", {"ms_tenant_id": GUID}, 403),
        ("PATCH", {"customer_guid": None}, 403),
        ("PUT", {"acquired_licenses": 5}, 403),
        ("PATCH", {"ms_tenant_id": guid.upper(), "acquired_licenses": 501}, 200),
        ("PUT", {"ms_tenant_id": guid, "customer_guid": GUID, "acquired_licenses": 500}, 200),
    ):
        answer = await portal.http.request(method, path, json=body, headers=own)
        assert status == answer.status_code, (method, body, answer.text)
    of_the_provider = await portal.headers_of("provider_admin")
    answer = await portal.http.patch(path, json={"customer_guid": None}, headers=of_the_provider)
    assert (200, None) == (answer.status_code, answer.json()["customer_guid"])


def told_of_the_tenant(ask: Ask, answer: httpx.Response) -> list[str]:
    """Return what an answer holds of the tenant beyond what was asked with."""
    given = f"{ask.path} {ask.body}"
    return [text for text in OF_THE_TENANT if text in answer.text and text not in given]


def seen(answer: httpx.Response, tenant: str) -> tuple[int, dict[str, str], str]:
    """Return what can be told apart, without the name that was asked with."""
    return answer.status_code, dict(answer.headers) | {"content-length": ""}, answer.text.replace(tenant, "…")


def digest_of(headers: dict[str, str]) -> str:
    return hashlib.sha256(headers["Authorization"].removeprefix("Bearer ").encode()).hexdigest()
