"""Owns the forgetting of a person or number: cleared in the live state, then erased from what is stored."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.json import encode

from portal.answers.context import Context
from portal.ports import FacetFacts
from portal.problems import Problem
from schemas.times import format_time, to_ms

SOURCE = "forget"
CLEARED_WITHIN_S = 30.0
_LOOK_S = 0.1
_KAFKA_KEEPS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What became of a subject. `kafka_until`: when the last record of it has left the topics that keep events."""

    pseudonym: str
    changes: int
    cleared: list[str]
    kafka_until: datetime


async def forget(context: Context, tenant: str, subject: str, *, gone: bool) -> Forgotten:
    """Forget a subject; one that sources still tell of only if it is `gone`. Raises Problem 404, 409 and 503."""
    store = context.services.store
    if not await context.read(lambda: store.last_rev(tenant, subject)):
        raise Problem(
            404,
            f"nothing was ever known of {subject} of the tenant {tenant}, or it was forgotten: nothing is left to do",
        )
    live = await _live(context, tenant, subject)
    if live and not gone:
        told = ", ".join(f"{each.facet} ({each.source}, {format_time(each.observed_at)})" for each in live)
        raise Problem(
            409,
            f"{subject} is still told of: {told}. Delete it there and wait for the next full sync, or say that it is"
            " gone (`gone=true`, --gone): it is not counted any more then, and comes back if a source tells of it",
        )
    cleared = [each.facet for each in live]
    if live:
        await _clear(context, tenant, subject, cleared)
    now = context.now()
    rev = await context.read(lambda: store.last_rev(tenant, subject))
    erased = await context.read(lambda: store.erase(tenant, subject, rev, now))
    return Forgotten(erased.pseudonym, erased.changes, cleared, now + _KAFKA_KEEPS)


async def _live(context: Context, tenant: str, subject: str) -> list[FacetFacts]:
    facts = await context.read(lambda: context.services.store.facts(tenant, subject, None))
    return [each for each in facts if each.facts is not None]


async def _clear(context: Context, tenant: str, subject: str, facets: list[str]) -> None:
    """Clear facets as a source does, and wait until that is stored: what is erased before would be told once more."""
    now = context.now()
    events = [
        {"type": facet, "tenant": tenant, "subject": subject, "observed_at": format_time(now), "source": SOURCE,
         "facts": None}
        for facet in facets
    ]  # fmt: skip
    await context.services.intake.accept(encode(events), to_ms(now), lambda name: name == tenant)
    try:
        async with asyncio.timeout(CLEARED_WITHIN_S):
            while await _live(context, tenant, subject):  # noqa: ASYNC110 -- no event tells what is stored
                await asyncio.sleep(_LOOK_S)
    except TimeoutError as error:
        raise Problem(
            503,
            f"{subject} was cleared, and that is not stored after {CLEARED_WITHIN_S:.0f} s: meters or sinks are behind,"
            " or a source told of it at this moment. Nothing is erased yet: try again",
            headers={"Retry-After": "30"},
        ) from error
