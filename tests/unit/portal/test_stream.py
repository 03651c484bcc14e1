"""The stream of counts: every listener gets the newest, and one that comes back what it missed."""

from collections.abc import AsyncIterator

from portal.services import LiveCount
from portal.stream import CountStream, CountSubscription
from tests.support.sinking import count, instant


def publish(stream: CountStream, tenant: str, version: int, partition: int, offset: int) -> None:
    stream.publish(count(tenant, version, instant(version), version), partition, offset)


async def taken(subscription: CountSubscription, number: int) -> list[LiveCount]:
    found: list[LiveCount] = []
    items: AsyncIterator[LiveCount | None] = aiter(subscription)
    while len(found) < number:
        item = await anext(items)
        assert item is not None
        found.append(item)
    return found


def seen(items: list[LiveCount]) -> list[tuple[str, int]]:
    return [(item.count.tenant, item.count.version) for item in items]


async def test_a_new_listener_gets_the_newest_of_each_tenant_and_then_changes() -> None:
    stream = CountStream(2, "g")
    publish(stream, "a", 1, 0, 5)
    publish(stream, "a", 2, 0, 6)
    publish(stream, "b", 1, 1, 3)
    async with stream.subscribe(None, None) as subscription:
        assert seen(await taken(subscription, 2)) == [("a", 2), ("b", 1)]
        publish(stream, "b", 2, 1, 4)
        assert seen(await taken(subscription, 1)) == [("b", 2)]


async def test_a_slow_listener_gets_one_count_a_tenant() -> None:
    stream = CountStream(1, "g")
    async with stream.subscribe(None, None) as subscription:
        for version in range(1, 100):
            publish(stream, "a", version, 0, version)
        publish(stream, "b", 1, 0, 100)
        assert seen(await taken(subscription, 2)) == [("a", 99), ("b", 1)]


async def test_one_that_comes_back_gets_what_changed_since_and_nothing_else() -> None:
    stream = CountStream(2, "g")
    publish(stream, "a", 1, 0, 5)
    publish(stream, "b", 1, 1, 3)
    async with stream.subscribe(None, None) as subscription:
        last = (await taken(subscription, 2))[-1].id
    publish(stream, "c", 1, 0, 6)
    async with stream.subscribe(None, last) as subscription:
        assert seen(await taken(subscription, 1)) == [("c", 1)]
        publish(stream, "a", 2, 0, 7)
        assert seen(await taken(subscription, 1)) == [("a", 2)]


async def test_an_id_never_covers_a_count_that_still_waits() -> None:
    stream = CountStream(1, "g")
    async with stream.subscribe(None, None) as subscription:
        publish(stream, "a", 1, 0, 1)
        publish(stream, "b", 1, 0, 2)
        publish(stream, "a", 2, 0, 3)
        first = (await taken(subscription, 1))[0]
    async with stream.subscribe(None, first.id) as subscription:
        assert seen(await taken(subscription, 1)) == [("a", 2)]


async def test_a_listener_to_one_tenant_hears_of_no_other() -> None:
    stream = CountStream(1, "g")
    publish(stream, "stranger", 1, 0, 1)
    async with stream.subscribe("a", None) as subscription:
        publish(stream, "stranger", 2, 0, 2)
        publish(stream, "a", 1, 0, 3)
        assert seen(await taken(subscription, 1)) == [("a", 1)]


async def test_an_id_of_another_life_of_the_broker_or_rubbish_resumes_nothing() -> None:
    stream = CountStream(1, "g")
    publish(stream, "a", 1, 0, 5)
    for last in ("other~5", "g~99", "g~1.2", "g~x", "", "rubbish", "g~5~"):
        async with stream.subscribe(None, last) as subscription:
            assert seen(await taken(subscription, 1)) == [("a", 1)], last


async def test_a_closed_stream_ends_its_listeners() -> None:
    stream = CountStream(1, "g")
    async with stream.subscribe(None, None) as subscription:
        stream.close()
        assert [item async for item in subscription] == []
