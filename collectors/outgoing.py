"""Owns the making of outgoing events: topic, key and JSON of an observation, a file's event, or an event as a dict."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from collectors.files.rows import RawEvent
from collectors.partitioner import Outgoing
from schemas.commands import Notified, SourceHints, SyncRun
from schemas.events import FacetName, input_topic
from schemas.identifiers import subject_key
from schemas.times import format_time
from schemas.topics import TopicName


def topic_of(facet: str) -> TopicName:
    """Return the short name of the input topic of a facet."""
    return cast(TopicName, input_topic(facet))


def observation(
    tenant: str, facet: str, subject: str, observed_at: str, source: str, facts: Mapping[str, Any] | None
) -> Outgoing:
    """Return a facet event. `observed_at` is RFC 3339 already; facts that are None are left out, facts None is a
    clear."""
    known = None if facts is None else {name: value for name, value in facts.items() if value is not None}
    event = {
        "type": facet, "tenant": tenant, "subject": subject, "observed_at": observed_at, "source": source,
        "facts": known,
    }  # fmt: skip
    return Outgoing(topic_of(facet), subject_key(tenant, subject), msgspec.json.encode(event))


def completed_sync(tenant: str, facet: FacetName, source: str, started_at: datetime) -> Outgoing:
    """Return a `sync_completed`, for every partition of its facet's topic."""
    return _of_facet("sync_completed", tenant, facet, source, started_at=started_at)


def confirmed_facet(tenant: str, facet: FacetName, source: str, observed_at: datetime) -> Outgoing:
    """Return a `facet_confirmed`, for every partition of its facet's topic."""
    return _of_facet("facet_confirmed", tenant, facet, source, observed_at=observed_at)


def command(told: SyncRun | SourceHints | Notified) -> Outgoing:
    """Return what a collector tells on `commands`, for the partition of its tenant."""
    return Outgoing("commands", told.tenant.encode(), told.model_dump_json().encode())


def _of_facet(kind: str, tenant: str, facet: FacetName, source: str, **at: datetime) -> Outgoing:
    event = {"type": kind, "tenant": tenant, "facet": facet, "source": source}
    event |= {name: format_time(instant) for name, instant in at.items()}
    return Outgoing(topic_of(facet), tenant.encode(), msgspec.json.encode(event), everywhere=True)


def from_file(event: RawEvent) -> Outgoing:
    """Return an event of an events file; a sync or a confirmation goes to every partition."""
    if event.subject is None:
        return Outgoing(topic_of(event.facet), event.tenant.encode(), event.value, everywhere=True)
    return Outgoing(topic_of(event.facet), subject_key(event.tenant, event.subject), event.value)


def from_dict(event: Mapping[str, Any]) -> Outgoing:
    """Return an event given as the dict of its JSON (INTERFACE §1), such as the simulator's."""
    tenant = str(event["tenant"])
    value = msgspec.json.encode(event)
    if "subject" not in event:
        return Outgoing(topic_of(event["facet"]), tenant.encode(), value, everywhere=True)
    return Outgoing(topic_of(event["type"]), subject_key(tenant, str(event["subject"])), value)
