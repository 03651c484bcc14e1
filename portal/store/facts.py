"""Owns the questions for facts: of one subject, now and as recorded at an instant, and of some or all of a tenant."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from portal.ports import FacetFacts
from portal.store.clients import ABOVE_FLOOR, Clients, ask, at_ms, ms, stream
from schemas.times import from_ms, to_ms


def known_sql(columns: str, *, of_subject: str = "", only: str = "") -> str:
    """Return the question for facets as they are known now. Further conditions: `of_subject` on the subject, `only` on
    the facets that are returned."""
    # A facet observed just after a removal's stamp is above the floor, and yet void: it was told before the removal.
    return f"""SELECT {columns} FROM seat_facets FINAL
LEFT JOIN (
    SELECT subject, max(rev) AS removed_rev FROM seat_changes
    WHERE tenant = {{tenant:String}}{of_subject} AND kind = 'removed' GROUP BY subject
) AS removals USING (subject)
WHERE tenant = {{tenant:String}}{of_subject}{only} AND rev > removed_rev AND {ABOVE_FLOOR}"""


_COLUMNS = f"subject, facet, {ms('observed_at')}, source, facts"
_OF_SUBJECT = f"{known_sql(_COLUMNS, of_subject=' AND subject = {subject:String}')} ORDER BY facet"
_OF_SOME = f"{known_sql(_COLUMNS, of_subject=' AND subject IN {subjects:Array(String)}')} ORDER BY subject, facet"
_OF_ALL = f"{known_sql(_COLUMNS)} ORDER BY subject, facet"
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
        sql = _OF_SUBJECT
    else:
        sql, parameters["at"] = _AT, to_ms(at)
    return [_facts(row) for row in ask(clients, sql, parameters)]


def facts_of(clients: Clients, tenant: str, subjects: Sequence[str]) -> list[FacetFacts]:
    """Return the latest facts of some subjects, by subject."""
    return [_facts(row) for row in ask(clients, _OF_SOME, {"tenant": tenant, "subjects": list(subjects)})]


def all_facts(clients: Clients, tenant: str) -> Iterator[FacetFacts]:
    """Yield the latest facts of every subject of the tenant, by subject."""
    return (_facts(row) for row in stream(clients, _OF_ALL, {"tenant": tenant}))


def _facts(row: tuple[Any, ...]) -> FacetFacts:
    subject, facet, observed_at, source, text = row
    return FacetFacts(subject, facet, from_ms(observed_at), source, msgspec.json.decode(text) if text else None)
