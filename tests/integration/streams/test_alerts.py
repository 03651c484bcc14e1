"""The alert process on Kafka: counts and settings in, changes of alerts out, once each, across restarts."""

from typing import Any

from schemas.alert import Alert
from tests.support.alert_world import AlertWorld
from tests.support.streams_world import StreamsWorld
from tests.support.waiting import eventually_async

LIMITS: dict[str, Any] = {"warning_percent": 80.0, "critical_percent": 90.0, "dwell_s": 0}


async def changes(world: AlertWorld, tenant: str, number: int) -> list[tuple[str, str, str | None]]:
    async def look() -> list[Alert]:
        told = await world.told(tenant)
        assert number <= len(told)
        return told

    return [(told.rule, told.change, told.level) for told in await eventually_async(look, 20)]


async def test_counts_become_alerts_and_a_restart_repeats_and_forgets_nothing(world: StreamsWorld) -> None:
    alerts = AlertWorld(world)
    for tenant in ("acme", "contoso"):
        await alerts.set(tenant, **LIMITS)
    worker = world.worker("alerts", ("alerts",))
    await worker.ready()
    await alerts.count("acme", 85)
    assert [("pool", "raised", "warning")] == await changes(alerts, "acme", 1)

    command = await alerts.acknowledge("acme", "pool")
    assert "done" == (await world.answered(command)).status
    worker.kill()
    await alerts.count("acme", 120)
    await alerts.count("contoso", 10, stale=True)
    worker = world.worker("again", ("alerts",))
    assert [("stale", "raised", "warning")] == await changes(alerts, "contoso", 1)
    expected = [("pool", "raised", "warning"), ("pool", "acknowledged", "warning"), ("pool", "escalated", "over")]
    assert expected == await changes(alerts, "acme", 3)

    await alerts.set("acme", revision=2, warning_percent=130.0, critical_percent=140.0, dwell_s=0)
    await alerts.count("acme", 99)
    assert [*expected, ("pool", "raised", "over"), ("pool", "resolved", None)] == await changes(alerts, "acme", 5)
    assert 0 == await worker.stop()
    assert 5 == len({told.id for told in await alerts.told("acme")})


async def test_a_dwell_ends_although_no_count_comes(world: StreamsWorld) -> None:
    alerts = AlertWorld(world)
    await alerts.set("acme", **(LIMITS | {"dwell_s": 1}))
    worker = world.worker("alerts", ("alerts",))
    await worker.ready()
    await alerts.count("acme", 95)
    assert [("pool", "raised", "critical")] == await changes(alerts, "acme", 1)
    (told,) = await alerts.told("acme")
    assert told.at == told.since
    assert 0 == await worker.stop()


async def test_what_is_not_open_cannot_be_acknowledged_and_odd_records_do_no_harm(world: StreamsWorld) -> None:
    alerts = AlertWorld(world)
    place = world.place(b"acme")
    await alerts.set("acme", **LIMITS)
    worker = world.worker("alerts", ("alerts",))
    await worker.ready()
    for value in (b"no JSON", b'{"type":"finding","rule":"mood"}', None):
        await world.put("license-counts", place, value, b"acme")
        await world.put("commands", place, value, b"acme")
    command = await alerts.acknowledge("acme", "pool")
    assert "invalid" == (await world.answered(command)).status
    await alerts.count("acme", 85)
    assert [("pool", "raised", "warning")] == await changes(alerts, "acme", 1)
    assert 0 == await worker.stop()
