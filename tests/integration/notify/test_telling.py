"""Alerts told by a real SMTP server and a real HTTP receiver."""

import base64
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from runtime.alerting import channels_of, senders
from runtime.settings import Alerts
from schemas.alert import Alert
from streams.notify.messages import Message, Outcome
from streams.notify.notifier import Notifier
from tests.support.messages import alert, message
from tests.support.receivers import hook, mail_box
from tests.support.waiting import eventually_async

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@asynccontextmanager
async def telling(channels: dict[str, Any]) -> AsyncIterator[tuple[Notifier, list[Outcome]]]:
    own = Alerts.model_validate({"channels": channels, "link_base": "https://pool.msp.example"})
    outcomes: list[Outcome] = []
    notifier = Notifier(channels_of(own), senders(own), outcomes.append)
    yield notifier, outcomes
    await notifier.close()


async def reported(outcomes: list[Outcome], number: int) -> list[str]:
    async def look() -> bool:
        return number <= len(outcomes)

    await eventually_async(look)
    return [outcome.state for outcome in outcomes]


async def test_a_mail_says_who_what_and_what_to_do() -> None:
    with mail_box() as box:
        async with telling({"ops": {"url": box.url}}) as (notifier, outcomes):
            notifier.submit([message("ops")])
            notifier.submit([message("ops")])
            assert ["delivered"] == await reported(outcomes, 1)
            notifier.submit([message("ops", 2, change="resolved", state="resolved", level=None)])
            await reported(outcomes, 2)
    first, second = box.mails
    assert "Warning: Acme & <Söhne> (acme), licence pool" == first["subject"]
    assert "Resolved: Acme & <Söhne> (acme), licence pool" == second["subject"]
    html, plain = first.get_body(("html",)), first.get_body(("plain",))
    assert html is not None
    assert "Acme &amp; &lt;Söhne&gt; (acme)" in html.get_content()
    for part in (html, plain):
        assert part is not None
        for words in ("456 of 500 licences are in use.", "Buy licences.", "https://pool.msp.example/tenants/acme"):
            assert words in part.get_content() or (part is plain and "https" in words)


async def test_a_webhook_is_signed_and_its_repeats_are_known_by_their_id() -> None:
    with hook() as receiver:
        answers: Iterator[tuple[int, dict[str, str]]] = iter([(503, {}), (204, {})])
        receiver.answers = lambda: next(answers)
        async with telling({"hook": {"webhook": receiver.url, "secret": SECRET}}) as (notifier, outcomes):
            notifier.submit([message("hook")])
            assert ["failed"] == await reported(outcomes, 1)
            assert "the receiver answered 503" == outcomes[0].error
            assert outcomes[0].next_ms > time.time() * 1_000
        async with telling({"hook": {"webhook": receiver.url, "secret": SECRET}}) as (notifier, outcomes):
            notifier.submit([message("hook")])  # a new process
            assert ["delivered"] == await reported(outcomes, 1)
    first, second = receiver.calls
    assert "id1" == first.id == second.id
    body = second.verified(SECRET)
    assert ("acme", "Acme & <Söhne>", 91.2) == (body["tenant"], body["display_name"], body["value"])
    assert alert() == Alert.model_validate(body)
    with pytest.raises(WebhookVerificationError):
        second.verified("whsec_" + base64.b64encode(b"another").decode())


async def test_what_a_receiver_will_never_take_is_given_up_and_a_hanging_one_delays_nobody() -> None:
    with hook() as gone, hook() as fine:
        gone.answers = lambda: (410, {})
        channels = {
            "gone": {"webhook": gone.url, "secret": "s"},
            "fine": {"webhook": fine.url, "secret": "s"},
            "hangs": {"webhook": "http://127.0.0.1:9/", "secret": "s"},
        }
        async with telling(channels) as (notifier, outcomes):
            given = message("gone")
            notifier.submit([Message(given.alert, None, "gone", attempts=2), message("hangs"), message("nowhere")])
            notifier.submit([message("fine")])
            await reported(outcomes, 4)
    states = {outcome.channel: (outcome.state, outcome.error) for outcome in outcomes}
    assert {
        "gone": ("given_up", "the receiver answered 410"),
        "fine": ("delivered", None),
        "hangs": ("failed", "the receiver cannot be reached (ConnectError)"),
        "nowhere": ("given_up", "there is no such channel in the settings any more"),
    } == states


async def test_a_storm_comes_as_one() -> None:
    with hook() as receiver, mail_box() as box:
        channels = {"hook": {"webhook": receiver.url, "secret": SECRET}, "ops": {"url": box.url}}
        async with telling(channels) as (notifier, outcomes):
            notifier.submit([message(name, number) for number in range(1, 60) for name in channels])
            await reported(outcomes, 118)
    (call,) = receiver.calls
    assert 59 == len(call.verified(SECRET)["alerts"])
    assert ["Poolwatch: 59 changes of alerts, 59 open"] == [mail["subject"] for mail in box.mails]
