"""The alert process is killed again and again while counts come in: whoever is to be told is told, and repeats carry
the same id."""

import asyncio
import os
import random
import time
from collections import defaultdict

import pytest

from schemas.alert import Alert
from schemas.count import Count
from schemas.times import to_ms
from tests.support.alert_model import Limits, expected
from tests.support.alert_world import AlertWorld
from tests.support.kafka_clients import admin_of, partitions_of
from tests.support.receivers import Hook, MailBox, hook, mail_box
from tests.support.streams_world import StreamsWorld
from tests.support.waiting import NotInTimeError, eventually_async

KILLS = int(os.environ.get("POOLWATCH_ALERT_KILLS", "3"))
"""The suite takes a few; 50 take three to four minutes."""
SECRET = "a secret of the receiver"
LIMITS = {
    "acme": Limits(warning=70, critical=85, margin=5, dwell_s=0, grace=5),
    "contoso": Limits(warning=80, critical=95, margin=10, dwell_s=1, grace=10),
    "fabrikam": Limits(warning=60, critical=90, margin=0, dwell_s=0, grace=0),
}
STEPS = ("10-outcomes", "11-keep", "12-alerts")


async def wander(alerts: AlertWorld, chance: random.Random, done: asyncio.Event) -> None:
    """Let the tenants' usage go up and down until it is enough."""
    used = dict.fromkeys(LIMITS, 50)
    while not done.is_set():
        tenant = chance.choice(list(used))
        used[tenant] = min(max(used[tenant] + chance.choice((-25, -12, -4, 4, 12, 25)), 20), 125)
        await alerts.count(tenant, used[tenant])
        await asyncio.sleep(chance.uniform(0.02, 0.1))


async def kill_again_and_again(world: StreamsWorld, chance: random.Random, channels: dict[str, object]) -> None:
    for number in range(KILLS):
        fault = ""
        if number % 2:
            fault = f"{chance.choice(STEPS)}:{chance.choice(('before', 'after'))}:kill:{chance.randrange(1, 4)}"
        worker = world.worker(f"victim{number}", ("alerts",), fault=fault, alerts={"channels": channels})
        until = time.monotonic() + chance.uniform(1.0, 6.0)
        while worker.alive and time.monotonic() < until:  # noqa: ASYNC110 -- no event tells of a death
            await asyncio.sleep(0.05)
        worker.kill()


async def watches(world: StreamsWorld) -> bool:
    """Tell whether it is known from where on counts are watched."""
    places = partitions_of(world.options.topic("license-counts"), world.options.partitions)
    async with admin_of(world.options.bootstrap) as admin:
        committed = await admin.list_consumer_group_offsets(f"{world.options.group}-alerts", partitions=places)
    return all(committed[place].offset >= 0 for place in places)


async def published(world: StreamsWorld) -> dict[str, list[Count]]:
    await world.read()
    counts: dict[str, list[Count]] = defaultdict(list)
    for record in world.records["license-counts"]:
        if record.value is not None:
            count = Count.model_validate_json(record.value)
            counts[count.tenant].append(count)
    return counts


@pytest.mark.parametrize("seed", range(1))
async def test_everybody_is_told_whatever_dies_and_repeats_are_known_by_their_id(
    world: StreamsWorld, seed: int
) -> None:
    chance, alerts = random.Random(seed), AlertWorld(world)
    for tenant, own in LIMITS.items():
        await alerts.set(tenant, **own.settings())
    with hook() as receiver, mail_box() as box:
        receiver.answers = lambda: (503, {}) if chance.random() < 0.1 else (204, {})
        channels: dict[str, object] = {"hook": {"webhook": receiver.url, "secret": SECRET}, "ops": {"url": box.url}}
        first = world.worker("first", ("alerts",), alerts={"channels": channels})
        await first.ready()
        await eventually_async(lambda: watches(world))  # what came before a first start is not told
        done = asyncio.Event()
        feeding = asyncio.create_task(wander(alerts, chance, done))
        first.kill()
        await kill_again_and_again(world, chance, channels)
        last = world.worker("last", ("alerts",), alerts={"channels": channels})
        await last.ready()
        done.set()
        await feeding
        for tenant in LIMITS:
            await alerts.count(tenant, 30)
        problems: list[AssertionError] = []

        async def look() -> int:
            try:
                return await all_told(world, receiver, box)
            except AssertionError as problem:
                problems.append(problem)
                raise

        try:
            number = await eventually_async(look, 60)
        except NotInTimeError as error:
            raise problems[-1] from error
        assert 0 == await last.stop()
    assert number > 3 * len(LIMITS)


async def all_told(world: StreamsWorld, receiver: Hook, box: MailBox) -> int:
    """Return how many changes were told, once all have been that the model expects."""
    counts = await published(world)
    told: dict[str, Alert] = {}
    for call in receiver.taken():
        body = call.json()
        for item in body.get("alerts", [body]):
            alert = Alert.model_validate(item)
            assert told.setdefault(alert.id, alert) == alert  # a repeat is the same in every word
    by_tenant: dict[str, list[Alert]] = defaultdict(list)
    for alert in told.values():
        by_tenant[alert.tenant].append(alert)
    number = 0
    for tenant, own in LIMITS.items():
        history = [(to_ms(count.computed_at), count.currently_licensed) for count in counts[tenant]]
        model = expected(history, own, time.time_ns() // 1_000_000)
        made = sorted((to_ms(alert.at), alert.level) for alert in by_tenant[tenant])
        assert sorted(model, key=str) == sorted(made, key=str), tenant
        number += len(made)
    mailed = [
        part.get_content() for mail in box.mails for part in mail.walk() if part.get_content_type() == "text/plain"
    ]
    assert not [alert for alert in told.values() if not any(alert.detail in text for text in mailed)]
    return number
