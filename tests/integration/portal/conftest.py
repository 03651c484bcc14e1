"""One portal for the tests of a module; every test has tenants of its own."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.engine import ClickHouse
from tests.support.kafka_broker import KafkaBroker
from tests.support.portal_world import World, open_world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(kafka: KafkaBroker, clickhouse: ClickHouse) -> AsyncIterator[World]:
    async with open_world(kafka, clickhouse) as opened:
        yield opened


@pytest.fixture
def tenant() -> str:
    return f"t{uuid.uuid4().hex[:12]}"
