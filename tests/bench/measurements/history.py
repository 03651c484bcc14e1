"""How fast one tenant's year is answered out of the history of thousands."""

from collections.abc import Iterator

from tests.bench.figures import Figure, percentile
from tests.bench.stage import Stage, wait_for


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield the 95th percentile of answers, each for another tenant."""
    size = {"tenants": 4_800, "raw_tenants": 100, "raw_rows": 6_250_000}
    if stage.quick:
        size = {"tenants": 240, "raw_tenants": 10, "raw_rows": 300_000}
    with stage.child("history", **size) as child:
        wait_for(child, "bench_filled", 600)
        found = wait_for(child, "bench_answers", 120)
    words = (
        f"{len(found['milliseconds'])} tenants' years at auto step ({found['step_s'] // 3_600} h, {found['points']}"
        f" points) out of {found['rows']:,} rows, chDB, warm"
    )
    value = percentile(found["milliseconds"], 95)
    yield Figure("history, a tenant's year, p95", value, "ms", "at most", *stage.limits(50, 20), note=words)
