"""Owns what a backup says of itself: its files with rows and checksums, and the schema that they are of.

A backup without it was not finished: it is written last, and whole.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.backup.errors import BackupError
from schemas.times import Instant

NAME = "manifest.json"


class TableFile(BaseModel):
    """A table's file: rows as JSON lines, compressed by gzip."""

    model_config = ConfigDict(frozen=True)

    file: str
    rows: int
    bytes: int
    sha256: str


class AppliedMigration(BaseModel):
    """A migration that the tables had seen."""

    model_config = ConfigDict(frozen=True)

    number: int
    name: str
    checksum: str


class Manifest(BaseModel):
    """What a backup consists of."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    version: str
    """Of the Poolwatch that made it."""
    begun_at: Instant
    finished_at: Instant
    migrations: list[AppliedMigration]
    tables: dict[str, TableFile]

    def save(self, directory: Path) -> None:
        """Write it; there is no half of it."""
        part = directory / f"{NAME}.part"
        with part.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(directory / NAME)


def load_manifest(directory: Path) -> Manifest:
    """Read the manifest of a backup. Raises BackupError."""
    try:
        return Manifest.model_validate_json((directory / NAME).read_bytes())
    except FileNotFoundError as error:
        raise BackupError(
            f"{directory} has no {NAME}: it is no backup, or one that was not finished. Take another one"
        ) from error
    except (OSError, ValidationError) as error:
        raise BackupError(
            f"{directory / NAME} cannot be read as that of a backup: it was damaged, or made by a newer version."
            " Take another backup, or the version that made it"
        ) from error
