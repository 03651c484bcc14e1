"""Owns what the alert process is given: whom to tell of which tenant's alerts, and by what, as the settings say."""

from runtime.settings import Settings
from streams.alerts import Desk
from streams.protocol.alerts import ChannelsOf


def alerting(settings: Settings) -> tuple[ChannelsOf, Desk]:
    """Return which channels a tenant's alerts go to, and the desk that tells them."""
    return lambda *_: (), Desk(settings.kafka.partitions)
