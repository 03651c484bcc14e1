"""Owns where a backup reads tables: from ClickHouse itself, or from the portal of a running stack that holds it."""

from collections.abc import Iterator

import httpx
from clickhouse_connect.driver.exceptions import ClickHouseError

from portal.store.snapshot import snapshot
from runtime.backup.errors import BackupError
from runtime.clickhouse.pool import ClientPool

_CHUNK_BYTES = 1024 * 1024
_TIMEOUT = httpx.Timeout(60.0, read=300.0)


class StoredTables:
    """The tables of a ClickHouse server, or of the engine in process."""

    def __init__(self, pool: ClientPool) -> None:
        self._pool = pool

    def rows(self, table: str) -> Iterator[list[bytes]]:
        """Yield the rows of a table in blocks. Raises BackupError."""
        try:
            yield from snapshot(self._pool, table)
        except ClickHouseError as error:
            raise BackupError(
                f"ClickHouse did not give the table {table}: {str(error).splitlines()[0][:300]}. The backup is not"
                " finished: look at its log, run `poolwatch migrate`, and begin anew with an empty directory"
            ) from error


class PortalTables:
    """The tables that a portal holds, read through its API."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url, self._headers = url, headers

    def rows(self, table: str) -> Iterator[list[bytes]]:
        """Yield the rows of a table in blocks. Raises BackupError."""
        try:
            with httpx.stream(
                "GET", f"{self._url}/api/v1/backup/{table}", headers=self._headers, timeout=_TIMEOUT
            ) as response:
                if response.is_error:
                    raise self._refused(response)
                yield from _blocks(response.iter_bytes(_CHUNK_BYTES))
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise BackupError(
                f"the portal at {self._url} stopped answering in the middle of the table {table}: the backup is not"
                " finished. Look at the portal's log, and begin anew with an empty directory"
            ) from error

    def _refused(self, response: httpx.Response) -> BackupError:
        response.read()
        try:
            detail = str(response.json()["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"{response.status_code} {response.reason_phrase}"
        return BackupError(f"the portal at {self._url} does not give its tables: {detail}")


def _blocks(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    rest = b""
    for chunk in chunks:
        *rows, rest = (rest + chunk).split(b"\n")
        yield rows
    if rest:
        raise httpx.RemoteProtocolError("the last row is cut")
