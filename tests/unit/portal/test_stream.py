"""The stream of counts: every listener gets the newest, and one that comes back what it missed."""

import asyncio
import json

import pytest

from portal import stream as stream_module
from portal.refreshes import KEPT, Progress
from portal.services import News
from portal.stream import BLOCK, CountStream, CountSubscription
from tests.support.made_alerts import alert
from tests.support.sinking import count, instant

A = frozenset({"a"})


def publish(stream: CountStream, tenant: str, version: int, partition: int, offset: int) -> None:
    stream.publish(count(tenant, version, instant(version), version), partition, offset)


async def taken(subscription: CountSubscription, number: int) -> list[News]:
    """Return news until they hold so many counts."""
    found: list[News] = []
    items = aiter(subscription)
    async with asyncio.timeout(5):
        while sum(len(news.counts) for news in found) < number:
            news = await anext(items)
            assert news is not None
            found.append(news)
    return found


def seen(items: list[News]) -> list[tuple[str, int]]:
    return [(count.tenant, count.version) for news in items for count in news.counts]


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


async def test_all_that_is_kept_for_a_slow_listener_is_the_newest_of_each_tenant() -> None:
    stream = CountStream(1, "g")
    async with stream.subscribe(None, None) as slow:
        for version in range(1, 20_000):
            publish(stream, f"t{version % 100}", version, 0, version)
        assert len(stream._log) < 2_000
        assert {version for _, version in seen(await taken(slow, 100))} == set(range(19_900, 20_000))


async def test_listeners_who_are_equally_far_get_the_same_bytes() -> None:
    stream = CountStream(1, "g")
    publish(stream, "a", 1, 0, 1)
    async with stream.subscribe(None, None) as first, stream.subscribe(None, None) as second:
        assert (await taken(first, 1))[0].text is (await taken(second, 1))[0].text
        publish(stream, "a", 2, 0, 2)
        assert (await taken(first, 1))[0].text is (await taken(second, 1))[0].text


async def test_many_counts_come_in_blocks_and_each_resumes_what_follows_it() -> None:
    stream = CountStream(2, "g")
    for number in range(3 * BLOCK + 1):
        publish(stream, f"t{number}", 1, number % 2, number // 2)
    async with stream.subscribe(None, None) as subscription:
        blocks = await taken(subscription, 3 * BLOCK + 1)
    assert [len(block.counts) for block in blocks] == [BLOCK, BLOCK, BLOCK, 1]
    for number, block in enumerate(blocks[:-1]):
        async with stream.subscribe(None, block.id) as subscription:
            rest = 3 * BLOCK + 1 - (number + 1) * BLOCK
            assert seen(await taken(subscription, rest)) == seen(blocks[number + 1 :])


async def test_the_text_is_one_event_a_count_and_the_id_is_at_the_last() -> None:
    stream = CountStream(1, "g")
    publish(stream, "a", 1, 0, 1)
    publish(stream, "b", 2, 0, 2)
    async with stream.subscribe(None, None) as subscription:
        (news,) = await taken(subscription, 2)
    first, second, nothing = news.text.decode().split("\n\n")
    assert nothing == ""
    events = [dict(line.split(": ", 1) for line in event.splitlines()) for event in (first, second)]
    assert [("count", None), ("count", news.id)] == [(event["event"], event.get("id")) for event in events]
    assert [json.loads(count.model_dump_json()) for count in news.counts] == [
        json.loads(event["data"]) for event in events
    ]


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


async def test_what_one_process_began_another_resumes_that_read_in_another_order() -> None:
    one, other = CountStream(2, "g"), CountStream(2, "g")
    publish(one, "a", 1, 0, 5)
    publish(one, "b", 1, 1, 3)
    async with one.subscribe(None, None) as subscription:
        last = (await taken(subscription, 2))[-1].id
    for tenant, partition, offset in (("b", 1, 3), ("c", 1, 4), ("a", 0, 5), ("d", 0, 6)):
        publish(other, tenant, 1, partition, offset)
    async with other.subscribe(None, last) as subscription:
        assert seen(await taken(subscription, 2)) == [("c", 1), ("d", 1)]


async def test_an_id_never_covers_a_count_that_still_waits() -> None:
    stream = CountStream(1, "g")
    publish(stream, "a", 1, 0, 1)
    async with stream.subscribe(None, None) as subscription:
        first = (await taken(subscription, 1))[0]
        publish(stream, "b", 1, 0, 2)
        publish(stream, "a", 2, 0, 3)
    async with stream.subscribe(None, first.id) as subscription:
        assert seen(await taken(subscription, 2)) == [("b", 1), ("a", 2)]


async def test_a_listener_to_one_tenant_hears_of_no_other() -> None:
    stream = CountStream(1, "g")
    publish(stream, "stranger", 1, 0, 1)
    async with stream.subscribe(A, None) as subscription:
        publish(stream, "stranger", 2, 0, 2)
        publish(stream, "a", 1, 0, 3)
        assert seen(await taken(subscription, 1)) == [("a", 1)]


async def test_an_id_of_some_tenants_resumes_them_and_no_others() -> None:
    stream = CountStream(1, "g")
    publish(stream, "b", 1, 0, 1)
    publish(stream, "a", 1, 0, 2)
    async with stream.subscribe(A, None) as subscription:
        last = (await taken(subscription, 1))[0].id
    publish(stream, "a", 2, 0, 3)
    async with stream.subscribe(A, last) as subscription:
        assert seen(await taken(subscription, 1)) == [("a", 2)]
    for audience in (None, A | {"b"}):
        async with stream.subscribe(audience, last) as subscription:
            assert seen(await taken(subscription, 2)) == [("b", 1), ("a", 2)]


async def test_an_id_of_another_life_of_the_broker_or_rubbish_resumes_nothing() -> None:
    stream = CountStream(1, "g")
    publish(stream, "a", 1, 0, 5)
    for last in ("other~5", "g~99", "g~1.2", "g~x", "", "rubbish", "g~5~"):
        async with stream.subscribe(None, last) as subscription:
            assert seen(await taken(subscription, 1)) == [("a", 1)], last


async def test_a_quiet_stream_says_that_it_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "QUIET_S", 0.01)
    stream = CountStream(1, "g")
    publish(stream, "stranger", 1, 0, 5)
    async with stream.subscribe(A, None) as subscription:
        async for news in subscription:
            assert news is None
            break


async def test_a_tenant_that_was_removed_is_not_told_of() -> None:
    stream = CountStream(1, "g")
    publish(stream, "a", 1, 0, 1)
    publish(stream, "b", 1, 0, 2)
    stream.forget("a")
    async with stream.subscribe(None, None) as subscription:
        assert seen(await taken(subscription, 1)) == [("b", 1)]


async def test_alerts_of_a_purged_tenant_are_not_told_of_and_those_since_are() -> None:
    stream = CountStream(1, "g")
    for number, rule in ((1, "pool"), (2, "stale")):
        stream.publish_alert(alert("a", number, rule), 0, number)
    stream.forget("a")
    stream.forget("a", ["pool"])
    async with stream.subscribe(None, None) as subscription:
        assert ["a-stale-2"] == await alerts(subscription, 1)


async def test_a_closed_stream_ends_its_listeners() -> None:
    stream = CountStream(1, "g")
    async with stream.subscribe(None, None) as subscription:
        waiting = asyncio.create_task(anext(aiter(subscription), "ended"))
        await asyncio.sleep(0)
        stream.close()
        assert await waiting == "ended"
        assert [item async for item in subscription] == []


def refreshed(name: str, tenant: str, *, done: bool = False) -> Progress:
    return Progress(id=name, tenant=tenant, started_at=instant(1), done=done, facets={})


async def alerts(subscription: CountSubscription, number: int) -> list[str]:
    """Return the ids of the next alerts."""
    found: list[str] = []
    items = aiter(subscription)
    async with asyncio.timeout(5):
        while len(found) < number:
            news = await anext(items)
            assert news is not None
            found += [alert.id for alert in news.alerts]
    return found


async def test_alerts_and_counts_come_in_one_stream_of_each_alert_the_newest_change() -> None:
    stream = CountStream(1, "g")
    publish(stream, "a", 1, 0, 1)
    for number, rule in ((1, "pool"), (2, "pool"), (3, "stale")):
        stream.publish_alert(alert("a", number, rule), 0, number)
    async with stream.subscribe(None, None) as subscription:
        (news,) = await taken(subscription, 1)
        assert [1, 2] == [len(news.counts), len(news.alerts)]
        events = [event.split("\n")[0] for event in news.text.decode().split("\n\n")]
        assert ["event: count", "event: alert", "event: alert", ""] == events
        stream.publish_alert(alert("b", 4), 0, 4)
        assert ["b-pool-4"] == await alerts(subscription, 1)


async def test_one_that_comes_back_gets_alerts_and_counts_since() -> None:
    stream = CountStream(2, "g")
    publish(stream, "a", 1, 1, 7)
    stream.publish_alert(alert("a", 1), 1, 3)
    async with stream.subscribe(A, None) as subscription:
        last = (await taken(subscription, 1))[-1].id
    stream.publish_alert(alert("a", 2, "stale"), 1, 4)
    async with stream.subscribe(A, last) as subscription:
        assert ["a-stale-2"] == await alerts(subscription, 1)
        publish(stream, "a", 2, 1, 8)
        assert [("a", 2)] == seen(await taken(subscription, 1))


async def test_an_alert_from_before_the_topic_begins_is_told_to_new_listeners_and_moves_no_id() -> None:
    stream = CountStream(1, "g")
    stream.publish_alert(alert("a", 5), 0, 5)
    known = stream.newest_id(None)
    stream.publish_alert(alert("b", 1), 0, -1)
    assert known == stream.newest_id(None)
    async with stream.subscribe(None, None) as subscription:
        assert ["a-pool-5", "b-pool-1"] == await alerts(subscription, 2)


async def test_a_listener_to_one_tenant_hears_of_no_alert_of_another() -> None:
    stream = CountStream(1, "g")
    async with stream.subscribe(A, None) as subscription:
        stream.publish_alert(alert("stranger", 1), 0, 1)
        stream.publish_alert(alert("a", 2), 0, 2)
        assert ["a-pool-2"] == await alerts(subscription, 1)


async def refreshes(subscription: CountSubscription) -> list[Progress]:
    """Return the refreshes of the next news."""
    async with asyncio.timeout(5):
        news = await anext(aiter(subscription))
    assert news is not None
    assert ([], "") == (list(news.counts), news.id)
    events = [event.split("\n") for event in news.text.decode().removesuffix("\n\n").split("\n\n")]
    assert {"event: refresh"} == {event for event, _ in events}
    return [Progress.model_validate_json(data.removeprefix("data: ")) for _, data in events]


async def test_a_listener_hears_of_refreshes_that_go_on_and_of_their_end() -> None:
    stream = CountStream(1, "g")
    for progress in (refreshed("r1", "a"), refreshed("r2", "a"), refreshed("r1", "a", done=True)):
        stream.tell(progress)
    async with stream.subscribe(None, None) as subscription:
        assert [refreshed("r2", "a")] == await refreshes(subscription)
        stream.tell(refreshed("r2", "a", done=True))
        stream.tell(refreshed("r3", "b"))
        assert [refreshed("r2", "a", done=True), refreshed("r3", "b")] == await refreshes(subscription)
        stream.tell(refreshed("r4", "a"))
        assert [refreshed("r4", "a")] == await refreshes(subscription)
        stream.tell(refreshed("r3", "b", done=True))
        assert [refreshed("r3", "b", done=True)] == await refreshes(subscription)


async def test_after_the_newest_id_a_listener_gets_only_what_comes_then() -> None:
    stream = CountStream(2, "g")
    nothing_yet = stream.newest_id(None)
    publish(stream, "a", 1, 0, 5)
    known = stream.newest_id(None)
    publish(stream, "b", 1, 1, 3)
    async with stream.subscribe(None, known) as subscription:
        assert seen(await taken(subscription, 1)) == [("b", 1)]
    async with stream.subscribe(None, nothing_yet) as subscription:
        assert seen(await taken(subscription, 2)) == [("a", 1), ("b", 1)]


async def test_a_slow_listener_gets_the_newest_of_a_refresh_also_where_it_is_its_end() -> None:
    stream = CountStream(1, "g")
    async with stream.subscribe(None, None) as subscription:
        for done in (False, True):
            stream.tell(refreshed("r1", "a", done=done))
        assert [refreshed("r1", "a", done=True)] == await refreshes(subscription)


async def test_a_listener_to_one_tenant_hears_of_no_other_refresh() -> None:
    stream = CountStream(1, "g")
    stream.tell(refreshed("r1", "stranger"))
    async with stream.subscribe(A, None) as subscription:
        stream.tell(refreshed("r2", "stranger"))
        stream.tell(refreshed("r3", "a"))
        assert [refreshed("r3", "a")] == await refreshes(subscription)


async def test_a_waiting_listener_is_woken_by_a_refresh() -> None:
    stream = CountStream(1, "g")
    async with stream.subscribe(A, None) as subscription, asyncio.TaskGroup() as group:
        waiting = group.create_task(refreshes(subscription))
        await asyncio.sleep(0)
        stream.tell(refreshed("r1", "a"))
        assert [refreshed("r1", "a")] == await waiting


async def test_refreshes_that_nobody_asks_for_any_more_are_let_go() -> None:
    stream = CountStream(1, "g")
    for number in range(KEPT + 1):
        stream.tell(refreshed(str(number), "a"))
    async with stream.subscribe(None, None) as subscription:
        assert [str(number) for number in range(1, KEPT + 1)] == [each.id for each in await refreshes(subscription)]
