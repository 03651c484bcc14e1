"""What fault tests of the streams share: topics of their own on the broker of the run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.kafka_broker import KafkaBroker
from tests.support.streams_world import StreamsWorld, open_world


@pytest.fixture
async def world(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> AsyncIterator[StreamsWorld]:
    async with open_world(kafka, prefix, tmp_path) as opened:
        yield opened
