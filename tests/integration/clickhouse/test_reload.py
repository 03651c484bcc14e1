"""What a start on an empty broker reads back is what was told last."""

import msgspec

from portal.store.store import ClickHouseStore
from runtime.clickhouse import reload
from runtime.clickhouse.pool import ClientPool
from schemas.changes import SyncRecord
from schemas.commands import SyncRun
from schemas.count import Count
from schemas.settings import ProviderSettings, TenantSettings
from streams.sink import processors
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger, decode_count
from streams.sink.newest import newest_rows
from streams.sink.removal import remove
from tests.support.sinking import MemoryRecord, change, count, count_record, instant


def _told(rows: ClickHouseRows, outcome: processors.Outcome) -> None:
    for batch in outcome.batches:
        if batch.lines:
            rows.insert(batch.table, batch.lines)


def test_subjects_come_whole_and_in_order(pool: ClientPool, rows: ClickHouseRows) -> None:
    changes = [
        change("user:b", 1, facts='{"deleted":false}', new_profile=1),
        change("user:b", 2, facet="voice", facts="", kind="sweep", old_profile=1, new_profile=2),
        change("user:b", 3, facts='{"deleted":true}', old_profile=2, new_profile=0),
        change("user:b", 4, facet="", kind="rules", old_profile=0, new_profile=4),
        change("user:a", 1, tenant="fabrikam"),
        change("number:+1", 1, facet="dial_plan", facts="{}"),
    ]
    rows.insert("seat_changes", [msgspec.json.encode(each) for each in changes])
    found = [(each.tenant, each.subject, each.rev, each.profile) for each in reload.latest_facets(pool)]
    assert [("contoso", "number:+1", 1, 0), ("contoso", "user:b", 4, 4), ("fabrikam", "user:a", 1, 0)] == found
    facets = next(each.facets for each in reload.latest_facets(pool) if each.subject == "user:b")
    assert [("directory", 3, '{"deleted":true}', "event"), ("voice", 2, "", "sweep")] == [
        (each.facet, each.rev, each.facts, each.kind) for each in facets
    ]
    assert [instant(3), instant(2)] == [each.observed_at for each in facets]


def test_marks_are_the_newest_of_each_partition(pool: ClientPool, rows: ClickHouseRows) -> None:
    def mark(partition: int, started: float) -> MemoryRecord:
        sync = SyncRecord(tenant="contoso", partition=partition, facet="voice", source="graph",
                          started_at=instant(started), recorded_at=instant(started))  # fmt: skip
        return MemoryRecord("seat-changes", b'{"type":"sync",' + sync.model_dump_json(exclude={"type"}).encode()[1:])

    _told(rows, processors.seat_changes([mark(0, 9), mark(0, 5), mark(1, 7)]))
    _told(rows, processors.seat_changes([mark(0, 5)]))
    assert [(0, instant(9)), (1, instant(7))] == [(each.partition, each.started_at) for each in reload.sync_marks(pool)]


def test_settings_are_the_newest_of_tenants_and_provider(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore
) -> None:
    revisions = [
        TenantSettings(tenant="contoso", revision=n, updated_at=instant(n), acquired_licenses=n) for n in (1, 2)
    ]
    provider = ProviderSettings(revision=3, updated_at=instant(3))
    every: list[TenantSettings | ProviderSettings] = [*revisions, provider]
    records = [MemoryRecord("tenants", each.model_dump_json().encode(), each.tenant.encode()) for each in every]
    _told(rows, processors.tenants(records))
    _told(rows, processors.tenants(records[:1]))
    assert {"contoso": revisions[1].model_dump_json(), "_provider": provider.model_dump_json()} == {
        each.tenant: each.settings for each in reload.newest_settings(pool)
    }
    assert [1, 2] == [each.settings["acquired_licenses"] for each in store.settings_history("contoso")]


def test_counts_come_back_whole_and_the_ledger_goes_on_from_them(pool: ClientPool, rows: ClickHouseRows) -> None:
    ledger = CountLedger()
    counts = [count("contoso", n + 1, instant(n / 4), 10 + n) for n in range(6)]
    _told(rows, processors.license_counts([count_record(each) for each in counts], ledger))
    (stored,) = reload.newest_counts(pool)
    assert (1, 6) == (stored.epoch, stored.version)
    assert counts[-1] == Count.model_validate_json(stored.count)
    resumed = CountLedger()
    resumed.seed(newest_rows(pool))
    following = decode_count(count("contoso", 7, instant(1.9), 3).model_dump_json().encode())
    assert ledger.take(following) == resumed.take(following)


def test_of_sync_runs_the_newest_state_shows(rows: ClickHouseRows, store: ClickHouseStore) -> None:
    held = SyncRun(id="1", tenant="contoso", by="graph", sent_at=instant(1), facet="voice", source="graph",
                   started_at=instant(0), seen=10, expected=100, status="held")  # fmt: skip
    confirmed = held.model_copy(update={"sent_at": instant(5), "by": "ana", "status": "confirmed"})
    later = held.model_copy(update={"id": "2", "started_at": instant(3), "sent_at": instant(4), "expected": None})
    records = [MemoryRecord("commands", each.model_dump_json().encode()) for each in (held, confirmed, later)]
    _told(rows, processors.commands(records))
    _told(rows, processors.commands(records[:1]))
    assert [later, confirmed] == [SyncRun.model_validate(each) for each in store.syncs("contoso")]
    assert [] == store.syncs("fabrikam")


def test_of_alert_states_the_highest_epoch_and_seq_comes_back_in_whatever_order_they_came(
    pool: ClientPool, rows: ClickHouseRows
) -> None:
    def state(epoch: int, seq: int, tenant: str = "contoso") -> MemoryRecord:
        return MemoryRecord("alert-state", b'{"epoch":%d,"seq":%d}' % (epoch, seq), tenant.encode())

    _told(rows, processors.license_counts([count_record(count("contoso", 1, instant(0), 1))], CountLedger()))
    for record in (state(7, 3), state(7, 12), state(6, 90), state(8, 1, "purged")):
        _told(rows, processors.alert_states([record]))
    assert [("contoso", '{"epoch":7,"seq":12}')] == [(each.tenant, each.state) for each in reload.alert_states(pool)]
    with pool.lease() as client:
        client.command("OPTIMIZE TABLE alert_states FINAL")
    assert ['{"epoch":7,"seq":12}'] == [each.state for each in reload.alert_states(pool)]
    ended = processors.alert_states([MemoryRecord("alert-state", None, b"contoso")])
    for removal in ended.removals:
        remove(pool, removal)
    assert [] == reload.alert_states(pool)
