"""Owns the memory of which subjects a run has seen: exact, and on disk, so that a file of millions of rows fits."""

import sqlite3
from types import TracebackType
from typing import Self

from collectors.errors import CollectorError

_NOTE = "INSERT INTO seen VALUES (?, 0) ON CONFLICT (name) DO UPDATE SET times = times + 1 RETURNING times"


class Seen:
    """How often each subject of each source has come. SQLite's nameless database: a temporary file, gone when
    closed."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-8192"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("CREATE TABLE seen (name TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def times_before(self, source: str, subject: str) -> int:
        """Note that the subject has come; return how often it had before. Raises CollectorError if the disk is full."""
        try:
            row = self._database.execute(_NOTE, (f"{source}\0{subject}",)).fetchone()
        except sqlite3.Error as error:
            raise CollectorError(
                f"the temporary file that remembers which subjects have come cannot be written ({error}): make room"
                " where temporary files lie (SQLITE_TMPDIR, TMPDIR), then import again"
            ) from error
        return int(row[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
