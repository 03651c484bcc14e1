"""The list of changes as a page reads it: newest first, and only what is wanted."""

from datetime import timedelta
from typing import Any

import pytest

from portal.answers.changes import Item, list_changes
from portal.answers.context import Context
from tests.integration.portal.test_seats_api import HOUR, story
from tests.support.portal_world import START, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


def read(world: World, tenant: str, **asked: Any) -> list[Item]:
    masks = Context(world.services).masks_of(tenant)
    known: dict[str, Any] = {"after": None, "limit": 100}
    end = START + 5 * HOUR
    return list_changes(world.services.store, tenant, masks, START - HOUR, end, **(known | asked))


async def test_newest_first_is_the_same_list_from_its_other_end(world: World, tenant: str) -> None:
    await story(world, tenant)
    whole = read(world, tenant)[::-1]
    assert 6 == len(whole)
    found: list[Item] = []
    while page := read(world, tenant, after=found[-1].place if found else None, limit=2, newest_first=True):
        found += page
    assert whole == found


async def test_what_is_not_wanted_takes_no_place_in_a_page(world: World, tenant: str) -> None:
    await story(world, tenant)
    moved = read(world, tenant, limit=1, wanted=lambda item: item.shown["kind"] == "moved")
    assert [("user:ana", START + 3 * HOUR)] == [(item.shown["subject"], item.place[0]) for item in moved]
    assert [] == read(world, tenant, wanted=lambda item: item.place[0] > START + timedelta(days=1))
