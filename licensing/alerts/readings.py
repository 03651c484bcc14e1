"""Owns what all rules read of a tenant: its newest count, its settings, and what was found of it. Pure."""

from collections.abc import Mapping

import msgspec

from licensing.alerts.levels import Reading, Step
from licensing.alerts.pool import pool_reading
from schemas.alert import AlertRule
from schemas.count import Count, Hint
from schemas.settings import AlertSettings

_HINT_RULES: dict[AlertRule, Hint] = {
    "sync_held": "sync_held",
    "sync_failing": "source_failing",
    "teams_phone": "few_teams_phone_licences",
}


class Found(msgspec.Struct, frozen=True):
    """What a look at stored facts has found for a rule."""

    value: float | None
    detail: str = ""


def readings(count: Count, limits: AlertSettings, found: Mapping[AlertRule, Found], *, removed: bool) -> list[Reading]:
    """Return a reading of every rule. Of a removed tenant nothing is read: whatever was open is over."""
    dwell_ms = (limits.dwell_s or 0) * 1_000

    def plain(rule: AlertRule, holds: bool, value: float | None = None, threshold: float | None = None,
              detail: str = "") -> Reading:  # fmt: skip
        step = Step(rule, "warning", holds, not holds, dwell_ms, dwell_ms, threshold)
        return Reading(rule, [step], str(threshold), value, count.currently_licensed, count.acquired_licenses, detail)

    if removed:
        count = count.model_copy(update={"acquired_licenses": None, "usage_percent": None, "available_licenses": None})
    days, limit = found.get("forecast", Found(None)), limits.forecast_days or 0
    runs_out = days.value is not None and 0 < days.value <= limit and not removed
    tags = found.get("suspicious_tag", Found(None))
    return [
        pool_reading(count, limits),
        plain("forecast", runs_out, days.value, float(limit), days.detail),
        plain("stale", count.stale and not removed),
        *(plain(rule, hint in count.hints and not removed) for rule, hint in _HINT_RULES.items()),
        plain("suspicious_tag", bool(tags.value) and not removed, tags.value, None, tags.detail),
    ]
