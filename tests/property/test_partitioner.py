"""Whatever comes in: nothing is lost, a key keeps its order and its partition, records keep their bounds."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from collectors import partitioner
from collectors.partitioner import MAX_RECORD_BYTES, MAX_RECORD_EVENTS, Outgoing, Partitioner, Record
from schemas.events import MAX_ARRAY_BYTES
from schemas.identifiers import partition_of

KEYS = [f"acme/user:u{n}".encode() for n in range(12)]
SIZES = st.sampled_from([0, 10, 500, 60_000, 300_000])
INCOMING = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(["user-changes", "assignments"]), SIZES, st.booleans()),
    max_size=60,
)


def grouped(
    incoming: list[tuple[bytes, str, int, bool]], partitions: int, repeat: int
) -> tuple[list[Outgoing], list[Record]]:
    events = [
        Outgoing(topic, key, msgspec.json.encode({"n": n, "key": key.decode(), "pad": "x" * size}), everywhere)  # type: ignore[arg-type]
        for n, (key, topic, size, everywhere) in enumerate(incoming * repeat)
    ]
    grouping = Partitioner(partitions)
    records = [record for event in events for record in grouping.add(event)]
    return events, records + list(grouping.drain())


def numbers(record: Record) -> list[int]:
    decoded = msgspec.json.decode(record.value)
    return [event["n"] for event in (decoded if isinstance(decoded, list) else [decoded])]


@given(INCOMING, st.integers(1, 9), st.integers(1, 12))
def test_each_partition_holds_its_events_in_order(
    incoming: list[tuple[bytes, str, int, bool]], partitions: int, repeat: int
) -> None:
    events, records = grouped(incoming, partitions, repeat)
    for topic in ("user-changes", "assignments"):
        for partition in range(partitions):
            expected = [
                n
                for n, event in enumerate(events)
                if event.topic == topic and (event.everywhere or partition_of(event.key, partitions) == partition)
            ]
            actual = [n for r in records if (r.topic, r.partition) == (topic, partition) for n in numbers(r)]
            assert expected == actual


@given(INCOMING, st.integers(1, 9), st.integers(1, 12))
def test_a_record_has_the_key_of_its_first_event_and_a_bounded_size(
    incoming: list[tuple[bytes, str, int, bool]], partitions: int, repeat: int
) -> None:
    events, records = grouped(incoming, partitions, repeat)
    for record in records:
        held = numbers(record)
        assert events[held[0]].key == record.key
        assert len(held) == record.events <= MAX_RECORD_EVENTS
        assert len(record.value) < MAX_ARRAY_BYTES
        assert record.events == 1 or len(record.value) <= MAX_RECORD_BYTES + MAX_RECORD_EVENTS + 1


def test_what_is_held_is_bounded_over_all_partitions() -> None:
    partitions = 200
    grouping = Partitioner(partitions)
    given_in = given_out = 0
    for n in range(4_000):
        event = Outgoing("assignments", f"acme/user:u{n}".encode(), b"x" * 10_000)
        given_in += len(event.value)
        given_out += sum(len(record.value) for record in grouping.add(event))
        assert given_in - given_out <= partitioner.MAX_HELD_BYTES + len(event.value)
