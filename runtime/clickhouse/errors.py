"""Owns the errors of the ClickHouse client and the migrations.

    StorageError
    ├── StorageInUse        another process holds the data directory of the engine in process
    ├── StorageUnreachable  ClickHouse cannot be opened
    └── MigrationRefused    the stored schema and the migrations of this version do not fit together
"""


class StorageError(Exception):
    """ClickHouse cannot be used; the text says what happened, to what, and what to do."""


class StorageInUse(StorageError):
    """Another process holds the data directory of the engine in process."""


class StorageUnreachable(StorageError):
    """ClickHouse cannot be opened."""


class MigrationRefused(StorageError):
    """The stored schema and the migrations of this version do not fit together."""
