"""Owns the receiving of Microsoft Graph's notifications: recognised, made into commands, and answered at once.

Nothing in them is trusted as data: a command says what to ask Graph for.
"""

import asyncio
import hmac
import re
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from collectors.graph.notify.subscriptions import LIFECYCLE, NOTIFICATIONS, RESOURCES, client_state
from collectors.graph.reading.rounds import GRAPH
from schemas.commands import Notified

LONGEST_TOKEN_BYTES: Final = 4_096
LONGEST_BODY_BYTES: Final = 1_048_576
BODY_S: Final = 10.0
"""How long a body may take: one that drips must not hold a connection for ever."""

PUBLISH_S: Final = 2.5
"""Graph takes an answer within 3 s; slower ones make it delay, then drop, what comes next."""

MOST_IDS: Final = 1_000
"""Beyond that, asking for each costs more than asking what has changed."""

Event = Literal["changed", "missed", "removed", "reauthorize"]
_LIFECYCLE_EVENTS: dict[str, Event] = {
    "missed": "missed",
    "subscriptionRemoved": "removed",
    "reauthorizationRequired": "reauthorize",
}
_GUID = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z"
_guid = re.compile(_GUID)

_log = structlog.get_logger(__name__)


class _Data(msgspec.Struct):
    id: str | None = None
    kind: str | None = msgspec.field(name="@odata.type", default=None)


class _Note(msgspec.Struct, rename="camel"):
    subscription_id: Annotated[str, msgspec.Meta(pattern=_GUID)]
    tenant_id: str
    client_state: str
    resource: str = ""
    resource_data: _Data | None = None
    lifecycle_event: str | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What an accepted notification tells: an event and, of a change, a user or a group."""

    subscription: str
    event: Event
    kind: str = ""
    id: str = ""


def receiver(
    key: str,
    ms_tenant_of: Callable[[str], str | None],
    publish: Callable[[Notified], Awaitable[None]],
    now: Callable[[], datetime],
) -> Starlette:
    """Return the app that Graph posts to. `ms_tenant_of`: Entra ID's GUID of a tenant of ours, None if it is not read;
    `publish` returns when the command is safe."""

    async def receive(request: Request) -> Response:
        token = request.query_params.get("validationToken")
        if token is not None:
            return _handshake(token)
        notes = await _notes(request)
        if isinstance(notes, Response):
            return notes
        tenant = request.query_params.get("t", "")
        told = _accepted(key, tenant, ms_tenant_of(tenant), notes)
        return await _hand_on(publish, _commands(tenant, told, now()))

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    routes = [Route(path, receive, methods=["POST"]) for path in (NOTIFICATIONS, LIFECYCLE)]
    return Starlette(routes=[*routes, Route("/healthz", healthy)])


def _handshake(token: str) -> Response:
    if len(token.encode()) > LONGEST_TOKEN_BYTES:
        return Response(status_code=400)
    # Anybody may have written it: no browser may take it for a page.
    return PlainTextResponse(token, headers={"X-Content-Type-Options": "nosniff"})


async def _notes(request: Request) -> list[Any] | Response:
    """Return the entries of a request, as they are, or how it is refused."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LONGEST_BODY_BYTES:
                    return _cut_off(413)
    except TimeoutError:
        return _cut_off(408)
    except ClientDisconnect:
        return Response(status_code=400)
    try:
        notes = msgspec.json.decode(body)["value"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError, TypeError):
        return Response(status_code=400)
    return notes if isinstance(notes, list) else Response(status_code=400)


def _cut_off(status: int) -> Response:
    # Else the server would go on reading the body, to reach the next request on the connection.
    return Response(status_code=status, headers={"Connection": "close"})


def _accepted(key: str, tenant: str, ms_tenant_id: str | None, notes: list[Any]) -> list[_Told]:
    if ms_tenant_id is None:
        # The tenant is not named: anybody may have written anything there.
        _log.warning("graph_notifications_dropped", count=len(notes), reason="the tenant is not read")
        return []
    states = [client_state(key, tenant, resource).encode() for resource in RESOURCES]
    told = [found for note in notes if (found := _told(note, ms_tenant_id, states))]
    if dropped := len(notes) - len(told):
        _log.warning("graph_notifications_dropped", tenant=tenant, count=dropped, reason="not ours, or not understood")
    return told


def _told(entry: Any, ms_tenant_id: str, states: Iterable[bytes]) -> _Told | None:
    try:
        note = msgspec.convert(entry, _Note)
    except msgspec.ValidationError:
        return None
    # As bytes: a text beyond ASCII is an error to compare_digest.
    state = note.client_state.encode()
    is_ours = any(hmac.compare_digest(state, ours) for ours in states)
    if not is_ours or note.tenant_id.lower() != ms_tenant_id.lower():
        return None
    subscription = note.subscription_id.lower()
    if note.lifecycle_event is not None:
        event = _LIFECYCLE_EVENTS.get(note.lifecycle_event)
        return _Told(subscription, event) if event else None
    kind, found = _object(note)
    return _Told(subscription, "changed", kind, found) if kind and _guid.match(found) else None


def _object(note: _Note) -> tuple[str, str]:
    """Return `users` or `groups`, else nothing, and the id in lower case."""
    data = note.resource_data or _Data()
    kind, _, rest = note.resource.strip("/").partition("/")
    if data.kind is not None:
        kind = f"{data.kind.rpartition('.')[2]}s"
    found = rest.partition("/")[0] if data.id is None else data.id
    return kind.lower() if kind.lower() in ("users", "groups") else "", found.lower()


def _commands(tenant: str, told: Iterable[_Told], sent_at: datetime) -> list[Notified]:
    """Return one command for each subscription and event."""
    ids: dict[tuple[str, Event], set[tuple[str, str]]] = defaultdict(set)
    for each in told:
        ids[each.subscription, each.event].add((each.kind, each.id))
    return [_command(tenant, subscription, event, found, sent_at) for (subscription, event), found in ids.items()]


def _command(tenant: str, subscription: str, event: Event, found: set[tuple[str, str]], sent_at: datetime) -> Notified:
    if len(found) > MOST_IDS:
        event, found = "missed", set()
    return Notified(
        id=str(uuid.uuid4()),
        tenant=tenant,
        by="collector",
        sent_at=sent_at,
        source=GRAPH,
        subscription=subscription,
        event=event,
        users=sorted(found_id for kind, found_id in found if kind == "users"),
        groups=sorted(found_id for kind, found_id in found if kind == "groups"),
    )


async def _hand_on(publish: Callable[[Notified], Awaitable[None]], commands: list[Notified]) -> Response:
    """Answer 202 once all is safe, else 503: Graph then sends the request again."""
    try:
        async with asyncio.timeout(PUBLISH_S):
            for command in commands:
                await publish(command)
    except Exception as error:  # noqa: BLE001  # whatever it is: only what is safe may count as delivered
        _log.warning("graph_notifications_not_published", count=len(commands), error=type(error).__name__)
        return Response(status_code=503)
    return Response(status_code=202)
