"""A fake Graph, and a world around it, for each test of this folder."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from collectors.graph.api.client import GraphClient
from collectors.graph.api.limits import Limits
from tests.integration.graph.world import IssuedTokens, World
from tests.support.graph import FakeGraph, served_graph


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with served_graph() as served:
        yield served


@pytest.fixture
async def world(graph: FakeGraph) -> AsyncIterator[World]:
    async def at_once(_: float) -> None:
        """Do not wait: how long is `test_client`'s business."""

    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as http:
        tokens = IssuedTokens(graph)
        client = GraphClient(http, tokens, Limits(), sleep=at_once)
        yield World(graph, graph.add_tenant(), client, tokens)
