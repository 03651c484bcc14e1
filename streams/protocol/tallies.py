"""Owns the messages from meters to counters: a tenant's tally in one partition, and the end of a partition's
snapshot."""

from typing import Any

import msgspec

from licensing.facets import FACETS
from schemas.times import format_ms
from streams.protocol.effects import Item
from streams.protocol.slice import Movement
from streams.protocol.state import TenantState

_encode = msgspec.json.Encoder().encode


def tally_message(
    tenant: str, state: TenantState, movement: Movement, partition: int, partitions: int, epoch: int, seq: int
) -> Item:
    """Return the record of a tally (schemas.changes.Tally), its key `tenant/partition`."""
    header = state.header
    message = {
        "type": "tally",
        "tenant": tenant,
        "partition": partition,
        "partitions": partitions,
        "epoch": epoch,
        "seq": seq,
        "settings_revision": header.settings_revision,
        "criteria": header.fingerprint,
        "profiles": {str(profile): subjects for profile, subjects in state.tally.items()},
        "freshness": {
            FACETS[number]: {
                source: [_instant(mark.confirmed_ms), _instant(mark.newest_ms)] for source, mark in by_source.items()
            }
            for number, by_source in header.sources.items()
        },
        "as_of": _instant(header.as_of_ms),
        "cause": {
            "kind": movement.kind,
            "subjects_gained": movement.gained,
            "subjects_lost": movement.lost,
            "example": movement.example,
        },
    }
    return Item(f"{tenant}/{partition}".encode(), _encode(message))


def snapshot_end(partition: int, epoch: int) -> Item:
    """Return the record that ends a partition's snapshot; its key keeps it from being compacted with a tenant's."""
    message: dict[str, Any] = {"type": "snapshot_end", "partition": partition, "epoch": epoch}
    return Item(f"_snapshot_end/{partition}".encode(), _encode(message))


def _instant(ms: int) -> str | None:
    return format_ms(ms) if ms else None
