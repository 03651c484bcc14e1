"""What the command line prints with `--json` is what the API gives, command by command."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from portal.access.tokens import new_token
from runtime.portal_process import web_config
from schemas.times import format_time
from tests.support.command_line import commands, run_cli
from tests.support.portal_world import START, World, served, until
from tests.support.vendor_example import ANA, HELD, TENANT, tell_vendor_example

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = f"/api/v1/tenants/{TENANT}"
TOKEN = "9f2c4b7a1d3e5f60"
NOW = {"computed_at", "audited_at", "based_on"}
"""When an answer was made: another instant each time."""


@dataclass(frozen=True)
class Same:
    """A command, and what the API must give for it: afterwards, where the command changes something."""

    command: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    items: bool = False
    """The command prints the items of all pages as one list."""


FROM, TO = format_time(START), format_time(START.replace(hour=12))
SAME = [
    Same(f"count {TENANT}", f"{OWN}/licenses"),
    Same("counts --over 50 --sort usage", "/api/v1/tenants", {"over": 50, "sort": "usage"}, items=True),
    Same("tenant list --search conto", "/api/v1/tenants", {"search": "conto"}, items=True),
    Same(f"tenant show {TENANT}", f"{OWN}/settings"),
    Same("provider show", "/api/v1/provider/settings"),
    Same(f"settings history {TENANT}", f"{OWN}/settings/changes", items=True),
    Same(f"history {TENANT} --from {FROM} --to {TO} --step 1h", f"{OWN}/licenses/history",
         {"from": FROM, "to": TO, "step": "1h"}),
    Same(f"seats {TENANT} --factor all", f"{OWN}/seats", {"factor": "all"}, items=True),
    Same(f"seats {TENANT} --at {TO}", f"{OWN}/seats", {"at": TO}, items=True),
    Same(f"explain {TENANT} {ANA}", f"{OWN}/seats/{ANA}"),
    Same(f"changes {TENANT} --from {FROM} --to {TO}", f"{OWN}/changes", {"from": FROM, "to": TO}, items=True),
    Same(f"audit {TENANT}", f"{OWN}/audit"),
    Same(f"forecast {TENANT}", f"{OWN}/forecast"),
    Same(f"reclaim {TENANT}", f"{OWN}/reclaim", {"limit": 1_000}),
    Same(f"report {TENANT}", f"{OWN}/reports/monthly"),
    Same(f"what-if {TENANT} --pool 450", f"{OWN}/what-if", body={"acquired_licenses": 450}),
    Same(f"sources {TENANT}", f"{OWN}/sources"),
    Same(f"sync list {TENANT}", f"{OWN}/syncs", items=True),
    Same("alerts list", "/api/v1/alerts", items=True),
    Same(f"alerts list --all -T {TENANT}", "/api/v1/alerts", {"state": "all", "tenant": TENANT}, items=True),
    Same("token list", "/api/v1/tokens", items=True),
    Same(f"tenant set {TENANT} --pool 510", f"{OWN}/settings"),
    Same("provider set --warning 85", "/api/v1/provider/settings"),
]  # fmt: skip
TOLD: dict[str, dict[str, Any]] = {
    f"sync confirm {TENANT} {HELD}": {"id": HELD, "status": "confirmed", "tenant": TENANT},
    f"alerts acknowledge {TENANT} pool": {"tenant": TENANT, "rule": "pool", "state": "firing"},
    f"alerts mute {TENANT} --until 2099-01-01T00:00:00Z --rule pool": {"rule": "pool", "scope": "tenant"},
    f"alerts unmute {TENANT} --rule pool": {"tenant": TENANT},
    "token create ci --role provider_viewer": {"name": "ci", "role": "provider_viewer", "tenants": []},
    f"token revoke {TOKEN}": {"id": TOKEN},
    "tenant remove spare --yes": {"tenant": "spare", "purged": False},
}
"""Commands whose answer cannot be asked for again, and what must be in it."""
OF_ITS_OWN = {
    *("up", "migrate", "topics", "check-config", "version", "dead-letters list", "dead-letters replay"),
    *("run meter", "run counter", "run sink", "run alerts", "run portal", "run collector", "graph check"),
    *("import users", "import numbers", "import dial-plan", "import m365", "import events"),
    *("backup", "restore", "rebuild kafka", "rebuild clickhouse", "forget", "alerts test"),
    "watch",    # for ever: the counts of the stream, each as `count` prints it (test_cli)
    "refresh",  # below
}  # fmt: skip
"""Commands that do not ask the API for data."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(world: World) -> AsyncIterator[str]:
    await tell_vendor_example(world)
    await world.set("spare", START)
    now = datetime.now(UTC)
    token, _ = new_token("old", "provider_viewer", frozenset(), now + timedelta(hours=1), now, "test")
    await world.services.tokens.add(replace(token, id=TOKEN))
    async with served(web_config(world.services)) as address:
        yield address


@pytest.fixture(autouse=True)
def _asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWATCH_URL", url)


async def printed(command: str) -> Any:
    ended = await asyncio.to_thread(run_cli, *command.split(), "--json")
    assert (0, "") == (ended.code, ended.err)
    return json.loads(ended.out)


async def given(world: World, same: Same) -> Any:
    if same.body is not None:
        return (await world.http.post(same.path, json=same.body)).json()
    answer = (await world.http.get(same.path, params=same.params)).json()
    if not same.items:
        return answer
    items, cursor = answer["items"], answer["next_cursor"]
    while cursor is not None:
        answer = (await world.http.get(same.path, params=same.params | {"cursor": cursor})).json()
        items, cursor = items + answer["items"], answer["next_cursor"]
    return items


def timeless(value: Any) -> Any:
    if isinstance(value, list):
        return [timeless(item) for item in value]
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in NOW}
    return value


async def test_every_command_is_held_to_the_api() -> None:
    held = [*(same.command for same in SAME), *TOLD]
    names = {" ".join(path) for path in commands()}
    assert names - OF_ITS_OWN == {name for name in names if any(f"{each} ".startswith(f"{name} ") for each in held)}


@pytest.mark.parametrize("same", SAME, ids=lambda same: same.command)
async def test_a_command_prints_what_the_api_gives(world: World, same: Same) -> None:
    shown = await printed(same.command)
    if "set " in same.command:
        await until(lambda: _is_settled(world, shown))
    assert timeless(await given(world, same)) == timeless(shown)
    assert shown


@pytest.mark.parametrize("command", TOLD)
async def test_a_command_prints_what_the_api_answered(command: str) -> None:
    shown = await printed(command)
    assert TOLD[command] == {key: shown[key] for key in TOLD[command]}


async def test_a_refresh_is_the_one_that_the_api_tells_of(world: World) -> None:
    shown = await printed(f"refresh {TENANT}")
    await until(lambda: world.services.refreshes.heard(shown["id"]))
    assert TENANT == (await world.http.get(f"/api/v1/refreshes/{shown['id']}")).json()["tenant"]


def _is_settled(world: World, shown: Any) -> bool:
    live = world.services.live
    settings = live.provider() if shown["tenant"] == "_provider" else live.settings(shown["tenant"])
    return settings is not None and settings.revision >= shown["revision"]
