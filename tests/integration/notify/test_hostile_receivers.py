"""Receivers that hang, never end, move, or want to be left alone; and what is said of them."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import formatdate

import apprise
import pytest

from streams.notify import senders
from streams.notify.retry import SendError
from tests.integration.notify.test_telling import reported, telling
from tests.support.logs import heard
from tests.support.messages import message
from tests.support.ports import HOST
from tests.support.receivers import hook, mail_box


@pytest.fixture
def tarpit() -> Iterator[str]:
    """The URL of a mail server that takes connections and never says a word."""
    with closing(socket.create_server((HOST, 0))) as server:
        url = f"mailto://{HOST}:{server.getsockname()[1]}/?from=a@msp.example&to=b@msp.example&mode=insecure"
        assert apprise.Apprise.instantiate(url)
        yield url


async def test_mail_servers_that_hang_hold_up_neither_others_nor_the_end(
    tarpit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "SEND_S", 0.3)
    hanging = {f"h{number}": {"url": tarpit} for number in range(40)}
    with mail_box() as box:
        async with telling(hanging) as (notifier, outcomes):
            notifier.submit([message(name) for name in hanging])
            assert {"failed"} == set(await reported(outcomes, 40))
            assert {"the service did not take it within 0 s"} == {outcome.error for outcome in outcomes}
            threads = [thread for thread in threading.enumerate() if thread.name.startswith("channel-")]
            assert threads
            assert all(thread.daemon for thread in threads), "the process would wait for them at its end"
        monkeypatch.setattr(senders, "SEND_S", 30.0)
        async with telling({"ops": {"url": box.url}}) as (notifier, outcomes):
            notifier.submit([message("ops")])
            began = time.monotonic()
            assert ["delivered"] == await reported(outcomes, 1)
            assert time.monotonic() - began < 5


async def test_a_try_that_still_hangs_is_not_joined_by_another(tarpit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "SEND_S", 0.3)
    channels = {"h": {"url": tarpit}}
    async with telling(channels) as (notifier, outcomes):
        sender, channel = notifier._senders["apprise"], notifier._channels["h"]
        for said in ("did not take it within", "still hangs with an earlier message"):
            with pytest.raises(SendError, match=said):
                await sender.send(channel, [message("h")], 0)
    assert [] == outcomes


@pytest.mark.parametrize(
    ("status", "headers", "error", "least_s"),
    [
        (429, {"retry-after": "600"}, "the receiver answered 429", 600),
        (503, {"retry-after": formatdate(time.time() + 3_000, usegmt=True)}, "the receiver answered 503", 1_000),
        (503, {"retry-after": "9" * 5_000}, "the receiver answered 503", 3_600),
        (503, {"retry-after": "soon"}, "the receiver answered 503", 4),
        (503, {"retry-after": "Wed, 21 Oct 1015 07:28:00 GMT"}, "the receiver answered 503", 4),
        (301, {"location": "http://127.0.0.1:9/geheim"}, "the receiver answered 301", 4),
        (410, {}, "the receiver answered 410", 4),
        (200, {"content-length": "1000000000"}, None, 0),
    ],
)
async def test_what_a_receiver_answers_is_heeded(
    status: int, headers: dict[str, str], error: str | None, least_s: float
) -> None:
    with hook() as receiver:
        receiver.answers = lambda: (status, headers)
        async with telling({"hook": {"webhook": receiver.url, "secret": "s"}}) as (notifier, outcomes):
            began = time.time()
            notifier.submit([message("hook")])
            await reported(outcomes, 1)
    (outcome,) = outcomes
    assert (error, 1) == (outcome.error, len(receiver.calls))
    if error is not None:
        assert "failed" == outcome.state
        assert least_s * 1_000 - 1_500 <= outcome.next_ms - began * 1_000 <= 3_610_000


async def test_nothing_that_is_logged_or_reported_holds_an_address_or_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with hook() as fine, caplog.at_level(logging.DEBUG), heard("streams") as events:
        channels = {
            "fine": {"webhook": f"{fine.url}/geheim", "secret": "geheim"},
            "gone": {"webhook": "http://ana:geheim@127.0.0.1:9/geheim", "secret": "geheim"},
            "odd": {"webhook": "http://[geheim/", "secret": "geheim"},
            "unknown": {"url": "nonsense://geheim@127.0.0.1/geheim"},
            "mail": {"url": "mailto://ana:geheim@127.0.0.1:9/?to=geheim@example.org&mode=insecure"},
            "json": {"url": f"{fine.url.replace('http', 'json')}/geheim"},
        }
        async with telling(channels) as (notifier, outcomes):
            notifier.submit([message(name) for name in channels])
            await reported(outcomes, len(channels))
    assert {"fine", "json"} == {outcome.channel for outcome in outcomes if outcome.state == "delivered"}
    assert ["not_told"] * 4 == [event["event"] for event in events]
    for text in (caplog.text, str(events), repr(outcomes), repr(notifier._channels)):
        assert "geheim" not in text
