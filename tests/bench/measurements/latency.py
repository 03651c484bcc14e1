"""From publishing a single event to the count that contains it, through meter and counter, at a steady pace."""

from collections.abc import Iterator

from tests.bench.events import TENANTS, make
from tests.bench.figures import Figure, percentile
from tests.bench.roles.latency import PER_SECOND, WARM_UP_S
from tests.bench.stage import Stage, wait_for


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield the median and the 99th percentile."""
    prefix, seconds = stage.new_topics(), WARM_UP_S + (8.0 if stage.quick else 30.0)
    stage.publish(prefix, {}, make(300).settings)
    with (
        stage.child("meter", prefix=prefix, source=prefix) as meter,
        stage.child("meter", prefix=prefix, source=prefix, counter=True) as counter,
    ):
        wait_for(meter, "bench_ready", 60)
        wait_for(counter, "bench_ready", 60)
        with stage.child("latency", prefix=prefix, seconds=seconds) as driver:
            found = wait_for(driver, "bench_latencies", seconds + 60)
    if found["unseen"]:
        raise RuntimeError(f"{found['unseen']} events never reached a count: latencies would leave them out")
    latencies = found["milliseconds"]
    words = f"{PER_SECOND} single events/s over {TENANTS} tenants, {len(latencies):,} events, acks=all on both hops"
    for percent, bar, aim in ((50, 60, 20), (99, 300, 100)):
        value = percentile(latencies, percent)
        yield Figure(f"live latency, p{percent}", value, "ms", "at most", bar, aim, note=words)
