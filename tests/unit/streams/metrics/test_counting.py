"""What counts come to, and how late they are, without a tenant's name."""

import pytest

from schemas.count import Cause, CauseKind, Count
from schemas.times import from_ms
from streams.metrics import counting

NOW_MS = 10_000


def count(as_of_ms: int | None, kind: CauseKind = "users", **given: object) -> Count:
    made = Count(
        tenant="acme", epoch=1, version=1, settings_revision=1, computed_at=from_ms(NOW_MS), stale=False,
        as_of=None if as_of_ms is None else from_ms(as_of_ms), acquired_licenses=None, currently_licensed=0,
        available_licenses=None, usage_percent=None, user_licenses=0, dr_phone_licenses=0, factors=[],
        cause=Cause(kind=kind), freshness={},
    )  # fmt: skip
    return made.model_copy(update=given)


def seen() -> tuple[float, float]:
    found = counting.registry.get_sample_value
    name = "poolwatch_event_to_count_seconds"
    return found(f"{name}_count") or 0.0, found(f"{name}_sum") or 0.0


@pytest.mark.parametrize(
    ("now", "before", "late_s"),
    [
        (count(9_000), None, 1.0),
        (count(9_000), count(8_000), 1.0),
        (count(9_000), count(9_000), None),  # nothing newer went in: a new pool, a flag
        (count(9_000, "rebuild"), None, None),  # what was there before a start says nothing of how fast it goes
        (count(None), None, None),
        (count(11_000), None, 0.0),  # a producer's clock may be ahead
    ],
)
def test_latency_is_told_of_counts_that_have_newer_events(
    now: Count, before: Count | None, late_s: float | None
) -> None:
    number, total = seen()
    counting.published([(now, before)], NOW_MS)
    expected = (number, total) if late_s is None else (number + 1, total + late_s)
    assert expected == pytest.approx(seen())


def test_what_counts_come_to() -> None:
    counts = [
        count(1, usage_percent=95.0, currently_licensed=19, acquired_licenses=20, stale=True, hints=["sync_held"]),
        count(1, usage_percent=120.0, currently_licensed=12, acquired_licenses=10, hints=["sync_held"]),
        count(1, currently_licensed=5, hints=["no_pool"]),
    ]
    held = {place: number for place, number in counting.holdings_of(counts, 4).items() if number}
    assert {
        ("poolwatch_tenants", "no_pool"): 1,
        ("poolwatch_tenants", "90_to_100"): 1,
        ("poolwatch_tenants", "over_100"): 1,
        ("poolwatch_tenants_stale",): 1,
        ("poolwatch_tenants_hinted", "sync_held"): 2,
        ("poolwatch_tenants_hinted", "no_pool"): 1,
        ("poolwatch_licenses_counted",): 36,
        ("poolwatch_licenses_acquired",): 30,
        ("poolwatch_syncs_held",): 4,
    } == held
