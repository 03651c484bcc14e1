"""What is fetched of a batch topic comes out whole, in order, and in pieces of the size that was asked for."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import full_name
from streams.batch_transport import MAX_TURN_RECORDS, BatchApp
from streams.kafka import KafkaOptions

PREFIX = "batch-transport-test."
TOPIC = full_name(PREFIX, "assignments")


@pytest.fixture(autouse=True, scope="module")
def batch_topic() -> None:
    BatchApp("unit", KafkaOptions(bootstrap="127.0.0.1:1", prefix=PREFIX, partitions=1, group="unit"), [TOPIC])


def stored(offsets: list[int]) -> bytes:
    """Return a record batch; its last offset is the last of `offsets`, what lies between is compacted away."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for offset in offsets:
        assert builder.append(offset - offsets[0], 1_795_600_000_000, b"k", b"%d" % offset, []) is not None
    batch = bytearray(builder.build())
    batch[:8] = offsets[0].to_bytes(8, "big")  # the base offset, which the checksum leaves out
    return bytes(batch)


def fetched(batches: list[list[int]], position: int) -> tuple[FetchResult, Any]:
    """Return the answer to a fetch at `position`, and the consumer's idea of where it is."""
    state = SimpleNamespace(paused=False, position=position)
    state.consumed_to = lambda offset: setattr(state, "position", offset)
    assignment = SimpleNamespace(active=True, state_value=lambda _: state)
    place = SimpleNamespace(topic=TOPIC, partition=0)
    content = MemoryRecords(b"".join(stored(batch) for batch in batches))
    records = PartitionRecords(place, content, None, position, None, None, True, 0)
    return FetchResult(place, assignment=assignment, partition_records=records, backoff=0), state


SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=5)


@given(SIZES, st.integers(0, 4), st.lists(st.integers(1, 7), min_size=1, max_size=4), st.booleans())
def test_all_of_a_fetch_comes_out_in_order_and_never_more_than_asked_for(
    sizes: list[int], behind: int, asked: list[int], gaps: bool
) -> None:
    batches, offset = [], 10
    for size in sizes:
        step = 3 if gaps else 1
        batches.append([offset + step * place for place in range(size)])
        offset = batches[-1][-1] + 1
    position = min(10 + behind, batches[0][-1])  # in the middle of the first batch
    result, state = fetched(batches, position)
    taken: list[int] = []
    turn = 0
    while result.has_more():
        most = asked[turn % len(asked)]
        part = result.getall(most)
        assert len(part) <= most
        assert all(record.value == b"%d" % record.offset for record in part)
        taken += [record.offset for record in part]
        turn += 1
    assert [each for batch in batches for each in batch if each >= position] == taken
    assert state.position == offset


def test_without_a_number_a_turn_is_taken() -> None:
    result, _ = fetched([list(range(MAX_TURN_RECORDS + 5))], 0)
    assert MAX_TURN_RECORDS == len(result.getall())
    assert 5 == len(result.getall())
    assert not result.has_more()


def test_a_seek_in_between_drops_the_rest() -> None:
    result, state = fetched([[1, 2, 3]], 1)
    assert [1] == [record.offset for record in result.getall(1)]
    state.position = 1
    assert [] == result.getall(1)
    assert not result.has_more()


def test_a_damaged_batch_is_fetched_again() -> None:
    result, state = fetched([[1, 2]], 1)
    damaged = bytearray(stored([1, 2]))
    damaged[-1] ^= 1
    result._partition_records._records = MemoryRecords(bytes(damaged) + stored([3]))
    with pytest.raises(CorruptRecordException):
        result.getall(10)
    assert not result.has_more()
    assert 1 == state.position
