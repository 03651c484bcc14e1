"""docs/alerts.md says what is so: its settings load, its template works, its receiver verifies what comes."""

import re
import tomllib
from pathlib import Path
from typing import Any

import apprise
import msgspec
import pytest
from jinja2 import meta

from runtime.alerting import channels_of
from runtime.settings import Alerts
from streams.notify.wording import Wording
from tests.integration.notify.test_telling import SECRET, reported, telling
from tests.support.messages import message
from tests.support.receivers import hook

DOCUMENT = (Path(__file__).parents[3] / "docs/alerts.md").read_text("utf-8")


def example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_channels_of_the_document_are_channels() -> None:
    own = Alerts.model_validate(tomllib.loads(example("toml"))["alerts"])
    channels = channels_of(own)
    assert ["ops", "teams", "slack", "billing"] == list(channels)
    for channel in channels.values():
        assert channel.kind == "webhook" or apprise.Apprise.instantiate(channel.address), channel.name


def test_the_template_of_the_document_works(tmp_path: Path) -> None:
    (tmp_path / "message.txt").write_text(example("jinja"), "utf-8")
    wording = Wording(tmp_path, "https://pool.msp.example")
    body = wording.text([message("ops"), message("ops", 2)]).body
    assert body.startswith("[2] Warning: Acme & <Söhne> (acme), licence pool: 456 of 500")
    environment = wording._environments[0]
    names = meta.find_undeclared_variables(environment.parse(example("jinja")))
    assert names == {"alerts", "words", "name", "rule", "time", "link"}


async def test_the_receiver_of_the_document_takes_what_is_signed_and_nothing_else() -> None:
    code: dict[str, Any] = {}
    exec(compile(example("python"), "docs/alerts.md", "exec"), code)
    verify = code["verify"]
    secret = "any words"
    with hook() as receiver:
        channels = {
            "base64": {"webhook": receiver.url, "secret": SECRET},
            "words": {"webhook": receiver.url, "secret": secret},
        }
        async with telling(channels) as (notifier, outcomes):
            notifier.submit([message("base64")])
            await reported(outcomes, 1)
            notifier.submit([message("words")])
            await reported(outcomes, 2)
    first, second = receiver.calls
    verify(SECRET, first.headers, first.body)
    verify(secret, second.headers, second.body)
    old = {**second.headers, "webhook-timestamp": str(int(second.headers["webhook-timestamp"]) - 301)}
    for headers, body in ((first.headers, first.body), (second.headers, second.body + b" "), (old, second.body)):
        with pytest.raises(ValueError, match=r"not signed|too old"):
            verify(secret, headers, body)
    assert set(msgspec.json.decode(example("json"))) == set(first.json())
