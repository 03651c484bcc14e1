"""The portal's event stream: a thousand listeners to all tenants, one of whom never reads, on one core."""

from collections.abc import Iterator

from tests.bench.figures import Figure, percentile
from tests.bench.roles.listeners import ONE_LOOKS, PER_SECOND, TENANTS, WARM_UP_S
from tests.bench.stage import Stage, cpu_seconds, memory_bytes, wait_for, wait_for_portal
from tests.support.ports import free_port

_MIB = 1024 * 1024


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield the median and the 99th percentile from Kafka to the listener, and what became of the portal's memory."""
    listeners, seconds = (200, 5.0) if stage.quick else (1_000, 30.0)
    prefix, port = stage.new_topics(), free_port()
    with stage.child("portal", prefix=prefix, port=port, cores=1) as portal:
        wait_for_portal(portal, port, 60)
        with stage.child("listeners", prefix=prefix, port=port, listeners=listeners, seconds=seconds) as child:
            wait_for(child, "bench_warm", 120)
            cpu_s, before = cpu_seconds(portal.pid), memory_bytes(portal)[0]
            found = wait_for(child, "bench_deliveries", seconds + 60)
            cpu_s, after = cpu_seconds(portal.pid) - cpu_s, memory_bytes(portal)[0]
    if found["unseen"] or found["lost"]:
        raise RuntimeError(
            f"{found['unseen']:,} counts never reached a listener, {found['lost']} listeners were cut off:"
            " latencies would leave them out"
        )
    words = (
        f"{listeners:,} listeners to all of {TENANTS:,} tenants and one that never reads, {PER_SECOND} counts/s for"
        f" {seconds:.0f} s; one in {ONE_LOOKS} looked at, {len(found['milliseconds']):,} deliveries; portal on"
        f" one core, {100 * cpu_s / seconds:.0f} % of it"
    )
    for percent, bar, aim in ((50, None, None), (99, 500, 250)):
        value = percentile(found["milliseconds"], percent)
        limits = stage.limits(bar, aim) if bar and aim else (None, None)
        yield Figure(f"stream, count to listener, p{percent}", value, "ms", "at most", *limits, note=words)
    words = f"resident memory {after / _MIB:.0f} MiB at the end, {before / _MIB:.0f} MiB after {WARM_UP_S:.0f} s"
    yield Figure("stream, memory, end over begin", after / before, "x", "at most", *stage.limits(1.1, 1.02), note=words)
