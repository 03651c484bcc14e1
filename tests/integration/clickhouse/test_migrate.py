"""The schema is made once, in order, and an edited or unknown migration is refused."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.json import encode

from runtime.clickhouse.errors import MigrationRefusedError
from runtime.clickhouse.migrate import Migration, migrate, packaged
from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.reload import latest_facets
from runtime.settings import Retention
from schemas.times import format_time
from streams.sink.clickhouse import ClickHouseRows
from tests.integration.clickhouse.conftest import KEEP_ALL
from tests.support.sinking import change


def test_migrations_are_applied_once_and_in_order(empty_pool: ClientPool) -> None:
    assert [f"{each.number:04d}_{each.name}" for each in packaged()] == migrate(empty_pool, KEEP_ALL)
    assert [] == migrate(empty_pool, KEEP_ALL)


def test_a_crash_between_a_migration_and_its_mark_does_no_harm(empty_pool: ClientPool) -> None:
    migrate(empty_pool, KEEP_ALL)
    with empty_pool.lease() as client:
        client.command("TRUNCATE TABLE schema_migrations")
    assert len(packaged()) == len(migrate(empty_pool, KEEP_ALL))


def test_an_edited_migration_is_refused_by_name(empty_pool: ClientPool) -> None:
    migrate(empty_pool, KEEP_ALL)
    first, *others = packaged()
    edited = dataclasses.replace(first, sql=first.sql + "\n-- edited\n")
    with pytest.raises(MigrationRefusedError, match=r"0001_counts .*never edited; restore it"):
        migrate(empty_pool, KEEP_ALL, migrations=[edited, *others])


def test_a_database_of_a_newer_version_is_refused(empty_pool: ClientPool) -> None:
    newer = Migration(9_999, "later", "CREATE TABLE IF NOT EXISTS later (a UInt8) ENGINE = MergeTree ORDER BY a;")
    migrate(empty_pool, KEEP_ALL, migrations=[*packaged(), newer])
    with pytest.raises(MigrationRefusedError, match="9999_later, which this version does not know"):
        migrate(empty_pool, KEEP_ALL)


def test_the_retention_is_what_was_set_last(empty_pool: ClientPool) -> None:
    migrate(empty_pool, Retention(changes_days=30))
    migrate(empty_pool, Retention(changes_days=77))
    with empty_pool.lease() as client:
        assert "toIntervalDay(77)" in str(client.command("SHOW CREATE TABLE seat_changes"))


def test_on_a_cluster_tables_are_replicated() -> None:
    statements = [sql for each in packaged() for sql in each.statements("main")]
    for sql in statements:
        assert "ON CLUSTER `main`" in sql
        assert "$" not in sql
    engines = [sql for sql in statements if "ENGINE" in sql]
    assert engines
    assert all("ENGINE = ReplicatedReplacingMergeTree" in sql for sql in engines)


def test_rows_older_than_the_retention_are_deleted_and_younger_ones_stay(empty_pool: ClientPool) -> None:
    migrate(empty_pool, Retention(changes_days=30, counts_days=30, hourly_days=30, daily_days=30))
    now = datetime.now(UTC)
    for days in (5, 400):
        at = format_time(now - timedelta(days=days))
        rows = ClickHouseRows(empty_pool)
        rows.insert("seat_changes", [encode(change(f"user:{days}", 1, recorded_at=at, observed_at=at))])
        for table, row in (
            ("license_counts", {"at": at, "version": 1}),
            ("license_counts_hourly", {"at": at}),
            ("license_counts_daily", {"at": at}),
            ("alerts", {"recorded_at": at}),
            ("syncs", {"started_at": at, "id": "1"}),
        ):
            rows.insert(table, [encode({"tenant": "contoso"} | row)])
    with empty_pool.lease() as client:
        for table in ("seat_changes", *KEPT):
            client.command(f"OPTIMIZE TABLE {table} FINAL")  # as merges do by themselves, in their own time
            assert 1 == client.query(f"SELECT count() FROM {table}").result_rows[0][0], table
        left = client.query("SELECT subject FROM seat_facets ORDER BY subject").result_rows
        assert ["user:400", "user:5"] == [subject for (subject,) in left], "what is known now has no retention"


KEPT = ("license_counts", "license_counts_hourly", "license_counts_daily", "alerts", "syncs")


def test_the_first_schema_is_brought_up_to_date_with_its_rows(empty_pool: ClientPool) -> None:
    migrate(empty_pool, KEEP_ALL, migrations=packaged()[:3])
    rows = ClickHouseRows(empty_pool)
    rows.insert("seat_changes", [encode(change("user:a", 1, facts='{"display_name":"Ann"}', new_profile=1))])
    assert [f"{each.number:04d}_{each.name}" for each in packaged()[3:]] == migrate(empty_pool, KEEP_ALL)
    rows.insert("seat_changes", [encode(change("user:a", 2, facts="", old_profile=1, new_profile=0, epoch=9))])
    with empty_pool.lease() as client:
        found = client.query("SELECT rev, epoch FROM seat_changes FINAL ORDER BY rev").result_rows
    assert [(1, 0), (2, 9)] == [tuple(row) for row in found]
    (subject,) = latest_facets(empty_pool)
    assert (2, 0, [""]) == (subject.rev, subject.profile, [facet.facts for facet in subject.facets])
