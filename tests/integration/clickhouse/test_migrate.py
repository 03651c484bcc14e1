"""The schema is made once, in order, and an edited or unknown migration is refused."""

import dataclasses

import pytest

from runtime.clickhouse.errors import MigrationRefusedError
from runtime.clickhouse.migrate import Migration, migrate, packaged
from runtime.clickhouse.pool import ClientPool
from runtime.settings import Retention
from tests.integration.clickhouse.conftest import KEEP_ALL


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
