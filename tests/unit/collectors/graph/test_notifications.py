"""What Graph posts becomes commands, and what anybody else posts becomes nothing. The app is called without sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import structlog
from starlette.types import Message

from collectors.graph.notify import notifications
from collectors.graph.notify.notifications import LONGEST_BODY_BYTES, LONGEST_TOKEN_BYTES, MOST_IDS, receiver
from collectors.graph.notify.subscriptions import client_state
from schemas.commands import CommandModel, Notified

KEY = "invented-notification-key"
MS_TENANT = "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201"
NOW = datetime(2026, 5, 4, 10, 11, 12, tzinfo=UTC)
ADA = "5d2f0a51-7c0e-4d0b-9c0f-1f7b0a6c3e11"
BO = "b6d7a7de-5a0b-4a3e-8a52-2a8b3a0f9d20"
TEAM = "aa8c1c36-5b0e-4d2f-8a67-3c0a1d5c2f01"
FIRST = "8c0e1a2b-3d4f-4a5b-9c6d-7e8f90a1b2c1"
SECOND = "8c0e1a2b-3d4f-4a5b-9c6d-7e8f90a1b2c2"
POSTED = "/graph/notifications?t=acme"
Json = dict[str, Any]


@dataclass
class Desk:
    """The receiver of one tenant, and what it published."""

    commands: list[Notified] = field(default_factory=list)
    broken: Exception | None = None
    hangs: bool = False

    async def publish(self, command: Notified) -> None:
        if self.broken:
            raise self.broken
        if self.hangs:
            await asyncio.Event().wait()
        self.commands.append(command)

    def __post_init__(self) -> None:
        self.app = receiver(KEY, {"acme": MS_TENANT}.get, self.publish, lambda: NOW)

    async def post(self, content: bytes | AsyncIterator[bytes] = b"", url: str = POSTED) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://poolwatch") as http:
            return await http.post(url, content=content)

    async def told(self, *entries: Any, url: str = POSTED) -> list[Notified]:
        assert 202 == (await self.post(json.dumps({"value": entries}).encode(), url)).status_code
        return self.commands

    async def raw(self, *messages: Message) -> list[Message]:
        """Call the app with the messages of a server, and then none any more; return what it sends."""
        waiting, sent = list(messages), list[Message]()

        async def receive() -> Message:
            if not waiting:
                await asyncio.Event().wait()
            return waiting.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/graph/notifications", "headers": [], "query_string": b"t=acme",
        }  # fmt: skip
        await asyncio.wait_for(self.app(scope, receive, send), 5.0)
        return sent


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> structlog.testing.CapturingLogger:
    captured = structlog.testing.CapturingLogger()
    own = structlog.wrap_logger(captured, processors=[], wrapper_class=structlog.make_filtering_bound_logger(0))
    monkeypatch.setattr(notifications, "_log", own)
    return captured


def changed(object_id: str = ADA, kind: str = "User", **other: Any) -> Json:
    """Return a change as Graph tells it."""
    path = f"{kind}s/{object_id}"
    data = {
        "@odata.type": f"#Microsoft.Graph.{kind}", "@odata.id": path, "id": object_id, "organizationId": MS_TENANT,
        "sequenceNumber": 638500000000000001,
    }  # fmt: skip
    return {
        "changeType": "updated",
        "clientState": client_state(KEY, "acme", f"/{kind.lower()}s"),
        "resource": path,
        "resourceData": data,
        "subscriptionExpirationDateTime": "2026-06-01T10:00:00.0000000+00:00",
        "subscriptionId": FIRST,
        "tenantId": MS_TENANT,
    } | other


def lifecycle(event: str, subscription: str = FIRST) -> Json:
    whole = changed(subscriptionId=subscription, lifecycleEvent=event)
    return {name: value for name, value in whole.items() if name not in ("changeType", "resource", "resourceData")}


def test_a_client_state_is_of_one_key_tenant_and_resource() -> None:
    made = [
        client_state(key, tenant, resource)
        for key in (KEY, f"{KEY}2") for tenant in ("acme", "acme2") for resource in ("/users", "/groups")
    ]  # fmt: skip
    assert (8, {64}) == (len(set(made)), {len(state) for state in made})
    assert client_state(KEY, "acme", "/users") == client_state(KEY, "acme", "Users")


# The handshake


@pytest.mark.parametrize("path", ["/graph/notifications", "/graph/lifecycle"])
async def test_a_validation_token_is_answered_decoded_and_alone(desk: Desk, path: str) -> None:
    token = "Validation: <script>alert('é')</script> 1+1 &=%20"
    url = httpx.URL(path, params={"t": "acme", "k": "12345678", "validationToken": token})
    answer = await desk.post(url=str(url))
    assert (200, token) == (answer.status_code, answer.text)
    assert ("text/plain; charset=utf-8", "nosniff") == (
        answer.headers["content-type"], answer.headers["x-content-type-options"]
    )  # fmt: skip
    assert "1 1" == (await desk.post(url=f"{path}?validationToken=1+1")).text


async def test_a_giant_validation_token_is_refused(desk: Desk) -> None:
    answers = [
        await desk.post(url=f"{POSTED}&validationToken={letter * count}")
        for letter, count in (("a", LONGEST_TOKEN_BYTES), ("a", LONGEST_TOKEN_BYTES + 1), ("é", LONGEST_TOKEN_BYTES))
    ]
    assert [200, 400, 400] == [answer.status_code for answer in answers]
    assert {b""} == {answer.content for answer in answers[1:]}


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b'{"value":[', b"[]", b"null", b'"value"', b"{}", b'{"value":{}}', b'{"value":null}',
        b'{"value":["\xff"]}', b'{"value":["\\ud800"]}', b'{"value":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)  # fmt: skip
async def test_what_is_no_notification_is_refused(desk: Desk, body: bytes) -> None:
    assert (400, []) == ((await desk.post(body)).status_code, desk.commands)


async def test_no_more_is_read_of_a_body_than_is_allowed(desk: Desk) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 65_536

    body = endless()
    assert 413 == (await desk.post(body)).status_code
    assert LONGEST_BODY_BYTES // 65_536 + 1 == taken
    await body.aclose()  # type: ignore[attr-defined]  # a generator, which the type does not tell
    note = json.dumps({"value": [changed()]}).encode()
    assert 202 == (await desk.post(note.ljust(LONGEST_BODY_BYTES))).status_code
    assert 413 == (await desk.post(note.ljust(LONGEST_BODY_BYTES + 1))).status_code
    assert 1 == len(desk.commands)


async def test_a_body_that_does_not_come_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "BODY_S", 0.01)
    part: Message = {"type": "http.request", "body": b'{"value":[', "more_body": True}
    assert 408 == (await desk.raw(part))[0]["status"]
    # Whoever leaves is no failure of ours: nothing is raised.
    await desk.raw(part, {"type": "http.disconnect"})
    assert [] == desk.commands


# What is told


async def test_changes_become_one_command_for_each_subscription(desk: Desk) -> None:
    told = await desk.told(
        changed(BO), changed(), changed(ADA.upper()), changed(changeType="deleted"),
        changed(TEAM, "Group", subscriptionId=SECOND.upper()),
        changed(TEAM, "Group", subscriptionId=SECOND),
    )  # fmt: skip
    assert [("acme", "graph", FIRST, "changed", [ADA, BO], []), ("acme", "graph", SECOND, "changed", [], [TEAM])] == [
        (each.tenant, each.source, each.subscription, each.event, each.users, each.groups) for each in told
    ]
    assert {NOW} == {each.sent_at for each in told}
    assert 2 == len({each.id for each in told})
    assert told[0] == CommandModel.validate_json(told[0].model_dump_json())


@pytest.mark.parametrize(
    ("other", "users", "groups"),
    [
        ({"resourceData": None}, [ADA], []),
        ({"resourceData": {}}, [ADA], []),
        ({"resourceData": {"id": BO}}, [BO], []),
        ({"resource": f"/groups/{TEAM}/members", "resourceData": None}, [], [TEAM]),
        ({"resource": "", "resourceData": {"@odata.type": "#microsoft.graph.group", "id": TEAM}}, [], [TEAM]),
    ],
)
async def test_who_has_changed_is_told_in_several_ways(
    desk: Desk, other: Json, users: list[str], groups: list[str]
) -> None:
    [told] = await desk.told(changed(**other))
    assert (users, groups) == (told.users, told.groups)


@pytest.mark.parametrize(
    ("event", "expected"),
    [("missed", "missed"), ("subscriptionRemoved", "removed"), ("reauthorizationRequired", "reauthorize")],
)
async def test_lifecycle_events_become_events(desk: Desk, event: str, expected: str) -> None:
    told = await desk.told(
        lifecycle(event), lifecycle(event), lifecycle("unheard-of"), url="/graph/lifecycle?t=acme&k=1"
    )
    assert [(FIRST, expected, [], [])] == [(each.subscription, each.event, each.users, each.groups) for each in told]


async def test_different_events_of_a_subscription_are_told_apart(desk: Desk) -> None:
    told = await desk.told(lifecycle("missed"), changed(), lifecycle("reauthorizationRequired"))
    assert ["missed", "changed", "reauthorize"] == [each.event for each in told]


@pytest.mark.parametrize(("count", "event", "ids"), [(MOST_IDS, "changed", MOST_IDS), (MOST_IDS + 1, "missed", 0)])
async def test_too_many_changes_are_told_as_missed(desk: Desk, count: int, event: str, ids: int) -> None:
    users = [changed(f"5d2f0a51-7c0e-4d0b-9c0f-{number:012x}", "User") for number in range(count - 1)]
    [told] = await desk.told(*users, changed(TEAM, "Group"))
    assert (event, ids) == (told.event, len(told.users) + len(told.groups))


# What is dropped


@pytest.mark.parametrize(
    "other",
    [
        {"clientState": "invented"},
        {"clientState": "é"},
        {"clientState": ""},
        {"clientState": None},
        {"clientState": client_state(KEY, "other", "/users")},
        {"clientState": client_state("another-key", "acme", "/users")},
        {"clientState": client_state(KEY, "acme", "/devices")},
        {"tenantId": "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d202"},
        {"tenantId": None},
        {"subscriptionId": "../users"},
        {"subscriptionId": f"{FIRST}\n"},
        {"subscriptionId": 1},
        {"lifecycleEvent": "unheard-of"},
        {"resource": "devices/1", "resourceData": {"@odata.type": "#Microsoft.Graph.Device", "id": ADA}},
        {"resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": "ada.moreau@fabrikam.example"}},
        {"resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": f"{ADA}/../{BO}"}},
        {"resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": f"{ADA}\n"}},
        {"resourceData": "text"},
        {"resource": "Users", "resourceData": None},
        {"resource": None},
    ],
)
async def test_what_is_not_ours_or_not_understood_is_dropped_and_counted(
    desk: Desk, logged: structlog.testing.CapturingLogger, other: Json
) -> None:
    assert [] == await desk.told(changed(**other), 1)
    [told] = await desk.told(changed(BO), changed(**other))
    assert [BO] == told.users
    assert [("acme", 2), ("acme", 1)] == [(call.kwargs["tenant"], call.kwargs["count"]) for call in logged.calls]
    for secret in (ADA, BO, "ada.moreau", "invented", MS_TENANT):
        assert secret not in str(logged.calls)


@pytest.mark.parametrize("url", ["/graph/notifications", "/graph/notifications?t=other", "/graph/lifecycle?t=Ada%0A"])
async def test_what_is_of_no_tenant_of_ours_is_dropped_unnamed(
    desk: Desk, logged: structlog.testing.CapturingLogger, url: str
) -> None:
    assert [] == await desk.told(changed(), changed(BO), url=url)
    [call] = logged.calls
    assert {"event": "graph_notifications_dropped", "count": 2, "reason": "the tenant is not read"} == call.kwargs


async def test_spelling_of_ids_does_not_matter() -> None:
    desk = Desk()
    assert 1 == len(await desk.told(changed(tenantId=MS_TENANT.upper())))


# Publishing


@pytest.mark.parametrize("broken", [OSError("ada.moreau@fabrikam.example"), ValueError("a mistake of ours")])
async def test_what_cannot_be_published_is_to_be_sent_again(
    desk: Desk, logged: structlog.testing.CapturingLogger, broken: Exception
) -> None:
    desk.broken = broken
    answer = await desk.post(json.dumps({"value": [changed()]}).encode())
    assert (503, b"") == (answer.status_code, answer.content)
    [call] = logged.calls
    assert (1, type(broken).__name__) == (call.kwargs["count"], call.kwargs["error"])
    assert str(broken) not in str(logged.calls)


async def test_publishing_may_take_only_so_long_in_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "PUBLISH_S", 0.01)
    desk.hangs = True
    answer = await desk.post(json.dumps({"value": [changed(), changed(subscriptionId=SECOND)]}).encode())
    assert (503, []) == (answer.status_code, desk.commands)


async def test_nothing_to_publish_is_delivered(desk: Desk) -> None:
    desk.hangs = True
    assert [] == await desk.told()
