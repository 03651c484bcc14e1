"""One large tenant in the engine in process, and how fast it is told what other criteria would do to it."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import structlog

from licensing.count import figures
from licensing.criteria import compile_criteria
from licensing.factors import ALL
from licensing.recount import tally_of
from licensing.rules import profile_from_facts
from portal.answers.tried_settings import tried_settings
from portal.answers.what_if import what_if
from portal.store.store import ClickHouseStore
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import open_pool
from runtime.logging import configure
from runtime.settings import ClickHouse, Log, Retention
from schemas.changes import WireSeatChange
from schemas.settings import ProviderSettings, TenantSettings
from schemas.times import format_time
from streams.garbage import collect_rarely
from streams.sink.clickhouse import ClickHouseRows
from tests.bench.facts import Site, facts_of
from tests.support.sinking import count, instant

QUESTIONS = 20
TENANT = "contoso"
_AT = format_time(datetime.now(UTC))
_CHANGE = {
    "gateways": ["sbc.elsewhere.example"],
    "criteria": {"dr_numbers": "^(fax|lift)$", "reject_service_numbers": "contoso"},
}
_USER = ("directory", "subscription", "voice", "phone_number")
_NUMBER = ("dial_plan", "service_number")

log = structlog.get_logger()


def changes(subjects: int, settings: TenantSettings, site: Site) -> Iterator[tuple[str, int, bytes]]:
    """Yield what the meter tells of so many subjects, a tenth of them numbers: subject, profile, row."""
    rng, criteria = Random(subjects), compile_criteria(settings)
    for number in range(subjects):
        is_user = number % 10 != 0
        subject = f"user:{number:08x}-9a3a-4609-a000-{rng.getrandbits(48):012x}" if is_user else f"number:+1{number}"
        known: dict[str, Any] = {}
        for rev, facet in enumerate(_USER if is_user else _NUMBER, 1):
            facts = facts_of(facet, site, subject, rng)
            known[facet] = json.loads(facts)
            profile = profile_from_facts(subject, known, criteria)
            row = WireSeatChange(
                id=f"{number}-{rev}", tenant=TENANT, subject=subject, rev=rev, kind="event", facet=facet, facts=facts,
                facts_hash="", source="bench", observed_at=_AT, recorded_at=_AT, old_profile=None, new_profile=profile,
                settings_revision=1,
            )  # fmt: skip
            yield subject, profile, msgspec.json.encode(row)


def run(arguments: dict[str, Any]) -> None:
    """Fill, ask again and again, log the seconds of each answer, as JSON."""
    site = Site(TENANT, Random(1))
    settings = TenantSettings(tenant=TENANT, gateways=site.gateways)
    profiles: dict[str, int] = {}
    rows: list[bytes] = []
    with open_pool(ClickHouse(data=Path(arguments["folder"]) / "what-if")) as pool:
        migrate(pool, Retention())
        for subject, profile, row in changes(arguments["subjects"], settings, site):
            profiles[subject] = profile
            rows.append(row)
        ClickHouseRows(pool).insert("seat_changes", rows)
        log.info("bench_filled", rows=len(rows))
        tally = tally_of(profiles)
        live = count(TENANT, 1, instant(1), 0).model_copy(
            update={"factors": figures(tally, ALL, None).factors, "profiles": {str(p): n for p, n in tally.items()}}
        )
        store = ClickHouseStore(pool, lambda: datetime.now(UTC))
        collect_rarely()  # as the portal does
        seconds, changed = [], 0
        for _ in range(QUESTIONS + 1):
            began = time.perf_counter()
            then = tried_settings(settings, _CHANGE)
            found = what_if(store, live, settings, then, ProviderSettings(), datetime.now(UTC))
            found.model_dump_json()
            seconds.append(time.perf_counter() - began)
            changed = sum(found.totals.values())
    log.info("bench_answers", seconds=seconds[1:], changed=changed)


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    run(json.loads(sys.argv[1]))
