"""Owns the questions for recorded alerts: what is open, what changed of a tenant, and what became of its telling."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from portal.store.clients import AFTER_PURGE, Clients, ask, at_ms
from schemas.alert import Alert, AlertState, Delivery
from schemas.times import format_time, to_ms

_TYPE, _AT, _ID = (f"JSONExtractString(alert, '{name}')" for name in ("type", "at", "id"))
# Times are of one form, so that the order of their texts is theirs.
_OPEN = f"""SELECT argMax(alert, ({_AT}, recorded_at)) AS newest FROM alerts
LEFT JOIN (SELECT tenant, max(at) AS purged_at FROM tenant_settings WHERE purged GROUP BY tenant) AS purge USING tenant
WHERE {_TYPE} = 'alert' AND recorded_at > purge.purged_at
GROUP BY tenant, JSONExtractString(alert, 'rule') HAVING JSONExtractString(newest, 'state') = 'firing'"""
_CHANGES = f"""SELECT any(alert) FROM alerts WHERE tenant = {{tenant:String}} AND {AFTER_PURGE} AND {_TYPE} = 'alert'
    AND recorded_at >= {at_ms("recorded")} AND {_AT} >= {{start:String}} AND {_AT} < {{end:String}}
    AND {{state:String}} IN ('', JSONExtractString(alert, 'state'))
    AND ({{at:String}} = '' OR ({_AT}, {_ID}) < ({{at:String}}, {{id:String}}))
GROUP BY {_AT}, {_ID} ORDER BY {_AT} DESC, {_ID} DESC LIMIT {{limit:UInt32}}"""
_DELIVERIES = f"""SELECT argMax(alert, recorded_at) AS newest FROM alerts
WHERE tenant = {{tenant:String}} AND {AFTER_PURGE} AND {_TYPE} = 'delivery' AND {_ID} IN {{ids:Array(String)}}
GROUP BY {_ID}, JSONExtractString(alert, 'channel') AS channel ORDER BY channel"""
_SKEW_MS = 86_400_000
"""A change is recorded after it came about; clocks of two machines may not agree on that."""


def open_alerts(clients: Clients) -> list[Alert]:
    """Return the newest change of every alert of all tenants that is open."""
    return [Alert.model_validate_json(text) for (text,) in ask(clients, _OPEN, {})]


def changes(
    clients: Clients, tenant: str, start: datetime, end: datetime, state: AlertState | None,
    after: tuple[datetime, str] | None, limit: int,
) -> list[Alert]:  # fmt: skip
    """Return changes of [start, end), newest first, below the place (at, id); what came twice is there once."""
    parameters: dict[str, Any] = {
        "tenant": tenant, "start": format_time(start), "end": format_time(end), "state": state or "", "limit": limit,
        "recorded": max(0, to_ms(start) - _SKEW_MS),
        "at": format_time(after[0]) if after else "", "id": after[1] if after else "",
    }  # fmt: skip
    return [Alert.model_validate_json(text) for (text,) in ask(clients, _CHANGES, parameters)]


def deliveries(clients: Clients, tenant: str, ids: Sequence[str]) -> list[Delivery]:
    """Return what became last of the telling of these changes, by channel."""
    rows = ask(clients, _DELIVERIES, {"tenant": tenant, "ids": list(ids)})
    return [Delivery.model_validate_json(text) for (text,) in rows]
