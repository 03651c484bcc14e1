"""Owns the putting back of a backup: everything checked first, then table by table into a schema of the same age."""

import gzip
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from clickhouse_connect.driver.client import Client

from portal.store.snapshot import TABLES
from runtime.backup.errors import BackupError
from runtime.backup.manifest import Manifest, TableFile, load_manifest
from runtime.backup.writing import OnProgress, digest_of
from runtime.clickhouse.migrate import migrate, migrations_until
from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.unfinished import begin_restore, end_restore, restore_begun
from runtime.settings import Retention
from streams.sink.clickhouse import ClickHouseRows

_BLOCK = 50_000
_MIGRATIONS = "schema_migrations"
# Their rows come a second time with the seat changes, by views; a change that came during the backup makes them more.
_GROWING = ("seat_facets", "subject_profiles")


def check_backup(directory: Path) -> Manifest:
    """Return the manifest of a backup whose files are all there and as they were written. Raises BackupError."""
    manifest = load_manifest(directory)
    for table, written in manifest.tables.items():
        path = directory / written.file
        try:
            with path.open("rb") as file:
                found = digest_of(file)
        except OSError as error:
            raise BackupError(f"{path} cannot be read: {error.strerror}. Take another backup") from error
        if found != written.sha256:
            raise BackupError(
                f"{path} is not as it was written: its SHA-256 begins with {found[:12]}, and that of {table} with"
                f" {written.sha256[:12]}. Copy it again, or take another backup"
            )
    return manifest


def restore(
    pool: ClientPool, directory: Path, retention: Retention, on_progress: OnProgress, *, overwrite: bool = False
) -> Manifest:
    """Put a backup into a database without rows, or with `overwrite` in place of what it has.

    A database in which this did not come to its end is refused by every start until it does. Raises BackupError and
    MigrationRefusedError.
    """
    manifest = check_backup(directory)
    migrations = migrations_until([(each.number, each.name, each.checksum) for each in manifest.migrations])
    _make_room(pool, overwrite=overwrite)
    migrate(pool, retention, migrations=migrations)
    with pool.lease() as client:
        begin_restore(client)
        # Rows older than the retention may go as soon as they are there; until all are counted none may.
        client.command("SYSTEM STOP TTL MERGES")
        try:
            for table, written in manifest.tables.items():
                if table != _MIGRATIONS:
                    _load(pool, table, directory / written.file, on_progress)
                    _count(client, table, written)
        finally:
            client.command("SYSTEM START TTL MERGES")
        end_restore(client)
    migrate(pool, retention)
    return manifest


def _make_room(pool: ClientPool, *, overwrite: bool) -> None:
    with pool.lease() as client:
        there = [table for table in TABLES if client.command(f"EXISTS TABLE {table}")]
        if not overwrite:
            if _MIGRATIONS in there and restore_begun(client):
                raise BackupError(
                    "an earlier restore into this database did not come to its end: begin again with --overwrite"
                )
            full = [table for table in there if table != _MIGRATIONS and _has_rows(client, table)]
            if full:
                raise BackupError(
                    f"the database has rows already ({full[0]}): restore into an empty one, or give --overwrite to"
                    " lose what it has"
                )
        # Whatever the tables are like now, they become as the backup's schema has them.
        for view in ("seat_facets_of_changes", "subject_profiles_of_changes"):
            client.command(f"DROP VIEW IF EXISTS {view} SYNC")
        for table in there:
            client.command(f"DROP TABLE {table} SYNC")


def _has_rows(client: Client, table: str) -> bool:
    return bool(client.query(f"SELECT 1 FROM {table} LIMIT 1").result_rows)


def _load(pool: ClientPool, table: str, path: Path, on_progress: OnProgress) -> None:
    rows, sink = 0, ClickHouseRows(pool)
    lines = _lines(path)
    while block := list(islice(lines, _BLOCK)):
        sink.insert(table, block)
        rows += len(block)
        on_progress(table, rows)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                yield line.rstrip(b"\n")
    except (OSError, EOFError, zlib.error) as error:
        raise BackupError(f"{path} cannot be read: {error}. Copy it again, or take another backup") from error


def _count(client: Client, table: str, written: TableFile) -> None:
    found = int(client.query(f"SELECT count() FROM {table} FINAL").result_rows[0][0])
    if found < written.rows or (found > written.rows and table not in _GROWING):
        raise BackupError(
            f"{table} has {found:,} rows after the restore, and the backup has {written.rows:,}: look at the log of"
            " ClickHouse, and begin again with --overwrite"
        )
