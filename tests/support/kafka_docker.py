"""Kafka brokers that others run: Apache Kafka in Docker by testcontainers, and any broker at a given address."""

import functools
import subprocess
import time
from typing import Any

from runtime.embedded.metadata import broker_count
from tests.support.kafka_jars import VERSION
from tests.support.ports import HOST, free_port
from tests.support.waiting import eventually

IMAGE = f"apache/kafka:{VERSION}"


@functools.cache
def docker_answers() -> bool:
    """Return whether a Docker engine can be asked; the client alone is not enough."""
    try:
        # The client's own program: a failing `docker.from_env()` leaks the socket it tried.
        command = ["docker", "version", "--format", "{{.Server.Version}}"]
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class DockerKafka:
    """Apache Kafka in a container; its port on this machine is fixed, so that a restart keeps the address."""

    controllable = True
    durable = True
    idempotent = True

    def __init__(self) -> None:
        from testcontainers.core.container import DockerContainer

        self.name = f"Apache Kafka {VERSION} (Docker)"
        self.started_in_s = 0.0
        self._port = free_port()
        self._container = DockerContainer(IMAGE).with_bind_ports(self._port, self._port)
        for name, value in self._settings().items():
            self._container.with_env(f"KAFKA_{name.upper()}", value)
        self._created = False

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return f"{HOST}:{self._port}"

    def start(self) -> None:
        """Start the container and wait until the broker answers."""
        begin = time.monotonic()
        if self._created:
            self._engine().start()
        else:
            self._container.start()
            self._created = True
        eventually(lambda: broker_count(HOST, self._port) > 0, deadline_s=90)
        self.started_in_s = time.monotonic() - begin

    def stop(self) -> None:
        """End the broker in order."""
        self._engine().stop(timeout=30)

    def kill(self) -> None:
        """End the broker as a crash would."""
        self._engine().kill()

    def restart(self) -> None:
        """Stop and start it on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the broker: connections stay open, nobody answers."""
        self._engine().pause()

    def resume(self) -> None:
        """Wake it after `pause`."""
        self._engine().unpause()

    def close(self) -> None:
        """Remove the container and its data."""
        self._container.stop()

    def _engine(self) -> Any:
        return self._container.get_wrapped_container()

    def _settings(self) -> dict[str, str]:
        return {
            "node_id": "1",
            "process_roles": "broker,controller",
            "controller_quorum_voters": "1@localhost:9093",
            "listeners": f"PLAINTEXT://:{self._port},CONTROLLER://:9093",
            "advertised_listeners": f"PLAINTEXT://{HOST}:{self._port}",
            "controller_listener_names": "CONTROLLER",
            "listener_security_protocol_map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "auto_create_topics_enable": "false",
            "offsets_topic_replication_factor": "1",
            "offsets_topic_num_partitions": "4",
            "transaction_state_log_replication_factor": "1",
            "transaction_state_log_min_isr": "1",
            "group_initial_rebalance_delay_ms": "0",
            "group_min_session_timeout_ms": "1000",
        }


class GivenKafka:
    """A broker somebody else runs: used as it is, never stopped."""

    controllable = False
    durable = True
    idempotent = True
    started_in_s = 0.0

    def __init__(self, bootstrap: str) -> None:
        self.name = f"the broker at {bootstrap} (POOLWATCH_TEST_KAFKA)"
        self.bootstrap = bootstrap

    def start(self) -> None:
        """Fail at once when it does not answer."""
        host, _, port = self.bootstrap.split(",")[0].rpartition(":")
        if broker_count(host, int(port), timeout_s=10) < 1:
            raise ConnectionError(f"{self.name} answers, but knows of no broker")

    def close(self) -> None:
        """Leave it alone."""

    def stop(self) -> None:
        """Refuse: it is not ours."""
        raise NotImplementedError(f"{self.name} is not for the tests to stop; ask for `disposable_kafka`")

    kill = restart = pause = resume = stop
