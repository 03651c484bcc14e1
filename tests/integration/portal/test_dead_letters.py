"""Dead letters: listed with their reasons, replayed to where they belong."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.kafka.publishing import Publisher
from runtime import kafka as clients
from runtime.dead_letters import Letter, read_all, replay
from schemas.times import format_time, to_ms
from schemas.topics import full_name
from tests.support.portal_world import PARTITIONS, START, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def bury(world: World, value: bytes, length: int | None = None) -> None:
    headers = {
        "reason": "tenant_removed", "detail": "it was removed", "topic": "user-changes", "partition": "0",
        "offset": "7", "index": "0", "failed_at": format_time(START), "length": str(length or len(value)),
        "sha256": "0",
    }  # fmt: skip
    await world.producer.send_and_wait(
        full_name(world.kafka.topic_prefix, "dead-letters"), value, partition=1,
        headers=[(name, text.encode()) for name, text in headers.items()],
    )  # fmt: skip


async def letters(world: World) -> list[Letter]:
    consumer = clients.reader(world.kafka)
    await consumer.start()
    try:
        return [letter async for letter in read_all(consumer, world.kafka.topic_prefix, PARTITIONS)]
    finally:
        await consumer.stop()


def event(tenant: str, **other: Any) -> bytes:
    body = {"type": "directory", "tenant": tenant, "subject": "user:1", "observed_at": format_time(START), "facts": {}}
    return json.dumps(body | other).encode()


async def test_letters_are_listed_with_reasons_and_replayed(world: World, tenant: str) -> None:
    await bury(world, event(tenant))
    await bury(world, event("A/B"))
    await bury(world, b"[" + event(tenant), length=600_000)
    await world.producer.send_and_wait(full_name(world.kafka.topic_prefix, "dead-letters"), b"not ours", partition=2)
    found = await letters(world)
    assert ["tenant_removed"] * 3 == [item.letter.reason for item in found]
    publisher = Publisher(world.producer, world.kafka.topic_prefix)
    result = await replay(found, publisher, PARTITIONS, to_ms(datetime.now(UTC)))
    assert result.published == 1
    refused = [result.refused[found[1].place], result.refused[found[2].place]]
    assert "still refused" in refused[0]
    assert "600000" in refused[1]
    sent = [json.loads(record.value) for record in await world.read_topic("user-changes")]
    assert [tenant] == [item["tenant"] for item in sent]
