"""Owns the questions of reports: what counts of many tenants were over a period, at the finest resolution that has all
of it still, and what they were at an instant."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from licensing.factors import ALL, FACTORS
from licensing.reports.usage import Level, Stretch
from portal.ports import EnabledSince, LevelThen, Recorded, Resolution
from portal.store.clients import Clients, ask
from portal.store.history import closed_until
from portal.store.usage_sql import MOVES, SOURCES, TENANTS, inventory_sql, levels_sql, stretches_sql
from schemas.times import from_ms, to_ms

_ROWS_AT_ONCE = 1_000_000
"""Rows that one question holds in memory, about 100 bytes each; those of one tenant are always asked for together."""
_RECENT_S = 2 * 86_400
_HOURLY, _DAILY = SOURCES["hour"].table, SOURCES["day"].table


def closed_at(clients: Clients) -> datetime:
    """Return up to where hourly buckets have been computed."""
    return from_ms(closed_until(clients, _HOURLY) * 1_000)


def tenants_on_record(clients: Clients, end: datetime) -> list[str]:
    """Return all tenants that had a count before an instant, by name."""
    return [name for (name,) in ask(clients, TENANTS, {"end": _second(end)})]


def recorded(clients: Clients, tenants: Sequence[str], start: datetime, end: datetime) -> dict[str, Recorded]:
    """Return what is on record of a period (see `portal.ports.Store`)."""
    span = {"start": _second(start), "end": _second(end)}
    carried = levels(clients, tenants, start)
    found: dict[str, tuple[Resolution, Stretch, bool]] = {}
    for resolution, some in _planned(clients, tenants, span):
        source = SOURCES[resolution]
        closed = closed_until(clients, source.table) if source.unit_s else 0
        for row in ask(clients, stretches_sql(source), span | {"tenants": some, "closed": closed}):
            found[row[0]] = (resolution, _stretch(row), bool(row[-2]))
    answers: dict[str, Recorded] = {}
    for tenant in tenants:
        before = carried.get(tenant)
        resolution, stretch, demo = found.get(tenant, ("second", None, False))
        answers[tenant] = Recorded(
            before.level if before else None, stretch, resolution, demo or bool(before and before.demo)
        )
    return answers


def levels(clients: Clients, tenants: Sequence[str], at: datetime) -> dict[str, LevelThen]:
    """Return what held just before an instant, which is a full hour."""
    end = _second(at)
    asked = {"end": end} | _closed(clients)
    # A tenant has a row an hour at least: only of one that has ended, or whose sink was away, more has to be read.
    recent = levels_sql("at >= toDateTime({recent:UInt32}, 'UTC')")
    rows = ask(clients, recent, asked | {"tenants": list(tenants), "recent": max(0, end - _RECENT_S)})
    known = {row[0] for row in rows}
    late = [tenant for tenant in tenants if tenant not in known]
    if late:
        rows += ask(clients, levels_sql("true"), asked | {"tenants": late})
    return {tenant: LevelThen(_level(level), bool(demo)) for tenant, level, demo in rows}


def seat_moves(
    clients: Clients, start: datetime, end: datetime, enabled: Mapping[str, Sequence[EnabledSince]]
) -> dict[str, tuple[int, int]]:
    """Return how many seats were gained and lost in a period, by tenant (see `portal.ports.Store`)."""
    flat = [(tenant, to_ms(at), mask & ALL) for tenant, masks in enabled.items() for at, mask in masks]
    names, since, masks = zip(*flat, strict=True) if flat else ((), (), ())
    parameters = {"tenants": list(enabled), "start": _second(start), "end": _second(end)}
    parameters |= {"mask_tenants": list(names), "mask_since": list(since), "masks": list(masks)}
    return {tenant: (int(gained), int(lost)) for tenant, gained, lost in ask(clients, MOVES, parameters)}


def _planned(
    clients: Clients, tenants: Sequence[str], span: Mapping[str, int]
) -> Iterator[tuple[Resolution, list[str]]]:
    """Yield tenants with the resolution that has all of their period, as many at a time as memory has room for."""
    asked = dict(span) | {"tenants": list(tenants)} | _closed(clients)
    held = {name: {row[0]: row[1:] for row in ask(clients, inventory_sql(source), asked)}
            for name, source in SOURCES.items()}  # fmt: skip
    plans: dict[Resolution, list[tuple[str, int]]] = {"second": [], "hour": [], "day": []}
    for tenant in tenants:
        raw, hourly, daily = (held[name].get(tenant, (0, 0, 0)) for name in SOURCES)
        # A bucket is made of its rows: where one is there and no row of its time, the rows are gone.
        if raw[1] >= hourly[1] and raw[2] >= daily[2]:
            plans["second"].append((tenant, raw[0]))
        elif max(raw[2], hourly[2]) >= daily[2]:
            plans["hour"].append((tenant, hourly[0]))
        else:
            plans["day"].append((tenant, daily[0]))
    for resolution, plan in plans.items():
        for some in _portions(plan):
            yield resolution, some


def _portions(plan: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    portion: list[str] = []
    rows = 0
    for tenant, more in plan:
        if portion and rows + more > _ROWS_AT_ONCE:
            yield portion
            portion, rows = [], 0
        portion.append(tenant)
        rows += more
    if portion:
        yield portion


def _stretch(row: Sequence[Any]) -> Stretch:
    _, first, end, area, over_s, over_area, *rest = row
    sums, (peak, peak_at, has_pool, crosses, _, last) = rest[: len(FACTORS)], rest[len(FACTORS) :]
    return Stretch(
        first=int(first),
        end=int(end),
        area=int(area),
        over_s=int(over_s),
        over_area=int(over_area),
        counted_areas=[int(each) for each in sums],
        peak=int(peak),
        peak_at=int(peak_at),
        has_pool=bool(has_pool),
        crosses=bool(crosses),
        last=_level(last),
    )


def _level(columns: Sequence[Any]) -> Level:
    licensed, pool, user_licenses, dr_phone_licenses, enabled, *factors = columns
    half = len(FACTORS)
    return Level(licensed, pool, user_licenses, dr_phone_licenses, enabled, factors[:half], factors[half:])


def _closed(clients: Clients) -> dict[str, int]:
    return {"closed": closed_until(clients, _HOURLY), "closed_day": closed_until(clients, _DAILY)}


def _second(at: datetime) -> int:
    return to_ms(at) // 1_000
