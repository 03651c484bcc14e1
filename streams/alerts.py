"""Owns the alert process: Faust agents on counts and commands, one pipeline a partition, changes of alerts published on
Kafka and handed to whoever tells people."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pydantic
import structlog
from aiokafka import AIOKafkaProducer
from faust.types import TP

from schemas.commands import AcknowledgeAlert, CommandModel, Finding
from schemas.count import Count
from schemas.identifiers import PROVIDER_KEY, partition_of
from schemas.topics import TopicName
from streams.alert_desk import Desk
from streams.batch_transport import BatchApp, BatchConsumer
from streams.carry_out import Executor
from streams.clock import now_ms
from streams.kafka import KafkaOptions, read_from
from streams.metrics import alerting
from streams.metrics.holdings import Holdings
from streams.notify.messages import Message
from streams.process import Process
from streams.protocol import outbox
from streams.protocol.alert_recovery import AlertRecovery
from streams.protocol.alert_state import MOST_UNTOLD, AlertState, encode_state
from streams.protocol.alerts import AlertPartition, ChannelsOf
from streams.protocol.effects import Item, LogRecord, Publish, single
from streams.protocol.owned_log import JSON_CLAIM_PREFIX, OwnedLog

INPUT_TOPICS: tuple[TopicName, ...] = ("license-counts", "commands")
SETTLE_MS = 2_000
"""A dwell ends so much later than it could: a count that was computed before its end may still be on its way."""
_TELLING_S = 0.2

log = structlog.get_logger()


class AlertWorker:
    """The alerts of one partition on Kafka."""

    def __init__(
        self,
        partition: int,
        alerts: AlertPartition,
        producer: AIOKafkaProducer,
        consumer: BatchConsumer,
        options: KafkaOptions,
        desk: Desk,
    ) -> None:
        self._partition, self._alerts, self._desk = partition, alerts, desk
        self._log = OwnedLog(self._current, JSON_CLAIM_PREFIX, lambda value, _: value)
        self._consumer, self._options = consumer, options
        self._executor = Executor("alerts", producer, options, "alert-state", partition, lambda *_: None)
        self._next: dict[TopicName, int] = {}
        self._telling = False

    def _current(self, key: bytes) -> bytes | None:
        state = self._alerts.state(key.decode())
        return None if state is None else encode_state(state)

    async def start(self) -> dict[TopicName, int | None]:
        """Continue from the states written last, claim them, and learn how things stand by now."""
        alerts, partition = self._alerts, self._partition
        recovery = AlertRecovery(alerts)
        async for records in self._read("alert-state"):
            recovery.apply(records)
        if recovery.unreadable:
            log.error(
                "alert_states_passed_over",
                partition=partition,
                offsets=recovery.unreadable[:10],
                next_step="find out who else writes to alert-state; what was open there is raised again",
            )
        await self._executor.run(self._log.claim_beyond(recovery, alerts))
        counts = await self._consumer.committed(self._options.topic("license-counts"), partition)
        commands = await self._consumer.committed(self._options.topic("commands"), partition)
        newest: dict[str, Count] = {}
        async for records in self._read("license-counts", counts):
            for count in filter(None, map(_count, records)):
                known = newest.get(count.tenant)
                if known is None or (count.epoch, count.version) > (known.epoch, known.version):
                    newest[count.tenant] = count
            self._next["license-counts"] = records[-1].offset + 1
        for count in newest.values():
            # Without a place to go on from, all that can be judged is how things stand now.
            (alerts.recall(count) if counts is not None else alerts.observe(count, now_ms()))
        self._tell(alerts.tenants())
        log.info("alerts_ready", partition=partition, epoch=alerts.epoch)
        # Also where there is no count yet: the next start must know from where on they were watched.
        self._next["license-counts"] = self._next.get("license-counts", 0) if counts is None else counts
        return {"license-counts": self._next["license-counts"], "commands": commands}

    def _read(self, topic: TopicName, end: int | None = None) -> Any:
        return read_from(self._options, self._options.topic(topic), self._partition, None, end)

    async def process(self, topic: TopicName, records: Sequence[LogRecord]) -> None:
        """Process a batch of counts or commands."""
        for record in records:
            if topic == "license-counts":
                self._take_count(record)
            else:
                await self._take_command(record)
        self._next[topic] = records[-1].offset + 1

    def _take_count(self, record: LogRecord) -> None:
        if record.value is None:
            self._alerts.forget(record.key.decode())
        elif (count := _count(record)) is not None:
            self._alerts.observe(count, now_ms())

    async def _take_command(self, record: LogRecord) -> None:
        value = record.value or b""
        if b'"acknowledge_alert"' not in value and b'"finding"' not in value:
            return
        try:
            command = CommandModel.validate_json(value)
        except pydantic.ValidationError:
            return  # the counter makes a dead letter of it
        if isinstance(command, Finding):
            self._alerts.found(command, now_ms())
        elif isinstance(command, AcknowledgeAlert):
            answer = self._alerts.acknowledge(command, now_ms())
            # Kept first: whoever is told "done" finds it done.
            await self._keep()
            item = Item(command.tenant.encode(), answer.model_dump_json().encode())
            await self._executor.run(single(Publish("11-answer", "commands", self._partition, [item])))

    async def lose(self, topic: TopicName, first: int, end: int) -> None:
        """Say that counts or commands were deleted before they were looked at; the newest counts are still there."""
        log.error("not_watched", partition=self._partition, topic=topic, first=first, end=end)

    async def flush(self) -> float | None:
        """Publish and hand on what is due; return in how many seconds there is more to do."""
        now = now_ms()
        caught_up = self._is_caught_up()
        if caught_up:
            self._alerts.advance(now - SETTLE_MS)
        await self._note_outcomes(now)
        await self._keep()
        for topic, offset in self._next.items():
            self._consumer.allow_commit(self._options.topic(topic), self._partition, offset)
        wait_s = await self._executor.look_after(self._log)
        instant = self._alerts.next_instant()
        if instant is not None and caught_up:  # else it is the counts that are waited for
            wait_s = min(wait_s, max(0.0, (instant + SETTLE_MS - now_ms()) / 1_000))
        return min(wait_s, _TELLING_S) if self._telling else wait_s

    def _is_caught_up(self) -> bool:
        end: int | None = self._consumer.highwater(TP(self._options.topic("license-counts"), self._partition))
        return end is not None and self._next.get("license-counts", 0) >= end

    async def _note_outcomes(self, now: int) -> None:
        """Tell what became of messages before it is noted: a crash in between tells it twice, and loses nothing."""
        told: list[Item] = []
        dead: list[Item] = []
        for outcome in self._desk.take(self._partition):
            state = self._alerts.state(outcome.tenant)
            entry = None if state is None else outbox.entry_of(state, outcome.alert_id)
            delivery = None if state is None else outbox.settle(state, outcome, now)
            if delivery is None or entry is None:
                continue
            self._alerts.touch(outcome.tenant)
            told.append(Item(outcome.tenant.encode(), delivery.model_dump_json().encode()))
            if delivery.state == "given_up":
                why = f"the channel {outcome.channel} did not take it: {outcome.error}"
                dead.append(outbox.dead_letter(outcome.tenant, bytes(entry.alert), why, self._partition, now))
        if dead:
            await self._executor.run(single(Publish("10-dead-letters", "dead-letters", self._partition, dead)))
        if told:
            await self._executor.run(single(Publish("10-outcomes", "alerts", self._partition, told)))

    async def _keep(self) -> None:
        """Keep what has changed, then publish it, then let people be told: nobody hears of what could be forgotten."""
        changed: set[str] = set()
        while names := self._alerts.take_changed():
            changed.update(names)
            await self._executor.run(self._log.append("11-keep", [self._record(name) for name in names]))
            states = [state for name in names if (state := self._alerts.state(name)) is not None]
            await self._publish(states)
        if changed:
            self._tell(state for name in sorted(changed) if (state := self._alerts.state(name)) is not None)

    def _record(self, tenant: str) -> Item:
        key = tenant.encode()
        value = self._current(key)
        return self._log.deletion(key) if value is None else Item(key, value)

    async def _publish(self, states: Sequence[AlertState]) -> None:
        items = [
            Item(state.tenant.encode(), bytes(entry.alert)) for state in states for entry in outbox.unpublished(state)
        ]
        if items:
            await self._executor.run(single(Publish("12-alerts", "alerts", self._partition, items)))
        dead = []
        for state in states:
            for entry in outbox.unpublished(state):
                entry.published = True
            overflow = outbox.overflow(state)
            for entry in overflow:
                why = f"{MOST_UNTOLD} newer ones wait as well: {', '.join(entry.channels)} did not take it"
                dead.append(outbox.dead_letter(state.tenant, bytes(entry.alert), why, self._partition, now_ms()))
            if outbox.sweep(state) or overflow:
                self._alerts.touch(state.tenant)
        if dead:
            await self._executor.run(single(Publish("12-dead-letters", "dead-letters", self._partition, dead)))

    def _tell(self, states: Iterable[AlertState]) -> None:
        messages = [
            Message(alert, self._alerts.display_name(alert.tenant), channel, pending.attempts, pending.due_ms)
            for state in states
            for alert, channel, pending in outbox.untold(state)
        ]
        if messages:
            self._desk.submit(messages)
        self._telling = any(entry.channels for state in self._alerts.tenants() for entry in state.outbox)

    @property
    def has_work(self) -> bool:
        """There is no work besides batches and what is due."""
        return False

    async def work(self) -> None:
        """Do nothing."""

    def settings_changed(self, tenant: str) -> None:
        """Take note of new settings of a tenant or the provider."""
        if tenant == PROVIDER_KEY or partition_of(tenant.encode(), self._options.partitions) == self._partition:
            self._alerts.settings_changed(tenant, now_ms())

    def holdings(self) -> Holdings:
        """Return what is open, and what is yet to be told."""
        return alerting.holdings_of(self._alerts.tenants())


def _count(record: LogRecord) -> Count | None:
    if record.value is None or record.key.startswith(b"_"):
        return None
    try:
        return Count.model_validate_json(record.value)
    except pydantic.ValidationError:
        return None  # the counter says so, and makes the count again


def new_alerts_app(
    options: KafkaOptions, channels_of: ChannelsOf, desk: Desk, on_ready: Callable[[], None] | None = None
) -> BatchApp:
    """Return the Faust app of the alert process, for `streams.run`."""

    def new_worker(process: Process, partition: int) -> AlertWorker:
        alerts = AlertPartition(process.settings.book, channels_of)
        return AlertWorker(partition, alerts, process.producer, process.consumer, options, desk)

    app = Process("alerts", options, INPUT_TOPICS, new_worker, on_ready).app
    signals: Any = app
    signals.on_before_shutdown.connect(desk.close, weak=False)
    return app
