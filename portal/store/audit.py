"""Owns the questions for what was set, synchronised and alerted."""

from typing import Any

import msgspec

from portal.ports import SettingsRevision
from portal.store.clients import Clients, ask, ms
from schemas.times import format_ms, from_ms

_SETTINGS = f"""SELECT revision, {ms("at")}, updated_by, settings FROM tenant_settings FINAL
WHERE tenant = {{tenant:String}} AND NOT purged ORDER BY at, revision"""
_SYNCS = f"""SELECT id, by, {ms("sent_at")}, facet, source, {ms("started_at")}, seen, expected, status FROM syncs FINAL
WHERE tenant = {{tenant:String}} ORDER BY started_at DESC, facet, source"""


def settings_history(clients: Clients, tenant: str) -> list[SettingsRevision]:
    """Return all revisions of a tenant (or `_provider`), oldest first."""
    return [
        SettingsRevision(int(revision), from_ms(at), by or None, msgspec.json.decode(text))
        for revision, at, by, text in ask(clients, _SETTINGS, {"tenant": tenant})
    ]


def syncs(clients: Clients, tenant: str) -> list[dict[str, Any]]:
    """Return the sync runs of a tenant, newest first, each in its newest state: fields of `SyncRun`."""
    return [
        {
            "type": "sync_run", "id": run, "tenant": tenant, "by": by, "sent_at": format_ms(sent_at), "facet": facet,
            "source": source, "started_at": format_ms(started_at), "seen": seen, "expected": expected, "status": status,
        }
        for run, by, sent_at, facet, source, started_at, seen, expected, status
        in ask(clients, _SYNCS, {"tenant": tenant})
    ]  # fmt: skip
