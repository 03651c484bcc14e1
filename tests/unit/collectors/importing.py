"""Importing in tests: files written or given, events read back from memory, and what the rules make of them."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from collectors.errors import HistoryUnavailableError
from collectors.importer import ImportKind, ImportOptions, run_import
from collectors.publisher import EventPublisher, MemoryPublisher
from collectors.summary import ImportSummary
from collectors.sync import SyncHistory
from licensing.recount import Observed, Synced, latest_facts, recount
from schemas.commands import SyncRun
from schemas.events import FacetName
from schemas.intake import read_record
from schemas.settings import TenantSettings
from schemas.times import parse_time, to_ms

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EXPORTED_AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
PARTITIONS = 8

Event = dict[str, Any]


class MemoryHistory:
    """Sync runs kept in memory."""

    def __init__(self, *runs: SyncRun) -> None:
        self.runs = list(runs)

    async def last_runs(self, tenant: str, facet: FacetName, source: str) -> Sequence[SyncRun]:
        return [r for r in self.runs if (r.tenant, r.facet, r.source) == (tenant, facet, source)]


class FailingHistory:
    """Cannot be asked."""

    async def last_runs(self, tenant: str, facet: FacetName, source: str) -> Sequence[SyncRun]:
        raise HistoryUnavailableError("no portal answers at http://127.0.0.1:8080")


def write(path: Path, content: str | bytes, at: datetime = EXPORTED_AT) -> Path:
    """Write a file with a modification time; text as UTF-8 with its line ends as they are."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def imported(
    kind: ImportKind,
    *paths: Path,
    publisher: EventPublisher | None = None,
    history: SyncHistory | None = None,
    now: datetime = NOW,
    **options: Any,
) -> ImportSummary:
    """Import files for the tenant acme into the publisher; without a history given, no sync ran before."""
    if kind != "events":
        options.setdefault("tenant", "acme")
    return asyncio.run(
        run_import(
            kind,
            paths,
            ImportOptions(**options),
            publisher=publisher or MemoryPublisher(PARTITIONS),
            partitions=PARTITIONS,
            history=history or MemoryHistory(),
            now=now,
        )
    )


def events_of(publisher: MemoryPublisher, *topics: str) -> list[Event]:
    """Return all events in the order of their records."""
    events: list[Event] = []
    for record in publisher.records:
        if record.topic in (topics or ("user-changes", "assignments")):
            decoded = msgspec.json.decode(record.value)
            events += decoded if isinstance(decoded, list) else [decoded]
    return events


def facts_of(publisher: MemoryPublisher) -> dict[tuple[str, str], Any]:
    """Return the facts of each event by (facet, subject)."""
    return {(e["type"], e["subject"]): e["facts"] for e in events_of(publisher) if "subject" in e}


def profiles_of(events: Sequence[Event], settings: TenantSettings) -> dict[str, int]:
    """Return the profile of each subject, by the rules in words."""
    observed = [
        Observed(e["subject"], e["type"], parse_time(e["observed_at"]), e["source"], e["facts"])
        for e in events
        if "subject" in e and e["tenant"] == settings.tenant
    ]
    syncs = [
        Synced(e["facet"], e["source"], parse_time(e["started_at"]))
        for e in events
        if e["type"] == "sync_completed" and e["tenant"] == settings.tenant
    ]
    return recount(latest_facts(observed, syncs), settings)


def rejections_by_the_meter(publisher: MemoryPublisher, now: datetime = NOW) -> list[str]:
    """Return what the meter would refuse of the published events."""
    return [
        rejection.detail
        for record in publisher.records
        if record.topic != "commands"
        for rejection in read_record(record.value, to_ms(now)).rejections
    ]
