"""Records become rows; what cannot becomes a reject; doing it twice gives the same."""

import msgspec

from schemas.commands import Refresh, SyncRun
from schemas.settings import TenantSettings
from schemas.times import format_ms
from streams.sink import processors
from streams.sink.counts import CountLedger
from tests.support.sinking import START_MS, MemoryRecord, change, change_record, count, count_record, instant


def test_seat_changes_go_in_as_they_are() -> None:
    records = [change_record(change("user:a", 1)), change_record(change("user:b", 1))]
    (batch,) = processors.seat_changes(records).batches
    assert ("seat_changes", [each.value for each in records], records) == (batch.table, batch.lines, batch.records)


def test_a_finished_sync_is_a_mark_and_anything_else_a_reject() -> None:
    sync = MemoryRecord("seat-changes", b'{"type":"sync","tenant":"contoso"}')
    strangers = [MemoryRecord("seat-changes", value) for value in (b"", None, b"\xff\x00", b'{"type":"tally"}')]
    outcome = processors.seat_changes([change_record(change("user:a", 1)), sync, *strangers])
    assert {"seat_changes": 1, "sync_marks": 1} == {batch.table: len(batch.lines) for batch in outcome.batches}
    assert strangers == [reject.record for reject in outcome.rejects]
    assert {"invalid"} == {reject.reason for reject in outcome.rejects}


def test_counts_become_one_row_a_second_and_the_newest_count_whole() -> None:
    newest = count("contoso", 3, instant(0.4), 12)
    records = [count_record(count("contoso", 1, instant(0), 10)), count_record(count("contoso", 2, instant(0.2), 20)),
               count_record(newest)]  # fmt: skip
    rows, latest = processors.license_counts(records, CountLedger()).batches
    assert 1 == len(rows.lines) == len(latest.lines)
    assert (10, 20, 12) == tuple(
        msgspec.json.decode(rows.lines[0])[name] for name in ("min", "max", "currently_licensed")
    )
    assert newest.model_dump_json() == msgspec.json.decode(latest.lines[0])["count"]


def test_control_records_among_the_counts_are_passed_over() -> None:
    outcome = processors.license_counts([MemoryRecord("license-counts", b"whatever", b"_claim")], CountLedger())
    assert [] == outcome.rejects
    assert [[], []] == [batch.lines for batch in outcome.batches]


def test_a_record_that_is_no_count_is_a_reject_and_its_neighbour_a_row() -> None:
    bad = MemoryRecord("license-counts", b'{"tenant":"contoso","version":"x"}', b"contoso")
    outcome = processors.license_counts([bad, count_record(count("contoso", 1, instant(0), 1))], CountLedger())
    assert [bad] == [reject.record for reject in outcome.rejects]
    assert 1 == len(outcome.batches[0].lines)


def test_the_same_counts_twice_are_the_same_rows_once() -> None:
    ledger = CountLedger()
    records = [count_record(count("contoso", n + 1, instant(n / 3), n)) for n in range(10)]
    first = processors.license_counts(records, ledger)
    second = processors.license_counts(records, ledger)
    assert 4 == len(first.batches[0].lines)
    assert [[], []] == [batch.lines for batch in second.batches]


def test_settings_keep_every_revision_whole() -> None:
    settings = TenantSettings(tenant="contoso", revision=7, updated_at=instant(5), updated_by="ana@msp.example")
    record = MemoryRecord("tenants", settings.model_dump_json().encode(), b"contoso")
    outcome = processors.tenants([record])
    row = msgspec.json.decode(outcome.batches[0].lines[0])
    assert (7, "ana@msp.example", None, False) == tuple(
        row[name] for name in ("revision", "updated_by", "removed_at", "purged")
    )
    assert settings.model_dump_json() == row["settings"]
    assert [] == outcome.removals


def test_a_removal_deletes_facts_and_a_tombstone_deletes_history_as_well() -> None:
    settings = TenantSettings(tenant="contoso", revision=8, removed_at=instant(9))
    outcome = processors.tenants(
        [
            MemoryRecord("tenants", settings.model_dump_json().encode(), b"contoso"),
            MemoryRecord("tenants", None, b"fabrikam"),
        ]
    )
    assert [
        ("contoso", format_ms(START_MS + 9_000), "facts"),
        ("fabrikam", format_ms(START_MS), "everything"),
    ] == [(each.tenant, each.floor, each.what) for each in outcome.removals]


def test_of_commands_only_sync_runs_are_rows() -> None:
    run = SyncRun(id="1", tenant="contoso", by="graph", sent_at=instant(0), facet="voice", source="graph",
                  started_at=instant(0), seen=10, expected=None, status="held")  # fmt: skip
    other = Refresh(id="2", tenant="contoso", by="ana", sent_at=instant(0))
    outcome = processors.commands([MemoryRecord("commands", each.model_dump_json().encode()) for each in (run, other)])
    assert [run.model_dump_json().encode()] == outcome.batches[0].lines
    assert [] == outcome.rejects


def test_an_alert_is_kept_whole() -> None:
    outcome = processors.alerts(
        [MemoryRecord("alerts", b'{"level":"warning"}', b"contoso"), MemoryRecord("alerts", b"{", b"x")]
    )
    assert ["contoso"] == [msgspec.json.decode(line)["tenant"] for line in outcome.batches[0].lines]
    assert ["not_json"] == [reject.reason for reject in outcome.rejects]


def _state(epoch: int, seq: int, tenant: bytes = b"contoso") -> MemoryRecord:
    return MemoryRecord("alert-state", b'{"epoch":%d,"seq":%d,"rules":{}}' % (epoch, seq), tenant)


def test_of_a_tenants_alert_states_the_newest_is_kept_whole_and_claims_are_none() -> None:
    claim = MemoryRecord("alert-state", b"\x00\x00", b"_claim/1")
    rubbish = MemoryRecord("alert-state", b"{}", b"fabrikam")
    outcome = processors.alert_states([_state(2, 1), claim, _state(2, 2), _state(1, 9), rubbish])
    assert [("contoso", 2, 2, '{"epoch":2,"seq":2,"rules":{}}')] == [
        (row["tenant"], row["epoch"], row["seq"], row["state"])
        for row in (msgspec.json.decode(line) for line in outcome.batches[0].lines)
    ]
    assert [rubbish] == [reject.record for reject in outcome.rejects]
    assert [] == outcome.removals


def test_the_end_of_an_alert_state_deletes_what_was_kept_before_it() -> None:
    outcome = processors.alert_states([_state(2, 5), MemoryRecord("alert-state", None, b"contoso"), _state(2, 1)])
    assert [(2, 1)] == [
        (row["epoch"], row["seq"]) for row in (msgspec.json.decode(line) for line in outcome.batches[0].lines)
    ]
    assert [("contoso", format_ms(START_MS), "alert_state")] == [
        (each.tenant, each.floor, each.what) for each in outcome.removals
    ]
