"""The Graph collector killed, stopped and cut off, and Graph at its worst: counts stay right, and nobody waits for
those that fail."""

import asyncio
import json
import random
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from aiokafka import ConsumerRecord

from licensing.factors import ALL, counted_factor
from runtime import topics
from runtime.embedded.child import Child
from schemas.identifiers import partition_of
from schemas.settings import Graph, TenantSettings
from schemas.topics import TopicName, full_name
from streams.kafka import KafkaOptions
from tests.support.embedded_stack import EmbeddedStack, running_stack
from tests.support.graph import FakeGraph, FakeTenant, served_graph
from tests.support.graph.answers import Answer
from tests.support.graph.collecting import (
    collector_process,
    enrol,
    enrol_all,
    expected_count,
    fill,
    portal_without_history,
)
from tests.support.graph.cursors import _decode
from tests.support.graph.faults import Fault
from tests.support.graph.sign_in import CLIENT_SECRET
from tests.support.kafka_broker import KafkaBroker
from tests.support.kafka_clients import admin_of, consumer_of, partitions_of, producer_of, true_ends
from tests.support.waiting import eventually
from tests.unit.collectors.importing import profiles_of

WAIT_S = 120.0
USERS, ACCOUNTS = "/v1.0/users/delta", "/v1.0/admin/teams/userConfigurations"
NUMBERS = "/v1.0/admin/teams/telephoneNumberManagement"
PRIVATE = ("User 1", "fabrikam", "@", "+33", "%2B33", "eyJ", CLIENT_SECRET)
"""What no log may hold: display names, principal names, numbers, tokens and the secret, of the fake's making."""

Tenants = dict[str, FakeTenant]


class Start(Protocol):
    """Starts a collector that logs everything; what still runs is stopped at the end, and its log looked at."""

    def __call__(self, **settings: Any) -> Child: ...


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    with running_stack(tmp_path_factory.mktemp("graph") / "data") as own:
        yield own


@pytest.fixture(scope="module")
def graph() -> Iterator[FakeGraph]:
    with served_graph() as served:
        yield served


@pytest.fixture
def start(graph: FakeGraph, stack: EmbeddedStack, tmp_path: Path) -> Iterator[Start]:
    children: list[Child] = []

    def begin(**settings: Any) -> Child:
        log = tmp_path / f"collector-{len(children)}.log"
        children.append(collector_process(graph, stack.bootstrap, stack.url, log, log_level="debug", **settings))
        children[-1].start()
        return children[-1]

    yield begin
    graph.faults.clear()
    # One after the other: two that leave the embedded broker at once can leave it with a group that none can join.
    while alive := [child for child in children if child.alive]:
        eventually(lambda: ALL_PLACES == sorted(had(alive)), WAIT_S)
        alive[0].stop()
    for child in children:
        check_log(child)


def check_log(child: Child) -> None:
    """What a collector wrote is log lines without personal data or secrets, and nothing broke."""
    text = child.log_path.read_text()
    assert [] == [word for word in PRIVATE if word in text]
    lines = [json.loads(line) for line in text.splitlines()]
    assert [] == [line for line in lines if line["event"] == "graph_errand_broke" or "exception" in line]
    assert "never retrieved" not in text


def assigned(child: Child) -> list[int] | None:
    """Return which partitions a collector has, by what it says; None before it has said anything."""
    lines = [json.loads(line) for line in child.log_path.read_text().splitlines() if "graph_collector_assigned" in line]
    return list(lines[-1]["partitions"]) if lines else None


def had(children: Iterable[Child]) -> list[int]:
    """Return which partitions collectors have together."""
    return [partition for child in children for partition in assigned(child) or []]


def licensed(stack: EmbeddedStack, names: Iterable[str]) -> dict[str, int]:
    return {name: int(stack.count(name)["currently_licensed"]) for name in names}


def expected(tenants: Tenants) -> dict[str, int]:
    return {name: expected_count(fake) for name, fake in tenants.items()}


def parts(stack: EmbeddedStack, tenant: str) -> dict[str, dict[str, Any]]:
    return {item["part"]: item for item in stack.get(f"/tenants/{tenant}/sources")["items"]}


def states(stack: EmbeddedStack, tenant: str) -> set[str]:
    return {part["state"] for part in parts(stack, tenant).values()}


def hire(fake: FakeTenant, users: int) -> None:
    """Add users who count."""
    for user in [fake.add_user() for _ in range(users)]:
        fake.assign_number(user, f"+332{len(fake.numbers):08d}")


def records(stack: EmbeddedStack, topic: TopicName) -> list[ConsumerRecord]:
    """Return all records of a topic, partition by partition."""
    return asyncio.run(read_all(stack.bootstrap, "poolwatch.", topic))


async def read_all(bootstrap: str, prefix: str, *names: TopicName) -> list[ConsumerRecord]:
    """Return all records of topics that were there at the call."""
    found: list[ConsumerRecord] = []
    async with consumer_of(bootstrap) as consumer:
        tps = [tp for name in names for tp in partitions_of(full_name(prefix, name))]
        ends = await true_ends(consumer, tps)
        consumer.assign(tps)
        await consumer.seek_to_beginning()
        while [tp for tp in tps if await consumer.position(tp) < ends[tp]]:
            for fetched in (await consumer.getmany(timeout_ms=200)).values():
                found += fetched
    return found


def published(stack: EmbeddedStack, tenant: str) -> list[int]:
    """Return every count of a tenant that was ever told, in order."""
    values = [record.value for record in records(stack, "license-counts") if record.key == tenant.encode()]
    return [int(json.loads(value)["currently_licensed"]) for value in values]


def test_killed_in_mid_sync_it_goes_on_and_no_count_falls(graph: FakeGraph, stack: EmbeddedStack, start: Start) -> None:
    tenants = {name: graph.add_tenant() for name in ("large", "middle", "small")}
    for fake, users in zip(tenants.values(), (1_100, 300, 60), strict=True):
        fill(fake, users, users * 2 // 3)
    graph.faults.slow(100_000, 0.05)
    enrol_all(stack.url, tenants)
    chance = random.Random(11)
    for _ in range(2):
        child, before = start(), len(graph.requests)
        moment = before + chance.randint(10, 34)
        eventually(lambda: len(graph.requests) >= moment, WAIT_S)  # noqa: B023 -- called at once
        child.kill()
        for fake in tenants.values():
            hire(fake, 25)
    start()
    eventually(lambda: expected(tenants) == licensed(stack, tenants), WAIT_S)
    for name, fake in tenants.items():
        counts = published(stack, name)
        assert sorted(counts) == counts
        assert counts[-1] == expected_count(fake)
        assert check_places(stack, name, fake)


def check_places(stack: EmbeddedStack, tenant: str, fake: FakeTenant) -> int:
    """Before each delta link that was saved, all that it is behind of was told; return how many links there were."""
    told: dict[str, int] = {}
    for record in records(stack, "user-changes"):
        for event in _events(record.value):
            if event["tenant"] == tenant and event["type"] == "directory":
                user = event["subject"].removeprefix("user:")
                told[user] = min(told.get(user, record.timestamp), record.timestamp)
    saved = [record for record in records(stack, "sources") if record.key == f"{tenant}/graph/users".encode()]
    links = [(record, link) for record in saved if record.value and (link := json.loads(record.value).get("cursor"))]
    for record, link in links:
        behind = {user for place, user in fake.user_log.after(0) if place <= _place(link)}
        assert set() == {user for user in behind if told[user] > record.timestamp}
    return len(links)


def _events(value: bytes) -> list[dict[str, Any]]:
    decoded = msgspec.json.decode(value)
    return decoded if isinstance(decoded, list) else [decoded]


def _place(link: str) -> int:
    """Return the sequence number of the last change before a delta link of the fake."""
    return _decode(parse_qs(urlsplit(link).query)["$deltatoken"][0]).since


EMPTY = Answer(body={"value": []})


def test_an_answer_that_is_empty_empties_nobody(graph: FakeGraph, stack: EmbeddedStack, start: Start) -> None:
    tenants = {name: graph.add_tenant() for name in ("emptied", "emptied-of-few")}
    fill(tenants["emptied"], 40, 30)
    fill(tenants["emptied-of-few"], 3, 3)
    enrol_all(stack.url, tenants)
    start()
    eventually(lambda: expected(tenants) == licensed(stack, tenants), WAIT_S)
    for fake in tenants.values():
        for path in (ACCOUNTS, NUMBERS, USERS):
            graph.faults.plan(Fault(100_000, path, fake.ms_tenant_id, EMPTY))
    for name in tenants:
        eventually(lambda: "held" == parts(stack, name)["numbers"]["state"], WAIT_S)  # noqa: B023 -- called at once
        refreshed = stack.cli("refresh", name, "--wait")
        assert "phone_number is held" in refreshed.err
    graph.faults.clear()
    for name in tenants:
        eventually(lambda: {"ok"} == states(stack, name), WAIT_S)  # noqa: B023 -- called at once
        counts = published(stack, name)
        assert sorted(counts) == counts
    assert expected(tenants) == licensed(stack, tenants)


def test_switched_off_a_tenant_is_asked_no_more_and_keeps_its_count(
    graph: FakeGraph, stack: EmbeddedStack, start: Start
) -> None:
    tenants = {name: graph.add_tenant() for name in ("off", "off-while-away")}
    for fake in tenants.values():
        fill(fake, 30, 25)
    enrol_all(stack.url, tenants)
    first = start()
    eventually(lambda: expected(tenants) == licensed(stack, tenants), WAIT_S)
    switch_off(stack, "off")
    eventually(lambda: not parts(stack, "off"), WAIT_S)
    first.stop()
    switch_off(stack, "off-while-away")
    asked = len(graph.requests)
    counted = expected(tenants)
    for fake in tenants.values():
        hire(fake, 5)
    witness = graph.add_tenant()
    fill(witness, 3, 3)
    enrol(stack.url, "witness", witness)
    start(poll_s=1)
    eventually(lambda: not parts(stack, "off-while-away"), WAIT_S)
    eventually(lambda: len(graph.requests_to(USERS, witness.ms_tenant_id)) >= 4, WAIT_S)
    away = {fake.ms_tenant_id for fake in tenants.values()}
    assert [] == [request.path for request in graph.requests[asked:] if request.tenant in away]
    assert counted == licensed(stack, tenants)
    enrol_all(stack.url, tenants)
    eventually(lambda: expected(tenants) == licensed(stack, tenants), WAIT_S)
    eventually(lambda: {"ok"} == states(stack, "off"), WAIT_S)


def switch_off(stack: EmbeddedStack, tenant: str) -> None:
    url = f"{stack.url}/api/v1/tenants/{tenant}/settings"
    httpx.patch(url, json={"graph": None}, timeout=30).raise_for_status()


def test_two_share_the_tenants_and_one_takes_over_from_where_the_other_was(
    graph: FakeGraph, stack: EmbeddedStack, start: Start
) -> None:
    tenants = {f"shared-{number}": graph.add_tenant() for number in range(8)}
    for number, fake in enumerate(tenants.values()):
        fill(fake, 10 + number, 5 + number)
    enrol_all(stack.url, tenants)
    one, two = start(poll_s=3_600), start(poll_s=3_600)
    theirs = shared(one, two)
    eventually(lambda: expected(tenants) == licensed(stack, tenants), WAIT_S)
    eventually(lambda: all(linked(stack, tenants).values()), WAIT_S)
    of_two = {name for name in tenants if place(name) in theirs[1]}
    assert of_two
    assert of_two != set(tenants)

    asked, killed_at = len(graph.requests), time.monotonic()
    two.kill()
    eventually(lambda: ALL_PLACES == assigned(one), WAIT_S)
    after_kill_s = time.monotonic() - killed_at
    for name in of_two:
        assert goes_on(graph, tenants[name], asked)
    for fake in tenants.values():
        hire(fake, 1)

    three = start(poll_s=1)
    shared(one, three)
    told_at = time.monotonic()
    one.stop()
    eventually(lambda: ALL_PLACES == assigned(three), WAIT_S)
    # Nobody waits for the silence of one that has said goodbye.
    assert time.monotonic() - told_at < after_kill_s - 1
    assert "Traceback" not in one.log_tail(5)
    eventually(lambda: expected(tenants) == licensed(stack, tenants), WAIT_S)
    for name in tenants:
        counts = published(stack, name)
        assert sorted(counts) == counts


ALL_PLACES = list(range(8))


def place(tenant: str) -> int:
    return partition_of(tenant.encode(), len(ALL_PLACES))


def shared(*children: Child) -> list[list[int]]:
    """Wait until collectors share all places; return what each has."""

    def share() -> list[list[int]]:
        assert ALL_PLACES == sorted(had(children))
        have = [assigned(child) or [] for child in children]
        assert all(have)
        return have

    return eventually(share, WAIT_S)


def linked(stack: EmbeddedStack, tenants: Iterable[str]) -> dict[str, bool]:
    """Tell of each tenant whether a delta link of its users is saved."""
    found = dict.fromkeys(tenants, False)
    for record in records(stack, "sources"):
        tenant, _, part = record.key.decode().split("/")
        if tenant in found and part == "users" and record.value:
            found[tenant] = json.loads(record.value).get("cursor") is not None
    return found


def goes_on(graph: FakeGraph, fake: FakeTenant, since: int) -> bool:
    """Tell whether the first question for a tenant's users, from the `since`th request on, is where they left off."""

    def first() -> list[bool]:
        asked = [each for each in graph.requests[since:] if (each.path, each.tenant) == (USERS, fake.ms_tenant_id)]
        return ["$deltatoken" in each.query for each in asked]

    return eventually(first, WAIT_S)[0]


def test_one_that_slept_and_wakes_brings_back_nothing_old(graph: FakeGraph, stack: EmbeddedStack, start: Start) -> None:
    fake = graph.add_tenant()
    fill(fake, 40, 30)
    enrol(stack.url, "slept", fake)
    sleeper = start()
    eventually(lambda: expected_count(fake) == licensed(stack, ["slept"])["slept"], WAIT_S)
    graph.faults.slow(1, 1.0, path=NUMBERS, tenant=fake.ms_tenant_id)
    asked = len(graph.requests_to(NUMBERS, fake.ms_tenant_id))
    hire(fake, 6)  # so that the answer on its way holds news, and is told
    eventually(lambda: len(graph.requests_to(NUMBERS, fake.ms_tenant_id)) > asked, WAIT_S)
    sleeper.pause()
    # The answer lies in the sleeper's socket: it is older than what comes now.
    answered = time.monotonic() + 1.5
    eventually(lambda: time.monotonic() > answered)
    heir = start()
    eventually(lambda: ALL_PLACES == assigned(heir), WAIT_S)
    eventually(lambda: expected_count(fake) == licensed(stack, ["slept"])["slept"], WAIT_S)
    for number in sorted(fake.numbers)[-5:]:
        fake.unassign_number(number)
    eventually(lambda: expected_count(fake) == licensed(stack, ["slept"])["slept"], WAIT_S)
    before = len(published(stack, "slept"))
    sleeper.resume()
    shared(sleeper, heir)
    hire(fake, 1)
    eventually(lambda: expected_count(fake) == licensed(stack, ["slept"])["slept"], WAIT_S)
    assert {expected_count(fake) - 1, expected_count(fake)} >= set(published(stack, "slept")[before:])


def test_whatever_graph_answers_in_mid_page_the_counts_are_right_in_the_end(
    graph: FakeGraph, stack: EmbeddedStack, start: Start
) -> None:
    faults = graph.faults
    tenants: Tenants = {}

    def added(name: str, users: int = 20) -> str:
        tenants[name] = graph.add_tenant()
        fill(tenants[name], users, users // 2)
        return tenants[name].ms_tenant_id

    # These two alone have more than a page of users.
    for turn in (graph.sign_in.revoke, faults.expire_page_tokens):
        faults.between_pages(partial(turn, added(f"turned-{len(tenants)}", 450)), path=USERS)
    for damage in ("cut", "broken_json"):
        of = added(f"damaged-{damage.replace('_', '-')}")
        for path in (USERS, NUMBERS):
            faults.damage(3, damage, path=path, tenant=of)
    for status in (500, 502, 503, 504):
        faults.fail(3, status, "1" if status == 503 else None, tenant=added(f"burst-{status}"))
    for number in range(60):
        faults.throttle(4, None if number % 2 else "0.5", tenant=added(f"stormed-{number}", 5))
    throttled = {f"throttled-{number}": added(f"throttled-{number}", 5) for number in range(5)}
    for of in throttled.values():
        faults.throttle(100_000, "60", tenant=of)
    enrol_all(stack.url, tenants)
    start()
    rest = {name: fake for name, fake in tenants.items() if name not in throttled}
    eventually(lambda: expected(rest) == licensed(stack, rest), WAIT_S)
    assert {0} == set(licensed(stack, throttled).values())
    # Whoever is told to wait for a minute does.
    assert [] == [of for of in throttled.values() if len(graph.requests_to("/v1.0", of)) > 4]
    change_while_places_expire(graph, rest)
    eventually(lambda: expected(rest) == licensed(stack, rest), WAIT_S)
    for name in rest:
        eventually(lambda: {"ok"} == states(stack, name), WAIT_S)  # noqa: B023 -- called at once


def change_while_places_expire(graph: FakeGraph, tenants: Tenants) -> None:
    """Let users come and go for good, and every delta link be void; what is gone shows in no later answer."""
    for number, fake in enumerate(tenants.values()):
        hire(fake, 1)
        graph.faults.expire_delta_tokens(fake.ms_tenant_id, gone=number % 2 == 0)
        fake.remove_user(min(fake.users), hard=True)
        fake.unassign_number(min(fake.numbers))


def test_a_broker_that_goes_away_is_waited_for(
    graph: FakeGraph, disposable_kafka: KafkaBroker, prefix: str, tmp_path: Path
) -> None:
    if not disposable_kafka.durable:
        pytest.skip(f"{disposable_kafka.name} forgets its records when it stops")
    fake, options = graph.add_tenant(), KafkaOptions(disposable_kafka.bootstrap, prefix)
    fill(fake, 40, 30)
    settings = TenantSettings(tenant="acme", ms_tenant_id=fake.ms_tenant_id, graph=Graph(), revision=1)
    asyncio.run(make_topics(options, settings))
    with portal_without_history() as url:
        child = collector_process(
            graph, options.bootstrap, url, tmp_path / "collector.log", prefix=prefix, log_level="debug", poll_s=1
        )
        child.start()
        try:
            eventually(lambda: recounted(options, settings) == expected_count(fake), WAIT_S)
            disposable_kafka.stop()
            hire(fake, 10)
            fake.unassign_number(min(fake.numbers))
            eventually(lambda: "Got error produce response" in child.log_path.read_text(), WAIT_S)
            disposable_kafka.start()
            eventually(lambda: recounted(options, settings) == expected_count(fake), WAIT_S)
            assert child.alive
        finally:
            child.stop()
    check_log(child)


async def make_topics(options: KafkaOptions, settings: TenantSettings) -> None:
    async with admin_of(options.bootstrap) as admin:
        await topics.ensure(admin, options.prefix, options.partitions)
    async with producer_of(options.bootstrap) as producer:
        key, value = settings.tenant.encode(), settings.model_dump_json().encode()
        await producer.send_and_wait(options.topic("tenants"), value, key, place(settings.tenant))


def recounted(options: KafkaOptions, settings: TenantSettings) -> int:
    """Return how many count by all events that were published."""

    told = asyncio.run(read_all(options.bootstrap, options.prefix, "user-changes", "assignments"))
    events = [event for record in told for event in _events(record.value)]
    profiles = profiles_of(events, settings)
    return sum(counted_factor(profile, ALL) is not None for profile in profiles.values())


# More hang than there are slots for requests.
HEALTHY, HANGING, FORBIDDEN, UNCONSENTED = 60, 80, 5, 5


def test_of_many_tenants_those_that_hang_or_are_refused_keep_nobody_waiting(
    graph: FakeGraph, stack: EmbeddedStack, start: Start
) -> None:
    healthy = {f"healthy-{number}": graph.add_tenant() for number in range(HEALTHY)}
    ill = {f"ill-{number}": graph.add_tenant() for number in range(HANGING + FORBIDDEN + UNCONSENTED)}
    for fake in (*healthy.values(), *ill.values()):
        fill(fake, 3, 3)
    enrol_all(stack.url, {**healthy, **ill})
    for fake in ill.values():
        fake.consented = False
    alone_s = counted_within(graph, stack, start, healthy)
    for number, fake in enumerate(ill.values()):
        fake.consented = number >= UNCONSENTED
        if UNCONSENTED <= number < UNCONSENTED + FORBIDDEN:
            fake.permissions.clear()
        elif fake.consented:
            # Some of them already when they sign in.
            graph.faults.slow(100_000, 30.0, path="/v1.0" if number % 8 else "/", tenant=fake.ms_tenant_id)
    beside_s = counted_within(graph, stack, start, healthy)
    assert beside_s < 3 * alone_s + 5
    assert {0} == set(licensed(stack, ill).values())


def counted_within(graph: FakeGraph, stack: EmbeddedStack, start: Start, tenants: Tenants) -> float:
    """Change all of these tenants, start a collector, and return how long it takes until each is counted right."""
    for fake in tenants.values():
        hire(fake, 1)
    right, child = expected(tenants), start(poll_s=3_600)
    eventually(lambda: assigned(child), WAIT_S)
    began = time.monotonic()

    def counted() -> bool:
        items = stack.get("/tenants", limit=1_000)["items"]
        return right.items() <= {item["tenant"]: item["currently_licensed"] for item in items}.items()

    eventually(counted, 120.0)
    took_s = time.monotonic() - began
    child.stop()
    return took_s
