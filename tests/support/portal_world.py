"""A portal on a real broker and a real ClickHouse engine; what it reads is written by hand, as the topics carry it."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import clickhouse_connect
import httpx
import msgspec
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from licensing.count import figures
from licensing.criteria import compile_criteria
from licensing.factors import enabled_mask
from licensing.recount import tally_of
from licensing.rules import profile_from_facts
from portal.app import create_app
from portal.services import Services
from portal.store.store import ClickHouseStore
from runtime import kafka as clients
from runtime import topics
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import ClientPool
from runtime.installation import Installation
from runtime.portal_process import clickhouse_tokens, listen, services
from runtime.settings import Kafka, Retention
from schemas.alert import Alert, Delivery
from schemas.changes import WireSeatChange
from schemas.commands import AcknowledgeAlert, Answer, ChangeSettings, CommandModel
from schemas.count import Cause, Count
from schemas.identifiers import partition_of
from schemas.settings import ProviderSettings, Settings, TenantSettings
from schemas.sources import SourceState, source_key
from schemas.times import format_time, to_ms
from schemas.topics import TopicName, full_name
from streams.protocol.settings_commands import decide
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger
from streams.sink.processors import Batch, license_counts, tenants
from streams.sink.processors import alerts as alert_rows
from tests.support.engine import ClickHouse
from tests.support.kafka_broker import KafkaBroker
from tests.support.sinking import MemoryRecord
from tests.support.waiting import eventually_async

PARTITIONS = 4
START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=20)
"""When the history that tests write begins: young enough for every retention."""

Facts = dict[str, dict[str, Any] | None]


@dataclass
class AnsweringCounter:
    """Carries out changes of settings as the counter does, by its own rules, and takes acknowledgements as the alert
    process does; nothing else."""

    kafka: Kafka
    world: "World"
    silent: bool = False
    """Hears commands and answers none."""
    known: dict[str, Settings] = field(default_factory=dict)

    async def run(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    command = CommandModel.validate_json(record.value)
                    if isinstance(command, ChangeSettings) and not self.silent:
                        await self._carry_out(command)
                    elif isinstance(command, AcknowledgeAlert) and not self.silent:
                        await self._note(command)

    async def _note(self, command: AcknowledgeAlert) -> None:
        kept = self.world.services.alerts.open_of(command.tenant, command.rule)
        if kept is not None:
            noted = {"id": command.id, "change": "acknowledged", "acknowledged_by": command.by, "at": command.sent_at}
            await self.world.send("alerts", command.tenant, kept.model_copy(update=noted).model_dump_json())
        answer = Answer(id=command.id, tenant=command.tenant, status="done" if kept else "invalid")
        await self.world.send("commands", command.tenant, answer.model_dump_json())

    async def _carry_out(self, command: ChangeSettings) -> None:
        settings, answer = decide(self.known.get(command.tenant), command, to_ms(datetime.now(UTC)))
        if settings is not None:
            self.known[command.tenant] = settings
            await self.world.send("tenants", command.tenant, settings.model_dump_json())
        await self.world.send("commands", command.tenant, answer.model_dump_json())


@dataclass
class World:
    """A portal under test; `http` asks it. What it is told is in Kafka and ClickHouse before a method returns."""

    kafka: Kafka
    producer: AIOKafkaProducer
    pool: ClientPool
    services: Services
    http: httpx.AsyncClient
    counter: AnsweringCounter
    _revs: dict[tuple[str, str], int] = field(default_factory=dict)
    _facts: dict[str, dict[str, Facts]] = field(default_factory=dict)
    _profiles: dict[tuple[str, str], int] = field(default_factory=dict)
    _versions: dict[str, int] = field(default_factory=dict)
    _settings: dict[str, list[Settings]] = field(default_factory=dict)

    async def send(self, topic: TopicName, key: str, value: str | None) -> None:
        partition = partition_of(key.encode(), PARTITIONS)
        payload = None if value is None else value.encode()
        name = full_name(self.kafka.topic_prefix, topic)
        await self.producer.send_and_wait(name, payload, key=key.encode(), partition=partition)

    async def tell(self, state: SourceState) -> None:
        """Tell how a source is doing, as a collector does."""
        await self._send_source(state, state.model_dump_json().encode())
        shown = state.model_copy(update={"cursor": None})
        await until(lambda: shown in self.services.sources.of(state.tenant))

    async def forget_source(self, state: SourceState) -> None:
        """Forget a part of a source, as a collector does."""
        await self._send_source(state, None)
        place = (state.source, state.part)
        await until(lambda: place not in [(s.source, s.part) for s in self.services.sources.of(state.tenant)])

    async def _send_source(self, state: SourceState, value: bytes | None) -> None:
        key, partition = (
            source_key(state.tenant, state.source, state.part),
            partition_of(state.tenant.encode(), PARTITIONS),
        )
        await self.producer.send_and_wait(
            full_name(self.kafka.topic_prefix, "sources"), value, key=key, partition=partition
        )

    async def set(self, tenant: str, at: datetime, **settings: Any) -> TenantSettings:
        """Set a tenant's settings, as of an instant, in Kafka and on record."""
        revisions = self._settings.setdefault(tenant, [])
        made = TenantSettings.model_validate(
            settings | {"tenant": tenant, "revision": len(revisions) + 1, "updated_at": at, "updated_by": "ana"}
        )
        revisions.append(made)
        self.counter.known[tenant] = made
        await self.send("tenants", tenant, made.model_dump_json())
        self.store(tenants([MemoryRecord("tenants", made.model_dump_json().encode(), tenant.encode())]).batches)
        await until(lambda: self.services.live.settings(tenant) == made)
        return made

    def observe(self, tenant: str, subject: str, at: datetime, **facets: dict[str, Any] | None) -> None:
        """Record facts of a subject, facet by facet, with the profiles that the rules give them."""
        self.observe_all(tenant, at, {subject: facets})

    def observe_all(self, tenant: str, at: datetime, facts_by_subject: dict[str, Facts]) -> None:
        """Record facts of many subjects in one insert."""
        criteria = compile_criteria(self.settings_of(tenant))
        rows = []
        for subject, facets in facts_by_subject.items():
            known = self._facts.setdefault(tenant, {}).setdefault(subject, {})
            for facet, facts in facets.items():
                known[facet] = facts
                profile = profile_from_facts(subject, known, criteria)
                rows.append(self._change(tenant, subject, at, facet, facts, profile))
        ClickHouseRows(self.pool).insert("seat_changes", rows)

    def reevaluate(self, tenant: str, at: datetime) -> None:
        """Record what new criteria do to the subjects of a tenant."""
        criteria = compile_criteria(self.settings_of(tenant))
        rows = []
        for subject, facts in self._facts[tenant].items():
            profile = profile_from_facts(subject, facts, criteria)
            if profile != self._profiles[tenant, subject]:
                rows.append(self._change(tenant, subject, at, "", None, profile))
        ClickHouseRows(self.pool).insert("seat_changes", rows)

    def plant(self, tenant: str, subject: str, at: datetime, profile: int) -> None:
        """Record a profile that no facts explain."""
        ClickHouseRows(self.pool).insert("seat_changes", [self._change(tenant, subject, at, "", None, profile)])

    def _change(
        self, tenant: str, subject: str, at: datetime, facet: str, facts: dict[str, Any] | None, profile: int
    ) -> bytes:
        key = (tenant, subject)
        rev = self._revs[key] = self._revs.get(key, 0) + 1
        text = "" if facts is None else msgspec.json.encode(facts, order="sorted").decode()
        old, self._profiles[key] = self._profiles.get(key), profile
        row = WireSeatChange(
            id=uuid.uuid4().hex, tenant=tenant, subject=subject, rev=rev, kind="event" if facet else "rules",
            facet=facet, facts=text, facts_hash="", source="test" if facet else "", observed_at=format_time(at),
            recorded_at=format_time(at), old_profile=old, new_profile=profile,
            settings_revision=self.settings_of(tenant).revision,
        )  # fmt: skip
        return msgspec.json.encode(row)

    def settings_of(self, tenant: str) -> TenantSettings:
        """Return the newest settings that were set."""
        revisions = self._settings.get(tenant)
        settings = revisions[-1] if revisions else TenantSettings(tenant=tenant)
        assert isinstance(settings, TenantSettings)
        return settings

    async def publish(self, tenant: str, at: datetime, **changed: Any) -> Count:
        """Count the subjects of a tenant and publish it, in Kafka and on record."""
        settings = self.settings_of(tenant)
        own = {subject: profile for (owner, subject), profile in self._profiles.items() if owner == tenant}
        tally = tally_of(own)
        shown = figures(tally, enabled_mask(settings, ProviderSettings()), settings.acquired_licenses)
        version = self._versions[tenant] = self._versions.get(tenant, 0) + 1
        values: dict[str, Any] = {
            "tenant": tenant, "epoch": 1, "version": version, "settings_revision": settings.revision, "as_of": at,
            "computed_at": at, "stale": False, "cause": Cause(kind="users"), "freshness": {},
            "acquired_licenses": shown.acquired_licenses, "currently_licensed": shown.currently_licensed,
            "available_licenses": shown.available_licenses, "usage_percent": shown.usage_percent,
            "user_licenses": shown.user_licenses, "dr_phone_licenses": shown.dr_phone_licenses,
            "factors": shown.factors, "profiles": {str(profile): number for profile, number in tally.items()},
        }  # fmt: skip
        count = Count(**(values | changed))
        await self.send("license-counts", tenant, count.model_dump_json())
        record = MemoryRecord("license-counts", count.model_dump_json().encode(), tenant.encode())
        self.store(license_counts([record], CountLedger()).batches)
        if not changed:
            await until(lambda: self.services.live.count(tenant) == count)
        return count

    async def alert(self, tenant: str, at: datetime, **changed: Any) -> Alert:
        """Tell of a change of an alert, in Kafka and on record. Unless changed: the pool is over its warning limit."""
        values: dict[str, Any] = {
            "id": uuid.uuid4().hex, "tenant": tenant, "rule": "pool", "change": "raised", "state": "firing",
            "level": "warning", "value": 91.0, "threshold": 90.0, "since": at, "at": at, "settings_revision": 1,
            "detail": "455 of 500 licences are in use, 91 % of the pool: the warning limit is reached.",
            "todo": "Buy licences, or see on the reclaim list which seats could be freed.",
        }  # fmt: skip
        made = Alert.model_validate(values | changed)
        await self.send("alerts", tenant, made.model_dump_json())
        self.record_alert(made)
        await until(lambda: made in self.services.alerts.of(tenant))
        return made

    def record_alert(self, record: Alert | Delivery) -> None:
        """Put a record of the topic `alerts` on record alone."""
        stored = MemoryRecord("alerts", record.model_dump_json().encode(), record.tenant.encode(),
                              timestamp=to_ms(record.at))  # fmt: skip
        self.store(alert_rows([stored]).batches)

    def store(self, batches: list[Batch]) -> None:
        """Insert what the sink makes of records."""
        for batch in batches:
            if batch.lines:
                ClickHouseRows(self.pool).insert(batch.table, batch.lines)

    async def read_topic(self, topic: TopicName) -> list[Any]:
        """Return all records of a topic, by partition."""
        consumer = clients.reader(self.kafka)
        await consumer.start()
        try:
            places = [TopicPartition(full_name(self.kafka.topic_prefix, topic), n) for n in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
            found: list[Any] = []
            for place in places:
                while await consumer.position(place) < ends[place]:
                    for records in (await consumer.getmany(place, timeout_ms=500)).values():
                        found += records
            return found
        finally:
            await consumer.stop()


@contextlib.asynccontextmanager
async def open_world(broker: KafkaBroker, engine: ClickHouse, *, answering: bool = True) -> AsyncIterator[World]:
    """Open a portal on topics and a database of its own. Not `answering`: somebody else runs a counter."""
    own = Kafka(bootstrap=broker.bootstrap, topic_prefix=f"p{uuid.uuid4().hex[:10]}.", partitions=PARTITIONS)
    async with contextlib.AsyncExitStack() as stack:
        admin = await _started(stack, clients.admin(own))
        await topics.ensure(admin, own.topic_prefix, PARTITIONS)
        producer = await _started(stack, clients.producer(own))
        pool = stack.enter_context(database_pool(engine))
        ready = await stack.enter_async_context(
            services(
                Installation(own, embedded=False),
                ClickHouseStore(pool, lambda: datetime.now(UTC)),
                clickhouse_tokens(pool),
            )
        )
        await until(lambda: ready.live.ready)
        transport = httpx.ASGITransport(create_app(ready), raise_app_exceptions=False)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://portal"))
        counter = AnsweringCounter(own, None, silent=not answering)  # type: ignore[arg-type]  # the two know each other; set in the next line
        world = counter.world = World(own, producer, pool, ready, http, counter)
        consumer = await _started(stack, clients.reader(own))
        places = [TopicPartition(full_name(own.topic_prefix, "commands"), n) for n in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        task = asyncio.create_task(counter.run(consumer))
        try:
            yield world
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@contextlib.contextmanager
def database_pool(engine: ClickHouse) -> Iterator[ClientPool]:
    """Yield a pool on a new database with our tables; drop it afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    options = dict(engine.connection) | ({} if engine.in_process else {"autogenerate_session_id": False})
    with contextlib.closing(clickhouse_connect.get_client(**options)) as root:
        root.command(f"CREATE DATABASE {name}")
        try:
            with ClientPool(lambda: clickhouse_connect.get_client(**options, database=name)) as pool:
                migrate(pool, Retention())
                yield pool
        finally:
            root.command(f"DROP DATABASE {name}")


async def _started(stack: contextlib.AsyncExitStack, client: Any) -> Any:
    stack.push_async_callback(client.close if hasattr(client, "close") else client.stop)
    await client.start()
    return client


@contextlib.asynccontextmanager
async def served(config: uvicorn.Config) -> AsyncIterator[str]:
    """Serve an application of this process on a free port, and return its address."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving


async def until(check: Callable[[], Any]) -> None:
    """Wait until a look at the live view is true."""

    async def look() -> Any:
        return check()

    await eventually_async(look)
