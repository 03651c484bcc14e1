"""Owns the trying of channels: a message that says that it is a test, sent once and at once by each."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from licensing.alerts.limits import alert_limits
from runtime.alerting import channels_of, senders
from runtime.settings import Alerts, SettingsError
from schemas.alert import Alert
from schemas.settings import ProviderSettings, TenantSettings
from streams.clock import now_ms
from streams.notify.channels import Channel, channels_for
from streams.notify.messages import Message
from streams.notify.retry import as_send_error
from streams.notify.senders import Sender


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a test."""

    channel: str
    error: str | None
    """None = the channel took it."""
    took_s: float


def channels_to_try(
    settings: Alerts, own: TenantSettings, provider: ProviderSettings, name: str | None
) -> Sequence[Channel]:
    """Return the channels that tell of a tenant's alerts, or the one of a name. Raises SettingsError for none."""
    known = channels_of(settings)
    told = channels_for(own.tenant, alert_limits(own, provider), known)
    if not known:
        raise SettingsError(
            "no channel is set here: give alerts.channels to this process as to the alert process (docs/alerts.md)"
        )
    if not told:
        raise SettingsError(
            f"no channel tells of {own.tenant}'s alerts: there are {', '.join(sorted(known))}; see their tenants, and"
            f" the channels that the settings of {own.tenant} or of the provider name"
        )
    if name is not None and name not in told:
        why = f"does not tell of {own.tenant}'s alerts" if name in known else "is not set here"
        raise SettingsError(f"the channel {name[:64]} {why}; those that do: {', '.join(told)}")
    return [known[each] for each in told if name in (None, each)]


async def try_channels(
    settings: Alerts, channels: Sequence[Channel], own: TenantSettings, ended: Callable[[Tried], None]
) -> Sequence[Tried]:
    """Send a test by each channel, all at the same time; `ended` is called with each result as it comes."""
    by_kind = senders(settings)

    async def run(channel: Channel) -> Tried:
        tried = await _try(by_kind[channel.kind], channel, own)
        ended(tried)
        return tried

    try:
        return await asyncio.gather(*map(run, channels))
    finally:
        for sender in by_kind.values():
            await sender.close()


async def _try(sender: Sender, channel: Channel, own: TenantSettings) -> Tried:
    began = time.monotonic()
    message = Message(_test_of(own.tenant), own.display_name, channel.name, is_test=True)
    error = None
    try:
        await sender.send(channel, [message], now_ms())
    except Exception as failed:  # noqa: BLE001  # whatever a plugin raises, in words without addresses
        error = str(as_send_error(failed))
    return Tried(channel.name, error, round(time.monotonic() - began, 3))


def _test_of(tenant: str) -> Alert:
    now = datetime.now(UTC)
    return Alert(
        id=f"test-{uuid.uuid4().hex}", tenant=tenant, rule="pool", change="raised", state="firing", level="warning",
        value=None, threshold=None, since=now, at=now, settings_revision=0,
        detail="This is a test of the channel: nothing has happened.", todo="Nothing: somebody tried the channel.",
    )  # fmt: skip
