"""Owns the demo provider of `up --demo`: contoso, which is the vendor's example and stands still, and tenants that
live."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from collectors.feed import publish_all
from collectors.outgoing import from_dict
from collectors.publisher import KafkaPublisher
from collectors.simulator.simulator import Simulator
from collectors.simulator.year import HistoryPoint
from licensing.count import figures
from licensing.factors import enabled_mask
from portal.services import utc_now
from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.seed import seed_history
from runtime.embedded.first_facts import first_facts
from schemas.count import Cause, Count
from schemas.settings import TenantSettings
from schemas.times import format_time, parse_time, to_ms
from streams.sink import processors
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger

SEED = 2026
TENANTS = 11
_STATE = "demo.json"
_TICK_S = 0.5
_SAVE_EVERY = timedelta(seconds=10)
log = structlog.get_logger()


@dataclass(slots=True)
class Demo:
    """The simulation of one data directory: when it began, whether its beginning is stored, and up to when it has been
    told. Kept in `demo.json`."""

    folder: Path
    start: datetime
    told_until: datetime
    seeded: bool = False

    @classmethod
    def load(cls, folder: Path) -> "Demo | None":
        """Return the demo of a data directory, None where there is none."""
        try:
            stored = json.loads((folder / _STATE).read_text())
        except FileNotFoundError:
            return None
        return cls(folder, parse_time(stored["start"]), parse_time(stored["told_until"]), stored["seeded"])

    @classmethod
    def begin(cls, folder: Path, now: datetime) -> "Demo":
        """Return a new demo that begins now; from here on this data directory is that demo's."""
        demo = cls(folder, now, now)
        demo.save()
        return demo

    def save(self) -> None:
        """Keep how far the simulation has been told."""
        state = {"start": format_time(self.start), "told_until": format_time(self.told_until), "seeded": self.seeded}
        partial = self.folder / f"{_STATE}.new"
        partial.write_text(json.dumps(state))
        partial.replace(self.folder / _STATE)

    def simulator(self) -> Simulator:
        """Return the simulator at its beginning; it is repeatable."""
        return Simulator(SEED, TENANTS, self.start)


def seed(demo: Demo, pool: ClientPool, partitions: int) -> None:
    """Store what a demo begins with: settings, what the sources hold, the counts of that, and a year of history that
    says it is demo data.

    All of it follows from the beginning of the demo: done again after a crash, it replaces itself.
    """
    simulator = demo.simulator()
    settings = [_first_revision(one, demo.start) for one in simulator.settings()]
    past = history(simulator.year_of_counts(), {one.tenant: one for one in settings}, demo.start)
    history_rows = seed_history(pool, past)
    told = list(first_facts(settings, simulator.initial_events(), partitions, to_ms(demo.start)))
    rows = ClickHouseRows(pool)
    for outcome in (
        processors.tenants([record for record in told if record.topic == "tenants"]),
        processors.seat_changes([record for record in told if record.topic == "seat-changes"]),
        processors.license_counts([record for record in told if record.topic == "license-counts"], CountLedger()),
    ):
        for batch in outcome.batches:
            if batch.lines:
                rows.insert(batch.table, batch.lines)
    log.info("demo_seeded", tenants=len(settings), records=len(told), history_rows=history_rows)


def _first_revision(settings: TenantSettings, at: datetime) -> TenantSettings:
    return settings.model_copy(update={"revision": 1, "updated_at": at, "updated_by": "demo"})


def history(points: Iterable[HistoryPoint], settings: dict[str, TenantSettings], end: datetime) -> Iterator[Count]:
    """Yield the counts of a made-up past, those before `end`."""
    versions: Counter[str] = Counter()
    for point in points:
        if point.at >= end:
            continue
        versions[point.tenant] += 1
        counted = figures(point.profiles, enabled_mask(settings[point.tenant]), point.acquired_licenses)
        yield Count(
            tenant=point.tenant,
            epoch=0,
            version=versions[point.tenant],
            settings_revision=0,
            as_of=point.at,
            computed_at=point.at,
            stale=False,
            acquired_licenses=counted.acquired_licenses,
            currently_licensed=counted.currently_licensed,
            available_licenses=counted.available_licenses,
            usage_percent=counted.usage_percent,
            user_licenses=counted.user_licenses,
            dr_phone_licenses=counted.dr_phone_licenses,
            factors=counted.factors,
            cause=Cause(kind="users"),
            freshness={},
            profiles={str(profile): subjects for profile, subjects in point.profiles.items()},
        )


async def live(demo: Demo, producer: AIOKafkaProducer, prefix: str, partitions: int) -> None:
    """Tell what happens at the simulated tenants as it happens, for ever; first what happened while nobody told it."""
    simulator = demo.simulator()
    publisher = KafkaPublisher(producer, prefix)
    told = demo.told_until
    for _ in simulator.steps(told):
        await asyncio.sleep(0)
    while True:
        now = utc_now()
        events: list[dict[str, Any]] = [event for _, step in simulator.steps(now) for event in step]
        if events:
            await publish_all(map(from_dict, events), publisher, partitions)
        if now - told >= _SAVE_EVERY:
            # An interval late: what was told just now may be lost with the broker. Told again, it changes nothing.
            demo.told_until, told = told, now
            await asyncio.to_thread(demo.save)
        await asyncio.sleep(_TICK_S)
