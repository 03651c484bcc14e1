"""Owns the figures that sum a history up: peak, lowest, average, last, and how long it was over the pool. Pure."""

from dataclasses import dataclass
from datetime import datetime

from portal.answers.history import History
from portal.ports import Bucket


@dataclass(frozen=True, slots=True)
class HistorySummary:
    """Figures of Currently Licensed over a range; `avg` is weighted by time.

    `over_s`: seconds over the pool, None where no pool was set. `over_is_exact` is false where the count crossed the
    pool within a bucket, which is then shared out by its average.
    """

    peak: int
    peak_at: datetime
    lowest: int
    lowest_at: datetime
    avg: float
    last: int
    over_s: float | None
    over_is_exact: bool


def summary(history: History) -> HistorySummary | None:
    """Sum up a history, None for one without points."""
    buckets = history.buckets
    if not buckets:
        return None
    peak = max(buckets, key=lambda bucket: bucket.max)
    lowest = min(buckets, key=lambda bucket: bucket.min)
    covered = sum(seconds for _, seconds in history.spans())
    area = sum(bucket.avg * seconds for bucket, seconds in history.spans())
    has_pool = any(bucket.acquired_licenses is not None for bucket in buckets)
    return HistorySummary(
        peak=peak.max,
        peak_at=max(peak.at, history.start),
        lowest=lowest.min,
        lowest_at=max(lowest.at, history.start),
        avg=area / covered if covered else buckets[-1].avg,
        last=buckets[-1].last,
        over_s=sum(seconds * _share_over(bucket) for bucket, seconds in history.spans()) if has_pool else None,
        over_is_exact=all(_share_over(bucket) in (0.0, 1.0) for bucket in buckets),
    )


def _share_over(bucket: Bucket) -> float:
    """Return the share of a bucket that is over its pool; where it crosses, as if it had only its lowest and its
    highest value."""
    pool = bucket.acquired_licenses
    if pool is None or bucket.max <= pool:
        return 0.0
    if bucket.min > pool:
        return 1.0
    return (bucket.avg - bucket.min) / (bucket.max - bucket.min)
