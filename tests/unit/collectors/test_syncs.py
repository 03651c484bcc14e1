"""How a full file ends: which syncs complete, what they send, and what is said where they do not."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from collectors.publisher import MemoryPublisher
from schemas.commands import CommandModel, SyncRun
from schemas.identifiers import partition_of
from schemas.times import format_time
from tests.unit.collectors.importing import (
    EXPORTED_AT,
    NOW,
    PARTITIONS,
    FailingHistory,
    MemoryHistory,
    events_of,
    imported,
    write,
)


def users(count: int) -> str:
    return "ObjectId,EnterpriseVoiceEnabled\n" + "".join(f"u{n},True\n" for n in range(count))


def run(seen: int, status: str = "completed", started_at: datetime = EXPORTED_AT - timedelta(days=1)) -> SyncRun:
    return SyncRun.model_validate({
        "id": format_time(started_at), "tenant": "acme", "by": "ana", "sent_at": started_at, "facet": "voice",
        "source": "users-file", "started_at": started_at, "seen": seen, "expected": None, "status": status,
    })  # fmt: skip


def reports_of(publisher: MemoryPublisher) -> list[SyncRun]:
    return [CommandModel.validate_json(record.value) for record in publisher.records if record.topic == "commands"]


def sweeps_of(publisher: MemoryPublisher) -> list[dict[str, Any]]:
    return [event for event in events_of(publisher) if event["type"] == "sync_completed"]


def test_a_full_file_sweeps_in_every_partition_and_is_reported(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("users", write(tmp_path / "users.csv", users(30)), publisher=publisher, by="ana")
    expected = {
        "type": "sync_completed", "tenant": "acme", "facet": "voice", "source": "users-file",
        "started_at": format_time(EXPORTED_AT),
    }  # fmt: skip
    assert [expected] * PARTITIONS == sweeps_of(publisher)
    swept = [record.partition for record in publisher.records if b"sync_completed" in record.value]
    assert list(range(PARTITIONS)) == swept
    [report] = reports_of(publisher)
    assert ("completed", 30, None, "ana", NOW) == (
        report.status,
        report.seen,
        report.expected,
        report.by,
        report.sent_at,
    )
    [record] = [record for record in publisher.records if record.topic == "commands"]
    assert (b"acme", partition_of(b"acme", PARTITIONS)) == (record.key, record.partition)
    assert [("completed", 30)] == [(sync.status, sync.seen) for sync in summary.syncs]


def test_rows_are_never_older_than_the_start_of_their_sync(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    old = write(tmp_path / "old.csv", users(5), at=EXPORTED_AT - timedelta(hours=5))
    imported("users", write(tmp_path / "new.csv", users(10)), old, publisher=publisher)
    [started_at] = {sweep["started_at"] for sweep in sweeps_of(publisher)}
    assert format_time(EXPORTED_AT - timedelta(hours=5)) == started_at
    assert started_at <= min(event["observed_at"] for event in events_of(publisher) if "subject" in event)


def test_two_files_of_one_export_end_in_one_sync(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    first = write(tmp_path / "1.csv", users(10))
    second = write(tmp_path / "2.csv", users(10).replace("\nu", "\nv"))
    summary = imported("users", first, second, publisher=publisher)
    assert [("voice", 20)] == [(sync.facet, sync.seen) for sync in summary.syncs]


def test_each_facet_of_a_numbers_file_has_its_own_sync(tmp_path: Path) -> None:
    text = (
        "TelephoneNumber,NumberType,PstnAssignmentStatus,AssignedPstnTargetId\n"
        "+15550100001,DirectRouting,UserAssigned,u1\n+15550100002,DirectRouting,UserAssigned,u2\n"
    )
    summary = imported("numbers", write(tmp_path / "numbers.csv", text))
    assert [("phone_number", "completed", 2), ("service_number", "completed", 0)] == [
        (sync.facet, sync.status, sync.seen) for sync in summary.syncs
    ]


def test_a_source_that_was_named_names_the_sync_too(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    at = EXPORTED_AT - timedelta(days=3)
    imported("users", write(tmp_path / "u.csv", users(3)), publisher=publisher, source="mine", observed_at=at)
    assert {("mine", format_time(at))} == {
        (e["source"], e.get("observed_at", e.get("started_at"))) for e in events_of(publisher)
    }


def not_swept(publisher: MemoryPublisher) -> bool:
    return not sweeps_of(publisher)


def test_rejected_rows_keep_a_file_from_completing(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("users", write(tmp_path / "u.csv", users(3) + "short\n"), publisher=publisher)
    assert not_swept(publisher)
    assert not reports_of(publisher)
    assert [("skipped", True)] == [(sync.status, "1 rows were rejected" in sync.reason) for sync in summary.syncs]
    assert 3 == summary.published


def test_sync_anyway_completes_and_says_so(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("users", write(tmp_path / "u.csv", users(3) + "short\n"), publisher=publisher, sync_anyway=True)
    assert PARTITIONS == len(sweeps_of(publisher))
    assert any("completed all the same (--sync-anyway)" in note for note in summary.notes)


def test_a_part_of_a_file_completes_nothing(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("users", write(tmp_path / "u.csv", users(3)), publisher=publisher, partial=True)
    assert not_swept(publisher)
    assert ["--partial: the file is not all there is, so nothing was swept"] == [sync.reason for sync in summary.syncs]


def test_a_file_without_rows_completes_nothing_even_if_confirmed(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    path = write(tmp_path / "u.csv", users(0))
    summary = imported("users", path, publisher=publisher, confirm_removals=True, sync_anyway=True)
    assert not publisher.records
    assert ["empty"] == [sync.status for sync in summary.syncs]


def test_a_dry_run_sends_nothing_and_says_what_it_would_have(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("users", write(tmp_path / "u.csv", users(3)), publisher=publisher, dry_run=True)
    assert not publisher.records
    assert (3, {"voice": 3}, ["a dry run sends nothing"]) == (
        summary.published, summary.by_facet, [sync.reason for sync in summary.syncs],
    )  # fmt: skip


def test_a_sync_that_would_remove_many_is_held_and_reported(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    history = MemoryHistory(run(90, started_at=EXPORTED_AT - timedelta(days=9)), run(100))
    summary = imported("users", write(tmp_path / "u.csv", users(30)), publisher=publisher, history=history)
    assert not_swept(publisher)
    assert [("held", 30, 100)] == [(r.status, r.seen, r.expected) for r in reports_of(publisher)]
    assert "70 subjects would be removed" in summary.syncs[0].reason
    assert 30 == summary.published


def test_a_held_sync_goes_through_if_a_person_confirms(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    path = write(tmp_path / "u.csv", users(30))
    imported("users", path, publisher=publisher, history=MemoryHistory(run(100)), confirm_removals=True)
    assert PARTITIONS == len(sweeps_of(publisher))
    assert ["confirmed"] == [report.status for report in reports_of(publisher)]


def test_a_second_sync_that_sees_about_the_same_goes_through(tmp_path: Path) -> None:
    held = run(32, "held", EXPORTED_AT - timedelta(hours=1))
    publisher = MemoryPublisher(PARTITIONS)
    imported("users", write(tmp_path / "u.csv", users(30)), publisher=publisher, history=MemoryHistory(run(100), held))
    assert ["confirmed"] == [report.status for report in reports_of(publisher)]


def test_the_same_file_again_is_no_second_opinion(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    path = write(tmp_path / "u.csv", users(30))
    history = MemoryHistory(run(100))
    imported("users", path, publisher=publisher, history=history)
    history.runs += reports_of(publisher)
    imported("users", path, publisher=publisher, history=history)
    first, second = reports_of(publisher)
    assert ("held", "held") == (first.status, second.status)
    assert first.id == second.id


def test_a_held_sync_before_the_last_completed_one_counts_no_more(tmp_path: Path) -> None:
    held = run(30, "held", EXPORTED_AT - timedelta(days=2))
    publisher = MemoryPublisher(PARTITIONS)
    imported("users", write(tmp_path / "u.csv", users(30)), publisher=publisher, history=MemoryHistory(held, run(100)))
    assert ["held"] == [report.status for report in reports_of(publisher)]


def test_without_history_rows_are_published_and_nothing_is_swept(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("users", write(tmp_path / "u.csv", users(3)), publisher=publisher, history=FailingHistory())
    assert not_swept(publisher)
    assert not reports_of(publisher)
    assert 3 == summary.published
    [sync] = summary.syncs
    assert "skipped" == sync.status
    assert "no portal answers" in sync.reason
    assert "--confirm-removals" in sync.reason


def test_a_person_who_confirms_needs_no_history(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    path = write(tmp_path / "u.csv", users(3))
    imported("users", path, publisher=publisher, history=FailingHistory(), confirm_removals=True)
    assert PARTITIONS == len(sweeps_of(publisher))


def test_an_import_again_is_the_same_events_byte_for_byte(repository: Path) -> None:
    first, second = MemoryPublisher(PARTITIONS), MemoryPublisher(PARTITIONS)
    for publisher in (first, second):
        imported("users", repository / "tests/data/acme/users.csv", publisher=publisher, observed_at=EXPORTED_AT)
    assert first.records == second.records


def test_progress_and_offsets_reach_the_end(tmp_path: Path) -> None:
    publisher = MemoryPublisher(PARTITIONS)
    summary = imported("users", write(tmp_path / "u.csv", users(3_000)), publisher=publisher)
    newest = {(record.topic, record.partition): 0 for record in publisher.records}
    for record in publisher.records:
        newest[record.topic, record.partition] += 1
    assert {at: count - 1 for at, count in newest.items()} == summary.offsets
    assert all(len(msgspec.json.decode(r.value)) <= 250 for r in publisher.records if r.events > 1)
