"""A stream of events that goes on while workers are killed beside it."""

import asyncio

from tests.support.made_events import made_events
from tests.support.streams_world import StreamsWorld


async def feed(world: StreamsWorld, seed: int, rounds: int = 40, pause_s: float = 0.05) -> None:
    """Go on sending single events and arrays for a while."""
    for round_ in range(rounds):
        await world.send(made_events(seed * 1_000 + round_, 60), array=20 if round_ % 2 else 0)
        await asyncio.sleep(pause_s)
