"""Values at the edges of what a request can say: a refusal in words, or an answer; never a failure."""

from typing import Any

import pytest

from portal.pagination import encode_cursor
from tests.support.portal_world import START, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

TIMES = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1899-12-31T00:00:00Z", "1969-12-31T23:59:59.999Z",
    "1970", "2106-03",
    "2299-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z", "9999", "9999-12", "0001", "99999y", "1900y", "56y", "0s",
]  # fmt: skip
CURSORS = [
    encode_cursor("x"), encode_cursor("x", "y", 1), encode_cursor("2026-11-24T10:00:00.000Z", "user:a", 2**80),
    encode_cursor("2026-11-24T10:00:00.000Z", "user:a", -1), encode_cursor("0001-01-01T00:00:00.000Z", "user:a", 1),
    encode_cursor("9999-12-31T23:59:59.999Z", "\x00", 1), encode_cursor(2**80), encode_cursor(-(2**80)),
    encode_cursor("\x00"), encode_cursor(None, "\U0001f600"), encode_cursor(1e300, "x"),
    encode_cursor(2**70, "", "", ""),
    encode_cursor([], {}), "====", "é", "",
]  # fmt: skip
LISTS = ["seats", "changes", "syncs", "settings/changes"]


async def sound(world: World, path: str, **params: Any) -> None:
    answer = await world.http.get(path, params=params)
    assert answer.status_code in (200, 422), (path, params, answer.text)


async def test_any_instant_is_answered_or_refused(world: World, tenant: str) -> None:
    await story(world, tenant)
    own = f"/api/v1/tenants/{tenant}"
    for text in TIMES:
        await sound(world, f"{own}/seats", at=text)
        assert (await world.http.get(f"{own}/seats/user:a", params={"at": text})).status_code in (200, 404, 422)
        for path in ("licenses/history", "changes"):
            await sound(world, f"{own}/{path}", **{"from": text})
            await sound(world, f"{own}/{path}", to=text)
        await sound(world, f"{own}/licenses/history", **{"from": text, "step": "9999999d"})


async def test_any_cursor_is_taken_or_refused(world: World, tenant: str) -> None:
    await story(world, tenant)
    for cursor in CURSORS:
        await sound(world, "/api/v1/tenants", cursor=cursor)
        for path in LISTS:
            await sound(world, f"/api/v1/tenants/{tenant}/{path}", cursor=cursor)


async def story(world: World, tenant: str) -> None:
    await world.set(tenant, START)
    world.observe(tenant, "user:a", START, lifecycle={"groups": ["g"]})
