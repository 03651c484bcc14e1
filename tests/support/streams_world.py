"""Topics with meters and counters beside them: events and commands in, everything that came out read and checked."""

import asyncio
import contextlib
import json
import sys
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from runtime import topics
from schemas.commands import Answer, ChangeSettings
from schemas.count import Count
from schemas.events import USER_CHANGES_FACETS
from schemas.identifiers import partition_of, subject_key
from schemas.settings import TenantSettings
from schemas.topics import TOPICS, TopicName
from streams.kafka import KafkaOptions
from streams.meter import INPUT_TOPICS
from tests.support import streams_checks as checks
from tests.support.kafka_broker import KafkaBroker
from tests.support.kafka_clients import admin_of, consumer_of, partitions_of, producer_of
from tests.support.made_events import Event, Expected
from tests.support.waiting import NotInTimeError, eventually_async
from tests.support.worker import BOTH, Worker

PARTITIONS = 4
SESSION_TIMEOUT_S = 2.0
"""After a kill the next worker waits for it. A broker that is not ours takes 6 s at least, if nobody told it less."""


class StreamsWorld:
    """One set of topics. What is sent through `send` is expected to be counted."""

    def __init__(
        self, options: KafkaOptions, folder: Path, producer: AIOKafkaProducer, reader: AIOKafkaConsumer
    ) -> None:
        self.options = options
        self.expected = Expected()
        self.records: dict[TopicName, list[ConsumerRecord]] = defaultdict(list)
        self.workers: list[Worker] = []
        self._folder = folder
        self._producer = producer
        self._reader = reader
        self._inputs = {options.topic(name) for name in INPUT_TOPICS}
        self._sent: dict[TopicPartition, int] = {}
        self._names = {options.topic(name): name for name in TOPICS}

    def worker(
        self,
        name: str = "worker",
        roles: tuple[str, ...] = BOTH,
        fault: str = "",
        loses: int = 0,
        *,
        newer: bool = False,
        **settings: Any,
    ) -> Worker:
        """Start a process; it is killed at the end of the test if it still runs."""
        worker = Worker(self.options, self._folder, name, roles, fault, loses, settings, newer=newer)
        self.workers.append(worker)
        return worker

    async def put(
        self,
        topic: TopicName,
        partition: int,
        value: bytes | None,
        key: bytes = b"",
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> int:
        """Write one record as it is; return its offset."""
        name = self.options.topic(topic)
        written = await self._producer.send_and_wait(name, value, key, partition, headers=list(headers))
        self._note(written)
        offset: int = written.offset
        return offset

    def _note(self, written: Any) -> None:
        tp = TopicPartition(written.topic, written.partition)
        if written.topic in self._inputs:
            self._sent[tp] = max(self._sent.get(tp, 0), written.offset + 1)

    async def send(self, events: Iterable[Event], array: int = 0) -> None:
        """Send good events where they belong, singly or in arrays of a partition, and expect them to be counted."""
        by_place: dict[tuple[TopicName, int], list[Event]] = defaultdict(list)
        for event in events:
            topic: TopicName = "user-changes" if _facet(event) in USER_CHANGES_FACETS else "assignments"
            for partition in self.places(event):
                by_place[topic, partition].append(event)
            self.expected.note(event)
        waiting = []
        for (topic, partition), sent in by_place.items():
            chunks: list[Any] = [sent[i : i + array] for i in range(0, len(sent), array)] if array else list(sent)
            for chunk in chunks:
                key = None if array else _key(chunk)
                name, value = self.options.topic(topic), json.dumps(chunk).encode()
                waiting.append(await self._producer.send(name, value, key, partition))
        for written in await asyncio.gather(*waiting):
            self._note(written)

    def places(self, event: Event) -> Iterable[int]:
        """Return the partitions that an event goes to."""
        return range(self.options.partitions) if "subject" not in event else [self.place(_key(event))]

    def place(self, key: bytes) -> int:
        """Return the partition of a key."""
        return partition_of(key, self.options.partitions)

    async def command(self, tenant: str, mode: Any = "patch", if_match: int | None = None, **body: Any) -> str:
        """Send a change of settings; return the id of the command."""
        command = ChangeSettings(
            id=uuid.uuid4().hex,
            tenant=tenant,
            by="ana@msp.example",
            sent_at=datetime.now(UTC),
            mode=mode,
            body=body,
            if_match=if_match,
        )
        key = tenant.encode()
        await self.put("commands", self.place(key), command.model_dump_json().encode(), key)
        return command.id

    async def answered(self, command_id: str, deadline_s: float = 30.0) -> Answer:
        """Wait for the answer to a command; what it says is expected to be in force."""

        async def look() -> Answer:
            await self.read()
            values = [
                record.value for record in self.records["commands"] if b'"type":"answer"' in (record.value or b"")
            ]
            answers = [Answer.model_validate_json(value) for value in values]
            found = [answer for answer in answers if answer.id == command_id]
            assert found
            return found[0]

        answer = await eventually_async(look, deadline_s)
        if answer.settings is not None:
            self.expected.settings[answer.tenant] = TenantSettings.model_validate_json(json.dumps(answer.settings))
        return answer

    async def set(self, tenant: str, mode: Any = "patch", **body: Any) -> Answer:
        """Change settings and wait for the answer."""
        return await self.answered(await self.command(tenant, mode, **body))

    async def read(self) -> None:
        """Read on in all topics, to the end unless more is written all the time."""
        for _ in range(100):
            fetched = await self._reader.getmany(timeout_ms=20)
            if not fetched:
                break
            for tp, records in fetched.items():
                self.records[self._names[tp.topic]].extend(records)

    def counts(self) -> dict[str, Count]:
        """Return the count of each tenant that counts: the highest (epoch, version)."""
        return checks.newest_counts(self.records["license-counts"])

    async def count_of(self, tenant: str, deadline_s: float = 30.0, **fields: Any) -> Count:
        """Wait for a tenant's count to have these fields."""

        async def look() -> Count:
            await self.read()
            count = self.counts()[tenant]
            assert fields == {name: getattr(count, name) for name in fields}
            return count

        return await eventually_async(look, deadline_s)

    async def kept(self, deadline_s: float = 60.0) -> None:
        """Wait until the meters' state is what a recount says; counters need not run."""

        async def look() -> bool:
            await self.read()
            checks.check_state(self.records, self.expected)
            return True

        await eventually_async(look, deadline_s)

    async def settled(self, deadline_s: float = 60.0) -> None:
        """Wait until counts and state are what a recount says, every chain is whole, and all was committed."""

        problems: list[AssertionError] = []

        async def look() -> bool:
            await self.read()
            try:
                checks.check_counts(self.records, self.expected)
                checks.check_state(self.records, self.expected)
                checks.check_chains(self.records, self.expected)
                await self._check_committed()
            except AssertionError as problem:
                problems.append(problem)
                raise
            return True

        try:
            await eventually_async(look, deadline_s)
        except NotInTimeError as error:
            raise problems[-1] if problems else error from error

    async def _check_committed(self) -> None:
        group = f"{self.options.group}-meter"
        asked = [TopicPartition(*place) for place in self._sent]
        async with admin_of(self.options.bootstrap) as admin:
            committed = await admin.list_consumer_group_offsets(group, partitions=asked)
        behind = {tp: (committed[tp].offset, end) for tp, end in self._sent.items() if committed[tp].offset < end}
        assert not behind, f"committed, and the end: {behind}"


@contextlib.asynccontextmanager
async def open_world(
    broker: KafkaBroker, prefix: str, folder: Path, session_timeout_s: float = SESSION_TIMEOUT_S
) -> AsyncIterator[StreamsWorld]:
    """Make topics and yield a world; whatever still runs of it is killed at the end, and shown if the test failed."""
    options = KafkaOptions(
        broker.bootstrap,
        prefix,
        PARTITIONS,
        idempotent=broker.idempotent,
        exact_ends=broker.idempotent,
        session_timeout_s=session_timeout_s if broker.controllable else max(session_timeout_s, 6.0),
        group=prefix.rstrip("."),
    )
    async with admin_of(broker.bootstrap) as admin:
        await topics.ensure(admin, prefix, PARTITIONS)
    async with producer_of(broker.bootstrap) as producer, consumer_of(broker.bootstrap) as reader:
        reader.assign([tp for name in TOPICS for tp in partitions_of(options.topic(name), PARTITIONS)])
        world = StreamsWorld(options, folder, producer, reader)
        try:
            yield world
        except BaseException:
            for worker in world.workers:
                sys.stderr.write(f"--- {worker.name}\n{worker.text()[-6_000:]}\n")
            raise
        finally:
            for worker in world.workers:
                worker.kill()
    for worker in world.workers:
        checks.check_manners(worker.text())


def _facet(event: Event) -> str:
    return str(event["facet"] if "facet" in event else event["type"])


def _key(event: Event) -> bytes:
    return subject_key(event["tenant"], event["subject"]) if "subject" in event else event["tenant"].encode()
