"""Owns the start and stop of Kafka clients in commands, with an error in words when no broker is there."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiokafka.errors import KafkaError

from runtime.broker_check import why_not
from runtime.cli.failure import Failure
from runtime.installation import Installation


@contextlib.asynccontextmanager
async def started(client: Any, installation: Installation) -> AsyncIterator[Any]:
    """Start an aiokafka client and stop it afterwards. Raises Failure if no broker answers."""
    stop = client.close if hasattr(client, "close") else client.stop
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await stop()
        raise Failure(str(await why_not(installation.kafka, error))) from error
    try:
        yield client
    finally:
        await stop()
