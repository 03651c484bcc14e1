"""Owns what the alert process is given: whom to tell of which tenant's alerts, and by what, as the settings say."""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from pydantic import SecretStr

from runtime.secret_files import secret_in
from runtime.settings import Alerts, ChannelSettings, Settings, SettingsError
from streams.alert_desk import Desk, Report
from streams.metrics.alerting import begin
from streams.notify.channels import Channel, Quiet, channels_for
from streams.notify.notifier import Notifier
from streams.notify.senders import AppriseSender, Sender, WebhookSender
from streams.notify.signing import key_of
from streams.notify.wording import Wording
from streams.protocol.alerts import ChannelsOf


def alerting(settings: Settings) -> tuple[ChannelsOf, Desk]:
    """Return which channels a tenant's alerts go to, and the desk that tells them. Raises SettingsError."""
    channels = channels_of(settings.alerts)
    begin(channels)
    # Also without channels: what waits for one that is gone from the settings must be given up.
    telling = partial(_notifier, channels, settings.alerts)
    return lambda tenant, own: channels_for(tenant, own, channels), Desk(settings.kafka.partitions, telling)


def channels_of(own: Alerts) -> dict[str, Channel]:
    """Return the channels of the settings, secrets read from their files. Raises SettingsError."""
    return {name: _channel(name, given) for name, given in own.channels.items()}


def senders(own: Alerts) -> Mapping[str, Sender]:
    """Return what sends by each kind of channel; to be called within a running loop."""
    for library in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)  # below that they log addresses, which are secrets
    wording = Wording(own.templates, own.link_base)
    client = httpx.AsyncClient(follow_redirects=False)
    return {"apprise": AppriseSender(wording), "webhook": WebhookSender(client, own.link_base)}


def _notifier(channels: Mapping[str, Channel], own: Alerts, report: Report) -> Notifier:
    return Notifier(channels, senders(own), report)


def _channel(name: str, given: ChannelSettings) -> Channel:
    address = _secret(name, "url", given.url, given.url_file)
    webhook = given.webhook.get_secret_value() if given.webhook is not None else None
    if (address is None) is (webhook is None):
        raise SettingsError(f"alerts.channels.{name}: give a url (of Apprise) or a webhook, one of them")
    if webhook is not None and not webhook.startswith(("http://", "https://")):
        raise SettingsError(f"alerts.channels.{name}.webhook: an address begins with http:// or https://")
    secret = _secret(name, "secret", given.secret, given.secret_file)
    if webhook is not None and not secret:
        raise SettingsError(
            f"alerts.channels.{name}: a webhook needs a secret or a secret_file, by which its receiver knows us"
        )
    try:
        key = key_of(secret or "")
    except ValueError as error:
        raise SettingsError(f"alerts.channels.{name}.secret: {error}") from None
    quiet = given.quiet
    return Channel(
        name=name,
        kind="apprise" if webhook is None else "webhook",
        address=webhook or address or "",
        secret=key,
        tenants=None if given.tenants is None else frozenset(given.tenants),
        digest_ms=given.digest_s * 1_000,
        quiet=None if quiet is None else Quiet(quiet.begin, quiet.end, ZoneInfo(quiet.timezone), quiet.except_level),
    )


def _secret(name: str, what: str, given: SecretStr | None, file: Path | None) -> str | None:
    if given is not None:
        return given.get_secret_value()
    return None if file is None else secret_in(file, f"alerts.channels.{name}.{what}_file")
