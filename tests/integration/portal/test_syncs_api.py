"""The list of sync runs over the REST API: newest first, page by page."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from schemas.commands import SyncRun
from schemas.times import format_time
from streams.sink.processors import commands as sync_rows
from tests.support.portal_world import START, World
from tests.support.sinking import MemoryRecord

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def story(world: World, tenant: str) -> list[str]:
    """Three runs, two of them begun at one instant; returns their ids in the order of the list."""
    await world.set(tenant, START)
    runs = [
        SyncRun.model_validate(
            {"id": uuid.uuid4().hex, "tenant": tenant, "by": "graph", "sent_at": format_time(START), "facet": facet,
             "source": "graph", "started_at": format_time(START + hours * timedelta(hours=1)), "seen": 5,
             "expected": None, "status": "completed"}
        )
        for facet, hours in (("directory", 2), ("voice", 2), ("directory", 1))
    ]  # fmt: skip
    for run in runs:
        record = MemoryRecord("commands", run.model_dump_json().encode(), tenant.encode())
        world.store(sync_rows([record]).batches)
    return [run.id for run in runs]


async def get(world: World, tenant: str, **params: Any) -> Any:
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/syncs", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_pages_of_syncs_follow_each_other(world: World, tenant: str) -> None:
    expected = await story(world, tenant)
    whole = await get(world, tenant)
    assert (expected, None) == ([run["id"] for run in whole["items"]], whole["next_cursor"])
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await get(world, tenant, limit=1, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next_cursor"]
    assert whole["items"] == found


async def test_a_filter_holds_on_every_page(world: World, tenant: str) -> None:
    expected = await story(world, tenant)
    first = await get(world, tenant, facet="directory", limit=1)
    second = await get(world, tenant, facet="directory", limit=1, cursor=first["next_cursor"])
    assert [expected[0], expected[2]] == [first["items"][0]["id"], second["items"][0]["id"]]
    assert second["next_cursor"] is None


async def test_a_cursor_of_another_list_is_refused(world: World, tenant: str) -> None:
    await story(world, tenant)
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/syncs", params={"cursor": "WyJ4Il0"})
    assert (422, True) == (answer.status_code, "cursor" in answer.json()["detail"])
