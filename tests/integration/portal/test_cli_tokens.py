"""The command line and a portal that asks who somebody is: tokens made, used and refused, and the first one."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from portal.access.principals import Role
from portal.access.tokens import new_token
from portal.app import create_app
from tests.support.command_line import Ended, run_cli
from tests.support.portal_world import START, World, served
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict_url(world: World) -> AsyncIterator[str]:
    for name in ("acme", "fabrikam"):
        await world.set(name, START, acquired_licenses=5)
        await world.publish(name, START)
    app = create_app(world.services, world.services.tokens.recognise_token)
    async with served(uvicorn.Config(app, log_config=None, access_log=False)) as address:
        yield address


@pytest.fixture
def url(strict_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("POOLWATCH_URL", strict_url)
    return strict_url


async def cli(*arguments: str) -> Ended:
    return await asyncio.to_thread(run_cli, *arguments)


async def secret_of(world: World, role: Role, *tenants: str) -> str:
    now = datetime.now(UTC)
    token, secret = new_token("test", role, frozenset(tenants), now + timedelta(days=1), now, "test")
    await world.services.tokens.add(token)
    return secret


async def as_one(world: World, monkeypatch: pytest.MonkeyPatch, role: Role, *tenants: str) -> None:
    monkeypatch.setenv("POOLWATCH_TOKEN", await secret_of(world, role, *tenants))


async def test_without_a_token_one_is_told_how_to_get_one(url: str) -> None:
    for command in (("count", "acme"), ("token", "list"), ("watch", "acme"), ("tenant", "set", "acme", "--pool", "1")):
        ended = await cli(*command)
        assert (1, "") == (ended.code, ended.out), command
        assert f"Poolwatch at {url} asks who you are: set POOLWATCH_TOKEN" in ended.err, command


async def test_a_token_that_is_not_taken_is_told_and_not_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWATCH_TOKEN", "pw_nonsense")
    ended = await cli("count", "acme")
    assert (1, "") == (ended.code, ended.out)
    assert "does not take the API token in POOLWATCH_TOKEN" in ended.err
    assert "nonsense" not in ended.err


@pytest.mark.parametrize("given", ["pw_söme", "pw_a pw_b"])
async def test_what_can_be_no_token_is_told_and_not_shown(
    url: str, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("POOLWATCH_TOKEN", given)
    ended = await cli("count", "acme")
    assert (1, True) == (ended.code, ended.err.startswith("poolwatch: POOLWATCH_TOKEN (token in poolwatch.toml)"))
    assert given not in ended.err


async def test_a_viewer_reads_and_is_told_that_it_may_not_change(
    url: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await secret_of(world, "tenant_viewer", "acme")
    monkeypatch.setenv("POOLWATCH_TOKEN", f"{secret}\n")
    assert 0 == (await cli("count", "acme")).code
    assert ["acme"] == [item["tenant"] for item in json.loads((await cli("tenant", "list", "--json")).out)]
    refused = await cli("tenant", "set", "acme", "--pool", "1")
    assert (1, "") == (refused.code, refused.out)
    assert "is not for a tenant viewer: ask an administrator" in refused.err
    unseen = await cli("count", "fabrikam")
    assert "the tenant fabrikam was never heard of" in unseen.err


async def test_a_token_is_made_listed_used_and_revoked(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await as_one(world, monkeypatch, "provider_admin")
    made = json.loads(
        (await cli("token", "create", "ci", "--role", "tenant_admin", "--tenant", "acme", "--days", "7", "--json")).out
    )
    assert ("ci", "tenant_admin", ["acme"], "token:test") == tuple(
        made[key] for key in ("name", "role", "tenants", "created_by")
    )
    listed = await cli("token", "list")
    assert made["id"] in listed.out
    assert made["secret"] not in listed.out
    mine = {each["id"]: each for each in json.loads((await cli("token", "list", "--json")).out)}
    assert {key: value for key, value in made.items() if key != "secret"} == mine[made["id"]]

    monkeypatch.setenv("POOLWATCH_TOKEN", made["secret"])
    assert 0 == (await cli("tenant", "set", "acme", "--pool", "6")).code
    wider = await cli("token", "create", "wide", "--role", "provider_viewer")
    assert (1, True) == (wider.code, "is not for a tenant admin" in wider.err)
    assert f"{made['id']} is revoked" in (await cli("token", "revoke", made["id"])).out
    assert "POOLWATCH_TOKEN" in (await cli("count", "acme")).err


async def test_the_secret_is_the_last_line_for_people(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await as_one(world, monkeypatch, "provider_admin")
    ended = await cli("token", "create", "ci", "--role", "provider_viewer")
    said, secret = ended.out.splitlines()
    assert "ci: provider_viewer of all tenants, until " in said
    monkeypatch.setenv("POOLWATCH_TOKEN", secret)
    assert 0 == (await cli("counts")).code


async def test_the_broker_is_found_with_a_token_of_the_provider(
    url: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime.installation import find

    await as_one(world, monkeypatch, "provider_viewer")
    assert world.kafka.bootstrap == (await asyncio.to_thread(find)).kafka.bootstrap
    await as_one(world, monkeypatch, "tenant_admin", "acme")
    assert world.kafka.bootstrap != (await asyncio.to_thread(find)).kafka.bootstrap


@pytest.fixture
def clickhouse_url(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """A ClickHouse that can be reached directly: the one of the portal, which may be an engine in process."""

    def opened(*_: Any, **__: Any) -> Any:
        return contextlib.nullcontext(world.pool)

    monkeypatch.setenv("POOLWATCH_CLICKHOUSE_URL", "http://127.0.0.1:8123/")
    monkeypatch.setattr("runtime.clickhouse.pool.open_pool", opened)


async def test_the_first_token_is_written_into_clickhouse(
    url: str, clickhouse_url: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = json.loads((await cli("token", "create", "first", "--role", "provider_admin", "--json")).out)
    assert made["created_by"].startswith("command line: ")
    monkeypatch.setenv("POOLWATCH_TOKEN", made["secret"])
    monkeypatch.setenv("POOLWATCH_CLICKHOUSE_URL", "")

    async def is_known() -> bool:
        return (await cli("counts")).code == 0

    from tests.support.waiting import eventually_async

    assert await eventually_async(is_known, 20.0)


async def test_it_is_written_also_while_no_portal_answers(
    clickhouse_url: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWATCH_URL", f"http://127.0.0.1:{free_port()}")
    assert 0 == (await cli("token", "create", "first", "--role", "provider_admin")).code
    wrong = await cli("token", "create", "first", "--role", "provider_admin", "--tenant", "acme")
    assert (1, True) == (wrong.code, "leave tenants out" in wrong.err)


async def test_whoever_has_a_token_is_not_let_past_the_portal(
    url: str, clickhouse_url: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret in ("pw_nonsense", await secret_of(world, "tenant_admin", "acme")):
        monkeypatch.setenv("POOLWATCH_TOKEN", secret)
        assert 1 == (await cli("token", "create", "wide", "--role", "provider_admin")).code
