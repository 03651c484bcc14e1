"""The stage of the bench: the broker, topics by prefix, children with their logs; all of it is gone at the end."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from runtime import kafka, topics
from runtime.embedded.child import Child
from runtime.settings import Kafka
from schemas.identifiers import partition_of
from schemas.settings import TenantSettings
from schemas.topics import full_name
from tests.bench.events import PARTITIONS, Place, Record
from tests.support.kafka_broker import KafkaBroker, choose_broker
from tests.support.kafka_clients import create_topic
from tests.support.ports import HOST

_BATCH_BYTES = 64 * 1024


class Stage:
    """What measurements stand on. `quick`: less data."""

    def __init__(self, broker: KafkaBroker, folder: Path, *, quick: bool) -> None:
        self.broker = broker
        self.folder = folder
        self.quick = quick
        self.filled: list[str] = []
        """Prefixes whose topics a meter has filled from single events."""

    def limits(self, bar: float, aim: float) -> tuple[float | None, float | None]:
        """Return bar and aim of a figure that means little on less data: none when quick."""
        return (None, None) if self.quick else (bar, aim)

    def kafka(self, prefix: str) -> Kafka:
        """Return the settings of Kafka for topics of a prefix."""
        return Kafka(bootstrap=self.broker.bootstrap, topic_prefix=prefix, partitions=PARTITIONS)

    def new_name(self) -> str:
        """Return a name that nothing else has."""
        return f"b{uuid.uuid4().hex[:8]}"

    def data_of(self, prefix: str) -> Path:
        """Return the directory of ClickHouse that goes with the topics of a prefix."""
        return self.folder / prefix.rstrip(".")

    def new_topics(self) -> str:
        """Make all topics under a new prefix, and return it."""
        prefix = f"{self.new_name()}."
        asyncio.run(self._make_topics(self.kafka(prefix)))
        return prefix

    async def _make_topics(self, own: Kafka) -> None:
        admin = kafka.admin(own)
        await admin.start()
        try:
            await topics.ensure(admin, own.topic_prefix, PARTITIONS)
        finally:
            await admin.close()

    @contextmanager
    def child(self, role: str, **arguments: Any) -> Iterator[Child]:
        """Run `tests.bench.roles.<role>` as a process of its own until the block ends."""
        log_path = self.folder / f"{role}-{uuid.uuid4().hex[:6]}.log"
        arguments |= {
            "bootstrap": self.broker.bootstrap, "folder": str(self.folder), "idempotent": self.broker.idempotent
        }  # fmt: skip
        command = [sys.executable, "-m", f"tests.bench.roles.{role}", json.dumps(arguments)]
        # Faust makes a directory of its own for every app, in the working directory unless told otherwise.
        env = os.environ | {"APP_DATADIR": str(self.folder / uuid.uuid4().hex)}
        child = Child(f"{role} of the bench", command, log_path, env)
        child.start()
        try:
            yield child
        finally:
            child.stop(deadline_s=20)

    def publish(self, prefix: str, records: Mapping[Place, list[Record]], settings: list[TenantSettings]) -> None:
        """Write settings and records in batches of 64 KiB; returns when the broker has all of them."""
        asyncio.run(self._publish(prefix, records, settings))

    async def _publish(
        self, prefix: str, records: Mapping[Place, list[Record]], settings: list[TenantSettings]
    ) -> None:
        async with self.producer() as producer:
            told = {("tenants", partition): list[Record]() for partition in range(PARTITIONS)}
            for each in settings:
                key = each.tenant.encode()
                told["tenants", partition_of(key, PARTITIONS)].append((key, each.model_dump_json().encode()))
            for (topic, partition), part in [*told.items(), *records.items()]:
                await write(producer, full_name(prefix, topic), partition, part)  # type: ignore[arg-type]

    def fill_topic(self, topic: str, records: Mapping[int, list[Record]]) -> None:
        """Make a topic that is none of ours, and write records by partition."""
        asyncio.run(self._fill_topic(topic, records))

    async def _fill_topic(self, topic: str, records: Mapping[int, list[Record]]) -> None:
        await create_topic(self.broker.bootstrap, topic, PARTITIONS)
        async with self.producer() as producer:
            for partition, part in records.items():
                await write(producer, topic, partition, part)

    def producer(self) -> AIOKafkaProducer:
        """Return a producer as an `async with`: acknowledged by all, lz4."""
        return AIOKafkaProducer(
            bootstrap_servers=self.broker.bootstrap, acks="all", compression_type="lz4", max_batch_size=_BATCH_BYTES
        )


async def write(producer: AIOKafkaProducer, topic: str, partition: int, records: list[Record]) -> None:
    """Write records to a partition in full batches, and wait for the broker."""
    waiting = []
    builder = producer.create_batch()
    for key, value in records:
        if builder.append(key=key, value=value, timestamp=None) is None:
            waiting.append(await producer.send_batch(builder, topic, partition=partition))
            builder = producer.create_batch()
            if builder.append(key=key, value=value, timestamp=None) is None:
                raise ValueError(f"a record of {len(value):,} bytes does not fit a batch of {_BATCH_BYTES:,}")
    waiting.append(await producer.send_batch(builder, topic, partition=partition))
    await asyncio.gather(*waiting)


def lines(child: Child, event: str) -> list[dict[str, Any]]:
    """Return what a child has logged as JSON under an event's name."""
    found = []
    for line in child.log_path.read_text(errors="replace").splitlines():
        start = line.find("{")  # Faust hides the cursor first
        if start >= 0 and f'"{event}"' in line:
            entry = json.loads(line[start:])
            if entry.get("event") == event:
                found.append(entry)
    return found


def wait_for(child: Child, event: str, deadline_s: float) -> dict[str, Any]:
    """Wait until a child has logged an event, and return it. Raises ChildFailedError with the end of its log."""
    child.wait_ready(lambda: bool(lines(child, event)), deadline_s)
    return lines(child, event)[-1]


def wait_for_portal(portal: Child, port: int, deadline_s: float) -> None:
    """Wait until a portal answers. Raises ChildFailedError with the end of its log."""

    def is_ready() -> bool:
        try:
            return httpx.get(f"http://{HOST}:{port}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    portal.wait_ready(is_ready, deadline_s)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(child: Child) -> tuple[int, int]:
    """Return the resident memory of a child now, and the most it had."""
    status = Path(f"/proc/{child.pid}/status").read_text()
    sizes = dict(line.split(":", 1) for line in status.splitlines() if line.startswith("Vm"))
    return int(sizes["VmRSS"].split()[0]) * 1024, int(sizes["VmHWM"].split()[0]) * 1024


@contextmanager
def open_stage(*, quick: bool) -> Iterator[Stage]:
    """Start a broker and yield the stage; stop the broker and delete all files afterwards, also after SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    broker = choose_broker()
    folder = Path(tempfile.mkdtemp(prefix="poolwatch-bench-"))
    try:
        broker.start()
        yield Stage(broker, folder, quick=quick)
    finally:
        broker.close()
        shutil.rmtree(folder, ignore_errors=True)
