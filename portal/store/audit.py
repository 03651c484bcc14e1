"""Owns the questions for what was set, synchronised and alerted."""

from typing import Any

import msgspec

from portal.ports import SettingsRevision
from portal.store.clients import Clients, ask, ms
from schemas.times import format_ms, from_ms

RUNS_OF_A_KIND = 20
"""Shown of each facet, source and status: collectors sync every day, and the last completed one must be among them."""

_SETTINGS = f"""SELECT revision, {ms("at")}, updated_by, settings FROM tenant_settings FINAL
WHERE tenant = {{tenant:String}} AND NOT purged ORDER BY at, revision"""
_SYNCS = f"""SELECT id, by, {ms("sent_at")}, facet, source, {ms("started_at")}, seen, expected, status FROM syncs FINAL
WHERE tenant = {{tenant:String}} AND {{facet:String}} IN ('', facet) AND {{source:String}} IN ('', source)
ORDER BY started_at DESC, facet, source LIMIT {RUNS_OF_A_KIND} BY facet, source, status"""


def settings_history(clients: Clients, tenant: str) -> list[SettingsRevision]:
    """Return all revisions of a tenant (or `_provider`), oldest first."""
    return [
        SettingsRevision(int(revision), from_ms(at), by or None, msgspec.json.decode(text))
        for revision, at, by, text in ask(clients, _SETTINGS, {"tenant": tenant})
    ]


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
