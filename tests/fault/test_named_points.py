"""The worker dies at each named point of the delivery contract, before and after it: afterwards nothing is missing."""

import signal

import pytest

from tests.support.made_events import made_events
from tests.support.streams_world import StreamsWorld
from tests.support.worker import Worker

KILLED = -signal.SIGKILL
EVENTS = 200


async def load(world: StreamsWorld, round_: int) -> str:
    """Send what makes a worker come by every point: events good and bad, and a change of settings."""
    await world.send(made_events(100 + round_, EVENTS), array=10)
    await world.put("user-changes", round_, b"not JSON", b"acme")
    return await world.command("acme", acquired_licenses=100 + round_)


async def dies(world: StreamsWorld, fault: str) -> Worker:
    worker = world.worker(fault.replace(":", "-"), fault=f"{fault}:kill")
    assert KILLED == await worker.ended(60)
    return worker


@pytest.mark.parametrize(
    "step",
    [
        "0-claim", "1-dead-letters", "3-tell", "4-keep", "5-headers", "5-tallies", "6-done", "7-publish",
        "8-settings", "8-answer",
    ],
)  # fmt: skip
async def test_a_worker_that_dies_at_a_step_loses_nothing_and_counts_nothing_twice(
    world: StreamsWorld, step: str
) -> None:
    commands = [await load(world, 0)]
    await dies(world, f"{step}:before")
    commands.append(await load(world, 1))
    await dies(world, f"{step}:after")
    worker = world.worker("last")
    commands.append(await load(world, 2))
    for command in commands:
        answer = await world.answered(command, 60)
        assert "done" == answer.status
    await world.settled()
    bad = {(r.partition, dict(r.headers)["offset"]) for r in world.records["dead-letters"]}
    assert {0, 1, 2} == {partition for partition, _ in bad}
    assert 3 == len(bad)
    revisions = [answer.revision for answer in [await world.answered(command) for command in commands]]
    assert [1, 2, 3] == revisions
    assert 0 == await worker.stop()
