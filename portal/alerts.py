"""Owns the newest change of every alert, as the portal shows it: what is open now, and what is over since a short time.
Reading the topic is the live view's.

They are taken from the topic `alerts`, and not from `alert-state`: that one holds what the alert process must not
forget, in a form of its own, and neither values nor sentences. What the topic does not hold any more, its retention
being shorter than an alert may stay open, is read from ClickHouse once after the start (`portal.kafka.alerts`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, TypeAdapter

from licensing.alerts.levels import rank
from schemas.alert import Alert, AlertRule, Delivery

OVER_FOR = timedelta(days=7)
"""For so long what is over is listed among the newest; the history of a tenant has all of it."""

AlertRecord: TypeAdapter[Alert | Delivery] = TypeAdapter(Annotated[Alert | Delivery, Field(discriminator="type")])


class AlertBook:
    """The newest change of each rule, by tenant: as many as tenants that ever had an alert times the rules at most."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[AlertRule, Alert]] = {}
        self._purged_at: dict[str, datetime] = {}
        self.complete = False
        """Whether also those are known that were told of longer ago than the topic goes back."""

    def take(self, value: bytes | None) -> Alert | None:
        """Take a record of the topic; return the change if it is news. Raises ValidationError."""
        record = AlertRecord.validate_json(value) if value is not None else None
        return record if isinstance(record, Alert) and self.put(record) else None

    def put(self, alert: Alert) -> bool:
        """Take a change, unless a newer one of its alert is known; return whether it was taken. A crash of the alert
        process makes some come again."""
        purged_at = self._purged_at.get(alert.tenant)
        if purged_at is not None and alert.at <= purged_at:
            return False
        of_tenant = self._newest.setdefault(alert.tenant, {})
        known = of_tenant.get(alert.rule)
        if known is not None and (known.at > alert.at or known.id == alert.id):
            return False
        of_tenant[alert.rule] = alert
        return True

    def forget(self, tenant: str, at: datetime) -> list[AlertRule]:
        """Drop what was of a tenant up to its purge, also what is read of it later: at a start nothing says which topic
        comes first. Returns the rules."""
        self._purged_at[tenant] = at
        of_tenant = self._newest.get(tenant, {})
        gone = [rule for rule, alert in of_tenant.items() if alert.at <= at]
        for rule in gone:
            del of_tenant[rule]
        return gone

    def of(self, tenant: str) -> Sequence[Alert]:
        """Return the newest change of each alert of a tenant, the gravest first."""
        return by_gravity(self._newest.get(tenant, {}).values())

    def newest(self) -> Iterable[Alert]:
        """Yield the newest change of every alert."""
        for of_tenant in self._newest.values():
            yield from of_tenant.values()

    def open_of(self, tenant: str, rule: AlertRule) -> Alert | None:
        """Return the open alert of a rule, None where there is none."""
        found = self._newest.get(tenant, {}).get(rule)
        return found if found is not None and found.state == "firing" else None


def by_gravity(alerts: Iterable[Alert]) -> list[Alert]:
    """Return alerts by level, highest first; of one level those that are open for longest first."""
    return sorted(alerts, key=place_of)


def place_of(alert: Alert) -> tuple[int, datetime, str, str]:
    """Return the place of an alert in a list by gravity."""
    return -rank(alert.level), alert.since, alert.tenant, alert.rule
