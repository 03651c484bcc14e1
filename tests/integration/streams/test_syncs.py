"""Syncs of sources through all partitions of a real broker: sweeps, and freshness."""

from tests.support.made_events import made_events, sync_completed
from tests.support.streams_world import StreamsWorld


async def test_a_sync_sweeps_what_its_source_no_longer_holds_in_every_partition(world: StreamsWorld) -> None:
    worker = world.worker()
    await world.send(made_events(7, 1_500), array=50)
    await world.settled()
    before = world.counts()
    await world.send([sync_completed("acme", "phone_number", "graph", after_s=50_000)])
    await world.settled()
    after = world.counts()
    assert before["globex"].profiles == after["globex"].profiles
    assert before["acme"].profiles != after["acme"].profiles
    assert "refresh" == after["acme"].cause.kind
    told = [r for r in world.records["seat-changes"] if b'"type":"sync"' in r.value]
    assert set(range(world.options.partitions)) == {record.partition for record in told}
    await world.send(made_events(8, 500))
    await world.settled()
    assert 0 == await worker.stop()
