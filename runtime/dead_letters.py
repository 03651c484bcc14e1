"""Owns the reading and replaying of dead letters: what was refused, why, and whether it is taken by now."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import pydantic
from aiokafka import TopicPartition

from portal.kafka.intake import split
from portal.kafka.publishing import Publisher
from schemas.changes import DeadLetter
from schemas.intake import read_record
from schemas.topics import full_name
from streams.kafka import ends_of


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter: its own place as `partition:offset`, its headers, and the original bytes (cut at 512 KiB)."""

    place: str
    letter: DeadLetter
    value: bytes

    @property
    def is_whole(self) -> bool:
        """Whether the bytes are all there are."""
        return len(self.value) == int(self.letter.length)


@dataclass(slots=True)
class Replayed:
    """What became of a replay: letters whose events were published, and places with the reason they were not."""

    published: int = 0
    refused: dict[str, str] = field(default_factory=dict)


async def read_all(consumer: Any, prefix: str, partitions: int) -> AsyncIterator[Letter]:
    """Yield the letters that are there now, by partition. `consumer` is started and has no group."""
    places = [TopicPartition(full_name(prefix, "dead-letters"), number) for number in range(partitions)]
    ends = await ends_of(consumer, places, exact=False)
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    for place in places:
        while await consumer.position(place) < ends[place]:
            for records in (await consumer.getmany(place, timeout_ms=1_000)).values():
                for record in records:
                    if record.offset < ends[place] and (letter := _letter(record)) is not None:
                        yield letter


def _letter(record: Any) -> Letter | None:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    try:
        letter = DeadLetter.model_validate(headers)
    except pydantic.ValidationError:
        return None  # not written by Poolwatch
    return Letter(f"{record.partition}:{record.offset}", letter, record.value or b"")


async def replay(letters: Iterable[Letter], publisher: Publisher, partitions: int, now_ms: int) -> Replayed:
    """Send the original events again, to where they belong. They are judged as new ones; twice changes nothing.

    Raises portal.services.NoBroker.
    """
    result = Replayed()
    for letter in letters:
        if not letter.is_whole:
            result.refused[letter.place] = (
                f"only the first {len(letter.value):,} of {letter.letter.length} bytes are kept: send it anew"
            )
            continue
        intake = read_record(letter.value, now_ms)
        if intake.rejections:
            result.refused[letter.place] = f"still refused: {intake.rejections[0].detail}"
            continue
        await publisher.publish(split(intake.events, partitions), now_ms)
        result.published += 1
    return result
