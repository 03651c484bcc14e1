"""Owns how the portal writes to Kafka: explicit partitions, every record confirmed, one error where it is not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from portal.services import NoBroker
from schemas import traces
from schemas.topics import TopicName, full_name

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to write."""

    topic: TopicName
    partition: int
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


class Publisher:
    """Writes records with a producer that is started and stopped elsewhere (acks must be `all`)."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, timeout_s: float = 10.0) -> None:
        self._producer, self._prefix, self._timeout_s = producer, prefix, timeout_s

    async def publish(self, records: Sequence[Outgoing], timestamp_ms: int) -> dict[tuple[TopicName, int], int]:
        """Write the records, wait for the broker's word on each, and return the highest offset by topic and partition.

        Raises NoBroker; some of the records may have arrived then.
        """
        written: dict[tuple[TopicName, int], int] = {}
        try:
            async with asyncio.timeout(self._timeout_s):
                sent = [await self._send(record, timestamp_ms) for record in records]
                for record, done in zip(records, await asyncio.gather(*sent), strict=True):
                    place = (record.topic, record.partition)
                    written[place] = max(written.get(place, -1), done.offset)
        except (KafkaError, TimeoutError) as error:
            raise NoBroker(
                f"Kafka did not confirm within {self._timeout_s:.0f} s ({type(error).__name__}): some of it may have"
                " arrived. Check that the broker runs (`poolwatch check-config` shows its address) and send it again;"
                " what arrives twice changes nothing"
            ) from error
        return written

    async def _send(self, record: Outgoing, timestamp_ms: int) -> "asyncio.Future[RecordMetadata]":
        return await self._producer.send(  # type: ignore[no-any-return]  # aiokafka is untyped for us
            full_name(self._prefix, record.topic),
            record.value,
            key=record.key,
            partition=record.partition,
            timestamp_ms=timestamp_ms,
            headers=[*record.headers, *traces.headers()],
        )


class RecordMetadata:
    """What aiokafka answers of a written record, as far as it is used here."""

    offset: int
