"""Owns the questions for lists of subjects: the page of seats, profiles, tallies, now and as recorded at an instant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from licensing.factors import ALL, BY_NAME
from portal.ports import Seat
from portal.store.clients import ABOVE_FLOOR, Clients, ask, at_ms
from schemas.times import to_ms

KNOWN_NOW = f"""SELECT subject, profile FROM subject_profiles FINAL
WHERE tenant = {{tenant:String}} AND kind != 'removed' AND {ABOVE_FLOOR}"""
_KNOWN_AT = f"""SELECT subject, argMax(new_profile, rev) AS profile FROM seat_changes FINAL
WHERE tenant = {{tenant:String}} AND recorded_at <= {at_ms("at")}
GROUP BY subject HAVING argMax(kind, rev) != 'removed'"""
_NAMES_NOW = f"""SELECT subject, display_name AS display, user_principal_name AS principal FROM seat_facets FINAL
WHERE tenant = {{tenant:String}} AND facet = 'directory' AND {ABOVE_FLOOR}"""
# Names from before a removal belong to a subject that is not known any more: whoever is known afterwards was told anew.
_NAMES_AT = f"""SELECT subject, JSONExtractString(directory, 'display_name') AS display,
    JSONExtractString(directory, 'user_principal_name') AS principal
FROM (
    SELECT subject, argMaxIf(facts, rev, facet = 'directory') AS directory FROM seat_changes FINAL
    WHERE tenant = {{tenant:String}} AND recorded_at <= {at_ms("at")} AND facet = 'directory'
    GROUP BY subject
)"""
_HIT = "positionCaseInsensitiveUTF8({column}, {{search:String}}) > 0"


def seats_sql(*, at: bool, factor: str, search: bool) -> str:
    """Return the question for a page. Parameters: tenant, after, limit, enabled; at, factor_bit, search where asked."""
    known, names = (_KNOWN_AT, _NAMES_AT) if at else (KNOWN_NOW, _NAMES_NOW)
    # The factor that counts is the lowest set bit of what is matched and enabled (licensing.factors.counted_factor).
    matched = "bitAnd(toUInt32(profile), {enabled:UInt32})"
    conditions = {
        "all": "",
        "none": f" AND {matched} = 0",
        "counted": f" AND {matched} != 0",
    }.get(factor, f" AND bitAnd({matched}, 65536 - {matched}) = {{factor_bit:UInt32}}")
    found = ""
    if search:
        hits = " OR ".join(_HIT.format(column=column) for column in ("display", "principal"))
        found = f" AND ({_HIT.format(column='subject')} OR subject IN (SELECT subject FROM ({names}) WHERE {hits}))"
    return f"""SELECT subject, profile FROM ({known})
WHERE subject > {{after:String}}{conditions}{found}
ORDER BY subject LIMIT {{limit:UInt32}}"""


def names_sql(*, at: bool) -> str:
    """Return the question for names of subjects. Parameters: tenant, subjects; at where asked."""
    source = _NAMES_AT if at else _NAMES_NOW
    # Inside, where it can use the order of the table; the subjects are those of one page.
    inner = source.replace("facet = 'directory'", "facet = 'directory' AND subject IN {subjects:Array(String)}")
    return f"SELECT subject, display, principal FROM ({inner})"


def seats(
    clients: Clients, tenant: str, *,
    at: datetime | None, enabled: int, factor: str, search: str | None, after: str, limit: int,
) -> list[Seat]:  # fmt: skip
    """Return a page of subjects (see `portal.ports.Store`)."""
    parameters: dict[str, Any] = {"tenant": tenant, "after": after, "limit": limit, "enabled": enabled & ALL}
    if at is not None:
        parameters["at"] = to_ms(at)
    if search:
        parameters["search"] = search
    chosen = next((known for name, known in BY_NAME.items() if name == factor), None)
    if chosen:
        parameters["factor_bit"] = chosen.bit
    page = ask(clients, seats_sql(at=at is not None, factor=factor, search=bool(search)), parameters)
    names = _names(clients, tenant, [subject for subject, _ in page], at)
    return [Seat(subject, int(profile), *names.get(subject, (None, None))) for subject, profile in page]


def _names(
    clients: Clients, tenant: str, subjects: Sequence[str], at: datetime | None
) -> dict[str, tuple[str | None, str | None]]:
    if not subjects:
        return {}
    parameters: dict[str, Any] = {"tenant": tenant, "subjects": list(subjects)}
    if at is not None:
        parameters["at"] = to_ms(at)
    rows = ask(clients, names_sql(at=at is not None), parameters)
    return {subject: (display or None, principal or None) for subject, display, principal in rows}


def display_names(clients: Clients, tenant: str, subjects: Sequence[str]) -> dict[str, str | None]:
    """Return the display names of these subjects, as far as they are known."""
    return {subject: name for subject, (name, _) in _names(clients, tenant, subjects, None).items()}


def profiles(clients: Clients, tenant: str) -> dict[str, int]:
    """Return the recorded profile of every subject of the tenant."""
    return {subject: int(profile) for subject, profile in ask(clients, KNOWN_NOW, {"tenant": tenant})}


def tally(clients: Clients, tenant: str, at: datetime) -> dict[int, int]:
    """Return the number of subjects by profile, as recorded at the instant."""
    rows = ask(
        clients, f"SELECT profile, count() FROM ({_KNOWN_AT}) GROUP BY profile", {"tenant": tenant, "at": to_ms(at)}
    )
    return {int(profile): int(subjects) for profile, subjects in rows}
