"""Owns that nothing is kept of what was observed up to a tenant's removal, or recorded at all up to its purge."""

from clickhouse_connect.driver.client import Client

from schemas.times import format_time, from_ms
from streams.sink.ports import Clients
from streams.sink.processors import Removal

_FLOOR = "parseDateTime64BestEffort({floor:String}, 3, 'UTC')"
_PURGED_AT = "(SELECT max(at) FROM tenant_settings WHERE tenant = {tenant:String} AND purged)"
# When a row was recorded, not what time it tells of: a tenant that is set again may import exports from before its
# purge. A bucket goes by where it begins to be covered, for the tenant may come back within it.
_RECORDED = (
    ("seat_facets", "recorded_at"),
    ("seat_changes", "recorded_at"),
    ("subject_profiles", "recorded_at"),
    ("license_counts", "at"),
    ("latest_counts", "computed_at"),
    ("license_counts_hourly", "first_at"),
    ("license_counts_daily", "first_at"),
    ("sync_marks", "recorded_at"),
    ("syncs", "sent_at"),
    ("alerts", "recorded_at"),
    ("alert_states", "recorded_at"),
)


def remove(clients: Clients, removal: Removal) -> None:
    """Delete what a removal or purge leaves no place for. Doing it twice changes nothing."""
    with clients.lease() as client:
        if removal.what == "alert_state":
            _delete(client, "alert_states", f"recorded_at <= {_FLOOR}", removal)
            return
        if removal.what == "facts":
            # A purge ends the floors of removals before it: the tenant starts anew after it.
            _delete(client, "seat_facets", f"observed_at <= {_FLOOR} AND {_FLOOR} > {_PURGED_AT}", removal)
            return
        for table, column in _RECORDED:
            _delete(client, table, f"{column} <= {_FLOOR}", removal)
        # The row of the purge itself stays: it is the floor for what arrives late, and tells nothing but the tenant's
        # id.
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
            "SELECT tenant, purged, toUnixTimestamp64Milli(assumeNotNull(max(removed_at)))"
            " FROM tenant_settings WHERE removed_at IS NOT NULL GROUP BY tenant, purged"
        ).result_rows
    for tenant, purged, floor in rows:
        remove(clients, Removal(tenant, format_time(from_ms(floor)), "everything" if purged else "facts"))
