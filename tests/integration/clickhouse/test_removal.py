"""A removed tenant's facts are gone at once and for good; a purged one leaves nothing but the instant of its purge."""

from typing import Any

import msgspec
import pytest

from portal.store.store import ClickHouseStore
from runtime.clickhouse import reload
from runtime.clickhouse.pool import ClientPool
from schemas.settings import TenantSettings
from schemas.times import format_time
from streams.sink import processors
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger
from streams.sink.processors import Removal
from streams.sink.removal import remove, remove_late
from tests.support.sinking import MemoryRecord, change, count, count_record, instant

HISTORY = ("seat_changes", "subject_profiles", "seat_facets", "license_counts", "latest_counts")


def _told(rows: ClickHouseRows, *outcomes: processors.Outcome) -> list[Removal]:
    for outcome in outcomes:
        for batch in outcome.batches:
            if batch.lines:
                rows.insert(batch.table, batch.lines)
    return [removal for outcome in outcomes for removal in outcome.removals]


def _settings(revision: int, at: float, **other: Any) -> MemoryRecord:
    settings = TenantSettings(tenant="contoso", revision=revision, updated_at=instant(at), **other)
    return MemoryRecord("tenants", settings.model_dump_json().encode(), b"contoso")


def _tombstone(at: float) -> MemoryRecord:
    return MemoryRecord("tenants", None, b"contoso", timestamp=round(instant(at).timestamp() * 1_000))


def _change(rows: ClickHouseRows, rev: int, subject: str = "user:a", **other: Any) -> None:
    rows.insert("seat_changes", [msgspec.json.encode(change(subject, rev, **other))])


@pytest.fixture
def known(rows: ClickHouseRows) -> ClickHouseRows:
    """Contoso and fabrikam with a subject, its facts, settings and a count each."""
    for tenant in ("contoso", "fabrikam"):
        _change(rows, 1, tenant=tenant, facts='{"display_name":"Ann"}', new_profile=1)
        _told(rows, processors.license_counts([count_record(count(tenant, 1, instant(1), 1))], CountLedger()))
    _told(rows, processors.tenants([_settings(1, 1)]))
    return rows


def _rows_of(pool: ClientPool, tenant: str, tables: tuple[str, ...] = HISTORY) -> dict[str, int]:
    with pool.lease() as client:
        return {
            table: client.query(
                f"SELECT count() FROM {table} WHERE tenant = {{tenant:String}}", parameters={"tenant": tenant}
            ).result_rows[0][0]
            for table in tables
        }


def _is_unknown(store: ClickHouseStore, pool: ClientPool) -> None:
    assert [] == store.facts("contoso", "user:a", None)
    assert [] == list(store.all_facts("contoso"))
    assert {} == store.profiles("contoso")
    assert [] == store.seats("contoso", at=None, enabled=31, factor="all", search=None, after="", limit=9)
    assert [] == [each.facets for each in reload.latest_facets(pool) if each.tenant == "contoso" and each.facets]


def test_the_settings_alone_hide_the_facts_before_anything_is_deleted(
    pool: ClientPool, known: ClickHouseRows, store: ClickHouseStore
) -> None:
    _told(known, processors.tenants([_settings(2, 9, removed_at=instant(9))]))
    _is_unknown(store, pool)
    assert {"Ann"} == {(each.facts or {})["display_name"] for each in store.all_facts("fabrikam")}


def test_a_removal_deletes_facts_and_keeps_history(
    pool: ClientPool, known: ClickHouseRows, store: ClickHouseStore
) -> None:
    (removal,) = _told(known, processors.tenants([_settings(2, 9, removed_at=instant(9))]))
    remove(pool, removal)
    _change(known, 2, kind="removed", facet="", at=9, old_profile=1)
    _is_unknown(store, pool)
    assert 0 == _rows_of(pool, "contoso", ("seat_facets",))["seat_facets"]
    assert [1, 2] == [each.rev for each in store.profile_changes("contoso", ["user:a"], None)]
    assert ["user:a"] == [
        seat.subject
        for seat in store.seats("contoso", at=instant(5), enabled=31, factor="all", search=None, after="", limit=9)
    ]
    assert {"display_name": "Ann"} == store.facts("contoso", "user:a", instant(5))[0].facts
    assert [] == store.facts("contoso", "user:a", instant(10))


def test_facts_that_arrive_after_the_removal_do_not_come_back(
    pool: ClientPool, known: ClickHouseRows, store: ClickHouseStore
) -> None:
    _told(known, processors.tenants([_settings(2, 9, removed_at=instant(9))]))
    _change(known, 2, at=8, facts='{"display_name":"Late"}', old_profile=1, new_profile=1)
    _is_unknown(store, pool)
    remove_late(pool)
    assert 0 == _rows_of(pool, "contoso", ("seat_facets",))["seat_facets"]


def test_a_tenant_that_comes_back_has_what_was_observed_since(
    pool: ClientPool, known: ClickHouseRows, store: ClickHouseStore
) -> None:
    _told(known, processors.tenants([_settings(2, 9, removed_at=instant(9))]))
    _change(known, 2, kind="removed", facet="", at=9, old_profile=1)
    _told(known, processors.tenants([_settings(3, 20, removed_at=instant(9))]))
    _change(known, 3, at=21, facet="voice", facts='{"gateway":"sbc1"}', new_profile=1)
    remove_late(pool)
    assert ["voice"] == [each.facet for each in store.facts("contoso", "user:a", None)]
    assert ["voice"] == [each.facet for each in store.facts("contoso", "user:a", instant(30))]
    (stored,) = [each for each in reload.latest_facets(pool) if each.tenant == "contoso"]
    assert (3, 1, ["voice"]) == (stored.rev, stored.profile, [each.facet for each in stored.facets])


def test_a_purge_leaves_the_instant_of_the_purge_alone(
    pool: ClientPool, known: ClickHouseRows, store: ClickHouseStore
) -> None:
    removals = _told(known, processors.tenants([_settings(2, 9, removed_at=instant(9)), _tombstone(10)]))
    for removal in removals:
        remove(pool, removal)
    _change(known, 2, kind="removed", facet="", at=9, old_profile=1)  # told by a meter that was slower
    remove_late(pool)
    assert dict.fromkeys(HISTORY, 0) == _rows_of(pool, "contoso")
    assert [] == store.settings_history("contoso")
    assert [] == reload.newest_settings(pool)
    assert all(_rows_of(pool, "fabrikam").values())


def test_a_purged_tenant_that_comes_back_starts_anew(
    pool: ClientPool, known: ClickHouseRows, store: ClickHouseStore
) -> None:
    for removal in _told(known, processors.tenants([_tombstone(10)])):
        remove(pool, removal)
    _told(known, processors.tenants([_settings(1, 20)]))
    _change(known, 1, at=21, facts='{"display_name":"New"}', new_profile=2)
    remove_late(pool)
    assert [1] == [each.revision for each in store.settings_history("contoso")]
    assert {"user:a": 2} == store.profiles("contoso")
    assert [1] == [each.revision for each in reload.newest_settings(pool)]


def test_after_a_purge_older_exports_may_be_imported_anew(
    pool: ClientPool, known: ClickHouseRows, store: ClickHouseStore
) -> None:
    told = processors.tenants([_settings(2, 9, removed_at=instant(9)), _tombstone(10), _settings(1, 20)])
    removals = _told(known, told)
    _change(known, 1, subject="user:b", facts='{"display_name":"New"}', new_profile=2,
            observed_at=format_time(instant(5)), recorded_at=format_time(instant(21)))  # fmt: skip
    _change(known, 1, subject="user:c", facts='{"display_name":"Late"}', new_profile=2, at=8)
    assert {"user:b": 2} == store.profiles("contoso")
    for removal in removals:
        remove(pool, removal)
    remove_late(pool)
    assert {"user:b": 2} == store.profiles("contoso")
    assert [("user:b", {"display_name": "New"})] == [(each.subject, each.facts) for each in store.all_facts("contoso")]
    stored = [each for each in reload.latest_facets(pool) if each.tenant == "contoso"]
    assert [("user:b", 2, 1)] == [(each.subject, each.profile, len(each.facets)) for each in stored]
    assert {"seat_changes": 1, "seat_facets": 1} == _rows_of(pool, "contoso", ("seat_changes", "seat_facets"))


def test_facts_told_before_a_removal_and_observed_after_its_stamp_stay_away(
    pool: ClientPool, known: ClickHouseRows, store: ClickHouseStore
) -> None:
    _told(known, processors.tenants([_settings(2, 9, removed_at=instant(9))]))
    _change(known, 2, at=9.5, facts='{"display_name":"Just after"}', old_profile=1, new_profile=1)
    _change(known, 3, kind="removed", facet="", at=9, old_profile=1)
    _is_unknown(store, pool)
    _change(known, 4, at=30, facet="voice", facts='{"gateway":"sbc1"}', new_profile=1)
    assert ["voice"] == [each.facet for each in store.facts("contoso", "user:a", None)]
    assert ["voice"] == [each.facet for each in store.all_facts("contoso")]
    (stored,) = [each for each in reload.latest_facets(pool) if each.tenant == "contoso"]
    assert (4, ["voice"]) == (stored.rev, [each.facet for each in stored.facets])
