"""Owns the reading of a partition of alert-state from its beginning."""

from collections.abc import Iterable

import msgspec

from streams.protocol.alert_state import decode_state
from streams.protocol.alerts import AlertPartition
from streams.protocol.effects import LogRecord
from streams.protocol.owned_log import JSON_CLAIM_PREFIX, refuse_newer


class AlertRecovery:
    """The highest (epoch, seq) of a tenant counts, wherever it stands in the log; `strays` are keys whose newest record
    is another."""

    def __init__(self, alerts: AlertPartition) -> None:
        self._alerts = alerts
        self.position = 0
        self.strays: set[bytes] = set()
        self.unreadable: list[int] = []
        """Offsets of records that are no states: passed over."""
        self.highest_epoch = 0

    def apply(self, records: Iterable[LogRecord]) -> None:
        """Apply records in the order of their offsets."""
        for record in records:
            self.position = record.offset + 1
            if record.key.startswith(JSON_CLAIM_PREFIX):
                refuse_newer(record)
            if record.key.startswith(b"_"):
                continue
            if record.value is None:
                self._alerts.drop(record.key.decode())
                self.strays.discard(record.key)
                continue
            try:
                state = decode_state(record.value)
            except msgspec.MsgspecError:
                self.unreadable.append(record.offset)
                continue
            self.highest_epoch = max(self.highest_epoch, state.epoch)
            if self._alerts.continue_from(state):
                self.strays.discard(record.key)
            else:
                self.strays.add(record.key)
