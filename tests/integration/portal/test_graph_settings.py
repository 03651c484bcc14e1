"""Graph's settings of a tenant, by PATCH and by the command line."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from collectors.graph.api.clouds import CLOUDS
from runtime import graph_check
from runtime.portal_process import web_config
from tests.support.command_line import Ended, run_cli
from tests.support.graph import CLIENT_ID, CLIENT_SECRET, MsalHttp, served_graph
from tests.support.portal_world import World, served, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

GUID = "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201"
GROUP = "aa8c1c36-5b0e-4d2f-8a67-3c0a1d5c2f01"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(world: World) -> AsyncIterator[str]:
    async with served(web_config(world.services)) as address:
        yield address


async def patched(world: World, tenant: str, body: dict[str, Any]) -> Any:
    answer = await world.http.patch(f"/api/v1/tenants/{tenant}/settings", json=body)
    assert 200 == answer.status_code, answer.text
    return answer.json()["graph"]


async def test_graph_is_switched_on_changed_and_off(world: World, tenant: str) -> None:
    assert {"cloud": "global", "template_groups": []} == await patched(world, tenant, {"graph": {}})
    changed = {"cloud": "gcc_high", "template_groups": [GROUP]}
    assert changed == await patched(world, tenant, {"graph": {"cloud": "gcc_high", "template_groups": [GROUP.upper()]}})
    assert changed == await patched(world, tenant, {"graph": {}})
    assert changed | {"cloud": "global"} == await patched(world, tenant, {"graph": {"cloud": None}})
    assert await patched(world, tenant, {"graph": None}) is None
    assert {"cloud": "global", "template_groups": []} == await patched(world, tenant, {"graph": {"cloud": None}})


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        ({"cloud": "mars"}, "graph.cloud: Input should be 'global'"),
        ({"colour": None}, "graph.colour: no such setting"),
        ({"template_groups": [GROUP] * 51}, "graph.template_groups: List should have at most 50"),
        ("on", "graph: Input should be"),
    ],
)
async def test_a_mistake_in_graph_is_told_by_its_name(world: World, tenant: str, graph: Any, said: str) -> None:
    answer = await world.http.patch(f"/api/v1/tenants/{tenant}/settings", json={"graph": graph})
    assert 422 == answer.status_code
    assert said in answer.json()["detail"]


async def cli(*arguments: str) -> Ended:
    return await asyncio.to_thread(run_cli, *arguments)


async def test_the_command_line_sets_graph_and_shows_it(
    world: World, url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWATCH_URL", url)
    both = ("--template-group", GROUP, "--template-group", GROUP.replace("a", "b"))
    made = await cli("tenant", "set", tenant, "--graph", "on", "--ms-tenant-id", GUID, "--graph-cloud", "dod", *both)
    assert (0, "") == (made.code, made.err)
    await until(lambda: world.services.live.settings(tenant))
    shown = {
        line.split()[0]: line.split()[1:] for line in (await cli("tenant", "show", tenant)).out.splitlines() if line
    }
    groups = [f"{GROUP},", GROUP.replace("a", "b")]
    assert ([GUID], ["dod"], groups) == (
        shown["ms_tenant_id"], shown["graph.cloud"], shown["graph.template_groups"],
    )  # fmt: skip
    fewer = await cli("tenant", "set", tenant, "--template-group", GROUP, "--default", "graph-cloud", "--json")
    assert {"cloud": "global", "template_groups": [GROUP]} == json.loads(fewer.out)["graph"]
    assert json.loads((await cli("tenant", "set", tenant, "--graph", "off", "--json")).out)["graph"] is None


async def test_contradictions_and_mistakes_of_the_command_line_are_told(
    url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWATCH_URL", url)
    contradiction = await cli("tenant", "set", tenant, "--graph", "off", "--graph-cloud", "dod")
    assert 2 == contradiction.code
    assert "--graph off forgets" in contradiction.err
    assert 2 == (await cli("tenant", "set", tenant, "--graph", "maybe")).code
    mistaken = await cli("tenant", "set", tenant, "--graph-cloud", "mars")
    assert 1 == mistaken.code
    assert "graph.cloud: Input should be 'global'" in mistaken.err


async def test_a_check_without_what_it_needs_says_what_to_set(
    world: World, url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWATCH_URL", url)
    await patched(world, tenant, {"display_name": "Acme"})
    await until(lambda: world.services.live.settings(tenant))
    off = await cli("graph", "check", "-T", tenant)
    assert (1, "") == (off.code, off.out)
    assert f"`poolwatch tenant set {tenant} --graph on`" in off.err
    await patched(world, tenant, {"graph": {}, "ms_tenant_id": GUID})
    await until(lambda: (settings := world.services.live.settings(tenant)) and settings.graph)
    unset = await cli("graph", "check", "-T", tenant)
    assert (1, "") == (unset.code, unset.out)
    assert "POOLWATCH_GRAPH_CLIENT_ID is not set" in unset.err


async def test_a_check_ends_with_1_until_nothing_is_missing(
    world: World, url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_graph() as graph, MsalHttp(graph.origin) as login:
        clouds = {name: replace(cloud, graph=graph.origin) for name, cloud in CLOUDS.items()}
        asked_here = functools.partial(graph_check.run_check, clouds=clouds, login_http=login)
        monkeypatch.setattr(graph_check, "run_check", asked_here)
        for name, value in (("URL", url), ("GRAPH_CLIENT_ID", CLIENT_ID), ("GRAPH_CLIENT_SECRET", CLIENT_SECRET)):
            monkeypatch.setenv(f"POOLWATCH_{name}", value)
        acme = graph.add_tenant()
        group = acme.add_group("TPL-Frontline")
        await patched(world, tenant, {"ms_tenant_id": acme.ms_tenant_id, "graph": {"template_groups": [group]}})
        await until(lambda: world.services.live.settings(tenant))
        acme.permissions.remove("GroupMember.Read.All")
        missing = await cli("graph", "check", "-T", tenant)
        assert 1 == missing.code
        assert f"{tenant} has not granted GroupMember.Read.All" in missing.err
        assert f"https://login.microsoftonline.com/{acme.ms_tenant_id}/v2.0/adminconsent?" in missing.out
        shown = await cli("graph", "check", "-T", tenant, "--json")
        assert (1, ["GroupMember.Read.All"]) == (shown.code, json.loads(shown.out)["missing"])
        acme.permissions.add("GroupMember.Read.All")
        fine = await cli("graph", "check", "-T", tenant)
        assert (0, "") == (fine.code, fine.err)
        assert CLIENT_SECRET not in missing.out + missing.err + shown.out + fine.out
