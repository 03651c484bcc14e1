"""Chooses the ClickHouse of a test run: a given server, Docker by testcontainers, else chDB in this process.

chDB 4.4 (engine 26.9), measured: one path per process at a time, any number of clients and threads on it. A second
path raises ProgrammingError while a client of the first is open, and opens (0.1 s) once all of them are closed. A path
that another process has open cannot be opened: the error says no more than "Error initializing EmbeddedServer".
"""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from tests.support.kafka_docker import docker_answers

ADDRESS_VARIABLE = "POOLWATCH_TEST_CLICKHOUSE"
IMAGE = "clickhouse/clickhouse-server:25.8"


@dataclass(frozen=True)
class Database:
    """A database of one test: its name and a client that uses it."""

    name: str
    client: Client


class ClickHouse(Protocol):
    """A ClickHouse engine of the tests."""

    @property
    def name(self) -> str:
        """Product, version and where it runs."""

    @property
    def in_process(self) -> bool:
        """Whether it is chDB: no other process can reach its data while this one has it open."""

    @property
    def connection(self) -> dict[str, Any]:
        """The arguments of `clickhouse_connect.get_client` that lead to it, without a database."""

    def start(self) -> None:
        """Start it and learn its version."""

    def close(self) -> None:
        """Stop it and delete its data, if it is ours."""


class Chdb:
    """The real engine in this process, its data in a temporary folder. Nothing stays open between tests."""

    in_process = True

    def __init__(self) -> None:
        self.name = "chDB"
        self._folder = Path(tempfile.mkdtemp(prefix="poolwatch-chdb-"))
        self.connection: dict[str, Any] = {"interface": "chdb", "path": str(self._folder / "data")}

    def start(self) -> None:
        """Open and close it once, for its version."""
        from importlib.metadata import version

        self.name = f"chDB {version('chdb')}, ClickHouse {_version(self.connection)}, in process"

    def close(self) -> None:
        """Delete its data."""
        shutil.rmtree(self._folder, ignore_errors=True)


class ClickHouseServer:
    """A server at an address, `http://user:password@host:8123`."""

    in_process = False

    def __init__(self, url: str, origin: str) -> None:
        self.name = origin
        self._origin = origin
        self.connection: dict[str, Any] = {"dsn": url}

    def start(self) -> None:
        """Connect once, for its version."""
        self.name = f"ClickHouse {_version(self.connection)} ({self._origin})"

    def close(self) -> None:
        """Leave it alone."""


class DockerClickHouse:
    """A server in a container that lasts as long as the run."""

    in_process = False

    def __init__(self) -> None:
        from testcontainers.core.container import DockerContainer

        self.name = f"{IMAGE} (Docker)"
        self.connection: dict[str, Any] = {}
        self._container = DockerContainer(IMAGE).with_exposed_ports(8123).with_env("CLICKHOUSE_SKIP_USER_SETUP", "1")

    def start(self) -> None:
        """Start it and wait until it answers queries."""
        from tests.support.waiting import eventually

        self._container.start()
        host, port = self._container.get_container_host_ip(), self._container.get_exposed_port(8123)
        self.connection = {"dsn": f"http://default@{host}:{port}"}

        def answers() -> str:
            try:
                return _version(self.connection)
            except clickhouse_connect.driver.exceptions.Error as error:
                raise ConnectionError(str(error)) from error

        self.name = f"ClickHouse {eventually(answers, deadline_s=60)} (Docker)"

    def close(self) -> None:
        """Remove the container."""
        self._container.stop()


def choose_engine() -> ClickHouse:
    """Return the engine of this run, not started yet."""
    if url := os.environ.get(ADDRESS_VARIABLE):
        return ClickHouseServer(url, ADDRESS_VARIABLE)
    if docker_answers():
        return DockerClickHouse()
    return Chdb()


@contextlib.contextmanager
def fresh_database(engine: ClickHouse) -> Iterator[Database]:
    """Yield a new empty database and a client that uses it; drop the one and close the other afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with contextlib.closing(clickhouse_connect.get_client(**engine.connection)) as admin:
        admin.command(f"CREATE DATABASE {name}")
        try:
            with contextlib.closing(clickhouse_connect.get_client(**engine.connection, database=name)) as client:
                yield Database(name, client)
        finally:
            admin.command(f"DROP DATABASE {name}")


def _version(connection: dict[str, Any]) -> str:
    with contextlib.closing(clickhouse_connect.get_client(**connection)) as client:
        return str(client.command("SELECT version()"))
