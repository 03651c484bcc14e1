"""Owns the reports: what each tenant used in a month, and what was in force at the daily stroke. They follow from what
is stored alone: of a closed period they are the same whenever and wherever they are made."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from licensing.factors import FACTORS
from licensing.reports.monthly import Usage, usage_of
from licensing.reports.usage import Level, over_period
from portal.access.principals import Principal
from portal.answers.context import Context
from portal.answers.masks import MaskHistory
from portal.answers.report_periods import Month
from portal.answers.settings_log import acting_changes
from portal.ports import LevelThen, Recorded, Store
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import TenantSettings
from schemas.times import EPOCH, format_time, from_ms, to_ms

AT_ONCE = 500
"""Tenants that are read and written together: a report of all of them takes no more memory than so many."""

_BEARING = ("acquired_licenses", "service_type", "factors.", "criteria.", "gateways", "removed_at")
"""Settings that bear on a count. Others are nobody's business who gets a bill."""


def monthly(store: Store, tenants: Sequence[str], month: Month) -> list[dict[str, Any]]:
    """Return the monthly reports of some tenants as the API shows them; without those that were removed before it."""
    is_closed = month.end <= store.closed_at()
    masks = _masks(store, tenants)
    there = [tenant for tenant in tenants if _is_there(masks[tenant], month.start, month.until)]
    recorded = store.recorded(there, month.start, month.until)
    enabled = {tenant: [(EPOCH, masks[tenant].default_mask), *masks[tenant].masks(month.until)] for tenant in there}
    moves = store.seat_moves(month.start, month.until, enabled)
    return [
        _report(tenant, month, is_closed, recorded[tenant], masks[tenant], moves.get(tenant, (0, 0)))
        for tenant in there
    ]


async def monthly_of_all(context: Context, principal: Principal, month: Month) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the monthly reports of all tenants that somebody sees and that had a count by then, some at a time."""
    store = context.services.store
    async for some in _portions(context, principal, month.until):
        yield await context.read(lambda some=some: monthly(store, some, month))  # type: ignore[misc]  # bound now


async def daily(context: Context, principal: Principal, stroke: datetime) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield what was in force at a stroke at each tenant that somebody sees, likewise."""
    store = context.services.store
    async for some in _portions(context, principal, stroke):
        yield await context.read(lambda some=some: _daily(store, some, stroke))  # type: ignore[misc]  # bound now


async def _portions(context: Context, principal: Principal, end: datetime) -> AsyncIterator[list[str]]:
    known = await context.read(lambda: context.services.store.tenants_on_record(end))
    seen: Iterator[str] = filter(principal.sees, known)
    while some := list(islice(seen, AT_ONCE)):
        yield some


def _masks(store: Store, tenants: Sequence[str]) -> dict[str, MaskHistory]:
    histories = store.settings_histories([*tenants, PROVIDER_KEY])
    provider = histories.get(PROVIDER_KEY, [])
    return {tenant: MaskHistory(tenant, histories.get(tenant, []), provider) for tenant in tenants}


def _is_there(masks: MaskHistory, start: datetime, until: datetime) -> bool:
    before = [epoch.settings for epoch in masks.epochs if epoch.at < start]
    return not (before and before[-1].is_removed) or any(
        not epoch.settings.is_removed for epoch in masks.epochs if start <= epoch.at < until
    )


def _settings_at(masks: MaskHistory, tenant: str, until: datetime) -> TenantSettings:
    held = [epoch.settings for epoch in masks.epochs if epoch.at < until]
    return held[-1] if held else TenantSettings(tenant=tenant)


def _report(
    tenant: str, month: Month, is_closed: bool, recorded: Recorded, masks: MaskHistory, moves: tuple[int, int]
) -> dict[str, Any]:
    whole = over_period(recorded.carried, recorded.stretch, _second(month.start), _second(month.until))
    usage = usage_of(whole) if whole else None
    changes = _settings_changes(tenant, masks, month)
    pools = [
        {"at": change["at"], "from": part["from"], "to": part["to"]}
        for change in changes
        for part in change["changes"]
        if part["setting"] == "acquired_licenses"
    ]
    return {
        "tenant": tenant,
        "display_name": _settings_at(masks, tenant, month.until).display_name,
        "month": month.name,
        "from": format_time(month.start),
        "to": format_time(month.end),
        "until": format_time(month.until),
        "closed": is_closed,
        "resolution": recorded.resolution if usage else None,
        "demo": recorded.demo,
        "covered_from": _instant(usage.covered_from) if usage else None,
        "currently_licensed": _licensed(usage) if usage else None,
        "pool": {
            "at_start": recorded.carried.pool if recorded.carried else None,
            "at_end": usage.pool if usage else None,
            "changes": pools,
        },
        "overage": _overage(usage, bool(pools), recorded) if usage and usage.overage_hours is not None else None,
        "factors": _factors(usage) if usage else [],
        "seats": {"gained": moves[0], "lost": moves[1]},
        "settings_changes": changes,
    }


def _licensed(usage: Usage) -> dict[str, Any]:
    return {
        "peak": usage.peak, "peak_at": _instant(usage.peak_at), "average": usage.average, "last": usage.last,
    }  # fmt: skip


def _overage(usage: Usage, pool_changed: bool, recorded: Recorded) -> dict[str, Any]:
    # A closed bucket knows the pool at its end alone.
    is_exact = usage.overage_is_exact and (recorded.resolution == "second" or not pool_changed)
    return {"hours": usage.overage_hours, "seat_hours": usage.overage_seat_hours, "exact": is_exact}


def _factors(usage: Usage) -> list[dict[str, Any]]:
    return [
        {
            "factor": factor.name,
            "label": factor.label,
            "last": usage.factors[factor.name].last,
            "average": usage.factors[factor.name].average,
        }
        for factor in FACTORS
    ]


def _settings_changes(tenant: str, masks: MaskHistory, month: Month) -> list[dict[str, Any]]:
    found = []
    for change in acting_changes(tenant, masks):
        parts = [part for part in change.changes if part["setting"].startswith(_BEARING)]
        if parts and month.start <= change.at < month.until:
            found.append(
                {"at": format_time(change.at), "scope": change.scope, "revision": change.revision, "changes": parts}
            )
    return found


def _daily(store: Store, tenants: Sequence[str], stroke: datetime) -> list[dict[str, Any]]:
    masks, levels = _masks(store, tenants), store.levels(tenants, stroke)
    found = []
    for tenant in tenants:
        settings = _settings_at(masks[tenant], tenant, stroke)
        if tenant in levels and not settings.is_removed:
            found.append(_in_force(tenant, settings.display_name, levels[tenant]))
    return found


def _in_force(tenant: str, display_name: str | None, then: LevelThen) -> dict[str, Any]:
    level: Level = then.level
    pool = level.pool
    return {
        "tenant": tenant,
        "display_name": display_name,
        "acquired_licenses": pool,
        "currently_licensed": level.licensed,
        "available_licenses": None if pool is None else pool - level.licensed,
        "usage_percent": round(100 * level.licensed / pool, 1) if pool else None,
        "user_licenses": level.user_licenses,
        "dr_phone_licenses": level.dr_phone_licenses,
        "factors": {
            factor.name: {"counted": counted, "matched": matched, "enabled": bool(level.enabled & factor.bit)}
            for factor, counted, matched in zip(FACTORS, level.counted, level.matched, strict=True)
        },
        "demo": then.demo,
    }


def _instant(second: int) -> str:
    return format_time(from_ms(second * 1_000))


def _second(at: datetime) -> int:
    return to_ms(at) // 1_000
