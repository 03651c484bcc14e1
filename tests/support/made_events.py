"""Events made from a seed for tests of the streams, and what must come of them: the recount of everything sent."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from licensing.recount import Observed, Synced, latest_facts, recount, tally_of
from schemas.settings import TenantSettings
from schemas.times import format_time

Event = dict[str, Any]

_USER_FACTS: dict[str, list[dict[str, Any] | None]] = {
    "directory": [{"deleted": False}, {"deleted": True}, {"display_name": "Ana"}],
    "phone_number": [{"number_type": "directRouting"}, {"number_type": "operatorConnect"}, {"number_type": "x"}, None],
    "voice": [{"enterprise_voice": True, "gateway": "sbc1.example"}, {"enterprise_voice": False}, {}, None],
    "subscription": [{"skus": ["MCOEV"], "teams_phone": True}, {"skus": []}],
    "lifecycle": [{"groups": ["sales"]}, {"groups": []}],
    "interface": [{"change": "policy"}, {}, None],
}
_NUMBER_FACTS: dict[str, list[dict[str, Any] | None]] = {
    "dial_plan": [{"tag": "fax"}, {"tag": "sbc1.example"}, {}, None],
    "service_number": [{"kind": "fax"}, {"kind": "conference", "held_by_user": True}],
}
_START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


@dataclass
class Expected:
    """All that was sent, by tenant; `settings` as the counter answered them."""

    observations: dict[str, list[Observed]] = field(default_factory=dict)
    syncs: dict[str, list[Synced]] = field(default_factory=dict)
    settings: dict[str, TenantSettings] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        """Take a good event."""
        tenant = event["tenant"]
        if event["type"] == "sync_completed":
            synced = Synced(event["facet"], event["source"], datetime.fromisoformat(event["started_at"]))
            self.syncs.setdefault(tenant, []).append(synced)
        else:
            at = datetime.fromisoformat(event["observed_at"])
            observed = Observed(event["subject"], event["type"], at, event["source"], event["facts"])
            self.observations.setdefault(tenant, []).append(observed)

    def tenants(self) -> set[str]:
        """Return the tenants that have a count."""
        return set(self.observations) | set(self.settings)

    def of(self, tenant: str) -> TenantSettings:
        """Return a tenant's settings; one without counts under defaults."""
        return self.settings.get(tenant) or TenantSettings(tenant=tenant)

    def profiles(self, tenant: str) -> dict[str, int]:
        """Return the profile of every subject of a tenant."""
        settings = self.of(tenant)
        if settings.is_removed:
            return {}
        floor = settings.removed_at
        counted = [o for o in self.observations.get(tenant, []) if floor is None or o.observed_at > floor]
        return recount(latest_facts(counted, self.syncs.get(tenant, [])), settings)

    def tally(self, tenant: str) -> dict[str, int]:
        """Return the number of subjects by profile, as a count carries it."""
        return {str(profile): subjects for profile, subjects in sorted(tally_of(self.profiles(tenant)).items())}


def made_events(
    seed: int, events: int, subjects: int = 120, tenants: tuple[str, ...] = ("acme", "globex", "initech")
) -> Iterator[Event]:
    """Yield observations of a few subjects, out of order, many of them contested."""
    chance = random.Random(seed)
    for _ in range(events):
        number = chance.randrange(subjects)
        is_user = number % 4 != 0
        facet, choices = chance.choice(list((_USER_FACTS if is_user else _NUMBER_FACTS).items()))
        yield {
            "type": facet,
            "tenant": chance.choice(tenants),
            "subject": f"user:u{number}" if is_user else f"number:+1555{number:07}",
            "observed_at": format_time(_START + timedelta(milliseconds=chance.randrange(86_400_000))),
            "source": chance.choice(("graph", "file")),
            "facts": chance.choice(choices),
        }


def sync_completed(tenant: str, facet: str, source: str, after_s: float) -> Event:
    """Return a completed sync that began so many seconds after the first of the made events' day."""
    started_at = format_time(_START + timedelta(seconds=after_s))
    return {"type": "sync_completed", "tenant": tenant, "facet": facet, "source": source, "started_at": started_at}
