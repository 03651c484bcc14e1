"""Owns the schema of ClickHouse: numbered SQL files, each applied once and in order, and how long tables keep rows."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template

import structlog
from clickhouse_connect.driver.client import Client

from runtime.clickhouse.errors import MigrationRefusedError
from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.unfinished import restore_begun
from runtime.settings import Retention

_log = structlog.get_logger(__name__)
_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)

_TABLE = """CREATE TABLE IF NOT EXISTS schema_migrations ${on_cluster}
(number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = ${replicated}ReplacingMergeTree(applied_at) ORDER BY number"""

# Table, its time column, and the setting of `runtime.settings.Retention` that says how many days it keeps.
_KEPT = (
    ("license_counts", "at", "counts_days"),
    ("license_counts_hourly", "at", "hourly_days"),
    ("license_counts_daily", "at", "daily_days"),
    ("seat_changes", "recorded_at", "changes_days"),
    ("alerts", "recorded_at", "changes_days"),
    ("syncs", "started_at", "changes_days"),
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file; its statements can each run twice, for a crash may come between them and their mark."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file as it stands, before placeholders are filled."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def statements(self, cluster: str | None) -> list[str]:
        """Return the statements with `${replicated}` and `${on_cluster}` filled."""
        parts = _STATEMENT_END.split(_COMMENT.sub("", self.sql))
        return [_fill(part.strip(), cluster) for part in parts if part.strip()]


def packaged() -> list[Migration]:
    """Return the migrations of this version, in order."""
    files = resources.files("runtime.clickhouse").joinpath("migrations").iterdir()
    found = [(match, file) for file in files if (match := _FILE.match(file.name))]
    return sorted(
        (Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")) for match, file in found),
        key=lambda migration: migration.number,
    )


def migrate(
    pool: ClientPool,
    retention: Retention,
    cluster: str | None = None,
    migrations: Sequence[Migration] | None = None,
) -> list[str]:
    """Bring the schema up to this version and set the retention; return the names of what was applied.

    `cluster`: its name, where the tables are replicated. Raises MigrationRefusedError.
    """
    wanted = packaged() if migrations is None else list(migrations)
    with pool.lease() as client:
        client.command(_fill(_TABLE, cluster))
        if restore_begun(client):
            raise MigrationRefusedError(
                "a restore into this database did not come to its end, so it is not whole: run it again with"
                " --overwrite"
            )
        applied = _applied(client)
        _check(wanted, applied)
        done = [_apply(client, each, cluster) for each in wanted if each.number not in applied]
        _set_retention(client, retention, cluster)
    return done


def migrations_until(applied: Sequence[tuple[int, str, str]]) -> list[Migration]:
    """Return the first migrations of this version, those that a backup's tables had seen (number, name, checksum).

    Raises MigrationRefusedError for one that this version does not know.
    """
    known = packaged()
    _check(known, {number: (name, checksum) for number, name, checksum in applied})
    return [migration for migration in known if migration.number in {number for number, _, _ in applied}]


def _applied(client: Client) -> dict[int, tuple[str, str]]:
    rows = client.query("SELECT number, name, checksum FROM schema_migrations FINAL ORDER BY number").result_rows
    return {int(number): (str(name), str(checksum)) for number, name, checksum in rows}


def _check(wanted: Iterable[Migration], applied: dict[int, tuple[str, str]]) -> None:
    known = {migration.number: migration for migration in wanted}
    for number, (name, checksum) in applied.items():
        migration = known.get(number)
        if migration is None:
            raise MigrationRefusedError(
                f"the database has migration {number:04d}_{name}, which this version does not know:"
                " it was made by a newer version; run that version or a later one"
            )
        if migration.checksum != checksum:
            raise MigrationRefusedError(
                f"migration {number:04d}_{migration.name} was applied with the checksum {checksum[:12]}…, and its file"
                f" now has {migration.checksum[:12]}…: an applied migration is never edited; restore it, and write"
                " the change as a new migration"
            )


def _apply(client: Client, migration: Migration, cluster: str | None) -> str:
    for statement in migration.statements(cluster):
        client.command(statement)
    client.insert(
        "schema_migrations", [[migration.number, migration.name, migration.checksum]], ["number", "name", "checksum"]
    )
    _log.info("migration_applied", number=migration.number, name=migration.name)
    return f"{migration.number:04d}_{migration.name}"


def _set_retention(client: Client, retention: Retention, cluster: str | None) -> None:
    for table, column, setting in _KEPT:
        days = int(getattr(retention, setting))
        # Parts are dropped when merges come by; rewriting them all at once would stall a start. As a date: a DateTime
        # ends in 2106, and a long retention would wrap round to the past and delete everything.
        client.command(
            _fill(f"ALTER TABLE {table} ${{on_cluster}} MODIFY TTL toDate({column}) + toIntervalDay({days})", cluster),
            settings={"materialize_ttl_after_modify": 0},
        )


def _fill(sql: str, cluster: str | None) -> str:
    return Template(sql).substitute(
        on_cluster=f"ON CLUSTER `{cluster}`" if cluster else "", replicated="Replicated" if cluster else ""
    )
