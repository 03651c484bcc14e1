"""Owns the commands `backup` and `restore`."""

import contextlib
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from portal.services import utc_now
from portal.store.snapshot import TABLES
from runtime.backup.errors import BackupError
from runtime.backup.manifest import Manifest
from runtime.backup.restoring import restore as put_back
from runtime.backup.sources import PortalTables, StoredTables
from runtime.backup.writing import OnProgress, Tables, write_backup
from runtime.cli.client import Api, NotThere
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, print_json, print_line, print_table
from runtime.clickhouse.errors import StorageError
from runtime.clickhouse.pool import open_pool
from runtime.portal_token import bearer
from runtime.settings import ClickHouse, Settings, load

DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Data directory of a stack that is stopped (`up --data`).")
]


def backup(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new directory for the backup.")],
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Write settings, facts, history, alerts, syncs and the hashes of tokens to files, while everything runs.

    Read from POOLWATCH_CLICKHOUSE_URL where it is set, else from the portal that runs, else from --data.

    Example: poolwatch backup backups/monday
    """
    try:
        with _tables(load(), data) as tables, _progress("backing up", as_json) as on_progress:
            manifest = write_backup(tables, directory, version("poolwatch"), utc_now, on_progress)
    except (BackupError, StorageError) as error:
        raise Failure(str(error)) from error
    _print(manifest, directory, as_json)


def restore(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of a backup.")],
    data: DataOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Lose what the database has now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty database: that of POOLWATCH_CLICKHOUSE_URL, or of a data directory.

    Stop sinks and portals before. The next start, or `poolwatch rebuild kafka`, fills Kafka from it.

    Example: poolwatch restore backups/monday --data data
    """
    settings = load()
    try:
        with open_pool(_stored(settings, data)) as pool, _progress("restoring", as_json) as on_progress:
            manifest = put_back(pool, directory, settings.retention, on_progress, overwrite=overwrite)
    except (BackupError, StorageError) as error:
        raise Failure(str(error)) from error
    _print(manifest, directory, as_json)


def _stored(settings: Settings, data: Path | None) -> ClickHouse:
    return settings.clickhouse if data is None else ClickHouse(data=data / "clickhouse")


@contextlib.contextmanager
def _tables(settings: Settings, data: Path | None) -> Iterator[Tables]:
    if data is None and settings.clickhouse.url is None:
        with Api(settings.url, settings.token) as api, contextlib.suppress(NotThere):
            api.request("GET", "/healthz")
            yield PortalTables(settings.url, bearer(settings.token))
            return
    stored = _stored(settings, data)
    if stored.url is None and not stored.data.is_dir():
        raise Failure(
            f"no Poolwatch answers at {settings.url}, and there are no data in {stored.data}: start it with"
            " `poolwatch up`, or name the directory of one that is stopped by --data"
        )
    with open_pool(stored) as pool:
        yield StoredTables(pool)


@contextlib.contextmanager
def _progress(what: str, as_json: bool) -> Iterator[OnProgress]:
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    hidden = as_json or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=hidden, transient=True) as progress:
        task = progress.add_task("", total=len(TABLES))

        def told(table: str, rows: int) -> None:
            progress.update(task, completed=TABLES.index(table), description=f"{table}, {rows:,} rows")

        yield told


def _print(manifest: Manifest, directory: Path, as_json: bool) -> None:
    if as_json:
        print_json(manifest.model_dump(mode="json"))
        return
    rows = [(name, table.rows, table.bytes) for name, table in manifest.tables.items()]
    print_table(("table", "rows", "bytes"), rows, numbers=("rows", "bytes"))
    print_line(f"{directory}: whole, as of {manifest.begun_at:%Y-%m-%d %H:%M:%S} UTC")
