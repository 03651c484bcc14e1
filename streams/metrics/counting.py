"""Owns what the counter's counts come to, as figures without a tenant's name."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client import Counter as Counted

from schemas.count import CauseKind, Count
from schemas.times import to_ms
from streams.metrics.holdings import Holdings

USAGES = ("no_pool", "below_50", "50_to_75", "75_to_90", "90_to_100", "over_100")
_HINTS = ("no_gateways", "no_pool", "sync_held", "source_failing", "few_teams_phone_licences")

registry = CollectorRegistry()
PUBLISHED = Counted("poolwatch_counts_published", "Counts published, by their cause.", ["cause"], registry=registry)
LATENCY_S = Histogram(
    "poolwatch_event_to_count_seconds", "Time from an event's record to the broker's word on the count that has it.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600), registry=registry,
)  # fmt: skip
for _cause in CauseKind.__args__:  # type: ignore[attr-defined]
    PUBLISHED.labels(_cause)  # 0 is told too: a rate needs a beginning


def published(counts: Iterable[tuple[Count, Count | None]], now_ms: int) -> None:
    """Take note of counts that are out, each with the one before. The newest event of each that is not in the one
    before is what latency is told of: older ones have waited for the same count."""
    for count, before in counts:
        PUBLISHED.labels(count.cause.kind).inc()
        known = before.as_of if before is not None else None
        if count.as_of is not None and count.cause.kind != "rebuild" and (known is None or count.as_of > known):
            LATENCY_S.observe(max(0, now_ms - to_ms(count.as_of)) / 1_000)


def holdings_of(counts: Iterable[Count], held_syncs: int) -> Holdings:
    """Return what newest counts come to."""
    usages: Counter[str] = Counter()
    hints: Counter[str] = Counter()
    stale = counted = acquired = 0
    for count in counts:
        stale += count.stale
        counted += count.currently_licensed
        acquired += count.acquired_licenses or 0
        usages[usage_of(count.usage_percent)] += 1
        hints.update(count.hints)
    return {
        ("poolwatch_tenants_stale",): stale,
        ("poolwatch_licenses_counted",): counted,
        ("poolwatch_licenses_acquired",): acquired,
        ("poolwatch_syncs_held",): held_syncs,
        **{("poolwatch_tenants", usage): usages[usage] for usage in USAGES},
        **{("poolwatch_tenants_hinted", hint): hints[hint] for hint in _HINTS},
    }


def usage_of(percent: float | None) -> str:
    """Return the band of a usage; a pool that is full to the last seat is not over."""
    if percent is None:
        return "no_pool"
    if percent > 100:
        return "over_100"
    if percent >= 90:
        return "90_to_100"
    if percent >= 75:
        return "75_to_90"
    return "50_to_75" if percent >= 50 else "below_50"
