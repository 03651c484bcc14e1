"""Owns the words for alerts: rules, levels, changes, what a value was held against, and what is watched. Pure."""

from licensing.alerts.pool import clear_line
from licensing.alerts.words import LEVELS
from portal.answers.alerts import Told
from schemas.alert import Alert, AlertChange, AlertRule
from schemas.settings import AlertSettings

RULES: dict[AlertRule, str] = {
    "pool": "Pool",
    "forecast": "Runs out soon",
    "stale": "Stale figures",
    "sync_held": "Held sync",
    "sync_failing": "Failing source",
    "suspicious_tag": "Suspicious tags",
    "teams_phone": "Teams Phone licences",
}
_CHANGES: dict[AlertChange, str] = {
    "raised": "Raised",
    "escalated": "Risen",
    "lowered": "Fallen",
    "resolved": "Over",
    "reminded": "Reminder",
    "acknowledged": "Seen",
}
_DELIVERY = {"delivered": "told", "failed": "not told yet", "given_up": "given up"}
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3_600, 60


def level_words(alert: Alert) -> str:
    """Return how grave an alert is."""
    return LEVELS[alert.level] if alert.level else "Over"


def grade(alert: Alert) -> str:
    """Return the class of colours of an alert's level."""
    return "" if alert.level is None else "warn" if alert.level == "warning" else "over"


def change_words(alert: Alert) -> str:
    """Return what became of an alert: `Risen: critical`."""
    said = _CHANGES[alert.change]
    if alert.change == "acknowledged":
        return f"{said} by {alert.acknowledged_by}"
    return f"{said}: {LEVELS[alert.level].lower()}" if alert.level else said


def limit_words(alert: Alert) -> str:
    """Return what the value was held against, empty where the sentence of the alert says all."""
    if alert.level is None or alert.value is None or alert.threshold is None:
        return ""
    if alert.rule == "pool":
        return f"{alert.value:g} % of the pool, {alert.threshold:g} % is the limit"
    return f"{alert.value:g} days, {alert.threshold:g} days is the limit" if alert.rule == "forecast" else ""


def told_words(told: Told) -> str:
    """Return what became of the telling of a change, channel by channel."""
    said = [
        f"{each.channel}: {_DELIVERY[each.state]}" + (f" after {each.attempts} attempts" if each.attempts > 1 else "")
        for each in told.deliveries
    ]
    return ", ".join(said) or "nobody"


def watched(limits: AlertSettings) -> list[str]:
    """Return what is watched, with the limits that hold, a sentence each."""
    said = [_pool_words("Warning", limits.warning_percent, limits.warning_available, limits),
            _pool_words("Critical", limits.critical_percent, limits.critical_available, limits),
            "Over the pool: more licences in use than were acquired."]  # fmt: skip
    grace = [f"by more than {limits.grace_percent:g} %" if limits.grace_percent is not None else "",
             f"for more than {limits.grace_days} days" if limits.grace_days is not None else ""]  # fmt: skip
    if any(grace):
        said.append(f"Beyond the grace: over the pool {' or '.join(filter(None, grace))}.")
    if limits.forecast_days:
        said.append(f"The pool is expected to run out within {limits.forecast_days} days.")
    said.append("Figures are stale; a sync is held; a source cannot be read; a tag looks mistyped; there are fewer"
                " Teams Phone licences than users who need one.")  # fmt: skip
    remind = limits.remind_after_s
    again = f", and told again after {span_words(remind)} until somebody says that it was seen" if remind else ""
    said.append(f"Each is told once it has lasted for {span_words(limits.dwell_s or 0)}{again}.")
    return said


def _pool_words(level: str, percent: float | None, available: int | None, limits: AlertSettings) -> str:
    parts = []
    if percent is not None:
        parts.append(f"{percent:g} % of the pool are in use (over again below {clear_line(percent, limits):g} %)")
    if available is not None:
        parts.append(f"{available:,} licences or fewer are left")
    return f"{level}: {' or '.join(parts) or 'no limit is set'}."


def span_words(seconds: int) -> str:
    """Return a span of time in its largest whole unit."""
    for unit_s, name in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if seconds and seconds % unit_s == 0:
            number = seconds // unit_s
            return f"{number:,} {name}{'' if number == 1 else 's'}"
    return f"{seconds:,} second{'' if seconds == 1 else 's'}"
