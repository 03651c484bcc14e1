"""Owns the history of a tenant's figures: how a range is read, what its points show, and how it goes on while it is
watched."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from portal.answers.ranges import choose_step
from portal.ports import Bucket, Store
from schemas.count import Count
from schemas.times import EPOCH, format_time


@dataclass(frozen=True, slots=True)
class History:
    """Buckets of `step_s` that touch [start, end); those of a tenant that began later begin later."""

    start: datetime
    end: datetime
    step_s: int
    buckets: Sequence[Bucket]

    @property
    def demo_until(self) -> datetime | None:
        """The last point that is made-up demo data."""
        return next((bucket.at for bucket in reversed(self.buckets) if bucket.demo), None)

    def spans(self) -> Iterator[tuple[Bucket, float]]:
        """Yield each bucket with the seconds of the range that it covers."""
        step = timedelta(seconds=self.step_s)
        for bucket in self.buckets:
            covered = min(bucket.at + step, self.end) - max(bucket.at, self.start)
            yield bucket, max(covered.total_seconds(), 0.0)


def read_history(store: Store, tenant: str, start: datetime, end: datetime, step: str | None) -> History:
    """Read a range in a step as people write it. Raises RangeError for a step that cannot be used."""
    step_s = choose_step(step, start, end)
    return History(start, end, step_s, store.buckets(tenant, start, end, step_s))


def points(history: History) -> list[dict[str, Any]]:
    """Return the points as the API shows them."""
    return [_point(bucket) for bucket in history.buckets]


def _point(bucket: Bucket) -> dict[str, Any]:
    pool = bucket.acquired_licenses
    return {
        "at": format_time(bucket.at),
        "currently_licensed": {"min": bucket.min, "max": bucket.max, "last": bucket.last, "avg": round(bucket.avg, 2)},
        "acquired_licenses": pool,
        "available_licenses": None if pool is None else pool - bucket.last,
        "user_licenses": bucket.user_licenses,
        "dr_phone_licenses": bucket.dr_phone_licenses,
        "factors": bucket.factors,
    }


def reaching(history: History, now: datetime, *, slides: bool) -> History:
    """Return a history that goes on until `now` with what held at its end. One that slides stays as long as it is."""
    if now <= history.end:
        return history
    step = timedelta(seconds=history.step_s)
    buckets = list(history.buckets)
    if buckets:
        buckets[-1] = _lasting(buckets[-1], history.end, min(now, buckets[-1].at + step))
        while (begin := buckets[-1].at + step) <= now:
            last = buckets[-1].last
            buckets.append(replace(buckets[-1], at=begin, min=last, max=last, avg=float(last), demo=False))
    start = history.start + (now - history.end if slides else timedelta())
    kept = [bucket for bucket in buckets if bucket.at + step > start]
    return replace(history, start=start, end=now, buckets=kept)


def _lasting(bucket: Bucket, since: datetime, until: datetime) -> Bucket:
    """Return a bucket whose last value goes on from one instant to another."""
    before, more = (since - bucket.at).total_seconds(), (until - since).total_seconds()
    if before < 0 or more <= 0:
        return bucket
    return replace(bucket, avg=(bucket.avg * before + bucket.last * more) / (before + more))


def counted(history: History, count: Count, *, slides: bool) -> History:
    """Return a history that goes on with a newer count. Its buckets begin with the count where it had none."""
    history = reaching(history, count.computed_at, slides=slides)
    step = timedelta(seconds=history.step_s)
    value = count.currently_licensed
    if history.buckets:
        *earlier, last = history.buckets
        low, high, avg, at = min(last.min, value), max(last.max, value), last.avg, last.at
    else:
        earlier, low, high, avg = [], value, value, float(value)
        at = EPOCH + (history.end - EPOCH) // step * step
    newest = Bucket(
        at=at, min=low, max=high, last=value, avg=avg,
        acquired_licenses=count.acquired_licenses, user_licenses=count.user_licenses,
        dr_phone_licenses=count.dr_phone_licenses,
        factors={row.factor: {"counted": row.counted, "matched": row.matched} for row in count.factors},
    )  # fmt: skip
    return replace(history, buckets=[*earlier, newest])
