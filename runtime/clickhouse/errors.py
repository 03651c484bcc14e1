"""Owns the errors of the ClickHouse client and the migrations.

StorageError
├── StorageInUseError        another process holds the data directory of the engine in process
├── StorageUnreachableError  ClickHouse cannot be opened
│   ├── StorageUntrustedError  the server shows a certificate that is not trusted, has expired, or has another name
│   └── StorageRefusedError    the server refuses the password or the client's certificate
└── MigrationRefusedError    the stored schema and the migrations of this version do not fit together
"""


class StorageError(Exception):
    """ClickHouse cannot be used; the text says what happened, to what, and what to do."""


class StorageInUseError(StorageError):
    """Another process holds the data directory of the engine in process."""


class StorageUnreachableError(StorageError):
    """ClickHouse cannot be opened."""


class StorageUntrustedError(StorageUnreachableError):
    """The server shows a certificate that is not to be trusted."""


class StorageRefusedError(StorageUnreachableError):
    """The server refuses who asks."""


class MigrationRefusedError(StorageError):
    """The stored schema and the migrations of this version do not fit together."""
