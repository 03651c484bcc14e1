"""Owns the questions for what was set, synchronised and alerted."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from portal.ports import SettingsRevision
from portal.store.clients import Clients, ask, ms
from schemas.times import format_ms, from_ms

RUNS_OF_A_KIND = 20
"""Shown of each facet, source and status: collectors sync every day, and the last completed one must be among them."""

_SETTINGS = f"""SELECT revision, {ms("at")}, updated_by, settings FROM tenant_settings FINAL
WHERE tenant = {{tenant:String}} AND NOT purged ORDER BY at, revision"""
_SETTINGS_OF_MANY = f"""SELECT tenant, revision, {ms("at")}, updated_by, settings FROM tenant_settings FINAL
WHERE tenant IN {{tenants:Array(String)}} AND NOT purged ORDER BY tenant, at, revision"""
_SYNCS = f"""SELECT id, by, {ms("sent_at")}, facet, source, {ms("started_at")}, seen, expected, status FROM syncs FINAL
WHERE tenant = {{tenant:String}} AND {{facet:String}} IN ('', facet) AND {{source:String}} IN ('', source)
ORDER BY started_at DESC, facet, source LIMIT {RUNS_OF_A_KIND} BY facet, source, status"""


def settings_history(clients: Clients, tenant: str) -> list[SettingsRevision]:
    """Return all revisions of a tenant (or `_provider`), oldest first."""
    return [_revision(*row) for row in ask(clients, _SETTINGS, {"tenant": tenant})]


def settings_histories(clients: Clients, tenants: Sequence[str]) -> dict[str, list[SettingsRevision]]:
    """Return the same of many tenants; those without are left out."""
    rows = ask(clients, _SETTINGS_OF_MANY, {"tenants": list(tenants)})
    return {tenant: [_revision(*row[1:]) for row in group] for tenant, group in groupby(rows, key=itemgetter(0))}


def syncs(clients: Clients, tenant: str, facet: str, source: str) -> list[dict[str, Any]]:
    """Return the last sync runs of a tenant, newest first, each in its newest state: fields of `SyncRun`. An empty
    facet or source is any."""
    return [
        {
            "type": "sync_run", "id": run, "tenant": tenant, "by": by, "sent_at": format_ms(sent_at), "facet": of,
            "source": told_by, "started_at": format_ms(started_at),
            "seen": seen, "expected": expected, "status": status,
        }
        for run, by, sent_at, of, told_by, started_at, seen, expected, status
        in ask(clients, _SYNCS, {"tenant": tenant, "facet": facet, "source": source})
    ]  # fmt: skip


def _revision(revision: int, at: int, by: str, text: str) -> SettingsRevision:
    return SettingsRevision(int(revision), from_ms(at), by or None, msgspec.json.decode(text))
