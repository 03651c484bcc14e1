"""What goes out of a channel, and when, without a clock: digests, storms, refusals, long outages."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import time
from random import Random
from zoneinfo import ZoneInfo

import pytest

from schemas.times import from_ms
from streams.notify.channels import Channel, Quiet, channels_for
from streams.notify.messages import Message, Outcome
from streams.notify.notifier import Notifier
from streams.notify.retry import LONGEST_MS, MOST_ATTEMPTS, SendError, wait_ms
from streams.notify.waiting import MOST_IN_ONE, Waiting
from tests.support.alerts import START_MS
from tests.support.messages import message
from tests.support.waiting import eventually_async

DAY_MS = 86_400_000
OPS = Channel("ops", "webhook", "https://user:geheim@hooks.example/token")


class Clock:
    """Moves when told to."""

    def __init__(self) -> None:
        self.now = START_MS + 1_000

    def __call__(self) -> int:
        return self.now


class MemorySender:
    """Keeps the ids that were sent; raises what `fails` returns."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sent: list[list[str]] = []
        self.tries: list[list[str]] = []
        self.fails: Callable[[list[str]], Exception | None] = lambda ids: None

    async def send(self, channel: Channel, messages: object, now_ms: int) -> None:
        assert isinstance(messages, list)
        ids = [each.alert.id for each in messages]
        self.tries.append(ids)
        error = self.fails(ids)
        if error is not None:
            raise error
        self.sent.append(ids)

    async def close(self) -> None:
        """There is nothing to close."""


class Told:
    """A notifier on a clock that is moved by hand."""

    def __init__(self, channel: Channel = OPS) -> None:
        self.clock = Clock()
        self.sender = MemorySender(self.clock)
        self.outcomes: list[Outcome] = []
        self.waiting = Waiting(channel)
        self.channel = channel
        self._notifier = Notifier({channel.name: channel}, {"webhook": self.sender}, self.outcomes.append, self.clock)

    async def step(self) -> bool:
        """Try what is ready; return whether there was something."""
        batch = self.waiting.take(self.clock.now)
        if batch:
            await self._notifier._try(self.channel, self.waiting, batch)
        return bool(batch)

    async def run(self, until_ms: int) -> None:
        """Let time pass, from one try to the next."""
        while True:
            while await self.step():
                pass
            ready = self.waiting.ready_at(self.clock.now)
            if ready is None or ready > until_ms:
                break
            assert ready > self.clock.now, "ready, and nothing goes out: it would turn for ever"
            self.clock.now = ready
        self.clock.now = max(self.clock.now, until_ms)

    def ended(self) -> dict[str, str]:
        return {outcome.alert_id: outcome.state for outcome in self.outcomes if outcome.state != "failed"}


def many(number: int, **fields: object) -> list[Message]:
    return [message("ops", each, tenant=f"t{each}", **fields) for each in range(1, number + 1)]


async def test_a_digest_waits_for_its_time_takes_what_came_and_repeats_nothing() -> None:
    told = Told(replace(OPS, digest_ms=60_000))
    for each in [*many(3), *many(3)]:
        told.waiting.add(each)
    await told.run(START_MS + 59_000)
    assert [] == told.sender.tries
    await told.run(START_MS + 61_000)
    assert [["id1", "id2", "id3"]] == told.sender.sent
    for each in many(3):
        told.waiting.add(replace(each, alert=each.alert.model_copy(update={"id": f"again-{each.alert.id}"})))
    await told.run(START_MS + 62_000)
    assert [["again-id1", "again-id2", "again-id3"]] == told.sender.sent[1:]


async def test_a_storm_of_10000_tenants_is_told_in_a_hundred_messages_and_leaves_nothing() -> None:
    quiet = Quiet(time(22), time(7), ZoneInfo("Europe/Paris"))
    told = Told(replace(OPS, quiet=quiet))
    messages = many(10_000)
    for each in messages:
        told.waiting.add(each)
    await told.run(START_MS + DAY_MS)
    assert 10_000 // MOST_IN_ONE == len(told.sender.tries)
    assert [each.alert.id for each in messages] == [id_ for batch in told.sender.sent for id_ in batch]
    assert told.waiting.ready_at(told.clock.now) is None


async def test_a_receiver_that_fails_at_one_message_gets_all_others_within_hours() -> None:
    told = Told()
    told.sender.fails = lambda ids: SendError("the receiver answered 500") if "id7" in ids else None
    for each in many(250):
        told.waiting.add(each)
    await told.run(START_MS + 3 * 3_600_000)
    assert {f"id{number}" for number in range(1, 251)} - {"id7"} == set(told.ended())
    await told.run(START_MS + 3 * DAY_MS)
    assert "given_up" == told.ended()["id7"]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_is_too_much_at_once_comes_in_smaller_parts_and_is_not_given_up(status: int) -> None:
    told = Told()
    told.sender.fails = lambda ids: (
        SendError(f"the receiver answered {status}", for_good=True, of_content=True) if len(ids) > 20 else None
    )
    for each in many(250):
        told.waiting.add(each)
    await told.run(START_MS + DAY_MS)
    assert {"delivered"} == set(told.ended().values())
    assert 250 == len(told.ended())


async def test_a_channel_that_is_gone_is_given_up_after_three_refusals() -> None:
    told = Told()
    told.sender.fails = lambda ids: SendError("the receiver answered 410", for_good=True)
    for each in many(2):
        told.waiting.add(each)
    await told.run(START_MS + 3_600_000)
    assert {"id1": "given_up", "id2": "given_up"} == told.ended()
    assert 6 == len(told.sender.tries)


async def test_nobody_waits_for_many_days_behind_what_a_dead_channel_does_not_take() -> None:
    told = Told()
    told.sender.fails = lambda ids: SendError("the receiver cannot be reached (ConnectError)")
    for each in many(300):
        told.waiting.add(each)
    await told.run(START_MS + 3 * DAY_MS)
    assert 300 == len(told.ended())
    assert {"given_up"} == set(told.ended().values())
    assert len(told.sender.tries) < 150


async def test_what_comes_during_an_outage_does_not_use_up_the_tries_of_what_waits_for_long() -> None:
    told = Told(replace(OPS, digest_ms=1))
    told.sender.fails = lambda ids: SendError("the receiver answered 503")
    for number in range(60):
        at = START_MS + 1 + number * 300_000
        told.waiting.add(message("ops", number + 1, tenant=f"t{number}", at=from_ms(at)))
        await told.run(at + 200_000)
    told.sender.fails = lambda ids: None
    await told.run(told.clock.now + 2 * LONGEST_MS)
    assert 60 == list(told.ended().values()).count("delivered")


async def test_what_comes_later_of_an_alert_waits_for_what_is_to_be_tried_again() -> None:
    told = Told()
    told.waiting.add(replace(message("ops", 1), attempts=3, due_ms=START_MS + 60_000))
    told.waiting.add(message("ops", 2, change="resolved", state="resolved", level=None))
    told.waiting.add(message("ops", 3, rule="stale"))
    await told.run(START_MS + 59_000)
    assert [["id3"]] == told.sender.sent
    await told.run(START_MS + 61_000)
    assert [["id3"], ["id1"], ["id2"]] == told.sender.sent


async def test_an_end_is_not_told_before_its_beginning() -> None:
    told = Told()
    told.sender.fails = lambda ids: SendError("the receiver answered 503") if len(told.sender.tries) < 3 else None
    told.waiting.add(message("ops", 1))
    await told.step()
    told.waiting.add(message("ops", 2, change="resolved", state="resolved", level=None))
    await told.run(START_MS + DAY_MS)
    assert [["id1"], ["id2"]] == told.sender.sent


async def test_by_night_the_grave_is_told_at_once_and_the_rest_in_the_morning_in_order() -> None:
    night = Quiet(time(0), time(23, 59), ZoneInfo("UTC"), "critical")
    told = Told(replace(OPS, quiet=night))
    for number, level in enumerate(("warning", "critical", "warning"), 1):
        told.waiting.add(message("ops", number, level=level))
    await told.step()
    assert not await told.step()
    assert [["id2"]] == told.sender.sent
    await told.run(START_MS + DAY_MS)
    assert [["id2"], ["id1"], ["id3"]] == told.sender.sent


def test_a_receiver_may_ask_for_time_and_no_more_than_an_hour() -> None:
    chance = Random(1)
    assert 120_000 == wait_ms(1, SendError("429", retry_after_ms=120_000), chance)
    assert LONGEST_MS == wait_ms(1, SendError("429", retry_after_ms=10**12), chance)
    assert wait_ms(MOST_ATTEMPTS - 1, SendError("503"), chance) is not None
    assert wait_ms(MOST_ATTEMPTS, SendError("503"), chance) is None


async def test_messages_of_a_channel_that_left_the_settings_are_given_up() -> None:
    outcomes: list[Outcome] = []
    notifier = Notifier({}, {}, outcomes.append)
    notifier.submit(many(2))
    await notifier.close()
    assert ["given_up", "given_up"] == [outcome.state for outcome in outcomes]


async def test_a_channel_that_hangs_holds_up_nobody_and_a_failure_of_a_plugin_ends_nothing() -> None:
    clock = Clock()
    fine, odd = MemorySender(clock), MemorySender(clock)
    odd.fails = lambda ids: RuntimeError("at https://user:geheim@hooks.example") if len(odd.tries) == 1 else None

    class BlockingSender(MemorySender):
        async def send(self, channel: Channel, messages: object, now_ms: int) -> None:
            await asyncio.Event().wait()

    channels = {"ops": OPS, "odd": Channel("odd", "apprise", "x://"), "hangs": replace(OPS, name="hangs")}
    outcomes: list[Outcome] = []

    class ByName(MemorySender):
        async def send(self, channel: Channel, messages: object, now_ms: int) -> None:
            sender: MemorySender = BlockingSender(clock) if channel.name == "hangs" else fine
            await sender.send(channel, messages, now_ms)

    notifier = Notifier(channels, {"webhook": ByName(clock), "apprise": odd}, outcomes.append, clock)
    notifier.submit([message("hangs"), message("odd"), message("ops")])

    async def both() -> bool:
        return len(outcomes) == 2

    await eventually_async(both, 5)
    await notifier.close()
    states = {outcome.channel: (outcome.state, outcome.error) for outcome in outcomes}
    assert {"ops": ("delivered", None), "odd": ("failed", "it could not be sent (RuntimeError)")} == states


def test_a_tenant_names_only_channels_that_serve_it() -> None:
    from schemas.settings import AlertSettings

    known = {"ops": OPS, "own": replace(OPS, name="own", tenants=frozenset({"acme"}))}
    named = AlertSettings(channels=["own", "ops", "ops", "gone"])
    assert ["own", "ops"] == channels_for("acme", named, known)
    assert ["ops"] == channels_for("contoso", named, known)
    assert [] == channels_for("contoso", AlertSettings(channels=[]), known)
    assert ["ops", "own"] == channels_for("acme", AlertSettings(), known)
