"""Owns the subscriptions to Microsoft Graph's change notifications: made, renewed in time, and ended. Nothing of them
is stored: Graph lists them, and what a notification proves itself by is computed.

Receiving is the business of `notifications`.
"""

import contextlib
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, quote, urlencode

from collectors.graph.api.client import GraphClient, JsonObject
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.api.errors import GoneError, GraphError
from schemas.times import format_time, parse_time

RESOURCES: Final = ("/users", "/groups")
NOTIFICATIONS: Final = "/graph/notifications"
LIFECYCLE: Final = "/graph/lifecycle"
"""Where Graph posts to, below the address that is ours."""

LIFE: Final = timedelta(minutes=41_000)
"""Graph allows 41,760 by its own clock: ours may be half a day ahead."""

_RENEWED_BEFORE = LIFE / 3
_SELDOMEST = timedelta(days=1)
_OFTENEST = timedelta(minutes=10)
"""Were Graph to give a shorter life than it was asked for, renewing must not become a loop."""

_CHANGES = "updated,deleted"


@dataclass(frozen=True, slots=True)
class Address:
    """Where Graph reaches us, without a path, and the secret that notifications are recognised by."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """The subscriptions that are there now, and when to look after them again."""

    ids: frozenset[str]
    due_at: datetime


@dataclass(frozen=True, slots=True)
class _Held:
    id: str
    resource: str
    expires_at: datetime
    is_current: bool
    """Whether it tells what is wanted, to where it is wanted; else it is one of ours from before."""


def client_state(key: str, tenant: str, resource: str) -> str:
    """Return what the notifications of a subscription carry: nobody without the key can guess it."""
    return hmac.new(key.encode(), f"{tenant}\n{_plain(resource)}".encode(), hashlib.sha256).hexdigest()


async def keep(
    client: GraphClient, tenant: GraphTenant, resources: Sequence[str], address: Address, now: datetime
) -> Kept:
    """See to it that exactly one subscription to each resource posts to the address. The receiver must be up: Graph
    asks it first. Raises GraphError, ForbiddenError also when the quota is used up."""
    held = await _listed(client, tenant, address)
    chosen = _choose(held, resources)
    # Before anything is made: Graph refuses a second one to the same resource.
    for each in held:
        if each not in chosen.values():
            await _end(client, tenant, each.id)
    kept = [await _kept(client, tenant, resource, chosen.get(_plain(resource)), address, now) for resource in resources]
    earliest = min((each.expires_at for each in kept), default=now + LIFE)
    due_at = min(now + _SELDOMEST, max(now + _OFTENEST, earliest - _RENEWED_BEFORE))
    return Kept(frozenset(each.id for each in kept), due_at)


async def reauthorize(client: GraphClient, tenant: GraphTenant, subscription_id: str, now: datetime) -> None:
    """Renew a subscription, which also tells Graph that the application is still allowed what it was. Raises
    GoneError if there is none any more, and GraphError."""
    await client.patch(tenant, _path(subscription_id), {"expirationDateTime": format_time(now + LIFE)})


async def _kept(
    client: GraphClient, tenant: GraphTenant, resource: str, held: _Held | None, address: Address, now: datetime
) -> _Held:
    if held is not None:
        if held.expires_at - now > _RENEWED_BEFORE:
            return held
        with contextlib.suppress(GoneError):
            until = {"expirationDateTime": format_time(now + LIFE)}
            return _read(await client.patch(tenant, _path(held.id), until), held)
    return await _make(client, tenant, resource, address, now)


async def _make(client: GraphClient, tenant: GraphTenant, resource: str, address: Address, now: datetime) -> _Held:
    wish = {
        "changeType": _CHANGES,
        "notificationUrl": _url(address, NOTIFICATIONS, tenant.tenant),
        "lifecycleNotificationUrl": _url(address, LIFECYCLE, tenant.tenant),
        "resource": resource,
        "expirationDateTime": format_time(now + LIFE),
        "clientState": client_state(address.key, tenant.tenant, resource),
    }
    try:
        made = await client.post(tenant, "/subscriptions", wish)
    except GraphError as error:
        if error.status != 409:
            raise
        # Another collector was faster, or an answer was lost.
        there = _choose(await _listed(client, tenant, address), [resource]).get(_plain(resource))
        if there is None:
            raise GraphError(
                error.call,
                "the application has a subscription that posts to another address",
                "delete that one if it is not needed; it ends by itself after 29 days at most",
            ) from error
        return there
    return _read(made, _Held("", _plain(resource), now + LIFE, is_current=True))


async def _end(client: GraphClient, tenant: GraphTenant, subscription_id: str) -> None:
    with contextlib.suppress(GoneError):
        await client.delete(tenant, _path(subscription_id))


async def _listed(client: GraphClient, tenant: GraphTenant, address: Address) -> list[_Held]:
    """Return the subscriptions that are ours; others of the application post elsewhere, or for another tenant."""
    pages = client.pages(tenant, "/subscriptions")
    return [held async for page in pages for entry in page.values if (held := _ours(entry, tenant, address))]


def _ours(entry: JsonObject, tenant: GraphTenant, address: Address) -> _Held | None:
    url = str(entry.get("notificationUrl"))
    place, _, query = url.partition("?")
    if place != f"{address.url}{NOTIFICATIONS}" or parse_qs(query).get("t") != [tenant.tenant]:
        return None
    told = set(str(entry.get("changeType")).split(","))
    is_current = url == _url(address, NOTIFICATIONS, tenant.tenant) and told == set(_CHANGES.split(","))
    long_ago = datetime.min.replace(tzinfo=UTC)
    return _read(entry, _Held("", _plain(str(entry.get("resource"))), long_ago, is_current))


def _choose(held: Iterable[_Held], resources: Iterable[str]) -> dict[str, _Held]:
    """Return the one to keep for each resource: of duplicates, the one that lives longest."""
    wanted = {_plain(resource) for resource in resources}
    usable = [each for each in held if each.is_current and each.resource in wanted]
    # By the id as well: two collectors that choose at once must choose the same.
    return {each.resource: each for each in sorted(usable, key=lambda each: (each.expires_at, each.id))}


def _read(shown: JsonObject, known: _Held) -> _Held:
    """Return what Graph shows of a subscription, where it shows it."""
    try:
        expires_at = parse_time(shown["expirationDateTime"])
    except (KeyError, ValueError):
        expires_at = known.expires_at
    return _Held(str(shown.get("id", known.id)), known.resource, expires_at, known.is_current)


def _url(address: Address, path: str, tenant: str) -> str:
    # The key shows in the address, so that another key makes other subscriptions.
    mark = hashlib.sha256(address.key.encode()).hexdigest()[:8]
    return f"{address.url}{path}?{urlencode({'t': tenant, 'k': mark})}"


def _path(subscription_id: str) -> str:
    return f"/subscriptions/{quote(subscription_id, safe='')}"


def _plain(resource: str) -> str:
    """Return a resource in the one of its spellings that we go by: Graph shows it with or without a slash."""
    return resource.strip("/").lower()
