"""`poolwatch alerts test`: a message that says that it is a test, by each channel that tells of a tenant's alerts."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from runtime.portal_process import web_config
from tests.support.command_line import Ended, run_cli
from tests.support.portal_world import START, World, served
from tests.support.receivers import hook, mail_box

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(world: World) -> AsyncIterator[str]:
    await world.set("acme", START, display_name="Acme", acquired_licenses=500, alerts={"channels": ["ops", "hook"]})
    await world.set("contoso", START, acquired_licenses=500)
    async with served(web_config(world.services)) as address:
        yield address


@pytest.fixture
def folder(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POOLWATCH_URL", url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def alerts_test(*arguments: str) -> Ended:
    return await asyncio.to_thread(run_cli, "alerts", "test", *arguments)


async def test_each_channel_of_the_tenant_is_tried_at_once_and_the_rest_is_left_alone(folder: Path) -> None:
    with mail_box() as box, hook() as receiver:
        (folder / "poolwatch.toml").write_text(
            f"""
            [alerts.channels.ops]
            url = "{box.url}"
            digest_s = 3600
            quiet = {{begin = "00:00", end = "23:59"}}
            [alerts.channels.hook]
            webhook = "{receiver.url}"
            secret = "{SECRET}"
            [alerts.channels.sales]
            url = "{box.url}"
            """
        )
        ended = await alerts_test("-T", "acme")
        assert (0, "") == (ended.code, ended.err)
        assert ["hook: sent", "ops: sent"] == sorted(line.split(",")[0] for line in ended.out.splitlines())
        one = await alerts_test("-T", "acme", "--channel", "hook", "--json")
        assert [("hook", True, None)] == [
            (tried["channel"], tried["sent"], tried["error"]) for tried in json.loads(one.out)
        ]
        other = await alerts_test("-T", "acme", "--channel", "sales")
    assert (1, "") == (other.code, other.out)
    assert "the channel sales does not tell of acme's alerts; those that do: ops, hook" in other.err
    assert ["Test: Acme (acme), licence pool"] == [mail["subject"] for mail in box.mails]
    told = [call.verified(SECRET) for call in receiver.calls]
    assert [True, True] == [each["test"] for each in told]
    assert 2 == len({each["id"] for each in told})


async def test_what_fails_is_told_without_addresses_and_ends_with_1(folder: Path) -> None:
    with hook() as fine, hook() as elsewhere:
        elsewhere.answers = lambda: (302, {"location": fine.url})
        broken = {
            "moved": {"webhook": elsewhere.url + "/geheim", "secret": "s"},
            "gone": {"webhook": "http://ana:geheim@127.0.0.1:9/geheim", "secret": "s"},
            "odd": {"webhook": "http://[geheim/", "secret": "s"},
            "unknown": {"url": "nonsense://geheim@127.0.0.1/geheim"},
            "mail": {"url": "mailto://ana:geheim@127.0.0.1:9/?to=geheim@example.org&mode=insecure"},
            "json": {"url": "json://ana:geheim@127.0.0.1:9/geheim"},
            "fine": {"webhook": fine.url, "secret": "s"},
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("POOLWATCH_ALERTS_CHANNELS", json.dumps(broken))
            ended = await alerts_test("-T", "contoso")
    assert 1 == ended.code
    lines = dict(line.split(": ", 1) for line in ended.out.splitlines())
    assert set(broken) == set(lines)
    assert "the receiver answered 302" == lines["moved"]
    assert "the receiver cannot be reached (ConnectError)" == lines["gone"]
    assert "Apprise knows no such service" in lines["unknown"]
    assert lines["fine"].startswith("sent")
    assert [1, 1] == [len(fine.calls), len(elsewhere.calls)]
    assert "gone, json, mail, moved, odd, unknown" in ", ".join(sorted(ended.err.split(" did not")[0][11:].split(", ")))
    assert "geheim" not in ended.out + ended.err


async def test_without_a_channel_the_user_is_told_what_to_set(folder: Path) -> None:
    ended = await alerts_test("-T", "acme")
    assert (1, "") == (ended.code, ended.out)
    assert "no channel is set here: give alerts.channels" in ended.err


@pytest.mark.parametrize(
    "wrong",
    [
        '{"ops": "mailto://ana:geheim@mail.example"}', '{"ops": {"webhook": {"x": "geheim"}}}',
        '{"ops": {"webhook": "ftp://geheim"}}', '{"ops": {"url": ["geheim"]}}', '"geheim"', '{"ops": geheim}',
        '{"ops": {"webhook": "https://geheim", "url": "json://geheim"}}', '{"ops": {"webhook": "https://geheim"}}',
        '{"ops": {"webhook": "https://x", "secret": "whsec_geheim!"}}', '{"ops": {}}',
    ],
)  # fmt: skip
async def test_a_mistake_in_a_channel_is_told_without_what_stands_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("POOLWATCH_ALERTS_CHANNELS", wrong)
    ended = await alerts_test("-T", "acme")
    assert (1, "") == (ended.code, ended.out)
    assert "alerts" in ended.err.lower()
    assert "geheim" not in ended.err
