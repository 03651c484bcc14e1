"""The sink between a real broker and a real engine: what is in Kafka is in ClickHouse, once, whatever happens."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from portal.store.store import ClickHouseStore
from runtime.clickhouse.pool import ClientPool
from schemas.commands import SyncRun
from schemas.identifiers import partition_of
from schemas.settings import TenantSettings
from schemas.topics import TopicName
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.sink import CONSUMER_OPTIONS, TOPICS, Sink
from tests.support.kafka_broker import KafkaBroker
from tests.support.kafka_clients import create_topic, producer_of
from tests.support.sinking import MemoryDeadLetters, change, count, instant
from tests.support.waiting import eventually_async

PARTITIONS = 2


class GateRows:
    """Rows behind a ClickHouse that is away while the gate is shut; it may also fail once after an insert was done."""

    def __init__(self, behind: ClickHouseRows) -> None:
        self._behind = behind
        self.shut = False
        self.refused = 0
        self.crash_after: str | None = None

    def insert(self, table: str, lines: Iterable[bytes]) -> None:
        if self.shut:
            self.refused += 1
            raise OperationalError("connection refused")
        self._behind.insert(table, lines)
        if self.crash_after == table:
            self.crash_after = None
            raise DatabaseError("Code: 516. crash", code=516)


class Stage:
    """Topics of a test's own, a producer on them, and sinks."""

    def __init__(self, bootstrap: str, prefix: str, pool: ClientPool, producer: AIOKafkaProducer) -> None:
        self._bootstrap, self.prefix, self.pool, self._producer = bootstrap, prefix, pool, producer
        self.rows, self.letters = GateRows(ClickHouseRows(pool)), MemoryDeadLetters()
        self.now = instant(1)

    async def publish(self, topic: TopicName, key: str, value: bytes | None) -> None:
        await self._producer.send_and_wait(
            f"{self.prefix}{topic}", value, key=key.encode(), partition=partition_of(key.encode(), PARTITIONS)
        )

    async def publish_change(self, subject: str, rev: int, **other: Any) -> None:
        row = change(subject, rev, **other)
        await self.publish("seat-changes", f"{row.tenant}/{subject}", msgspec.json.encode(row))

    @contextlib.asynccontextmanager
    async def sink(self) -> AsyncIterator["asyncio.Task[None]"]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=f"{self.prefix}sink", session_timeout_ms=6000,
            heartbeat_interval_ms=500, **CONSUMER_OPTIONS,
        )  # fmt: skip
        await consumer.start()
        sink = Sink(consumer, self.pool, self.letters, lambda: self.now, self.prefix, self.rows)
        task = asyncio.create_task(sink.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await consumer.stop()

    async def number(self, table: str) -> int:
        return int(await asyncio.to_thread(self._count, table))

    def _count(self, table: str) -> int:
        with self.pool.lease() as client:
            return int(client.query(f"SELECT count() FROM {table} FINAL").result_rows[0][0])

    def has(self, table: str, rows: int) -> Callable[[], Awaitable[bool]]:
        async def reached() -> bool:
            return await self.number(table) >= rows

        return reached


@pytest.fixture
async def stage(kafka: KafkaBroker, prefix: str, pool: ClientPool) -> AsyncIterator[Stage]:
    for topic in TOPICS:
        await create_topic(kafka.bootstrap, f"{prefix}{topic}", PARTITIONS)
    async with producer_of(kafka.bootstrap) as producer:
        yield Stage(kafka.bootstrap, prefix, pool, producer)


async def test_every_topic_reaches_its_table(stage: Stage, store: ClickHouseStore) -> None:
    await stage.publish_change("user:a", 1, facts='{"display_name":"Ann"}', new_profile=1)
    newest = count("contoso", 1, instant(0), 1)
    await stage.publish("license-counts", "contoso", newest.model_dump_json().encode())
    await stage.publish("license-counts", "_claim", b'{"type":"claim"}')
    settings = TenantSettings(tenant="contoso", revision=1, updated_at=instant(0))
    await stage.publish("tenants", "contoso", settings.model_dump_json().encode())
    run = SyncRun(id="1", tenant="contoso", by="graph", sent_at=instant(0), facet="voice", source="graph",
                  started_at=instant(0), seen=1, expected=None, status="completed")  # fmt: skip
    await stage.publish("commands", "contoso", run.model_dump_json().encode())
    await stage.publish("alerts", "contoso", b'{"level":"warning"}')
    await stage.publish("alert-state", "contoso", b'{"epoch":1,"seq":1}')
    await stage.publish("seat-changes", "contoso/user:b", b"rubbish")
    async with stage.sink():
        for table in (
            "seat_changes", "license_counts", "latest_counts", "tenant_settings", "syncs", "alerts", "alert_states"
        ):  # fmt: skip
            await eventually_async(stage.has(table, 1))

        async def told() -> bool:
            return bool(stage.letters.letters)

        await eventually_async(told)
    assert {"user:a": 1} == await asyncio.to_thread(store.profiles, "contoso")
    assert [b"rubbish"] == [record.value for record, _, _ in stage.letters.letters]
    assert [run] == [SyncRun.model_validate(each) for each in await asyncio.to_thread(store.syncs, "contoso")]


async def test_while_clickhouse_is_away_the_sink_waits_and_loses_nothing(stage: Stage) -> None:
    stage.rows.shut = True
    for number in range(20):
        await stage.publish_change(f"user:{number}", 1)
    async with stage.sink() as task:

        async def tried() -> bool:
            return stage.rows.refused >= 3

        await eventually_async(tried)
        assert not task.done()
        assert 0 == await stage.number("seat_changes")
        for number in range(20, 40):
            await stage.publish_change(f"user:{number}", 1)
        stage.rows.shut = False
        await eventually_async(stage.has("seat_changes", 40), 30)
    assert [] == stage.letters.letters


@pytest.mark.parametrize("table", ["seat_changes", "license_counts", "latest_counts"])
async def test_a_crash_after_an_insert_repeats_it_and_nothing_is_there_twice(
    stage: Stage, store: ClickHouseStore, table: str
) -> None:
    licensed = (10, 90, 20)
    for version, figure in enumerate(licensed, 1):
        await stage.publish_change("user:a", version, old_profile=version - 1 or None, new_profile=version)
        await stage.publish(
            "license-counts",
            "contoso",
            count("contoso", version, instant(version / 10), figure).model_dump_json().encode(),
        )
    stage.rows.crash_after = table
    async with stage.sink() as task:
        with pytest.raises(DatabaseError, match="crash"):
            await asyncio.wait_for(task, 20)
    await stage.publish("license-counts", "contoso", count("contoso", 4, instant(0.9), 50).model_dump_json().encode())
    async with stage.sink():
        await eventually_async(stage.has("seat_changes", 3), 20)

        async def caught_up() -> bool:
            return await asyncio.to_thread(_newest_version, stage.pool) == 4

        await eventually_async(caught_up, 20)
    chain = await asyncio.to_thread(store.profile_changes, "contoso", ["user:a"], None)
    assert [(None, 1), (1, 2), (2, 3)] == [(each.old_profile, each.new_profile) for each in chain]
    (row,) = await asyncio.to_thread(_count_rows, stage.pool)
    assert (10, 90, 50, 4) == row


def _newest_version(pool: ClientPool) -> int:
    with pool.lease() as client:
        rows = client.query("SELECT version FROM latest_counts FINAL").result_rows
    return int(rows[0][0]) if rows else 0


def _count_rows(pool: ClientPool) -> list[tuple[Any, ...]]:
    sql = "SELECT min, max, currently_licensed, subjects_gained FROM license_counts FINAL ORDER BY at"
    with pool.lease() as client:
        return [tuple(row) for row in client.query(sql).result_rows]


async def test_a_row_that_clickhouse_cannot_take_is_a_dead_letter_among_good_ones(stage: Stage) -> None:
    for number in range(30):
        await stage.publish_change(f"user:{number}", 1)
        if number == 11:
            await stage.publish(
                "seat-changes", "contoso/user:11", b'{"type":"seat_change","tenant":"contoso","rev":"x"}'
            )
            await stage.publish("seat-changes", "contoso/user:11", b'{"type":"seat_change"}')
    async with stage.sink():
        await eventually_async(stage.has("seat_changes", 30), 20)

        async def told() -> bool:
            return len(stage.letters.letters) == 2

        await eventually_async(told)
    assert {"not_storable"} == {reason for _, reason, _ in stage.letters.letters}


async def test_a_change_is_stored_within_a_second_when_there_is_little_to_do(stage: Stage) -> None:
    async with stage.sink():
        await stage.publish_change("user:first", 1)
        await eventually_async(stage.has("seat_changes", 1), 20)
        begin = asyncio.get_running_loop().time()
        await stage.publish_change("user:second", 1)
        await eventually_async(stage.has("seat_changes", 2))
        assert asyncio.get_running_loop().time() - begin < 1.0


async def test_a_quiet_tenant_has_a_row_an_hour_also_after_a_restart(stage: Stage) -> None:
    await stage.publish("license-counts", "contoso", count("contoso", 1, instant(0), 10).model_dump_json().encode())
    stage.now = instant(3_600)
    async with stage.sink():
        await eventually_async(stage.has("license_counts", 2), 20)
    stage.now = instant(7_200)
    async with stage.sink():
        await eventually_async(stage.has("license_counts", 3), 20)
    rows = await asyncio.to_thread(_count_rows, stage.pool)
    assert [(10, 10, 10, 1), (10, 10, 10, 0), (10, 10, 10, 0)] == rows
