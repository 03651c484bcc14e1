"""What the API answers is what its document says, for every operation, on the vendor's worked example."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from portal.app import create_app
from schemas.times import format_time
from tests.support.api_document import ApiDocument
from tests.support.portal_world import START, World
from tests.support.vendor_example import ANA, GRAPH, HELD, TENANT, tell_vendor_example

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Ask:
    """A request for an operation, and the status that it is answered with."""

    operation: str
    params: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    path: dict[str, str] = field(default_factory=dict)


CSV = {"Accept": "text/csv"}
KNOWN = {"If-None-Match": "*"}
NOW = {"month": f"{datetime.now(UTC):%Y-%m}"}
OLD = {"If-Match": '"1"'}
RANGE = {"from": "30d", "step": "1d"}
EVENT: dict[str, Any] = {
    "type": "phone_number", "tenant": TENANT, "subject": ANA, "source": "script", "observed_at": format_time(START),
    "facts": {"number": "+15550100", "number_type": "directRouting"},
}  # fmt: skip
SILENCE: dict[str, Any] = {"rule": "pool", "until": "2099-01-01T00:00:00Z", "reason": "licences are ordered"}
GONE = "user:gone"
WRONG = EVENT | {"subject": "number:+15550100"}

ASKED = [
    Ask("read_table", path={"table": "tenant_settings"}), Ask("read_table", path={"table": "users"}, status=422),
    Ask("get_health"), Ask("get_readiness"), Ask("get_metrics"),
    Ask("list_tenants"), Ask("list_tenants", {"sparkline": "30d", "sort": "usage", "over": 50}),
    Ask("list_tenants", {"limit": 0}, status=422), Ask("list_tenants", {"cursor": "x"}, status=422),
    Ask("get_licenses"), Ask("get_licenses", headers=KNOWN, status=304),
    Ask("get_licenses", path={"tenant": "nobody"}, status=404),
    Ask("get_licenses", path={"tenant": "No One"}, status=422),
    Ask("get_history", RANGE), Ask("get_history", RANGE, headers=CSV), Ask("get_history", {"from": "x"}, status=422),
    Ask("list_seats"), Ask("list_seats", {"factor": "all", "limit": 1}), Ask("list_seats", headers=CSV),
    Ask("explain_seat"), Ask("explain_seat", path={"subject": "user:nobody"}, status=404),
    Ask("explain_seat", {"at": "never"}, status=422),
    Ask("list_changes", {"from": "30d"}), Ask("list_changes", {"from": "30d", "limit": 1}),
    Ask("list_changes", {"from": "30d"}, headers=CSV),
    Ask("audit_tenant"), Ask("get_forecast"), Ask("get_forecast", path={"tenant": "nobody"}, status=404),
    Ask("get_monthly_report"), Ask("get_monthly_report", headers=CSV), Ask("get_monthly_report", {"format": "html"}),
    Ask("get_monthly_report", {"format": "pdf"}), Ask("get_monthly_report", {"month": "x"}, status=422),
    Ask("get_monthly_report", NOW), Ask("get_monthly_report", path={"tenant": "nobody"}, status=404),
    Ask("list_monthly_reports"), Ask("list_monthly_reports", NOW), Ask("list_monthly_reports", headers=CSV),
    Ask("get_daily_report"), Ask("get_daily_report", headers=CSV), Ask("get_daily_report", {"date": "x"}, status=422),
    Ask("list_reclaimable"), Ask("list_reclaimable", {"limit": 1}), Ask("list_reclaimable", headers=CSV),
    Ask("list_reclaimable", {"reason": "none"}, status=422),
    Ask("get_settings"), Ask("get_settings", headers=KNOWN, status=304),
    Ask("list_settings_changes"), Ask("list_settings_changes", {"limit": 1}),
    Ask("try_settings", body={"factors": {"user_interface": False}, "acquired_licenses": 450}),
    Ask("try_settings", body={"factors": 1}, status=422),
    Ask("list_syncs"), Ask("confirm_sync"), Ask("confirm_sync", path={"sync_id": HELD[::-1]}, status=409),
    Ask("confirm_sync", path={"sync_id": "none"}, status=404),
    Ask("list_sources"), Ask("refresh_sources", status=202), Ask("get_refresh"),
    Ask("get_refresh", path={"refresh_id": "none"}, status=404),
    Ask("send_events", body=[EVENT], status=202),
    Ask("send_events", body=[EVENT | {"facts": EVENT["facts"] | {"colour": "red"}}, WRONG], status=202),
    Ask("send_events", body=[], status=202), Ask("send_events", body=[WRONG], status=422),
    Ask("send_events", body=b"{", status=400), Ask("send_events", body=b" " * 1_100_000, status=413),
    Ask("vendor_license_info"), Ask("vendor_licensed_users"),
    Ask("get_provider_settings"), Ask("replace_provider_settings", body={"stale_after_s": 7200}),
    Ask("change_provider_settings", body={"alerts": {"warning_percent": 85}, "stale_after_s": None}),
    Ask("change_provider_settings", body={"alerts": {"warning_percent": 85}}, headers=OLD, status=412),
    Ask("replace_provider_settings", body={"nonsense": 1}, status=422),
    Ask("replace_settings", body={"acquired_licenses": 500, "gateways": ["sbc1.contoso.example"], **GRAPH}),
    Ask("change_settings", body={"acquired_licenses": 510, "factors": {"lifecycle": False}, "criteria": None}),
    Ask("change_settings", body={"acquired_licenses": 510}, headers=OLD, status=412),
    Ask("change_settings", body=b"no", status=400),
    Ask("change_settings", body={"acquired_licenses": 5}, headers={"Origin": "http://x.example"}, status=403),
    Ask("change_settings", body={"acquired_licenses": -5}, status=422),
    Ask("change_settings", body=b" " * 600_000, status=413),
    Ask("stream_counts", {"tenant": "nobody"}, status=404), Ask("stream_counts"),
    Ask("make_token", body={"name": "ci", "role": "tenant_viewer", "tenants": [TENANT]}, status=201),
    Ask("make_token", body={"name": "ci", "role": "tenant_viewer"}, status=422), Ask("list_tokens"),
    Ask("revoke_token", path={"token_id": "none"}, status=404), Ask("revoke_token"),
    Ask("list_alerts"), Ask("list_alerts", {"state": "all", "rule": "pool", "level": "warning", "search": "CONT"}),
    Ask("list_alerts", {"level": "grave"}, status=422), Ask("list_alerts", {"tenant": "nobody"}, status=404),
    Ask("acknowledge_alert"), Ask("acknowledge_alert", path={"rule": "stale"}, status=409),
    Ask("list_tenant_alerts"), Ask("list_tenant_alerts", {"limit": 1, "state": "firing"}),
    Ask("list_tenant_alerts", {"cursor": "x"}, status=422),
    Ask("add_silence", body=SILENCE, status=201), Ask("add_silence", body={"until": "soon"}, status=422),
    Ask("end_silence"), Ask("end_silence", status=404),
    Ask("forget_subject", {"gone": True}, path={"subject": GONE}), Ask("forget_subject", status=409),
    Ask("forget_subject", path={"subject": "user:nobody"}, status=404),
    Ask("remove_tenant"), Ask("remove_tenant", path={"tenant": "nobody"}, status=404),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answers(world: World) -> AsyncIterator[list[tuple[Ask, httpx.Response]]]:
    await tell_vendor_example(world)
    for facts in ({"display_name": "Gone"}, None):
        world.observe(TENANT, GONE, START, directory=facts)
    document = await described(world)
    named = {"tenant": TENANT, "subject": ANA, "sync_id": HELD, "rule": "pool"}
    found = []
    for ask in ASKED:
        method, path = document.places[ask.operation]
        filled = path.format_map(named | ask.path)
        if ask.operation == "stream_counts" and ask.status == 200:
            found.append((ask, await begun(world, filled)))
            continue
        kind = "content" if isinstance(ask.body, bytes) else "json"
        sent: dict[str, Any] = {kind: ask.body}
        answer = await world.http.request(method, filled, params=ask.params, headers=ask.headers, **sent)
        if ask.operation == "refresh_sources":
            named["refresh_id"] = answer.json()["id"]
        if ask.operation == "add_silence" and ask.status == 201:
            named["silence_id"] = answer.json()["id"]
        if ask.operation == "make_token" and ask.status == 201:
            named["token_id"] = answer.json()["id"]
        found.append((ask, answer))
    yield found


async def described(world: World) -> ApiDocument:
    return ApiDocument((await world.http.get("/api/openapi.json")).json())


async def begun(world: World, path: str) -> httpx.Response:
    """Ask for the stream, and go away after its first bytes: it has no end."""
    gone, head, body = asyncio.Event(), dict[str, Any](), b""

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal body
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            body += message.get("body", b"")
            gone.set()

    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
             "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
             "headers": [(b"host", b"portal")], "client": ("127.0.0.1", 1), "server": ("portal", 80)}  # fmt: skip
    async with asyncio.timeout(10):
        await create_app(world.services)(scope, receive, send)
    return httpx.Response(head["status"], headers=head["headers"], content=body)


async def test_every_operation_is_asked(world: World) -> None:
    assert (await described(world)).operations.keys() == {ask.operation for ask in ASKED if ask.status < 300}


async def test_every_answer_is_as_the_document_says(world: World, answers: list[tuple[Ask, httpx.Response]]) -> None:
    document = await described(world)
    for ask, answer in answers:
        assert ask.status == answer.status_code, (ask, answer.text)
        media_type = answer.headers.get("content-type", "")
        document.check_answer(
            ask.operation, answer.status_code, media_type, answer.json() if "json" in media_type else answer.text
        )
        if answer.status_code < 300 and ask.body is not None:
            document.check_request(ask.operation, ask.body)


async def test_the_vendors_example_is_what_is_counted(answers: list[tuple[Ask, httpx.Response]]) -> None:
    (count,) = [answer.json() for ask, answer in answers if ask.operation == "get_licenses" and ask.status == 200]
    assert (500, 370, 130, 74.0) == tuple(
        count[key] for key in ("acquired_licenses", "currently_licensed", "available_licenses", "usage_percent")
    )
    assert [200, 100, 0, 50, 20] == [row["counted"] for row in count["factors"]]
