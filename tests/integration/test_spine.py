"""The spine as processes: exports in by the command line, meter and counter beside it, counts and reasons out."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.portal_process import web_config
from runtime.settings import Settings
from runtime.sink_process import store
from tests.support.command_line import Ended, run_cli
from tests.support.engine import ClickHouse
from tests.support.kafka_broker import KafkaBroker
from tests.support.portal_world import PARTITIONS, World, open_world, served
from tests.support.waiting import eventually_async

VENDOR = Path("tests") / "data" / "vendor"


@asynccontextmanager
async def process(role: str, world: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `poolwatch run …` beside the test; it must end cleanly when it is told to."""
    environment = os.environ | {
        "POOLWATCH_KAFKA_BOOTSTRAP": world.kafka.bootstrap,
        "POOLWATCH_KAFKA_TOPIC_PREFIX": world.kafka.topic_prefix,
        "POOLWATCH_KAFKA_PARTITIONS": str(PARTITIONS),
    }
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "runtime.cli.main", "run", role, env=environment)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await child.wait() == 0


@pytest.fixture
async def world(kafka: KafkaBroker, clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_world(kafka, clickhouse, answering=False))
        address = await stack.enter_async_context(served(web_config(opened.services)))
        monkeypatch.setenv("POOLWATCH_URL", address)
        storing = asyncio.create_task(store(Settings(kafka=opened.kafka), opened.pool))
        for role in ("meter", "counter"):
            await stack.enter_async_context(process(role, opened))
        yield opened
        storing.cancel()
        await asyncio.gather(storing, return_exceptions=True)


async def cli(*arguments: str) -> Ended:
    return await asyncio.to_thread(run_cli, *arguments)


async def done(*arguments: str) -> str:
    ended = await cli(*arguments)
    assert ended.code == 0, f"{arguments}: {ended.out}{ended.err}"
    return ended.out


async def count_is(world: World, tenant: str, **expected: Any) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        answer = await world.http.get(f"/api/v1/tenants/{tenant}/licenses")
        body: dict[str, Any] = answer.json()
        assert expected == {name: body[name] for name in expected}
        return body

    return await eventually_async(look, 60)


async def test_the_vendors_example_goes_through_from_files_to_count_and_reasons(world: World, repository: Path) -> None:
    data = repository / VENDOR
    await done("tenant", "set", "contoso", "--pool", "500", "--gateway", "sbc1.contoso.example")
    await done("import", "users", str(data / "users.csv"), "-T", "contoso")
    await done("import", "numbers", str(data / "numbers.csv"), "-T", "contoso")
    await done("import", "dial-plan", str(data / "dialplan.csv"), "-T", "contoso")
    await done("import", "events", str(data / "interface.jsonl"))
    count = await count_is(world, "contoso", currently_licensed=370, available_licenses=130, acquired_licenses=500)
    assert [200, 100, 0, 50, 20] == [row["counted"] for row in count["factors"]]

    async def by_hand() -> Any:
        answer = await world.http.get("/api/v1/tenants/contoso/seats", params={"factor": "user_interface"})
        assert len(answer.json()["items"]) == 50, "the sink has stored all of them"
        return answer.json()["items"]

    seats = await eventually_async(by_hand, 30)
    text = await done("explain", "contoso", seats[0]["subject"])
    assert f"{seats[0]['subject']} is counted at user_interface" in text

    await done("tenant", "set", "contoso", "--factor", "user_interface=off")
    count = await count_is(world, "contoso", currently_licensed=320, available_licenses=180)
    assert count["factors"][3]["display"] == "0 (50) (n/a)"

    async def agrees() -> bool:
        return (await cli("audit", "contoso")).code == 0

    await eventually_async(agrees, 30)

    async def is_on_record() -> bool:
        path = "/api/v1/tenants/contoso/licenses/history"
        points = (await world.http.get(path, params={"from": "1h"})).json()["points"]
        return bool(points) and points[-1]["currently_licensed"]["last"] == 320

    await eventually_async(is_on_record, 30)
    changes = (await world.http.get("/api/v1/tenants/contoso/changes", params={"limit": 1_000})).json()["items"]
    assert {"user_interface": -50} == changes[-1]["factors"]
