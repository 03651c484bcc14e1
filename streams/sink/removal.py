"""Owns that nothing is kept of a removed tenant's facts, or of a purged tenant at all, up to that instant."""

from clickhouse_connect.driver.client import Client

from schemas.times import format_time, from_ms
from streams.sink.ports import Clients
from streams.sink.processors import Removal

_FLOOR = "parseDateTime64BestEffort({floor:String}, 3, 'UTC')"
_FACTS = (("seat_facets", "observed_at"),)
_HISTORY = (
    ("seat_changes", "least(observed_at, recorded_at)"),
    ("subject_profiles", "least(observed_at, recorded_at)"),
    ("license_counts", "at"),
    ("latest_counts", "computed_at"),
    ("license_counts_hourly", "at"),
    ("license_counts_daily", "at"),
    ("sync_marks", "started_at"),
    ("syncs", "started_at"),
    ("alerts", "recorded_at"),
)


def remove(clients: Clients, removal: Removal) -> None:
    """Delete what a removal or purge leaves no place for. Doing it twice changes nothing."""
    with clients.lease() as client:
        for table, column in _FACTS + (_HISTORY if removal.purge else ()):
            _delete(client, table, f"{column} <= {_FLOOR}", removal)
        if removal.purge:
            # The row of the purge itself stays: it is the floor for what arrives late, and tells nothing but the
            # tenant's id.
            _delete(client, "tenant_settings", f"at <= {_FLOOR} AND NOT purged", removal)


def _delete(client: Client, table: str, condition: str, removal: Removal) -> None:
    where = f"tenant = {{tenant:String}} AND {condition}"
    parameters = {"tenant": removal.tenant, "floor": removal.floor}
    # A delete rewrites parts even where nothing matches, and settings of a tenant that came back are written often.
    found = client.query(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", parameters=parameters)
    if found.result_rows:
        client.command(f"DELETE FROM {table} WHERE {where}", parameters=parameters)


def remove_late(clients: Clients) -> None:
    """Delete what arrived after the removal that it falls under: a partition lagged, a meter told of the removal."""
    with clients.lease() as client:
        rows = client.query(
            "SELECT tenant, toUnixTimestamp64Milli(assumeNotNull(max(removed_at))),"
            " toUnixTimestamp64Milli(maxIf(at, purged)), max(purged)"
            " FROM tenant_settings WHERE removed_at IS NOT NULL GROUP BY tenant"
        ).result_rows
    for tenant, floor, purge_floor, purged in rows:
        remove(clients, Removal(tenant, format_time(from_ms(floor)), False))
        if purged:
            remove(clients, Removal(tenant, format_time(from_ms(purge_floor)), True))
