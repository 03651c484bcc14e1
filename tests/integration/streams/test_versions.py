"""Two versions on the same topics: the count is never wrong, and an older process refuses what it would spoil."""

import pytest

from schemas.count import Count
from streams.protocol import owned_log
from tests.support.made_events import made_events
from tests.support.streams_world import StreamsWorld


async def test_a_newer_version_takes_over_partition_by_partition_and_an_older_one_stays_away(
    world: StreamsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owned_log, "FORMAT", owned_log.FORMAT + 1)  # what reads the logs here is of the newer version
    old = world.worker("old")
    await old.ready()
    await world.set("acme", acquired_licenses=500)
    await world.send(made_events(41, 400), array=50)
    await world.settled()
    before = {name: (count.version, count.profiles) for name, count in world.counts().items()}

    new = world.worker("new", newer=True)
    await new.ready()
    assert 0 == await old.stop()
    await world.send(made_events(42, 200))
    await world.settled()
    records = [record for record in world.records["license-counts"] if record.value and record.key[:1] != b"_"]
    for count in (Count.model_validate_json(record.value) for record in records):
        version, profiles = before.get(count.tenant, (count.version, count.profiles))
        assert sum(profiles.values()) <= sum(count.profiles.values()) or count.version < version, "it never dips"

    stale = world.worker("stale", roles=("meter",))
    assert 1 == await stale.ended()
    (failure, *_) = stale.logs("worker_failed")
    assert ("NewerFormatError", True) == (failure["error"], failure["todo"].startswith("upgrade it"))
    await world.send(made_events(43, 200))
    await world.settled()
    assert 0 == await new.stop()
