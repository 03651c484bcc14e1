"""Events a second through the meter, beside a plain Faust agent and Quix Streams, on the same records."""

from collections.abc import Iterator, Mapping

from aiokafka import TopicPartition

from schemas.topics import full_name
from tests.bench.events import ARRAY_EVENTS, DataSet, make
from tests.bench.figures import Figure
from tests.bench.progress import Rate, measure_rate
from tests.bench.stage import Stage

DEADLINE_S = 300.0
_FAUST_EVENTS = 60_000
_FAUST_EVENTS_QUICK = 20_000


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield single events beside each peer, and events in arrays."""
    data = make(150_000 if stage.quick else 1_000_000)
    part = make(_FAUST_EVENTS_QUICK if stage.quick else _FAUST_EVENTS)
    singles, arrays, subset = stage.new_topics(), stage.new_topics(), stage.new_topics()
    stage.publish(singles, data.records, data.settings)
    stage.publish(arrays, data.arrays(), data.settings)
    stage.publish(subset, part.records, part.settings)
    ours, in_arrays, quix, faust = list[float](), list[float](), list[float](), list[float]()
    for _ in range(1 if stage.quick else 3):
        rate, prefix = _meter(stage, singles, _events(singles, data), 1)
        ours.append(rate.per_second)
        stage.filled.append(prefix)
        quix.append(_peer(stage, "quix", singles, _events(singles, data)).per_second)
        in_arrays.append(_meter(stage, arrays, _events(arrays, data), ARRAY_EVENTS)[0].per_second)
        faust.append(_peer(stage, "plain_faust", subset, _events(subset, part)).per_second)
    words = data.shares()
    yield Figure(
        "single events, beside plain Faust", max(ours), "events/s", bar=25, aim=45, runs=ours, note=words,
        peer=f"a plain Faust agent, one table write an event, on {part.events:,} of such events", peer_value=max(faust),
    )  # fmt: skip
    yield Figure(
        "single events, beside Quix Streams", max(ours), "events/s", bar=1.5, aim=2.5, runs=ours, note=words,
        peer="Quix Streams, one state.set an event", peer_value=max(quix),
    )  # fmt: skip
    yield Figure(
        f"events in arrays of {ARRAY_EVENTS}", max(in_arrays), "events/s", bar=100_000, aim=150_000, runs=in_arrays,
        note=words,
    )  # fmt: skip


def _events(prefix: str, data: DataSet) -> dict[TopicPartition, int]:
    return {
        TopicPartition(full_name(prefix, topic), number): len(part) for (topic, number), part in data.records.items()
    }


def _meter(stage: Stage, source: str, events: Mapping[TopicPartition, int], per_record: int) -> tuple[Rate, str]:
    prefix = stage.new_topics()
    with stage.child("meter", prefix=prefix, source=source) as child:
        group = f"{prefix.rstrip('.')}-meter"
        return measure_rate(child, stage.broker.bootstrap, group, events, per_record, DEADLINE_S), prefix


def _peer(stage: Stage, role: str, source: str, events: Mapping[TopicPartition, int]) -> Rate:
    group = f"{role}-{stage.new_name()}"
    with stage.child(role, source=source, group=group) as child:
        return measure_rate(child, stage.broker.bootstrap, group, events, 1, DEADLINE_S)
