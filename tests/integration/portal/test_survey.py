"""A survey of stored history and tags tells what it finds on `commands`, once."""

import asyncio
import json
from collections.abc import Set
from datetime import UTC, datetime, timedelta

import pytest

from portal.kafka.publishing import Publisher
from runtime import survey as surveys
from runtime.settings import Settings
from runtime.sink_process import store
from runtime.survey import Survey
from schemas.commands import CommandModel, Finding
from schemas.identifiers import partition_of
from schemas.times import format_time
from streams.sink.processors import tenants
from tests.integration.portal.test_forecast_api import grow
from tests.support.portal_world import PARTITIONS, World
from tests.support.sinking import MemoryRecord
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.asyncio(loop_scope="module")

GATEWAY = "sbc1.contoso.example"


def survey_of(world: World, mine: Set[int], now: datetime) -> Survey:
    publisher = Publisher(world.producer, world.kafka.topic_prefix)
    return Survey(world.pool, world.services.store, publisher, PARTITIONS, lambda: mine, lambda: now)


async def findings(world: World, tenant: str) -> list[Finding]:
    told = [CommandModel.validate_json(record.value) for record in await world.read_topic("commands")]
    return [command for command in told if isinstance(command, Finding) and command.tenant == tenant]


async def test_a_tenant_is_told_of_once_until_something_changes(world: World, tenant: str) -> None:
    start = datetime.now(UTC) - timedelta(days=1)
    await world.set(tenant, start, acquired_licenses=500, gateways=[GATEWAY])
    numbers = ("sbc1.contoso.exmaple", "DR_sbc1.contoso.exmaple", GATEWAY, "Ana Alba's fax")
    world.observe_all(
        tenant, start, {f"number:+1555{place}": {"dial_plan": {"tag": tag}} for place, tag in enumerate(numbers)}
    )
    await grow(world, tenant, a_week=7)
    now = datetime.now(UTC)
    survey = survey_of(world, {partition_of(tenant.encode(), PARTITIONS)}, now)
    await survey.look()
    await survey.look()
    forecast, tags = await findings(world, tenant)
    assert ("forecast", "survey") == (forecast.rule, forecast.by)
    assert 14 <= (forecast.value or 0) <= 35
    assert forecast.detail.startswith("The pool of 500 is expected to run out on ")
    assert ("suspicious_tag", 2.0) == (tags.rule, tags.value)
    assert f"2 numbers have a dial-plan tag that misses {GATEWAY} by one character." == tags.detail


async def test_a_tenant_of_another_partition_is_left_to_who_has_it(world: World, tenant: str) -> None:
    await grow(world, tenant, a_week=7)
    others = set(range(PARTITIONS)) - {partition_of(tenant.encode(), PARTITIONS)}
    await survey_of(world, others, datetime.now(UTC)).look()
    assert [] == await findings(world, tenant)


async def test_settings_of_a_newer_version_are_read_as_far_as_they_are_known(world: World, tenant: str) -> None:
    await grow(world, tenant, a_week=7)
    now = datetime.now(UTC)
    newer = {"tenant": tenant, "revision": 1, "updated_at": format_time(now), "updated_by": "ana", "colour": "red"}
    world.store(tenants([MemoryRecord("tenants", json.dumps(newer).encode(), tenant.encode())]).batches)
    await survey_of(world, set(range(PARTITIONS)), now).look()
    assert 2 == len(await findings(world, tenant))


async def test_a_removed_tenant_is_not_looked_at(world: World, tenant: str) -> None:
    await grow(world, tenant, a_week=7)
    now = datetime.now(UTC).replace(microsecond=0)
    await world.set(tenant, now, removed_at=now)
    await survey_of(world, set(range(PARTITIONS)), now).look()
    assert [] == await findings(world, tenant)


async def test_the_sink_surveys_the_tenants_of_its_partitions(
    world: World, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "FIRST_S", 0.0)
    monkeypatch.setattr(surveys, "EVERY_S", 0.2)  # the first look may come before the partitions do
    await grow(world, tenant, a_week=7)
    sink = asyncio.create_task(store(Settings(kafka=world.kafka), world.pool))

    async def told() -> bool:
        return {"forecast", "suspicious_tag"} == {finding.rule for finding in await findings(world, tenant)}

    try:
        await eventually_async(told, 30)
    finally:
        sink.cancel()
        await asyncio.gather(sink, return_exceptions=True)
