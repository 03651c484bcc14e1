"""Owns commands to counters, collectors and alert processes, their answers (topic `commands`), and the confirmation of
held syncs."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

import msgspec
import pydantic
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from portal.kafka.durability import Durability
from portal.kafka.publishing import Outgoing, Publisher
from portal.kafka.reading import Reading
from portal.refreshes import RefreshBook
from portal.services import Mode, NoAnswer, utc_now
from schemas.alert import AlertRule
from schemas.commands import AcknowledgeAlert, Answer, ChangeSettings, Refresh, SyncRun
from schemas.events import SyncCompleted, input_topic
from schemas.identifiers import partition_of
from schemas.times import to_ms
from schemas.topics import TopicName, full_name

log = structlog.get_logger()

_RETRY_S = 1.0


class KafkaCommands(Reading):
    """Sends changes of settings and waits for the answer of the counter that owns the tenant, likewise acknowledgements
    to its alert process; sends refreshes, and hears of those that other portals send.

    `consumer` is a started aiokafka consumer without a group, given over for good. `refreshes` keeps those heard of.
    Use as `async with`.
    """

    def __init__(
        self,
        publisher: Publisher,
        consumer: Any,
        prefix: str,
        partitions: int,
        durability: Durability,
        refreshes: RefreshBook,
        *,
        timeout_s: float = 10.0,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._publisher, self._consumer, self._durability = publisher, consumer, durability
        self._partitions, self._timeout_s, self._clock = partitions, timeout_s, clock
        self._places = [TopicPartition(full_name(prefix, "commands"), number) for number in range(partitions)]
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._refreshes = refreshes

    async def __aenter__(self) -> Self:
        self._consumer.assign(self._places)
        await self._consumer.seek_to_end(*self._places)
        for place in self._places:
            # The seek is lazy: without asking, an answer could come before the place that is read from.
            await self._consumer.position(place)
        self._begin(self._read(), "portal-command-answers")
        return self

    async def change(self, tenant: str, mode: Mode, body: dict[str, Any], if_match: int | None, by: str) -> Answer:
        """Send a change and return its answer. Raises NoBroker, NoAnswer, NotDurable."""
        now = self._clock()
        command = ChangeSettings(
            id=uuid.uuid4().hex, tenant=tenant, by=by, sent_at=now, mode=mode, body=body, if_match=if_match
        )
        answer = await self._ask(command, "counter", "change", "read the settings, and send the change again")
        if answer.status == "done":
            await self._durability.settings(tenant)
        return answer

    async def acknowledge(self, tenant: str, rule: AlertRule, by: str) -> Answer:
        """Send an acknowledgement and return its answer. Raises NoBroker, NoAnswer."""
        command = AcknowledgeAlert(id=uuid.uuid4().hex, tenant=tenant, by=by, sent_at=self._clock(), rule=rule)
        return await self._ask(command, "alerts", "acknowledgement", "and send it again; twice is once")

    async def _ask(self, command: ChangeSettings | AcknowledgeAlert, process: str, what: str, then: str) -> Answer:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[command.id] = answered
        try:
            await self._publisher.publish([_record(command, self._partitions)], to_ms(command.sent_at))
            async with asyncio.timeout(self._timeout_s):
                return await answered
        except TimeoutError as error:
            raise NoAnswer(
                f"nobody answered for {command.tenant} within {self._timeout_s:.0f} s, so the {what} may or may not"
                f" follow: check that `poolwatch run {process}` runs, {then}"
            ) from error
        finally:
            self._waiting.pop(command.id, None)

    async def refresh(self, tenant: str, by: str) -> Refresh:
        """Ask the sources of a tenant for a full sync now. Raises NoBroker."""
        now = self._clock()
        command = Refresh(id=uuid.uuid4().hex, tenant=tenant, by=by, sent_at=now)
        await self._publisher.publish([_record(command, self._partitions)], to_ms(now))
        # Whoever is told the id may ask for it before it has come back from the broker.
        self._refreshes.keep(command)
        return command

    def heard(self, refresh_id: str) -> Refresh | None:
        """Return a refresh that this or another portal sent, if it was among the last ones."""
        return self._refreshes.get(refresh_id)

    async def _read(self) -> None:
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=500)
            except KafkaError as error:
                log.warning("command_answers_unreadable", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            for records in batches.values():
                for record in records:
                    self._take(record.value)

    def _take(self, value: bytes | None) -> None:
        # Most commands are neither and pass unread; one that only holds the word is no such command.
        if value is None:
            return
        if self._waiting and b'"answer"' in value:
            with contextlib.suppress(pydantic.ValidationError):
                self._take_answer(Answer.model_validate_json(value))
        if b'"refresh"' in value:
            with contextlib.suppress(pydantic.ValidationError):
                self._refreshes.keep(Refresh.model_validate_json(value))

    def _take_answer(self, answer: Answer) -> None:
        waiting = self._waiting.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


class KafkaConfirmations:
    """Lets held syncs through."""

    def __init__(self, publisher: Publisher, durability: Durability, partitions: int) -> None:
        self._publisher, self._durability, self._partitions = publisher, durability, partitions

    async def confirm(self, run: SyncRun, by: str, now: datetime) -> SyncRun:
        """Send the `sync_completed` of a held run to every partition, then tell of it. Raises NoBroker, NotDurable."""
        # The sweep first: a crash in between leaves a run that reads held and can be confirmed again.
        event = SyncCompleted(
            type="sync_completed", tenant=run.tenant, facet=run.facet, source=run.source, started_at=run.started_at
        )
        value = event.model_dump_json().encode()
        topic: TopicName = "user-changes" if input_topic(run.facet) == "user-changes" else "assignments"
        sweeps = [Outgoing(topic, number, None, value) for number in range(self._partitions)]
        written = await self._publisher.publish(sweeps, to_ms(now))
        confirmed = run.model_copy(update={"status": "confirmed", "by": by, "sent_at": now})
        await self._publisher.publish([_record(confirmed, self._partitions)], to_ms(now))
        await self._durability.events(written)
        return confirmed


def _record(command: ChangeSettings | Refresh | SyncRun | AcknowledgeAlert, partitions: int) -> Outgoing:
    key = command.tenant.encode()
    value = msgspec.json.encode(command.model_dump(mode="json"))
    return Outgoing("commands", partition_of(key, partitions), key, value)
