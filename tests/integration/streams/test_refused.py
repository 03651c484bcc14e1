"""Bad input on a real broker: every event gets its dead letter with the original bytes, and its neighbours go on."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.identifiers import subject_key
from schemas.times import format_time
from tests.support.kafka_clients import admin_of
from tests.support.made_events import Event, made_events
from tests.support.streams_world import StreamsWorld
from tests.support.waiting import eventually_async

GOOD = {
    "type": "interface", "tenant": "acme", "subject": "user:ana", "observed_at": "2026-11-01T10:00:00Z",
    "source": "portal", "facts": {"change": "policy"},
}  # fmt: skip
TEN_MEGABYTES = 10 * 1024 * 1024


def encoded(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


BAD: dict[str, tuple[bytes, str]] = {
    "broken JSON": (b'{"type": "interface", "tenant": ', "not_json"),
    "binary rubbish": (bytes(range(256)), "not_json"),
    "an unknown type": (encoded(type="horoscope"), "invalid"),
    "a naive time": (encoded(observed_at="2026-11-01T10:00:00"), "invalid"),
    "a far future": (encoded(observed_at=format_time(datetime.now(UTC) + timedelta(days=400))), "ahead_of_time"),
    "huge facts": (encoded(facts={"change": "x" * 70_000}), "facts_too_large"),
    "a tenant with a slash": (encoded(tenant="ac/me"), "invalid"),
    "no subject": (encoded(subject=None), "invalid"),
    "an empty value": (b"", "not_json"),
}


async def letters(world: StreamsWorld, count: int) -> list[tuple[bytes, dict[str, str]]]:
    async def look() -> list[tuple[bytes, dict[str, str]]]:
        await world.read()
        records = world.records["dead-letters"]
        assert len(records) >= count
        return [(r.value, {name: value.decode() for name, value in r.headers}) for r in records]

    return await eventually_async(look, 60)


async def test_every_bad_record_becomes_a_dead_letter_with_its_bytes_and_its_reason(world: StreamsWorld) -> None:
    worker = world.worker()
    sent: dict[int, tuple[bytes, str]] = {}
    for raw, reason in BAD.values():
        sent[await world.put("user-changes", 0, raw, b"a key")] = raw, reason
    await world.send(made_events(3, 200))
    found = await letters(world, len(BAD))
    assert len(BAD) == len(found)
    for value, headers in found:
        raw, reason = sent[int(headers["offset"])]
        assert (raw, reason, "user-changes", "0", "0") == (
            value, headers["reason"], headers["topic"], headers["partition"], headers["index"],
        )  # fmt: skip
        assert hashlib.sha256(raw).hexdigest() == headers["sha256"]
        assert headers["detail"]
    await world.settled()
    assert 0 == await worker.stop()


async def test_a_bad_event_in_an_array_is_refused_alone(world: StreamsWorld) -> None:
    worker = world.worker()
    events: list[Event] = [{**GOOD, "subject": f"user:u{n}"} for n in range(40)]
    place = world.place(subject_key("acme", "user:u0"))
    mine = [event for event in events if place in world.places(event)]
    bad = b'{"type":"interface","tenant":"acme","subject":"USER:ANA"}'
    values = [json.dumps(event).encode() for event in mine]
    await world.put("user-changes", place, b"[" + b", ".join([*values[:2], bad, *values[2:]]) + b"]")
    for event in mine:
        world.expected.note(event)
    ((value, headers),) = await letters(world, 1)
    assert (bad, "2", "invalid") == (value, headers["index"], headers["reason"])
    await world.settled()
    assert 0 == await worker.stop()


async def test_a_record_of_ten_megabytes_is_refused_and_kept_up_to_512_kib(world: StreamsWorld) -> None:
    worker = world.worker()
    await worker.ready()
    name = world.options.topic("assignments")
    async with admin_of(world.options.bootstrap) as admin:
        largest = {"max.message.bytes": str(2 * TEN_MEGABYTES)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, largest)])
    raw = b'{"type": "voice", "facts": "' + b"x" * TEN_MEGABYTES + b'"}'
    async with AIOKafkaProducer(
        bootstrap_servers=world.options.bootstrap, max_request_size=2 * TEN_MEGABYTES, acks="all"
    ) as producer:
        await producer.send_and_wait(name, raw, b"large", partition=1)
    await world.send(made_events(4, 200))
    ((value, headers),) = await letters(world, 1)
    assert (raw[: 512 * 1024], "too_large") == (value, headers["reason"])
    assert (str(len(raw)), hashlib.sha256(raw).hexdigest()) == (headers["length"], headers["sha256"])
    await world.settled()
    assert 0 == await worker.stop()


async def test_a_misrouted_event_is_forwarded_once_and_refused_at_the_second_hop(world: StreamsWorld) -> None:
    worker = world.worker()
    key = subject_key("acme", "user:ana")
    right = world.place(key)
    wrong = (right + 1) % world.options.partitions
    await world.put("user-changes", wrong, json.dumps(GOOD).encode(), key)
    world.expected.note(GOOD)
    await world.settled()
    (forwarded,) = [r for r in world.records["user-changes"] if r.partition == right]
    assert (("poolwatch-hop", b"1"),) == tuple(forwarded.headers)
    assert json.dumps(GOOD).encode() == forwarded.value
    await world.put("user-changes", wrong, json.dumps(GOOD).encode(), key, [("poolwatch-hop", b"1")])
    ((value, headers),) = await letters(world, 1)
    assert (json.dumps(GOOD).encode(), "misrouted") == (value, headers["reason"])
    assert 1 == len([r for r in world.records["user-changes"] if r.partition == right])
    assert 0 == await worker.stop()
