"""Owns the sending: by Apprise (e-mail, Teams, Slack, …) and to signed webhooks."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol

import httpx
import msgspec

from streams.notify.channels import Channel
from streams.notify.messages import Message
from streams.notify.retry import SendError
from streams.notify.signing import signature
from streams.notify.threads import Threads
from streams.notify.wording import Wording

SEND_S = 30.0
"""A receiver that needs longer is tried again later."""
_LATER = (408, 425, 429)
_OF_CONTENT = (400, 413, 422)


class Sender(Protocol):
    """What sends by one kind of channel."""

    async def send(self, channel: Channel, messages: Sequence[Message], now_ms: int) -> None:
        """Send messages as one. Raises SendError."""

    async def close(self) -> None:
        """Let go of connections."""


class AppriseSender:
    """Sends texts by Apprise."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._threads = Threads()

    async def send(self, channel: Channel, messages: Sequence[Message], now_ms: int) -> None:  # noqa: ARG002
        """Send messages as one. Raises SendError, and whatever a plugin raises."""
        text = self._wording.text(messages)
        notify = partial(_notify, channel.address, text.title, text.body, text.html)
        try:
            async with asyncio.timeout(SEND_S):
                # A thread, for its plugins block; one that hangs is left behind by the time limit.
                sent = await self._threads.run(channel.name, notify)
        except TimeoutError as error:
            raise SendError(f"the service did not take it within {SEND_S:.0f} s") from error
        if sent is None:
            raise SendError("Apprise knows no such service: correct the channel's url", for_good=True)
        if not sent:
            raise SendError("the service did not take it")

    async def close(self) -> None:
        """There is nothing to let go of: Apprise connects for each message."""


def _notify(address: str, title: str, body: str, html: str) -> bool | None:
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its words hold addresses
    service = apprise.Apprise.instantiate(address)
    if not service:
        return None
    formats: Any = service.notify_format  # one, or those that it can choose from
    as_html = apprise.NotifyFormat.HTML in (formats if isinstance(formats, tuple) else (formats,))
    return bool(
        service.notify(
            body=html if as_html else body,
            title=title,
            body_format=apprise.NotifyFormat.HTML if as_html else apprise.NotifyFormat.TEXT,
            # What is too long for a chat comes in parts; HTML would be cut within a tag.
            overflow=None if as_html else apprise.OverflowMode.SPLIT,
        )
    )


class WebhookSender:
    """Posts changes as JSON, signed. `client` follows no redirects: what is signed is for this address alone."""

    def __init__(self, client: httpx.AsyncClient, link_base: str | None) -> None:
        self._client, self._link_base = client, link_base

    async def send(self, channel: Channel, messages: Sequence[Message], now_ms: int) -> None:
        """Send messages as one. Raises SendError."""
        told = [self._told(message) for message in messages]
        ids = [message.alert.id for message in messages]
        message_id = ids[0] if len(ids) == 1 else hashlib.sha256(" ".join(ids).encode()).hexdigest()[:32]
        body = msgspec.json.encode(told[0] if len(told) == 1 else {"type": "digest", "alerts": told})
        headers = {
            "content-type": "application/json",
            "user-agent": "Poolwatch",
            "webhook-id": message_id,
            "webhook-timestamp": str(now_ms // 1_000),
            "webhook-signature": signature(channel.secret, message_id, now_ms // 1_000, body),
        }
        asked = self._client.stream("POST", channel.address, content=body, headers=headers, timeout=SEND_S)
        try:
            # The answer's body is not read: it may have no end.
            async with asyncio.timeout(SEND_S), asked as answer:
                _judge(answer, now_ms)
        except (TimeoutError, httpx.TimeoutException):
            raise SendError(f"the receiver did not answer within {SEND_S:.0f} s") from None
        except httpx.HTTPError as error:
            # Without its text, which holds the address.
            raise SendError(f"the receiver cannot be reached ({type(error).__name__})") from None

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    def _told(self, message: Message) -> dict[str, object]:
        alert = message.alert
        link = f"{self._link_base}/tenants/{alert.tenant}" if self._link_base else None
        told = {**alert.model_dump(mode="json"), "display_name": message.display_name, "link": link}
        return told | {"test": True} if message.is_test else told


def _judge(answer: httpx.Response, now_ms: int) -> None:
    if answer.is_success:
        return
    status = answer.status_code
    raise SendError(
        f"the receiver answered {status}",
        for_good=300 <= status < 500 and status not in _LATER,
        of_content=status in _OF_CONTENT,
        retry_after_ms=_retry_after_ms(answer.headers.get("retry-after", ""), now_ms),
    )


def _retry_after_ms(said: str, now_ms: int) -> int:
    """Return how long a receiver wants to be left alone: it says seconds, or a date; 0 for anything else."""
    if said.isdecimal():
        return int(said[:9]) * 1_000
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return 0
    zoned = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0, round((zoned - datetime.fromtimestamp(now_ms / 1_000, UTC)).total_seconds() * 1_000))
