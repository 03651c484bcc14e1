"""Owns what people read of an alert: what is the case, and what to do next. Pure, without personal data."""

from licensing.alerts.levels import Reading
from schemas.alert import AlertLevel, AlertRule

LEVELS: dict[AlertLevel, str] = {
    "over_grace": "Beyond the grace",
    "over": "Over the pool",
    "critical": "Critical",
    "warning": "Warning",
}
_TODO: dict[AlertRule, str] = {
    "pool": "Buy licences, or see on the reclaim list which seats could be freed.",
    "forecast": "Order licences before that day, or see on the reclaim list which seats could be freed.",
    "stale": "See on the sources page which source is silent, and ask for a refresh once it answers again.",
    "sync_held": "Look at the held sync on the sources page: confirm it if so many were really removed.",
    "sync_failing": "See the reason on the sources page; `poolwatch graph check` tells which permission is missing.",
    "suspicious_tag": "Compare tags on the reclaim list with gateways and tenant ids, and correct the mistyped ones.",
    "teams_phone": "Buy Teams Phone licences in Microsoft 365, or disable voice for users who need none.",
}
_HOLDS: dict[AlertRule, str] = {
    "stale": "A source has not confirmed what it told for too long: the count may be behind",
    "sync_held": "A sync would remove suspiciously many subjects and is held; the count is as before it",
    "sync_failing": "A source cannot be read; the count is as of the last reading",
    "teams_phone": "The tenant holds fewer Teams Phone licences than users who are enabled for voice",
}
_OVER: dict[AlertRule, str] = {
    "pool": "The pool has room again",
    "forecast": "The pool is not expected to run out soon",
    "stale": "All sources are up to date again",
    "sync_held": "No sync is held any more",
    "sync_failing": "All sources can be read again",
    "suspicious_tag": "No number has a suspicious tag any more",
    "teams_phone": "There are Teams Phone licences for all users who are enabled for voice",
}


def todo(rule: AlertRule, level: AlertLevel | None) -> str:
    """Return what to do about a rule's alert."""
    if level is None:
        return "Nothing: it is over."
    return _TODO[rule]


def detail(reading: Reading, level: AlertLevel | None, *, removed: bool = False) -> str:
    """Return what is the case, in a sentence."""
    if removed:
        return "The tenant was removed."
    if reading.rule == "pool":
        return _pool(reading, level)
    if level is None:
        return f"{_OVER[reading.rule]}."
    if reading.rule == "forecast":
        return reading.detail or f"The pool is expected to run out within {reading.value:g} days."
    if reading.rule == "suspicious_tag":
        one = reading.value == 1
        said = (
            f"{reading.value or 0:g} service number{' has' if one else 's have'} a tag that is one character away from"
        )
        return (
            reading.detail
            or f"{said} a gateway or a tenant id: mistyped, {'it costs' if one else 'each costs'} a licence."
        )
    return f"{_HOLDS[reading.rule]}."


def _pool(reading: Reading, level: AlertLevel | None) -> str:
    if reading.pool is None:
        return f"{_plural(reading.seats)} in use, and the size of the pool is not set."
    share = "" if reading.value is None or not reading.pool else f", {reading.value:g} % of the pool"
    said = f"{reading.seats:,} of {_plural(reading.pool)} in use{share}"
    beyond = reading.seats - reading.pool
    if level == "over_grace":
        return f"{said}: {beyond:,} more than were bought, and the grace is used up."
    if level == "over":
        return f"{said}: {beyond:,} more than were bought."
    if level is None:
        return f"{_OVER['pool']}: {said}."
    return f"{said}: the {level} limit is reached."


def _plural(number: int) -> str:
    return f"{number:,} licence{' is' if number == 1 else 's are'}"
