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
    ours, in_arrays, quix, faust = list[Rate](), list[Rate](), list[Rate](), list[Rate]()
    for _ in range(1 if stage.quick else 3):
        rate, prefix = _meter(stage, singles, _events(singles, data), 1)
        ours.append(rate)
        stage.filled.append(prefix)
        quix.append(_peer(stage, "quix", singles, _events(singles, data)))
        in_arrays.append(_meter(stage, arrays, _events(arrays, data), ARRAY_EVENTS)[0])
        faust.append(_peer(stage, "plain_faust", subset, _events(subset, part)))
    words = data.shares()
    for name, rates, bar, aim, what in (
        (
            "plain Faust",
            faust,
            25,
            45,
            f"a plain Faust agent, one table write an event and a record a change, on {part.events:,} such events",
        ),
        ("Quix Streams", quix, 1.5, 2.5, "Quix Streams, one state.set an event and a record a change"),
    ):
        yield Figure(
            f"single events, beside {name}", _best(ours), "events/s", "at least", *stage.limits(bar, aim),
            runs=_all(ours), note=f"{words}; {_least(ours):.1f} us of processor time an event",
            peer=f"{what}; {_least(rates):.1f} us", peer_value=_best(rates), peer_runs=_all(rates),
        )  # fmt: skip
    yield Figure(
        f"events in arrays of {ARRAY_EVENTS}", _best(in_arrays), "events/s", "at least",
        *stage.limits(100_000, 150_000), runs=_all(in_arrays),
        note=f"{words}; {_least(in_arrays):.1f} us of processor time an event",
    )  # fmt: skip


def _all(rates: list[Rate]) -> list[float]:
    return [rate.per_second for rate in rates]


def _best(rates: list[Rate]) -> float:
    return max(_all(rates))


def _least(rates: list[Rate]) -> float:
    return min(rate.cpu_us for rate in rates)


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
    stage.fill_topic(f"{group}-changes", {})
    with stage.child(role, source=source, group=group) as child:
        return measure_rate(child, stage.broker.bootstrap, group, events, 1, DEADLINE_S)
