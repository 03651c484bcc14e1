"""Events by HTTP are split into records that the meter finds where they belong."""

import json
from typing import Any

import msgspec

from portal.kafka.intake import MAX_RECORD_BYTES, split
from schemas.identifiers import partition_of, subject_key
from schemas.intake import read_record
from schemas.wire import WireObservation

NOW_MS = 1_790_000_000_000
PARTITIONS = 4


def event(number: int, facet: str = "directory", **facts: Any) -> dict[str, Any]:
    return {
        "type": facet, "tenant": "acme", "subject": f"user:{number}", "observed_at": "2026-03-03T12:00:00.000Z",
        "source": "test", "facts": facts,
    }  # fmt: skip


def read(events: list[dict[str, Any]]) -> Any:
    intake = read_record(json.dumps(events).encode(), NOW_MS)
    assert intake.rejections == []
    return intake.events


def observations(value: bytes) -> list[WireObservation]:
    return [item for item in read_record(value, NOW_MS).events if isinstance(item, WireObservation)]


def test_each_event_is_in_the_partition_of_its_subject_and_the_topic_of_its_facet() -> None:
    given = [event(number, facet) for number in range(50) for facet in ("directory", "voice")]
    records = split(read(given), PARTITIONS)
    found = []
    for record in records:
        for item in observations(record.value):
            key = subject_key(item.tenant, item.subject)
            assert record.partition == partition_of(key, PARTITIONS)
            found.append((record.topic, item.subject))
    expected = [("user-changes" if one["type"] == "directory" else "assignments", one["subject"]) for one in given]
    assert sorted(expected) == sorted(found)


def test_the_order_of_a_subject_is_kept() -> None:
    given = [event(1, display_name=str(number)) for number in range(20)]
    (record,) = split(read(given), PARTITIONS)
    again = observations(record.value)
    assert [str(number) for number in range(20)] == [item.facts.display_name for item in again]


def test_a_sync_goes_to_every_partition_after_the_events_before_it() -> None:
    sync = {
        "type": "sync_completed", "tenant": "acme", "facet": "directory", "source": "test",
        "started_at": "2026-03-03T12:00:00Z",
    }  # fmt: skip
    records = split(read([event(1), sync]), PARTITIONS)
    assert set(range(PARTITIONS)) == {record.partition for record in records}
    own = next(record for record in records if record.key is not None)
    assert [one["type"] for one in msgspec.json.decode(own.value)] == ["directory", "sync_completed"]
    assert all(record.key is None for record in records if record is not own)


def test_no_record_grows_beyond_what_brokers_take() -> None:
    given = [event(1, display_name="x" * 60_000) for _ in range(17)]
    records = split(read(given), PARTITIONS)
    assert len(records) > 1
    assert all(len(record.value) <= MAX_RECORD_BYTES for record in records)
    assert sum(len(read_record(record.value, NOW_MS).events) for record in records) == 17
