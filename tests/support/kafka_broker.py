"""Chooses the Kafka of a test run, the first that exists: a given one, Docker, Apache Kafka by Maven, the embedded."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

from runtime.embedded.broker import TansuBroker
from tests.support.kafka_apache import ApacheKafka
from tests.support.kafka_docker import DockerKafka, GivenKafka, docker_answers
from tests.support.kafka_jars import missing_tools
from tests.support.ports import free_port

ADDRESS_VARIABLE = "POOLWATCH_TEST_KAFKA"


class KafkaBroker(Protocol):
    """A broker of the tests. Methods block; inside a coroutine call the slow ones by `asyncio.to_thread`."""

    @property
    def name(self) -> str:
        """Product, version and where it comes from."""

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`; the same after a restart."""

    @property
    def started_in_s(self) -> float:
        """How long the last start took until it answered."""

    @property
    def controllable(self) -> bool:
        """Whether it may be stopped, killed and paused."""

    @property
    def durable(self) -> bool:
        """Whether topics and records outlive a restart."""

    @property
    def idempotent(self) -> bool:
        """Whether it knows idempotent producers and transactions."""

    def start(self) -> None:
        """Start it and return when it answers."""

    def stop(self) -> None:
        """End it in order."""

    def kill(self) -> None:
        """End it as a crash would."""

    def restart(self) -> None:
        """Stop and start it; same address."""

    def pause(self) -> None:
        """Freeze it: connections stay open, nobody answers."""

    def resume(self) -> None:
        """Wake it after `pause`."""

    def close(self) -> None:
        """Stop it for good and delete its data."""


class EmbeddedKafka:
    """The broker of `poolwatch up`, as a broker of the tests."""

    name = "the embedded broker (Tansu 0.6.0)"
    controllable = True
    durable = False
    idempotent = False

    def __init__(self) -> None:
        self.started_in_s = 0.0
        self._folder = Path(tempfile.mkdtemp(prefix="poolwatch-tansu-"))
        self._broker = TansuBroker(free_port(), self._folder / "broker.log")
        self.bootstrap = self._broker.bootstrap
        self.stop = self._broker.stop
        self.kill = self._broker.kill
        self.pause = self._broker.pause
        self.resume = self._broker.resume

    def start(self) -> None:
        """Start it, empty."""
        self._broker.start()
        self.started_in_s = self._broker.wait_ready()

    def restart(self) -> None:
        """Stop and start it; everything it held is gone."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and delete its log."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def choose_broker() -> KafkaBroker:
    """Return the broker of this run, not started yet.

    Where Java and Maven exist, Apache Kafka must come up: a failure is raised, never answered with a lesser broker.
    """
    if address := os.environ.get(ADDRESS_VARIABLE):
        return GivenKafka(address)
    return disposable_broker()


def disposable_broker() -> KafkaBroker:
    """Return a broker of its own for one test, which may stop and kill it; of the run's kind, if that is ours."""
    if docker_answers():
        return DockerKafka()
    if not missing_tools():
        return ApacheKafka()
    return EmbeddedKafka()


def why_not_apache() -> str | None:
    """Return why the run has to do without Apache Kafka, in words; None when it need not."""
    if os.environ.get(ADDRESS_VARIABLE) or docker_answers():
        return None
    missing = missing_tools()
    return f"no Docker engine, and missing: {', '.join(missing)}" if missing else None
