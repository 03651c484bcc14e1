"""Owns the clients of one ClickHouse, a server's or handles of the engine in process: one for each caller at a time."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from runtime.clickhouse import lock, server
from runtime.clickhouse.errors import StorageUnreachableError
from runtime.settings import ClickHouse

DEFAULT_SIZE = 6


class ClientPool:
    """Lends clients to threads.

    A client serialises its calls with a lock, and an open stream holds that lock: threads that share a client wait for
    each other, while clients of their own run side by side, on the engine in process as on a server.
    """

    def __init__(
        self, connect: Callable[[], Client], size: int = DEFAULT_SIZE, release: Callable[[], None] = lambda: None
    ):
        self._connect, self._release = connect, release
        self._free = size
        self._waiting: deque[threading.Event] = deque()
        self._guard = threading.Lock()
        self._idle: list[Client] = []
        self._closed = False

    @contextmanager
    def lease(self) -> Iterator[Client]:
        """Lend a client; waits while all are lent, first come first served. Raises what connecting raises."""
        self._queue_up()
        try:
            client = self._take()
            try:
                yield client
            finally:
                self._give(client)
        finally:
            self._step_aside()

    def _queue_up(self) -> None:
        with self._guard:
            if self._free and not self._waiting:
                self._free -= 1
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def _step_aside(self) -> None:
        # The place goes to whoever has waited longest. A semaphore lets a busy reader take it again at once, and
        # readers without a pause starve the sink.
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _take(self) -> Client:
        with self._guard:
            if self._closed:
                raise StorageUnreachableError(
                    "ClickHouse was asked after its clients were closed: the process is stopping"
                )
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give(self, client: Client) -> None:
        with self._guard:
            if not self._closed:
                self._idle.append(client)
                return
        client.close()

    def close(self) -> None:
        """Close the idle clients, and each lent one as it comes back."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_pool(settings: ClickHouse, size: int = DEFAULT_SIZE, cluster: str | None = None) -> ClientPool:
    """Open a pool on a server (`settings.url`) or the engine in process (`settings.data`), and make its database.

    Raises StorageInUseError, StorageUnreachableError and SettingsError.
    """
    if settings.url is None:
        return _open_in_process(settings.data, settings.database, size)
    url = settings.url.get_secret_value()
    arguments = server.arguments(settings, url)

    def connect(database: str | None) -> Client:
        named: dict[str, Any] = {} if database is None else {"database": database}
        # Without a session: a session refuses a second query while one runs.
        return clickhouse_connect.get_client(**arguments, autogenerate_session_id=False, **named)

    return _open(connect, settings.database, size, cluster, lambda error: server.why_not(settings, url, error))


def _open_in_process(path: Path, database: str, size: int) -> ClientPool:
    lock.hold(path)
    try:
        return _open(
            lambda name: clickhouse_connect.get_client(interface="chdb", path=str(path), database=name),
            database, size, None, lambda error: _not_in_process(path, error),
            lambda: lock.let_go(path),
        )  # fmt: skip
    except ImportError as error:
        lock.let_go(path)
        raise StorageUnreachableError(
            f"ClickHouse cannot run in this process: {error.name or 'chdb'} is not installed here. Set"
            " POOLWATCH_CLICKHOUSE_URL to a server; the image for clusters has no engine of its own"
        ) from error
    except BaseException:
        lock.let_go(path)
        raise


def _not_in_process(path: Path, error: Exception) -> StorageUnreachableError:
    reason = str(error).strip().splitlines()[0][:300]
    return StorageUnreachableError(
        f"the ClickHouse engine in process on {path} cannot be opened: {reason}: check that the directory can be"
        " written and has space; one process can serve one directory only"
    )


def _open(
    connect: Callable[[str | None], Client],
    database: str,
    size: int,
    cluster: str | None,
    why_not: Callable[[Exception], StorageUnreachableError],
    release: Callable[[], None] = lambda: None,
) -> ClientPool:
    try:
        root = connect(None)
        try:
            on_cluster = f" ON CLUSTER `{cluster}`" if cluster else ""
            if not root.command("EXISTS DATABASE {name:Identifier}", parameters={"name": database}):
                root.command(f"CREATE DATABASE IF NOT EXISTS `{database}`{on_cluster}")
            pool = ClientPool(lambda: connect(database), size, release)
            # Connected before the first handle closes: the engine in process stops with its last one.
            with pool.lease():
                return pool
        finally:
            with suppress(ClickHouseError):
                root.close()
    except (ClickHouseError, OSError) as error:
        raise why_not(error) from error
