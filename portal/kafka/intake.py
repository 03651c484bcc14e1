"""Owns events by HTTP: checked as the meter will check them, split by topic and partition, published, confirmed."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import msgspec

from portal.kafka.durability import Durability
from portal.kafka.publishing import Outgoing, Publisher
from portal.services import Accepted
from schemas.events import input_topic
from schemas.identifiers import partition_of, subject_key
from schemas.intake import Intake, Rejection, read_record
from schemas.topics import TopicName
from schemas.wire import WireEvent, WireObservation

MAX_RECORD_BYTES = 512 * 1024
"""Of one record: well below what brokers and producers take (1 MiB), whatever re-encoding adds to a body of 1 MiB."""

Place = tuple[TopicName, int]


class KafkaIntake:
    """Events from requests to the input topics."""

    def __init__(self, publisher: Publisher, durability: Durability, partitions: int) -> None:
        self._publisher, self._durability, self._partitions = publisher, durability, partitions

    async def accept(self, body: bytes, now_ms: int, may_send: Callable[[str], bool]) -> Accepted:
        """Publish the good events of a body. `now_ms` is the records' own timestamp, which times are judged by."""
        intake = allowed(read_record(body, now_ms), may_send)
        if intake.events:
            records = split(intake.events, self._partitions)
            await self._durability.events(await self._publisher.publish(records, now_ms))
        return Accepted(len(intake.events), intake.rejections, intake.unknown_facts)


def allowed(intake: Intake, may_send: Callable[[str], bool]) -> Intake:
    """Return an intake in which events of tenants whose events may not be sent are rejected, in words that do not tell
    whether there is such a tenant."""
    refused = {rejection.index for rejection in intake.rejections}
    places = (index for index in count() if index not in refused)
    events, rejections = list[WireEvent](), list(intake.rejections)
    for event in intake.events:
        index = next(places)
        if may_send(event.tenant):
            events.append(event)
        else:
            detail = f"events of the tenant {event.tenant} cannot be sent: it does not exist, or is not yours to change"
            rejections.append(Rejection(index, "not_allowed", detail, b""))
    rejections.sort(key=lambda rejection: rejection.index)
    return Intake(events, rejections, intake.unknown_facts)


def split(events: Sequence[WireEvent], partitions: int) -> list[Outgoing]:
    """Return the records that carry these events: arrays by topic and partition, in the order of the events.

    An event without a subject (`sync_completed`, `facet_confirmed`) goes to every partition of its facet's topic.
    """
    groups: dict[Place, list[WireEvent]] = {}
    for event in events:
        for place in places_of(event, partitions):
            groups.setdefault(place, []).append(event)
    return [record for place, group in groups.items() for record in _records(place, group)]


def places_of(event: WireEvent, partitions: int) -> list[Place]:
    """Return the topic and partitions that an event belongs to."""
    if isinstance(event, WireObservation):
        facet: str = type(event).facet  # type: ignore[attr-defined]  # set on each struct by schemas.wire
        return [(_topic(facet), partition_of(subject_key(event.tenant, event.subject), partitions))]
    return [(_topic(event.facet), partition) for partition in range(partitions)]


def _topic(facet: str) -> TopicName:
    return "user-changes" if input_topic(facet) == "user-changes" else "assignments"


def _records(place: Place, group: list[WireEvent]) -> Iterator[Outgoing]:
    encoded = [(event, msgspec.json.encode(event)) for event in group]
    while encoded:
        taken, size = 0, 2
        while taken < len(encoded) and (taken == 0 or size + len(encoded[taken][1]) < MAX_RECORD_BYTES):
            size += len(encoded[taken][1]) + 1
            taken += 1
        here, encoded = encoded[:taken], encoded[taken:]
        value = here[0][1] if taken == 1 else b"[" + b",".join(raw for _, raw in here) + b"]"
        yield Outgoing(*place, _key(here[0][0]), value)


def _key(event: WireEvent) -> bytes | None:
    # A record to every partition has no key: its key would name one partition and contradict the others.
    return subject_key(event.tenant, event.subject) if isinstance(event, WireObservation) else None
