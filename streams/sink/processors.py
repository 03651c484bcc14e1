"""Owns what becomes of the records of each topic: rows as JSON lines, removals, rejects. No function does any I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from schemas.identifiers import PROVIDER_KEY
from schemas.times import AwareTime, format_ms, format_time
from streams.sink.counts import CountLedger, decode_count
from streams.sink.ports import Record

Table = Literal[
    "seat_changes",
    "sync_marks",
    "license_counts",
    "latest_counts",
    "tenant_settings",
    "alerts",
    "alert_states",
    "syncs",
]

_SEAT_CHANGE = b'{"type":"seat_change"'
_SYNC = b'{"type":"sync"'


@dataclass(slots=True)
class Batch:
    """Lines for one table, each with the record that it came from."""

    table: Table
    lines: list[bytes] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)

    def add(self, line: bytes, record: Any) -> None:
        """Add a row."""
        self.lines.append(line)
        self.records.append(record)

    def halves(self) -> tuple["Batch", "Batch"]:
        """Return the batch cut in two."""
        middle = len(self.lines) // 2
        return (
            Batch(self.table, self.lines[:middle], self.records[:middle]),
            Batch(self.table, self.lines[middle:], self.records[middle:]),
        )


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot become a row."""

    record: Any
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A tenant was removed: its facts observed up to `floor` go. Or purged: all recorded up to `floor` goes. Or nothing
    is kept of its alerts any more: their state recorded up to `floor` goes."""

    tenant: str
    floor: str
    what: Literal["facts", "everything", "alert_state"]


@dataclass(slots=True)
class Outcome:
    """What a block of records becomes."""

    batches: list[Batch] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)


class _Kind(msgspec.Struct):
    type: str = ""


class _Stamps(msgspec.Struct):
    revision: int = 0
    updated_at: AwareTime | None = None
    updated_by: str | None = None
    removed_at: AwareTime | None = None


class _SettingsRow(msgspec.Struct):
    tenant: str
    at: str
    revision: int
    updated_by: str
    removed_at: str | None
    purged: bool
    settings: str


class _AlertRow(msgspec.Struct):
    tenant: str
    recorded_at: str
    alert: str


class _Place(msgspec.Struct):
    epoch: int
    seq: int


class _AlertStateRow(msgspec.Struct):
    tenant: str
    epoch: int
    seq: int
    recorded_at: str
    state: str


_encode = msgspec.json.encode
_kind = msgspec.json.Decoder(_Kind).decode
_stamps = msgspec.json.Decoder(_Stamps).decode
_place = msgspec.json.Decoder(_Place).decode


def seat_changes(records: Sequence[Record]) -> Outcome:
    """Seat changes and sync marks, the bytes of the records as they are."""
    changes = Batch("seat_changes")
    changes.records = [each for each in records if each.value is not None and each.value.startswith(_SEAT_CHANGE)]
    changes.lines = [each.value for each in changes.records]
    outcome = Outcome([changes])
    if len(changes.records) < len(records):
        _other_changes(records, outcome)
    return outcome


def _other_changes(records: Sequence[Record], outcome: Outcome) -> None:
    syncs = Batch("sync_marks")
    for record in records:
        value = record.value or b""
        if value.startswith(_SYNC):
            syncs.add(value, record)
        elif not value.startswith(_SEAT_CHANGE):
            outcome.rejects.append(
                Reject(
                    record, "invalid", "neither a seat change nor a sync: it does not begin with a `type` that is known"
                )
            )
    outcome.batches.append(syncs)


def license_counts(records: Sequence[Record], ledger: CountLedger) -> Outcome:
    """A row a second and tenant, and the newest count of each tenant. Keys that begin with `_` are not counts."""
    rows: dict[tuple[str, int], tuple[bytes, Record]] = {}
    latest: dict[str, tuple[bytes, Record]] = {}
    outcome = Outcome()
    for record in records:
        if record.key is not None and record.key.startswith(b"_"):
            continue
        if record.value is None:
            ledger.forget((record.key or b"").decode(errors="replace"))
            continue
        try:
            row = ledger.take(decode_count(record.value))
            text = record.value.decode()
        except (msgspec.DecodeError, ValueError, TypeError, KeyError, OverflowError) as error:
            outcome.rejects.append(Reject(record, "invalid", f"not a licence count: {error}"))
            continue
        if row is not None:
            line = _encode(row)
            rows[row.tenant, row.at] = line, record
            latest[row.tenant] = line[:-1] + b',"count":' + _encode(text) + b"}", record
    outcome.batches = [_batch("license_counts", rows.values()), _batch("latest_counts", latest.values())]
    return outcome


def tenants(records: Sequence[Record]) -> Outcome:
    """Each revision of settings; a tombstone becomes the floor of a purge."""
    batch, outcome = Batch("tenant_settings"), Outcome()
    for record in records:
        try:
            tenant = (record.key or b"").decode()
            row = _settings_row(tenant, record)
            line = _encode(row)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            outcome.rejects.append(Reject(record, "invalid", f"not settings of a tenant: {error}"))
            continue
        batch.add(line, record)
        if row.removed_at is not None and tenant != PROVIDER_KEY:
            outcome.removals.append(Removal(tenant, row.removed_at, "everything" if row.purged else "facts"))
    outcome.batches.append(batch)
    return outcome


def _settings_row(tenant: str, record: Record) -> _SettingsRow:
    recorded = format_ms(record.timestamp)
    if record.value is None:
        return _SettingsRow(tenant, recorded, 0, "", recorded, True, "")
    stamps = _stamps(record.value)
    return _SettingsRow(
        tenant=tenant,
        at=format_time(stamps.updated_at) if stamps.updated_at else recorded,
        revision=stamps.revision,
        updated_by=stamps.updated_by or "",
        removed_at=format_time(stamps.removed_at) if stamps.removed_at else None,
        purged=False,
        settings=record.value.decode(),
    )


def commands(records: Sequence[Record]) -> Outcome:
    """Sync runs; other commands are no rows."""
    batch, outcome = Batch("syncs"), Outcome()
    for record in records:
        try:
            if record.value is not None and _kind(record.value).type == "sync_run":
                batch.add(record.value, record)
        except msgspec.DecodeError as error:
            outcome.rejects.append(Reject(record, "not_json", f"not a command: {error}"))
    outcome.batches.append(batch)
    return outcome


def alerts(records: Sequence[Record]) -> Outcome:
    """Alert changes, each whole."""
    batch, outcome = Batch("alerts"), Outcome()
    for record in records:
        try:
            _kind(record.value or b"")
            row = _AlertRow((record.key or b"").decode(), format_ms(record.timestamp), (record.value or b"").decode())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            outcome.rejects.append(Reject(record, "not_json", f"not an alert: {error}"))
            continue
        batch.add(_encode(row), record)
    outcome.batches.append(batch)
    return outcome


def alert_states(records: Sequence[Record]) -> Outcome:
    """The newest state of each tenant's alerts; a tombstone ends those before it. Keys that begin with `_` are no
    tenants."""
    newest: dict[str, tuple[_Place, bytes, Record]] = {}
    outcome = Outcome()
    for record in records:
        key = record.key or b""
        if key.startswith(b"_"):
            continue
        try:
            tenant = key.decode()
            if record.value is None:
                newest.pop(tenant, None)
                outcome.removals.append(Removal(tenant, format_ms(record.timestamp), "alert_state"))
                continue
            place, text = _place(record.value), record.value.decode()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            outcome.rejects.append(Reject(record, "invalid", f"not a state of alerts: {error}"))
            continue
        known = newest.get(tenant)
        if known is None or (place.epoch, place.seq) >= (known[0].epoch, known[0].seq):
            row = _AlertStateRow(tenant, place.epoch, place.seq, format_ms(record.timestamp), text)
            newest[tenant] = place, _encode(row), record
    outcome.batches.append(_batch("alert_states", ((line, record) for _, line, record in newest.values())))
    return outcome


def _batch(table: Table, rows: Any) -> Batch:
    batch = Batch(table)
    for line, record in rows:
        batch.add(line, record)
    return batch
