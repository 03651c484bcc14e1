"""What a backup holds comes back whole and as of one instant; what is not whole is recognised and refused."""

import contextlib
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import clickhouse_connect
import msgspec
import pytest

from portal.services import utc_now
from portal.store.snapshot import TABLES, snapshot
from portal.store.store import ClickHouseStore
from runtime.backup.errors import BackupError
from runtime.backup.manifest import NAME, Manifest, load_manifest
from runtime.backup.restoring import restore
from runtime.backup.sources import StoredTables
from runtime.backup.writing import write_backup
from runtime.clickhouse.errors import MigrationRefusedError
from runtime.clickhouse.migrate import migrate, packaged
from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.reload import latest_facets
from schemas.settings import TenantSettings
from schemas.times import format_time
from streams.sink import processors
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger
from tests.integration.clickhouse.conftest import KEEP_ALL
from tests.support.engine import ClickHouse, fresh_database
from tests.support.sinking import MemoryRecord, change, count, count_record, instant


@contextlib.contextmanager
def _empty(clickhouse: ClickHouse) -> Iterator[ClientPool]:
    with (
        fresh_database(clickhouse) as made,
        ClientPool(lambda: clickhouse_connect.get_client(**clickhouse.connection, database=made.name)) as pool,
    ):
        yield pool


@pytest.fixture
def target(clickhouse: ClickHouse) -> Iterator[ClientPool]:
    """An empty database."""
    with _empty(clickhouse) as pool:
        yield pool


@pytest.fixture(scope="module")
def pool(clickhouse: ClickHouse) -> Iterator[ClientPool]:
    """A database with a row at least in every table; tests add to it."""
    with _empty(clickhouse) as pool:
        migrate(pool, KEEP_ALL)
        _fill(ClickHouseRows(pool))
        yield pool


@pytest.fixture
def rows(pool: ClientPool) -> ClickHouseRows:
    return ClickHouseRows(pool)


def _tell(rows: ClickHouseRows, outcome: processors.Outcome) -> None:
    for batch in outcome.batches:
        if batch.lines:
            rows.insert(batch.table, batch.lines)


def _settings(rows: ClickHouseRows, revision: int, name: str) -> None:
    told = TenantSettings(tenant="contoso", revision=revision, display_name=name, updated_at=instant(revision))
    _tell(rows, processors.tenants([MemoryRecord("tenants", told.model_dump_json().encode(), b"contoso")]))


def _change(rows: ClickHouseRows, subject: str, rev: int, name: str, **other: object) -> None:
    told = change(subject, rev, facts=msgspec.json.encode({"display_name": name}).decode(), **other)
    rows.insert("seat_changes", [msgspec.json.encode(told)])


def _fill(rows: ClickHouseRows) -> None:
    """Tell something of every table, some of it twice."""
    for rev, name in enumerate(("Ann", 'Änn "\\\n\t', "Ann"), 1):
        _change(rows, "user:a", rev, name, old_profile=rev - 1, new_profile=rev)
    _change(rows, "user:a", 3, "Ann", old_profile=2, new_profile=3)
    ledger = CountLedger()
    for version in range(1, 6):
        _tell(rows, processors.license_counts([count_record(count("contoso", version, instant(version), 9))], ledger))
    _settings(rows, 1, "Contoso")
    _tell(rows, processors.alerts([MemoryRecord("alerts", b'{"level":"warning"}', b"contoso")]))
    _tell(rows, processors.alert_states([MemoryRecord("alert-state", b'{"epoch":3,"seq":18}', b"contoso")]))
    at = format_time(instant(1))
    for table, row in (
        ("sync_marks", {"tenant": "contoso", "facet": "voice", "source": "graph", "partition": 3, "started_at": at}),
        ("syncs", {"tenant": "contoso", "facet": "voice", "id": "1", "started_at": at, "sent_at": at, "seen": 2**63}),
        ("api_tokens", {"id": "1", "digest": "0" * 64, "role": "tenant_viewer", "tenants": ["contoso"],
                        "created_at": at, "expires_at": at}),
        ("api_token_uses", {"id": "1", "day": "2026-11-24"}),
        ("rollup_progress", {"name": "hourly", "through": at, "closed": at}),
        ("license_counts_hourly", {"tenant": "contoso", "at": at, "first_at": at, "avg": 1 / 3, "rolled_at": at}),
        ("license_counts_daily", {"tenant": "contoso", "at": at, "first_at": at, "avg": 2 / 3, "rolled_at": at}),
    ):  # fmt: skip
        rows.insert(table, [msgspec.json.encode(row)])


def _rows(pool: ClientPool, table: str) -> list[bytes]:
    return sorted(row for block in snapshot(pool, table) for row in block)


def _backup(pool: ClientPool, directory: Path) -> Manifest:
    return write_backup(StoredTables(pool), directory, "1.0", utc_now, lambda *_: None)


def _restore(pool: ClientPool, directory: Path, *, overwrite: bool = False) -> Manifest:
    return restore(pool, directory, KEEP_ALL, lambda *_: None, overwrite=overwrite)


def test_every_table_of_the_schema_is_in_a_backup(pool: ClientPool) -> None:
    with pool.lease() as client:
        found = client.query(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine NOT LIKE '%View'"
        ).result_rows
    assert sorted(TABLES) == sorted(name for (name,) in found)


def test_what_was_there_comes_back_to_the_byte(
    pool: ClientPool, rows: ClickHouseRows, target: ClientPool, tmp_path: Path
) -> None:
    made = _backup(pool, tmp_path / "backup")
    _restore(target, tmp_path / "backup")
    for table in TABLES[1:]:
        stored = _rows(pool, table)
        assert stored, table
        assert stored == _rows(target, table)
        assert len(stored) == made.tables[table].rows
    assert list(latest_facets(pool)) == list(latest_facets(target))
    assert [] == migrate(target, KEEP_ALL)


class Meanwhile:
    """Tables of a ClickHouse to which something happens just before one of them is read."""

    def __init__(self, pool: ClientPool, happens: Callable[[str], None]) -> None:
        self._behind, self._happens = StoredTables(pool), happens

    def rows(self, table: str) -> Iterator[list[bytes]]:
        self._happens(table)
        yield from self._behind.rows(table)


def test_what_changes_meanwhile_is_in_facts_profiles_and_changes_or_in_none(
    pool: ClientPool, rows: ClickHouseRows, target: ClientPool, tmp_path: Path
) -> None:
    """The order in which tables are read is what this tests: a change before each of them."""
    revs = iter(range(4, 4 + 2 * len(TABLES)))

    def happens(_: str) -> None:
        rev = next(revs)
        _change(rows, "user:a", rev, f"Ann {rev}", old_profile=rev - 1, new_profile=rev)

    write_backup(Meanwhile(pool, happens), tmp_path / "backup", "1.0", utc_now, lambda *_: None)
    _restore(target, tmp_path / "backup")
    (subject,) = latest_facets(target)
    (facet,) = subject.facets
    chain = ClickHouseStore(target, lambda: instant(0)).profile_changes("contoso", ["user:a"], None)
    assert list(range(1, subject.rev + 1)) == [each.rev for each in chain]
    assert (subject.rev, subject.rev) == (facet.rev, chain[-1].rev)
    assert f"Ann {subject.rev}" in facet.facts
    assert subject.profile == chain[-1].new_profile == subject.rev


def test_settings_that_change_meanwhile_let_it_begin_again(
    pool: ClientPool, rows: ClickHouseRows, target: ClientPool, tmp_path: Path
) -> None:
    changes = iter([2])

    def once(table: str) -> None:
        if table == "seat_changes" and (revision := next(changes, 0)):
            _settings(rows, revision, "Later")

    write_backup(Meanwhile(pool, once), tmp_path / "once", "1.0", utc_now, lambda *_: None)
    _restore(target, tmp_path / "once")
    assert [1, 2] == [each.revision for each in ClickHouseStore(target, lambda: instant(0)).settings_history("contoso")]

    def always(table: str) -> None:
        if table == "seat_changes":
            _settings(rows, 1_000 + len(_rows(pool, "tenant_settings")), "Again")

    with pytest.raises(BackupError, match="settings changed during each of 3 attempts"):
        write_backup(Meanwhile(pool, always), tmp_path / "always", "1.0", utc_now, lambda *_: None)
    with pytest.raises(BackupError, match="is no backup, or one that was not finished"):
        load_manifest(tmp_path / "always")


def test_a_backup_is_written_where_nothing_is(pool: ClientPool, tmp_path: Path) -> None:
    _backup(pool, tmp_path / "one")
    with pytest.raises(BackupError, match="has a backup already: name a new directory"):
        _backup(pool, tmp_path / "one")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").touch()
    with pytest.raises(BackupError, match=r"is not empty \(a.txt is there\)"):
        _backup(pool, tmp_path / "letters")


def test_a_file_that_is_not_as_it_was_written_is_found_before_anything_is_put_back(
    pool: ClientPool, rows: ClickHouseRows, target: ClientPool, tmp_path: Path
) -> None:
    made = _backup(pool, tmp_path / "backup")
    path = tmp_path / "backup" / made.tables["seat_changes"].file
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"Ann", b"Eve")))
    with pytest.raises(BackupError, match="is not as it was written"):
        _restore(target, tmp_path / "backup")
    path.unlink()
    with pytest.raises(BackupError, match="cannot be read: No such file"):
        _restore(target, tmp_path / "backup")
    with target.lease() as client:
        assert not client.command("EXISTS TABLE seat_changes")


def test_what_is_there_is_lost_by_command_alone(
    pool: ClientPool, rows: ClickHouseRows, target: ClientPool, tmp_path: Path
) -> None:
    _backup(pool, tmp_path / "backup")
    migrate(target, KEEP_ALL)
    _change(ClickHouseRows(target), "user:other", 1, "Other")
    with pytest.raises(BackupError, match=r"has rows already \(seat_facets\): .*give --overwrite"):
        _restore(target, tmp_path / "backup")
    _restore(target, tmp_path / "backup", overwrite=True)
    assert list(latest_facets(pool)) == list(latest_facets(target))


def test_half_a_restore_is_refused_by_every_start(
    pool: ClientPool, rows: ClickHouseRows, target: ClientPool, tmp_path: Path
) -> None:
    _backup(pool, tmp_path / "backup")

    def crash(table: str, _: int) -> None:
        if table == "seat_facets":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(target, tmp_path / "backup", KEEP_ALL, crash)
    with pytest.raises(MigrationRefusedError, match="a restore into this database did not come to its end"):
        migrate(target, KEEP_ALL)
    with pytest.raises(BackupError, match="begin again with --overwrite"):
        _restore(target, tmp_path / "backup")
    _restore(target, tmp_path / "backup", overwrite=True)
    assert [] == migrate(target, KEEP_ALL)
    assert _rows(pool, "seat_changes") == _rows(target, "seat_changes")


def test_a_backup_of_an_older_schema_goes_through_the_migrations_since(
    pool: ClientPool, rows: ClickHouseRows, target: ClientPool, tmp_path: Path
) -> None:
    _change(rows, "user:old", 1, "Old", epoch=7)
    made = _backup(pool, tmp_path / "backup")
    older = made.model_copy(update={
        "migrations": made.migrations[:3],
        "tables": {name: file for name, file in made.tables.items() if not name.startswith(("api_", "alert_"))},
    })  # fmt: skip
    older.save(tmp_path / "backup")
    _restore(target, tmp_path / "backup")
    assert list(latest_facets(pool)) == list(latest_facets(target))
    with target.lease() as client:
        applied = client.query("SELECT number FROM schema_migrations FINAL ORDER BY number").result_rows
        assert [each.number for each in packaged()] == [number for (number,) in applied]
        assert 0 == client.query("SELECT max(epoch) FROM seat_changes").result_rows[0][0], "the column came later"


def test_a_backup_of_a_newer_version_is_refused(pool: ClientPool, target: ClientPool, tmp_path: Path) -> None:
    made = _backup(pool, tmp_path / "backup")
    later = made.migrations[0].model_copy(update={"number": 9_999, "name": "later"})
    made.model_copy(update={"migrations": [*made.migrations, later]}).save(tmp_path / "backup")
    with pytest.raises(MigrationRefusedError, match="9999_later, which this version does not know"):
        _restore(target, tmp_path / "backup")
    (tmp_path / "backup" / NAME).write_text('{"format": 2}')
    with pytest.raises(BackupError, match="made by a newer version"):
        _restore(target, tmp_path / "backup")
