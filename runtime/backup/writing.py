"""Owns the making of a backup: every table to a file of JSON lines, then the manifest."""

import gzip
import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from pydantic import TypeAdapter

from portal.store.snapshot import TABLES
from runtime.backup.errors import BackupError
from runtime.backup.manifest import NAME, AppliedMigration, Manifest, TableFile

_ATTEMPTS = 3
_LEVEL = 1
"""Of compression: a higher one takes three times as long for a tenth less."""
_SETTINGS, _MIGRATIONS = "tenant_settings", "schema_migrations"

OnProgress = Callable[[str, int], None]
"""Told the table that is being read or loaded, and the rows so far."""
_migrations = TypeAdapter(list[AppliedMigration])


class Tables(Protocol):
    """Where the tables are read."""

    def rows(self, table: str) -> Iterator[list[bytes]]:
        """Yield the rows of a table in blocks, each row a JSON object."""


def write_backup(
    tables: Tables, directory: Path, version: str, clock: Callable[[], datetime], on_progress: OnProgress
) -> Manifest:
    """Write a backup into a directory that is new or empty. Raises BackupError, and what reading raises."""
    _make(directory)
    for _ in range(_ATTEMPTS):
        begun = clock()
        settings = _settings(tables)
        files = {table: _write(tables, table, directory, on_progress) for table in TABLES}
        # Settings rule over all that was read: with those of one instant, there is one instant for everything.
        if _settings(tables) == settings:
            migrations = _read_migrations(directory / files[_MIGRATIONS].file)
            manifest = Manifest(
                version=version, begun_at=begun, finished_at=clock(), migrations=migrations, tables=files
            )
            manifest.save(directory)
            return manifest
    raise BackupError(
        f"settings changed during each of {_ATTEMPTS} attempts, and a backup has those of one instant:"
        f" empty {directory}, and try again when nobody changes settings"
    )


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        found = sorted(path.name for path in directory.iterdir())
    except OSError as error:
        raise BackupError(f"{directory} cannot be written: {error.strerror}. Name another directory") from error
    if found:
        what = "has a backup already" if NAME in found else f"is not empty ({found[0]} is there)"
        raise BackupError(f"{directory} {what}: name a new directory")


def _settings(tables: Tables) -> set[bytes]:
    return {row for block in tables.rows(_SETTINGS) for row in block}


def _write(tables: Tables, table: str, directory: Path, on_progress: OnProgress) -> TableFile:
    path = directory / f"{table}.jsonl.gz"
    rows = 0
    try:
        with path.open("wb") as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=_LEVEL, mtime=0) as file:
                for block in tables.rows(table):
                    file.writelines(row + b"\n" for row in block)
                    rows += len(block)
                    on_progress(table, rows)
            raw.flush()
            os.fsync(raw.fileno())
        with path.open("rb") as written:
            return TableFile(file=path.name, rows=rows, bytes=path.stat().st_size, sha256=digest_of(written))
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written: {error.strerror}. The backup is not finished: free some space, empty"
            f" {directory}, and begin again"
        ) from error


def digest_of(file: IO[bytes]) -> str:
    """Return the SHA-256 of a file from where it stands, in hex."""
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary file will do


def _read_migrations(path: Path) -> list[AppliedMigration]:
    with gzip.open(path, "rb") as file:
        found = _migrations.validate_json(b"[" + b",".join(file.read().splitlines()) + b"]")
    return sorted(found, key=lambda migration: migration.number)
