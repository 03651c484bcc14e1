"""Recovery from a full changelog beside plain Faust's, and what a subject costs in memory."""

from collections.abc import Iterator

from runtime.embedded.child import Child
from tests.bench.events import Place, Record, make
from tests.bench.figures import Figure
from tests.bench.stage import Stage, lines, memory_bytes, wait_for
from tests.bench.state import changelog

DEADLINE_S = 180.0


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield seconds to serve, records a second beside plain Faust, memory a subject, and the peak."""
    subjects = 100_000 if stage.quick else 1_000_000
    settings = make(3_000).settings
    source, prefix = stage.new_topics(), stage.new_topics()
    state = changelog(subjects, settings)
    stage.publish(source, {}, settings)
    stage.publish(prefix, state, [])
    with stage.child("meter", prefix=stage.new_topics(), source=source) as empty:
        wait_for(empty, "bench_ready", DEADLINE_S)
        empty_bytes, _ = memory_bytes(empty)
    with stage.child("meter", prefix=prefix, source=source) as full:
        wait_for(full, "bench_ready", DEADLINE_S)
        full_bytes, peak_bytes = memory_bytes(full)
        seconds = _seconds(full)
        known = sum(int(entry["subjects"]) for entry in lines(full, "partition_recovered"))
    if known != subjects:
        raise RuntimeError(f"the meter recovered {known:,} of {subjects:,} subjects: its rate would mean nothing")
    some = 20_000 if stage.quick else 100_000
    faust_rate = some / _plain_faust(stage, some, state)
    words = f"{subjects:,} subjects of four facets each"
    yield Figure("recovery, assignment to serving", seconds, "s", "at most", *stage.limits(6.0, 2.5), note=words)
    yield Figure(
        "recovery, beside plain Faust", subjects / seconds, "records/s", "at least", *stage.limits(20, 45),
        note=words, peer=f"plain Faust on {some:,} of the same records", peer_value=faust_rate,
    )  # fmt: skip
    each = (full_bytes - empty_bytes) / subjects
    yield Figure("memory a subject, over an empty meter", each, "B", "at most", *stage.limits(400, 250), note=words)
    mib = 2**20
    peak = f"{words}; {full_bytes / mib:.0f} MiB after it, {empty_bytes / mib:.0f} MiB when empty"
    yield Figure("memory, peak during recovery", peak_bytes / mib, "MiB", "at most", note=peak)


def _plain_faust(stage: Stage, some: int, state: dict[Place, list[Record]]) -> float:
    group = f"faust-{stage.new_name()}"
    topic = f"{group}-state-changelog"
    per_partition = some // len(state)
    stage.fill_topic(topic, {number: part[-per_partition:] for (_, number), part in state.items()})
    with stage.child("plain_faust", group=group, source=stage.new_topics(), of_bytes=True) as child:
        wait_for(child, "bench_ready", DEADLINE_S)
        return _seconds(child)


def _seconds(child: Child) -> float:
    ready = lines(child, "bench_ready")[-1]["monotonic"]
    assigned = [entry["monotonic"] for entry in lines(child, "bench_assigned") if entry["monotonic"] < ready]
    return float(ready - assigned[-1])
