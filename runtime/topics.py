"""Owns the making of the topics: all of `schemas.topics` with N partitions each, or a refusal that names the others."""

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.topics import TOPICS, full_name

log = structlog.get_logger()

_VISIBLE_WITHIN_S = 15.0


class TopicsError(Exception):
    """The topics are not as they must be; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic on the broker: its full name, its partitions (0 = it does not exist) and whether it was made just now."""

    name: str
    partitions: int
    made: bool


async def describe(admin: AIOKafkaAdminClient, prefix: str) -> dict[str, int]:
    """Return the number of partitions of each of our topics that exists, by full name."""
    wanted = {full_name(prefix, name) for name in TOPICS}
    existing = wanted & set(await admin.list_topics())
    if not existing:
        return {}
    return {
        str(topic["topic"]): len(topic["partitions"])
        for topic in await admin.describe_topics(sorted(existing))
        if topic["partitions"]
    }


async def ensure(
    admin: AIOKafkaAdminClient, prefix: str, partitions: int, replication_factor: int = 1
) -> list[TopicState]:
    """Make the topics that are missing. `admin` is started. Raises TopicsError if existing ones have another N."""
    existing = await describe(admin, prefix)
    refuse_others(existing, partitions)
    missing = [topic for topic in TOPICS.values() if full_name(prefix, topic.name) not in existing]
    made = {
        full_name(prefix, topic.name)
        for topic in missing
        if await _make(admin, full_name(prefix, topic.name), partitions, replication_factor, topic.config)
    }
    # Somebody else may have made some meanwhile, and with another N.
    refuse_others(await _visible(admin, prefix), partitions)
    return [TopicState(name, partitions, name in made) for name in (full_name(prefix, name) for name in TOPICS)]


async def _visible(admin: AIOKafkaAdminClient, prefix: str) -> dict[str, int]:
    """Wait until the broker that is asked knows all topics: the controller makes them, and tells the brokers later."""
    try:
        async with asyncio.timeout(_VISIBLE_WITHIN_S):
            while len(existing := await describe(admin, prefix)) < len(TOPICS):  # noqa: ASYNC110 -- no event tells
                await asyncio.sleep(0.05)
            return existing
    except TimeoutError as error:
        raise TopicsError(
            f"the topics were made, and the broker does not show all of them within {_VISIBLE_WITHIN_S:.0f} s:"
            " look at its log, then run `poolwatch topics` again"
        ) from error


def refuse_missing(existing: dict[str, int], prefix: str) -> None:
    """Raise TopicsError if a topic does not exist."""
    missing = sorted({full_name(prefix, name) for name in TOPICS} - existing.keys())
    if missing:
        raise TopicsError(f"the broker has no topic {', '.join(missing)}: make them with `poolwatch topics`")


def refuse_others(existing: dict[str, int], partitions: int) -> None:
    """Raise TopicsError if a topic has another number of partitions: a subject would be counted in two places."""
    others = {name: count for name, count in sorted(existing.items()) if count != partitions}
    if others:
        listed = ", ".join(f"{name} has {count}" for name, count in others.items())
        raise TopicsError(
            f"the topics must have {partitions} partitions each, and {listed}. The number is fixed for the life of the"
            f" topics: set POOLWATCH_KAFKA_PARTITIONS to what they have, or use another POOLWATCH_KAFKA_TOPIC_PREFIX"
        )


async def _make(
    admin: AIOKafkaAdminClient, name: str, partitions: int, replication_factor: int, config: dict[str, Any]
) -> bool:
    """Make a topic; False if it is there already."""
    try:
        answer = await admin.create_topics([NewTopic(name, partitions, replication_factor, topic_configs=config)])
    except TopicAlreadyExistsError:
        return False
    except KafkaError as error:
        raise TopicsError(f"the topic {name} could not be made: {error}") from error
    _, code, *message = answer.topic_errors[0]
    if code == TopicAlreadyExistsError.errno:
        return False
    if code != 0:
        said = message[0] if message and message[0] else f"Kafka's error {code}"
        raise TopicsError(
            f"the topic {name} could not be made: {said}. Check POOLWATCH_KAFKA_REPLICATION_FACTOR against the"
            " number of brokers, and that the user may create topics"
        )
    log.info("topic_made", topic=name, partitions=partitions)
    return True
