"""Owns the questions for facts: of one subject, now and as recorded at an instant, and of all subjects of a tenant."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from portal.ports import FacetFacts
from portal.store.clients import ABOVE_FLOOR, Clients, ask, at_ms, ms, stream
from schemas.times import from_ms, to_ms

_NOW = f"""SELECT subject, facet, {ms("observed_at")}, source, facts FROM seat_facets FINAL
WHERE tenant = {{tenant:String}} AND {ABOVE_FLOOR}"""
# A removal ends what was known: only what was told after the last one counts.
_AT = f"""SELECT subject, facet, {ms("argMax(observed_at, rev)")}, argMax(source, rev), argMax(facts, rev)
FROM seat_changes FINAL
WHERE tenant = {{tenant:String}} AND subject = {{subject:String}} AND recorded_at <= {at_ms("at")} AND facet != ''
    AND rev > (
        SELECT max(rev) FROM seat_changes
        WHERE tenant = {{tenant:String}} AND subject = {{subject:String}} AND recorded_at <= {at_ms("at")}
            AND kind = 'removed'
    )
GROUP BY subject, facet ORDER BY facet"""


def facts(clients: Clients, tenant: str, subject: str, at: datetime | None) -> list[FacetFacts]:
    """Return the facets of a subject as recorded at the instant (None = now)."""
    parameters: dict[str, Any] = {"tenant": tenant, "subject": subject}
    if at is None:
        sql = f"{_NOW} AND subject = {{subject:String}} ORDER BY facet"
    else:
        sql, parameters["at"] = _AT, to_ms(at)
    return [_facts(row) for row in ask(clients, sql, parameters)]


def all_facts(clients: Clients, tenant: str) -> Iterator[FacetFacts]:
    """Yield the latest facts of every subject of the tenant, by subject."""
    return (_facts(row) for row in stream(clients, f"{_NOW} ORDER BY subject, facet", {"tenant": tenant}))


def _facts(row: tuple[Any, ...]) -> FacetFacts:
    subject, facet, observed_at, source, text = row
    return FacetFacts(subject, facet, from_ms(observed_at), source, msgspec.json.decode(text) if text else None)
