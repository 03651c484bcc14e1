"""Apache Kafka for tests: one KRaft node on loopback, its data in a temporary folder."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from runtime.embedded.child import Child, ChildFailedError
from runtime.embedded.metadata import broker_count
from tests.support.kafka_jars import VERSION, ensure_jars
from tests.support.ports import HOST, free_ports

READY_S = 60.0
_CLUSTER_ID = "poolwatch-test-cluster"

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""


class ApacheKafka:
    """A broker process; `stop` and `start` again keep ports and data, `close` forgets both."""

    controllable = True
    durable = True
    idempotent = True

    def __init__(
        self, properties: str = "", format_arguments: Sequence[str] = (), java_options: Sequence[str] = ()
    ) -> None:
        """`properties` come last and win; `{host}`, `{port}` and `{controller_port}` in them are filled in."""
        self._format_arguments, self._java_options = format_arguments, java_options
        self.name = f"Apache Kafka {VERSION} (jars from Maven)"
        self.started_in_s = 0.0
        self._jars = ensure_jars()
        self._folder = Path(tempfile.mkdtemp(prefix="poolwatch-kafka-"))
        self._port, controller_port = free_ports(2)
        self.properties_path = self._folder / "server.properties"
        self.properties_path.write_text(
            (_PROPERTIES + properties).format(
                host=HOST, port=self._port, controller_port=controller_port, data=self._folder / "data"
            )
        )
        command = self._java("512m", "kafka.Kafka", str(self.properties_path))
        self._child = Child(self.name, command, self._folder / "kafka.log")

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return f"{HOST}:{self._port}"

    @property
    def log_path(self) -> Path:
        """The file that holds the output of every start."""
        return self._child.log_path

    def start(self) -> None:
        """Start the broker and wait until it answers; ChildFailedError with the tail of its log when it does not."""
        begin = time.monotonic()
        if not (self._folder / "data").exists():
            self._format()
        self._child.start()
        try:
            self._child.wait_ready(lambda: broker_count(HOST, self._port) > 0, READY_S)
        except ChildFailedError:
            self._child.kill()
            raise
        self.started_in_s = time.monotonic() - begin

    def stop(self) -> None:
        """End the broker in order. Clients see their connections close."""
        self._child.stop(deadline_s=30)

    def kill(self) -> None:
        """End the broker as a crash would."""
        self._child.kill()

    def restart(self) -> None:
        """Stop and start it on the same ports and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the broker: connections stay open, nobody answers."""
        self._child.pause()

    def resume(self) -> None:
        """Wake it after `pause`."""
        self._child.resume()

    def close(self) -> None:
        """Stop it and delete its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _java(self, heap: str, main: str, *arguments: str) -> list[str]:
        options = [f"-Xmx{heap}", "-XX:+UseSerialGC", "-Xshare:auto", "-Dlog4j2.level=WARN", *self._java_options]
        return ["java", *options, "-cp", f"{self._jars}/*", main, *arguments]

    def _format(self) -> None:
        arguments = ["format", "--standalone", "--cluster-id", _CLUSTER_ID, "--config", str(self.properties_path)]
        arguments += self._format_arguments
        command = [*self._java("128m", "kafka.tools.StorageTool", *arguments)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=READY_S, check=False)
        if result.returncode != 0:
            raise ChildFailedError(f"{self.name} could not format its storage:\n{result.stdout}{result.stderr}")
