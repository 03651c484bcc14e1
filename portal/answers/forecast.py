"""Owns the answer to when a pool runs out: the history that a forecast is made from, and how it is shown."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from licensing.forecast.days import Day
from licensing.forecast.forecast import HISTORY_DAYS, LEVEL, Forecast, forecast
from licensing.forecast.words import explanation
from portal.ports import Store
from schemas.times import format_time

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A forecast of a tenant, and what it says in sentences, the first of which can stand alone."""

    tenant: str
    forecast: Forecast
    sentences: list[str]


def foresee(store: Store, tenant: str, now: datetime, licensed: int, acquired: int | None) -> Foreseen:
    """Make the forecast of a tenant from its closed days on record and the count of now; it asks the store."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    buckets = store.buckets(tenant, today - HISTORY_DAYS * _DAY, today, int(_DAY.total_seconds()))
    days = [Day(bucket.at, bucket.max, bucket.acquired_licenses) for bucket in buckets]
    found = forecast(days, now, licensed, acquired)
    demo_until = next((bucket.at for bucket in reversed(buckets) if bucket.demo), None)
    made_up = [f"History up to {demo_until:%Y-%m-%d} was made up for the demo."] if demo_until else []
    return Foreseen(tenant, found, explanation(found) + made_up)


def shown(foreseen: Foreseen) -> dict[str, Any]:
    """Return a forecast as the API shows it."""
    found = foreseen.forecast
    interval = found.interval
    return {
        "tenant": foreseen.tenant,
        "computed_at": format_time(found.computed_at),
        "acquired_licenses": found.acquired_licenses,
        "currently_licensed": found.currently_licensed,
        "status": found.status,
        "exhausted_at": _time(found.exhausted_at),
        "interval": interval and {"from": format_time(interval.start), "to": _time(interval.end), "level": LEVEL},
        "days": found.days,
        "trend_per_week": found.trend_per_week,
        "steps": [{"at": format_time(step.at), "size": step.size, "kind": step.kind} for step in found.steps],
        "based_on": {
            "from": format_time(found.history[0].at),
            "to": format_time(found.computed_at),
            "days": len(found.history) - 1,
        },
        "curve": [
            {"at": format_time(day.at), "expected": day.expected, "low": day.low, "high": day.high}
            for day in found.curve
        ],
        "explanation": foreseen.sentences,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else format_time(at)
