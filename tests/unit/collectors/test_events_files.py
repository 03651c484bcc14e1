"""Events files: JSON lines, arrays, single objects; what is broken is rejected with its line, and alone."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from collectors.feed import publish_all
from collectors.outgoing import from_dict
from collectors.publisher import MemoryPublisher
from collectors.summary import ImportSummary
from schemas.times import format_time
from tests.unit.collectors.importing import NOW, PARTITIONS, events_of, imported, rejections_by_the_meter, write


def event(number: int, **changes: object) -> dict[str, object]:
    return {
        "type": "directory", "tenant": "acme", "subject": f"user:u{number}", "observed_at": "2026-11-24T10:00:00.000Z",
        "source": "test", "facts": {"display_name": f"{{[User\\ \"{number}\"]}}"},
    } | changes  # fmt: skip


def read(text: str | bytes, tmp_path: Path, tenant: str | None = None) -> tuple[list[str], ImportSummary]:
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("events", write(tmp_path / "events.json", text), publisher=publisher, tenant=tenant)
    assert not rejections_by_the_meter(publisher)
    return sorted(str(e.get("subject", e["type"])) for e in events_of(publisher)), summary


THREE = [event(1), event(2), event(3)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(e) for e in THREE),
        "".join(json.dumps(e) + "\r\n" for e in THREE),
        "\n\n".join(json.dumps(e) for e in THREE),
        "".join(json.dumps(e) for e in THREE),
        json.dumps(THREE),
        json.dumps(THREE, indent=2),
        "[" + ",\n".join(json.dumps(e) for e in THREE) + "]\n",
        "\n".join(json.dumps(e, indent=4) for e in THREE),
        json.dumps([THREE[0]]) + "\n" + json.dumps(THREE[1:]) + "\n",
        json.dumps(THREE[0]) + "\n" + json.dumps(THREE[1:], indent=1),
        "\ufeff" + json.dumps(THREE),
        "[]\n" + json.dumps(THREE),
    ],
)
def test_every_shape_of_a_file_gives_its_events(text: str, tmp_path: Path) -> None:
    subjects, summary = read(text, tmp_path)
    assert ["user:u1", "user:u2", "user:u3"] == subjects
    assert (3, 0, 3) == (summary.read, summary.rejected, summary.published)


def test_facts_arrive_as_they_were(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    imported("events", write(tmp_path / "e.json", json.dumps(THREE, indent=2)), publisher=publisher)
    assert [e["facts"] for e in THREE] == [e["facts"] for e in sorted(events_of(publisher), key=lambda e: e["subject"])]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "not a JSON object: 'nonsense'"),
        ('{"type": "directory", }', "not JSON"),
        ('{"type": "directory"', "not JSON: the value that starts here never ends"),
        ('{"type": "dir', "not JSON: the value that starts here never ends"),
        (json.dumps(event(9, type="nothing")), "does not match any of the expected tags"),
        (json.dumps(event(9, observed_at="2026-11-24T10:00:00")), "offset"),
        (json.dumps(event(9, observed_at=format_time(NOW + timedelta(minutes=6)))), "more than 5 minutes ahead"),
        (json.dumps(event(9, tenant="a/b")), "a tenant id is 1 to 64"),
        (json.dumps(event(9, subject="user:UPPER")), "lower case"),
        (json.dumps(event(9, subject="number:+1555")), "does not belong on"),
        (json.dumps(event(9, facts={"display_name": 7})), "string"),
        (json.dumps(event(9, facts={"display_name": "n" * 70_000})), "at most 65,536 are taken"),
        (json.dumps(event(9, other="n" * 1_100_000)), "at most 1,048,576 are taken"),
        ('{"deep": ' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON"),
        ('"text"', "not a JSON object"),
        ("17", "not a JSON object: '17'"),
    ],
)
def test_a_bad_event_is_rejected_with_its_line_and_its_neighbours_go_on(line: str, reason: str, tmp_path: Path) -> None:
    text = f"{json.dumps(event(1))}\n{line}\n{json.dumps(event(3))}\n"
    subjects, summary = read(text, tmp_path)
    assert ["user:u1", "user:u3"] == subjects
    assert [2] == [note.line for note in summary.rejections]
    assert reason in summary.rejections[0].reason


@pytest.mark.parametrize("bad", ['{"type": "directory"]', '{"type": 7}', "17", '"text"', "null", "[[]]"])
def test_a_bad_element_of_an_array_goes_alone(bad: str, tmp_path: Path) -> None:
    text = f"[{json.dumps(event(1))},\n{bad},\n{json.dumps(event(3))}]"
    subjects, summary = read(text, tmp_path)
    assert ["user:u1", "user:u3"] == subjects
    assert {2} == {note.line for note in summary.rejections}


def test_an_array_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    subjects, summary = read(json.dumps(THREE)[:-1], tmp_path)
    assert ["user:u1", "user:u2", "user:u3"] == subjects
    assert ["not JSON: the array never ends, a bracket or a quote is missing"] == [n.reason for n in summary.rejections]


def test_bytes_that_are_no_text_are_rejected_alone(tmp_path: Path) -> None:
    text = json.dumps(event(1)).encode() + b'\n{"type": "\xff\xfe"}\n' + json.dumps(event(3)).encode()
    subjects, summary = read(text, tmp_path)
    assert ["user:u1", "user:u3"] == subjects
    assert [(2, "bytes that are not valid text: write events as UTF-8")] == [
        (n.line, n.reason) for n in summary.rejections
    ]


def test_tenants_and_types_may_mix_and_each_goes_its_way(tmp_path: Path) -> None:
    voice = event(1, type="voice", tenant="fabrikam", facts={"enterprise_voice": True})
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("events", write(tmp_path / "e.json", json.dumps([event(1), voice])), publisher=publisher)
    assert {("user-changes", b"acme/user:u1"), ("assignments", b"fabrikam/user:u1")} == {
        (record.topic, record.key) for record in publisher.records
    }
    assert {"directory": 1, "voice": 1} == summary.by_facet
    assert [] == summary.syncs


def test_a_tenant_that_was_named_is_the_only_one_taken(tmp_path: Path) -> None:
    text = json.dumps(event(1)) + "\n" + json.dumps(event(2, tenant="fabrikam"))
    subjects, summary = read(text, tmp_path, tenant="acme")
    assert ["user:u1"] == subjects
    assert ["an event of the tenant fabrikam, while only acme is imported"] == [n.reason for n in summary.rejections]


def test_facts_that_no_schema_names_are_left_out_and_told(tmp_path: Path) -> None:
    more = event(1, facts={"display_name": "Ana", "colour": "red", "size": None})
    _, summary = read(json.dumps([more, event(2)]), tmp_path)
    assert (2, 2, 0) == (summary.unknown_facts, summary.published, summary.rejected)
    assert "2 facts that no schema names were left out: docs/schemas lists those that are known" in summary.notes
    _, plain = read(json.dumps([event(2)]), tmp_path)
    assert not [note for note in plain.notes if "no schema" in note]


def test_events_from_up_to_a_removal_are_told(tmp_path: Path) -> None:
    at = datetime(2026, 11, 24, 10, tzinfo=UTC)
    text = json.dumps([event(1), event(2, observed_at=format_time(at + timedelta(milliseconds=1)))])
    summary = imported("events", write(tmp_path / "e.json", text), tenant="acme", floor=at)
    assert (2, 1) == (summary.published, summary.ignored)
    assert [note for note in summary.notes if note.startswith("1 event was observed too early")]


def test_a_sync_goes_to_every_partition_after_what_it_closes(tmp_path: Path) -> None:
    sync = {
        "type": "sync_completed", "tenant": "acme", "facet": "directory", "source": "test",
        "started_at": "2026-11-24T10:00:00Z",
    }  # fmt: skip
    publisher = MemoryPublisher(PARTITIONS)
    events = [event(n) for n in range(100)]
    imported("events", write(tmp_path / "e.json", json.dumps([*events, sync])), publisher=publisher)
    last = {record.partition: msgspec.json.decode(record.value) for record in publisher.records}
    assert set(range(PARTITIONS)) == set(last)
    assert all(value[-1]["type"] == "sync_completed" for value in last.values())
    assert [] == [record for record in publisher.records if record.topic != "user-changes"]


def test_events_without_a_file_go_out_the_same_way(tmp_path: Path) -> None:
    publisher, published = MemoryPublisher(PARTITIONS), MemoryPublisher(PARTITIONS)
    imported("events", write(tmp_path / "e.json", json.dumps(THREE)), publisher=publisher)
    offsets = asyncio.run(publish_all(map(from_dict, THREE), published, PARTITIONS))
    assert [(r.topic, r.partition, r.key, r.events) for r in publisher.records] == [
        (r.topic, r.partition, r.key, r.events) for r in published.records
    ]
    assert {(r.topic, r.partition) for r in published.records} == set(offsets)
