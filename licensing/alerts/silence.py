"""Owns when nobody is told of alerts: mutes and maintenance windows. Pure; times in ms since 1970."""

from schemas.alert import AlertRule
from schemas.settings import AlertSettings
from schemas.times import to_ms


def heard_from(limits: AlertSettings, rule: AlertRule, at: int) -> int:
    """Return the first instant from `at` on in which people are told: `at` itself outside of silences."""
    spans = [
        (to_ms(silence.since) if silence.since is not None else 0, to_ms(silence.until))
        for silence in limits.silences or []
        if silence.rule in (None, rule)
    ]
    moved = True
    while moved:
        moved = False
        for since, until in spans:
            if since <= at < until:
                at, moved = until, True
    return at
