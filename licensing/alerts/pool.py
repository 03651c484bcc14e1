"""Owns what the rule `pool` reads: how full the pool is, beside every limit that somebody set. Pure."""

from licensing.alerts.levels import Reading, Step
from schemas.alert import AlertLevel
from schemas.count import Count
from schemas.settings import AlertSettings

_MARGIN_POINTS = 2.0
"""Between entering and leaving a level, where nobody set `clear_percent`."""
_DAY_MS = 86_400_000


def pool_reading(count: Count, limits: AlertSettings) -> Reading:
    """Return how a count stands to the pool. The percentage is the count's own, with one decimal, so that whoever sees
    it can tell what follows from it; over the pool is judged by licences. Without a pool every level is left."""
    pool = count.acquired_licenses
    over = pool is not None and count.currently_licensed > pool
    steps = [
        _limit("warning", count, limits, limits.warning_percent, limits.warning_available),
        _limit("critical", count, limits, limits.critical_percent, limits.critical_available),
        _held("over", "over", over, limits),
    ]
    if limits.grace_percent is not None:
        most = 100.0 + limits.grace_percent
        beyond = over and pool is not None and count.currently_licensed * 100 > most * pool
        steps.append(_held("over_grace_percent", "over_grace", beyond, limits, most))
    if limits.grace_days is not None:
        wait_ms = max(limits.grace_days * _DAY_MS, _dwell(limits))
        steps.append(Step("over_grace_days", "over_grace", over, not over, wait_ms, _dwell(limits), 100.0, True))
    key = limits.model_dump_json(
        include={"warning_percent", "critical_percent", "clear_percent", "warning_available", "critical_available",
                 "grace_percent", "grace_days"}, exclude_none=True
    )  # fmt: skip
    value = count.usage_percent if pool else float(count.currently_licensed)
    return Reading("pool", steps, f"{pool} {key}", value, count.currently_licensed, pool)


def _held(name: str, level: AlertLevel, entered: bool, limits: AlertSettings, threshold: float = 100.0) -> Step:
    return Step(name, level, entered, not entered, _dwell(limits), _dwell(limits), threshold)


def _limit(
    level: AlertLevel, count: Count, limits: AlertSettings, percent: float | None, available: int | None
) -> Step:
    entered, left = False, True
    usage, remaining = count.usage_percent, count.available_licenses
    if percent is not None and usage is not None:
        entered |= usage >= percent
        left &= usage < clear_line(percent, limits) or usage == 0 < percent
    if available is not None and remaining is not None:
        entered |= remaining <= available
        left &= remaining > available + 1
    if count.acquired_licenses == 0 and count.currently_licensed:  # no percentage, and every limit is passed
        entered = percent is not None or available is not None
    return Step(level, level, entered, left and not entered, _dwell(limits), _dwell(limits), percent)


def clear_line(percent: float, limits: AlertSettings) -> float:
    """Return the percentage below which a level is left that is entered at `percent`."""
    warning, clear = limits.warning_percent, limits.clear_percent
    if clear is None or warning is None:
        return max(percent - _MARGIN_POINTS, percent / 2)
    return max(percent - max(warning - clear, 0.0), min(percent, clear))


def _dwell(limits: AlertSettings) -> int:
    return (limits.dwell_s or 0) * 1_000
