"""Owns how a forecast is said to people, in sentences. Pure."""

from datetime import datetime, timedelta

from licensing.forecast.forecast import HORIZON_DAYS, LEVEL, NEEDED_DAYS, Forecast
from licensing.forecast.steps import Step

_YEARS = HORIZON_DAYS // 365
_LISTED = 3


def explanation(found: Forecast) -> list[str]:
    """Say what is expected, how sure that is, and why; the first sentence can stand alone."""
    said = [_outcome(found)]
    if found.trend_per_week is None:
        if found.status != "too_little_data":
            said.append(f"For a trend: {_missing(found)}")
        return said
    said.append(_trend(found.trend_per_week))
    if found.status == "runs_out" and found.interval is not None and found.interval.end is None:
        said.append(f"It may as well not run out within {_YEARS} years: growth is slow beside its ups and downs.")
    said += [_jumps(steps) for steps in [[step for step in found.steps if step.kind == "usage"]] if steps]
    said += [_purchases(steps) for steps in [[step for step in found.steps if step.kind == "pool"]] if steps]
    return said


def _outcome(found: Forecast) -> str:
    pool, used = found.acquired_licenses, found.currently_licensed
    if found.status == "over":
        assert found.exhausted_at is not None, "over since a day"
        return f"{used:,} licences are in use and the pool has {pool:,}: over since {_day(found.exhausted_at)}."
    if found.status == "no_pool":
        return "No pool is set, so none can run out: set the acquired licences of the tenant."
    if found.status == "too_little_data":
        return _missing(found)
    if found.status == "no_end_in_sight":
        earliest = f", at the earliest on {_day(found.interval.start)}" if found.interval else ""
        return f"The pool of {pool:,} is not expected to run out within {_YEARS} years{earliest}."
    assert found.exhausted_at is not None, "runs out on a day"
    assert found.interval is not None, "what is expected lies within the band"
    sure = (
        f"between {_day(found.interval.start)} and {_day(found.interval.end)}"
        if found.interval.end
        else (f"not before {_day(found.interval.start)}")
    )
    return (
        f"The pool of {pool:,} is expected to run out on {_day(found.exhausted_at)}, in {_days(found.days or 0)};"
        f" with a probability of {LEVEL * 100:.0f} % {sure}."
    )


def _missing(found: Forecast) -> str:
    there = len(found.history) - 1
    return (
        f"{NEEDED_DAYS} whole days of history are needed and {there} are there:"
        f" ask again on {_day(found.history[-1].at + timedelta(days=NEEDED_DAYS - there))}."
    )


def _trend(a_week: float) -> str:
    if abs(a_week) < 0.05:
        return "Usage neither grows nor falls."
    return f"Usage {'grows' if a_week > 0 else 'falls'} by {abs(a_week):,.1f} licences a week."


def _jumps(steps: list[Step]) -> str:
    return f"Taken for migrations, not for growth: {_listed(steps)}."


def _purchases(steps: list[Step]) -> str:
    return f"The pool was changed: {_listed(steps)}."


def _listed(steps: list[Step]) -> str:
    more = f", and {len(steps) - _LISTED} before" if len(steps) > _LISTED else ""
    return ", ".join(f"{step.size:+,} on {_day(step.at)}" for step in reversed(steps[-_LISTED:])) + more


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _days(number: int) -> str:
    return "a day" if number == 1 else f"{number:,} days"
