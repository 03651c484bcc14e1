"""The embedded broker comes up, tells what is in its way, and ends when told to."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.embedded.broker import PortInUseError, TansuBroker
from runtime.embedded.child import Child, ChildFailedError
from runtime.embedded.metadata import broker_count
from tests.support.ports import HOST, free_port


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[TansuBroker]:
    broker = TansuBroker(free_port(), tmp_path / "logs" / "broker.log")
    yield broker
    broker.stop()


def test_it_serves_on_loopback_and_ends_when_told(broker: TansuBroker, tmp_path: Path) -> None:
    broker.start()
    broker.wait_ready()
    port = int(broker.bootstrap.rpartition(":")[2])
    assert broker_count(HOST, port) == 1

    broker.stop()

    assert not broker.alive
    with pytest.raises(ConnectionRefusedError):
        broker_count(HOST, port)
    assert "tansu broker" in (tmp_path / "logs" / "broker.log").read_text()


def test_it_can_be_started_again(broker: TansuBroker) -> None:
    broker.start()
    broker.wait_ready()
    first = broker.pid
    broker.stop()

    broker.start()
    broker.wait_ready()

    assert broker.pid != first


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortInUseError, match=rf"port {port} on 127\.0\.0\.1 is in use.*choose another"):
            TansuBroker(port, tmp_path / "broker.log").start()


def test_a_child_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    child = Child("the example", ["sh", "-c", "echo no such luck; exit 3"], tmp_path / "child.log")
    child.start()

    with pytest.raises(ChildFailedError, match=r"(?s)the example ended before it was ready.*no such luck"):
        child.wait_ready(lambda: False, deadline_s=5)


def test_a_child_that_hears_no_sigterm_is_killed(tmp_path: Path) -> None:
    child = Child("the deaf one", ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"], tmp_path / "log")
    child.start()
    child.wait_ready(lambda: "up" in child.log_tail(), deadline_s=5)

    child.stop(deadline_s=0.2)

    assert not child.alive


def test_what_listens_and_speaks_no_kafka_is_told_apart() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        with pytest.raises(TimeoutError):
            broker_count(HOST, other.getsockname()[1], timeout_s=0.2)
