"""Owns the models of alerts: those that are open, their history with what became of its telling, and silences."""

from typing import Literal

from portal.api.models.base import Page, Shown
from schemas.alert import Alert
from schemas.count import Number
from schemas.identifiers import TenantId
from schemas.settings import Silence
from schemas.times import Instant


class ListedAlert(Alert):
    """The newest change of an alert, as the topic `alerts` carries it."""

    silenced_until: Instant | None
    """While it is open: until when nobody is told of it; null where people are."""


class AlertPage(Page[ListedAlert]):
    """A page of alerts, the gravest first."""


class ChannelDelivery(Shown):
    """What became last of the telling of a change by one of the operator's channels. Addresses are nowhere shown."""

    channel: str
    state: Literal["delivered", "failed", "given_up"]
    """`failed` is tried again."""
    attempts: Number
    at: Instant


class AlertChanged(Alert):
    """A change of an alert."""

    deliveries: list[ChannelDelivery]
    """Empty where nobody was to be told, or nobody was yet."""


class HeldSilence(Silence):
    """A silence that holds now or later."""

    id: str
    """Of a tenant's own: what DELETE takes."""
    scope: Literal["tenant", "provider"]
    """Whose it is."""


class TenantAlerts(Page[AlertChanged]):
    """Alerts of a tenant: what is open now, the gravest first; what holds people off; and a page of changes, newest
    first."""

    open: list[ListedAlert]
    silences: list[HeldSilence]


class SilenceEnded(Shown):
    """A silence is over."""

    tenant: TenantId
    id: str
