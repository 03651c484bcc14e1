"""The command line against a portal that really listens: every example of its help runs, and prints what it says."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from portal.access.tokens import new_token
from runtime.portal_process import web_config
from schemas.commands import SyncRun
from schemas.times import format_time, parse_time
from streams.sink.processors import commands as sync_rows
from tests.support.command_line import Ended, commands, example_of, run_cli
from tests.support.portal_world import START, World, served, until
from tests.support.sinking import MemoryRecord

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR = timedelta(hours=1)
ANA = "user:5d2f6a31-0c4e-4b7a-9a51-6f0b8f0a1c22"
HELD = "3f1c9e0b2a7d4e65b8c1d2e3f4a5b6c7"
TOKEN = "9f2c4b7a1d3e5f60"
DIRECT: dict[str, Any] = {"number": "+15550100", "number_type": "directRouting"}

NOT_HERE = {
    *((name,) for name in ("up", "watch", "migrate")),
    *(("run", name) for name in ("meter", "counter", "sink", "alerts", "portal", "collector")),
    ("graph", "check"),
    ("alerts", "test"),
    *(("restore",), ("rebuild", "kafka"), ("rebuild", "clickhouse"), ("forget",)),
}
"""Run until they are stopped, need a data directory or a cluster of their own, a Microsoft Graph (test_graph_settings),
or receivers (test_trial_message). What is forgotten is gone for good."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(world: World) -> AsyncIterator[str]:
    for name in ("contoso", "acme"):
        directory = {"ms_tenant_id": "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201", "graph": {}}
        await world.set(name, datetime(2026, 3, 1, tzinfo=UTC), acquired_licenses=500, **directory)
        world.observe(name, ANA, datetime(2026, 3, 2, tzinfo=UTC), directory={"display_name": "Ana Alba"})
        world.observe(name, ANA, START + HOUR, phone_number=DIRECT)
        await world.publish(name, START + HOUR)
    await world.alert("acme", START + HOUR)
    run = SyncRun.model_validate(
        {"id": HELD, "tenant": "acme", "by": "import", "sent_at": format_time(START), "facet": "voice",
         "source": "users-file", "started_at": format_time(START), "seen": 1, "expected": 100, "status": "held"}
    )  # fmt: skip
    world.store(sync_rows([MemoryRecord("commands", run.model_dump_json().encode(), b"acme")]).batches)
    now = datetime.now(UTC)
    token, _ = new_token("old", "provider_viewer", frozenset(), now + HOUR, now, "test")
    await world.services.tokens.add(replace(token, id=TOKEN))
    async with served(web_config(world.services)) as address:
        yield address


@pytest.fixture
def folder(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path) -> Path:
    """A working directory with exports, and the portal as the one that is asked."""
    monkeypatch.setenv("POOLWATCH_URL", url)
    monkeypatch.chdir(tmp_path)
    for name, file in (("users", "users.csv"), ("numbers", "numbers.csv"), ("m365", "m365-users.csv")):
        shutil.copy(repository / "tests" / "data" / "acme" / f"{name}.csv", tmp_path / file)
    shutil.copy(repository / "tests" / "data" / "acme" / "dialplan.csv", tmp_path)
    shutil.copy(repository / "tests" / "data" / "vendor" / "interface.jsonl", tmp_path / "events.jsonl")
    return tmp_path


async def cli(*arguments: str) -> Ended:
    return await asyncio.to_thread(run_cli, *arguments)


async def printed(*arguments: str) -> Any:
    ended = await cli(*arguments, "--json")
    assert (0, "") == (ended.code, ended.err)
    return json.loads(ended.out)


EXAMPLES = sorted((path for path in commands() if path not in NOT_HERE), key=lambda path: path == ("tenant", "remove"))


async def test_every_example_of_the_help_runs(folder: Path) -> None:
    failed = {}
    for path in EXAMPLES:
        ended = await cli(*example_of(path))
        if ended.code != 0:
            failed[" ".join(path)] = ended
    assert failed == {}


async def test_open_alerts_are_listed_seen_muted_and_unmuted(folder: Path, tenant: str, world: World) -> None:
    await world.set(tenant, START, acquired_licenses=500)
    raised = await world.alert(tenant, START)
    assert [(raised.id, None)] == [
        (each["id"], each["silenced_until"]) for each in await printed("alerts", "list", "-T", tenant)
    ]
    assert f"acknowledged: {raised.detail}" in (await cli("alerts", "acknowledge", tenant, "pool")).out
    ended = await cli("alerts", "mute", tenant, "--until", "2h", "--reason", "ordered")
    assert (0, True) == (ended.code, f"all alerts of {tenant} are muted until" in ended.out)
    assert "reason=ordered" in (await cli("tenant", "show", tenant)).out
    (shown,) = await printed("alerts", "list", "-T", tenant)
    assert parse_time(shown["silenced_until"]) - datetime.now(UTC) > HOUR
    assert "ended: 1 silence;" in (await cli("alerts", "unmute", tenant)).out
    again = await cli("alerts", "unmute", tenant)
    assert (1, True) == (again.code, "nothing is muted" in again.err)


async def test_limits_of_alerts_are_set_and_go_back_to_the_default(folder: Path, tenant: str) -> None:
    given = {"warning_available": 20, "critical_available": 5, "grace_percent": 10.0, "grace_days": 30,
             "forecast_days": 21, "remind_after_s": 3600, "channels": ["ops", "sales"]}  # fmt: skip
    options = "--warning-available 20 --critical-available 5 --grace-percent 10 --grace-days 30 --forecast-days 21"
    rest = "--remind-after 3600 --channel ops --channel sales"
    made = await printed("tenant", "set", tenant, *options.split(), *rest.split())
    assert given == {name: made["alerts"][name] for name in given}
    back = await printed("tenant", "set", tenant, "--default", "grace-days", "--default", "channel")
    assert (None, None, 21) == tuple(back["alerts"][name] for name in ("grace_days", "channels", "forecast_days"))


@pytest.mark.parametrize("wrong", [["mute", "acme", "--until", "soon"], ["acknowledge", "acme", "x"], ["mute", "acme"]])
async def test_a_time_or_rule_that_is_none_is_wrong_usage(folder: Path, wrong: list[str]) -> None:
    assert 2 == (await cli("alerts", *wrong)).code


async def test_the_count_reads_like_the_screen(folder: Path) -> None:
    ended = await cli("count", "contoso")
    assert ended.code == 0
    for text in ("Acquired Licenses   500", "Currently Licensed  1", "Available Licenses  499", "1 (1)"):
        assert text in ended.out


async def test_json_is_what_the_api_gives(folder: Path, world: World) -> None:
    api = await world.http.get("/api/v1/tenants/contoso/licenses")
    assert api.json() == await printed("count", "contoso")


async def test_settings_are_set_shown_and_explained(folder: Path, tenant: str, world: World) -> None:
    made = await printed(
        "tenant", "set", tenant, "--pool", "5", "--factor", "lifecycle=off", "--gateway", "sbc1.example", "--gateway",
        "sbc2.example", "--criteria", "dr_numbers=^x=y$", "--warning", "85", "--service-type", "hosted_pro",
    )  # fmt: skip
    assert (5, False, ["sbc1.example", "sbc2.example"], "^x=y$", 85.0, "hosted_pro") == (
        made["acquired_licenses"], made["factors"]["lifecycle"], made["gateways"], made["criteria"]["dr_numbers"],
        made["alerts"]["warning_percent"], made["service_type"],
    )  # fmt: skip
    await until(lambda: world.services.live.settings(tenant))
    back = await printed(
        "tenant", "set", tenant, "--default", "pool", "--default", "gateway", "--factor", "lifecycle=default",
        "--criteria", "dr_numbers=",
    )  # fmt: skip
    assert (None, [], None, None, 85.0) == (
        back["acquired_licenses"], back["gateways"], back["factors"]["lifecycle"], back["criteria"]["dr_numbers"],
        back["alerts"]["warning_percent"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--criteria", "dr_numbers=(?=a)"], "RE2"),
        (["--criteria", "dr_numbers=" + "a" * 10_000], "at most 1000 characters"),
        (["--criteria", "nonsense=a"], "no such setting"),
        (["--factor", "direct_routing=off"], "direct_routing cannot be switched"),
        (["--service-type", "gold"], "service_type"),
        ([], "nothing to set"),
    ],
)
async def test_what_the_settings_refuse_is_told(folder: Path, tenant: str, options: list[str], said: str) -> None:
    ended = await cli("tenant", "set", tenant, *options)
    assert (1, "") == (ended.code, ended.out)
    assert said in ended.err


async def test_a_tenant_never_heard_of_is_told_how_to_make_it(folder: Path, tenant: str) -> None:
    for command in ("count", "history", "seats", "changes", "audit", "watch", "tenant show", "sync list"):
        ended = await cli(*command.split(), tenant)
        assert (1, True) == (ended.code, f"poolwatch tenant set {tenant}" in ended.err), command


async def test_an_explanation_reads_like_words(folder: Path) -> None:
    ended = await cli("explain", "contoso", ANA)
    assert f"{ANA} is counted at direct_routing since {format_time(START + HOUR)}." in ended.out
    assert "the tenant has no gateways configured" in ended.out
    assert "display_name=Ana Alba" in ended.out
    assert "not counted -> direct_routing" in ended.out
    then = await cli("explain", "contoso", ANA, "--at", "2026-03-03")
    assert f"{ANA} is not counted" in then.out
    odd = await cli("explain", "contoso", "Ana")
    assert (1, True) == (odd.code, "is not a subject" in odd.err)


async def test_a_what_if_shows_both_counts_and_who_makes_the_difference(
    folder: Path, world: World, tenant: str
) -> None:
    await world.set(tenant, START, acquired_licenses=10)
    names = {"display_name": "Ana Alba"}
    world.observe(tenant, ANA, START + HOUR, directory=names, phone_number=DIRECT, voice={"gateway": "sbc1.example"})
    world.observe(tenant, ANA, START + HOUR, lifecycle={"groups": ["template"]})
    for number in range(25):
        world.observe(tenant, f"number:{number}", START + HOUR, dial_plan={"tag": "fax"})
    await world.publish(tenant, START + HOUR)
    tried = ("what-if", tenant, "--gateway", "sbc2.example", "--factor", "service_number=off", "--pool", "12")
    ended = await cli(*tried)
    assert 0 == ended.code, ended.err
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    for text in (
        "Acquired Licenses 10 12 +2", "Currently Licensed 26 1 -25", "Usage 260.0 % 8.3 % -",
        "Managed Users - Direct Routing 1 (1) 0 (0) -1", "Managed Users - By Template 0 (1) 1 (1) +1",
        "0 subjects gained, 25 lost, 1 moved", "… and 6 more (--json lists up to 1,000 of each kind)",
    ):  # fmt: skip
        assert text in lines, ended.out
    assert 20 == len([line for line in lines if line.startswith("lost number:")])
    body = {"gateways": ["sbc2.example"], "factors": {"service_number": False}, "acquired_licenses": 12}
    api = (await world.http.post(f"/api/v1/tenants/{tenant}/what-if", json=body)).json()
    told = await printed(*tried)
    for found in (api, told):
        del found["then"]["computed_at"]
    assert api == told


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 1, "nothing to try"),
        (["--criteria", "dr_numbers=(?=a)"], 1, "RE2"),
        (["--factor", "lifecycle=maybe"], 2, "NAME=off"),
    ],
)
async def test_what_cannot_be_tried_is_told(folder: Path, options: list[str], code: int, said: str) -> None:
    ended = await cli("what-if", "contoso", *options)
    assert (code, True) == (ended.code, said in ended.err), ended


async def test_history_comes_in_every_form(folder: Path) -> None:
    query = ["history", "contoso", "--from", "25d", "--step", "1d"]
    points = (await printed(*query))["points"]
    table = await cli(*query)
    assert points[0]["at"] in table.out
    assert "▁" in table.out
    text = await cli(*query, "--format", "csv", "-o", "out.csv")
    assert text.code == 0
    assert len((folder / "out.csv").read_text().splitlines()) == len(points) + 1
    picture = await cli(*query, "--format", "png")
    assert (0, "written: contoso-licenses.png\n") == (picture.code, picture.out)
    assert (folder / "contoso-licenses.png").read_bytes().startswith(b"\x89PNG")
    nowhere = await cli(*query, "--format", "png", "-o", "missing/picture.png")
    assert (1, True) == (nowhere.code, "name another file with --output" in nowhere.err)


async def test_seats_and_changes_come_as_csv_and_in_files(folder: Path, world: World) -> None:
    for command, query in (("seats", {}), ("changes", {"from": "30d"})):
        options = [f"--{name}={value}" for name, value in query.items()]
        text = await cli(command, "contoso", "--format", "csv", *options)
        api = await world.http.get(f"/api/v1/tenants/contoso/{command}", params=query, headers={"Accept": "text/csv"})
        assert (0, api.text) == (text.code, text.out)
        assert len(text.out.splitlines()) > 1
        for form in ("csv", "json"):
            kept = await cli(command, "contoso", "--format", form, "-o", f"{command}.{form}", *options)
            assert (0, f"written: {command}.{form}\n") == (kept.code, kept.out)
        listed = await printed(command, "contoso", *options)
        assert listed == json.loads((folder / f"{command}.json").read_text("utf-8"))
        assert text.out == (folder / f"{command}.csv").read_bytes().decode()


async def test_an_audit_that_differs_ends_with_1(folder: Path, world: World, tenant: str) -> None:
    await world.set(tenant, START)
    world.observe(tenant, ANA, START + HOUR, phone_number=DIRECT)
    await world.publish(tenant, START + HOUR)
    assert (await cli("audit", tenant)).code == 0
    world.plant(tenant, ANA, START + 2 * HOUR, profile=0)
    ended = await cli("audit", tenant)
    assert ended.code == 1
    assert f"{ANA}: recorded not counted, recounted direct_routing" in ended.out


async def test_watch_shows_the_count_and_each_change(folder: Path, world: World, tenant: str) -> None:
    await world.set(tenant, START)
    await world.publish(tenant, START)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runtime.cli.main", "watch", tenant, "--json", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            assert json.loads(await process.stdout.readline())["version"] == 1
            await world.publish(tenant, START + HOUR)
            assert json.loads(await process.stdout.readline())["version"] == 2
    finally:
        process.terminate()
        await process.wait()


async def test_an_import_finds_the_broker_of_the_portal_and_publishes_there(
    folder: Path, world: World, tenant: str
) -> None:
    dry = await cli("import", "users", "users.csv", "-T", tenant, "--dry-run")
    assert (0, True) == (dry.code, "would be published (dry run)" in dry.out)
    done = await printed("import", "users", "users.csv", "-T", tenant)
    records = await world.read_topic("user-changes") + await world.read_topic("assignments")
    events = [item for record in records for item in _array(json.loads(record.value))]
    own = [item for item in events if item["tenant"] == tenant and item["type"] != "sync_completed"]
    assert len(own) == done["published"] > 0
    missing = await cli("import", "users", "nothing.csv", "-T", tenant)
    assert (1, True) == (missing.code, "nothing.csv" in missing.err)


async def test_an_import_of_what_was_observed_before_a_removal_is_told(folder: Path, tenant: str) -> None:
    await printed("tenant", "set", tenant, "--pool", "5")
    assert [] == [note for note in (await dry_run(tenant))["notes"] if "removed" in note]
    await printed("tenant", "remove", tenant, "--yes")
    await printed("tenant", "set", tenant, "--pool", "5")
    told = await dry_run(tenant, "--observed-at", "2026-01-01T00:00:00Z")
    assert told["published"] == told["ignored"] > 0
    assert [note for note in told["notes"] if "when the tenant was removed" in note]


async def dry_run(tenant: str, *more: str) -> Any:
    return await printed("import", "m365", "m365-users.csv", "-T", tenant, "--dry-run", *more)


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


async def test_reports_are_printed_or_written_in_every_form(folder: Path) -> None:
    month = f"{START:%Y-%m}"
    table = (await cli("report", "contoso", "--month", month)).out
    assert table.startswith("tenant,display_name,month")
    assert f"contoso,,{month}" in table
    told = json.loads((await cli("report", "contoso", "--month", month, "--format", "json")).out)
    assert (month, 500) == (told["month"], told["pool"]["at_end"])
    for form, start in (("pdf", b"%PDF-"), ("html", b"<!DOCTYPE html>"), ("csv", b"tenant,display_name,")):
        ended = await cli("report", "contoso", "--month", month, "--format", form, "--out", f"report.{form}")
        assert (0, f"written: report.{form}\n") == (ended.code, ended.out)
        assert (folder / f"report.{form}").read_bytes().startswith(start)
    everyone = (await cli("report", "--all", "--month", month)).out
    assert {"acme", "contoso"} <= {line.split(",")[0] for line in everyone.splitlines()}
    noon = json.loads((await cli("report", "--daily", "--format", "json")).out)
    assert {"acme", "contoso"} <= {item["tenant"] for item in noon["items"]}


@pytest.mark.parametrize(
    "arguments",
    [(), ("contoso", "--all"), ("--daily", "--month", "2026-10"), ("--all", "--format", "pdf", "--out", "x"),
     ("contoso", "--format", "pdf"), ("contoso", "--date", "2026-10-31")],
)  # fmt: skip
async def test_a_report_that_cannot_be_meant_is_wrong_usage(folder: Path, arguments: tuple[str, ...]) -> None:
    assert 2 == (await cli("report", *arguments)).code


async def test_reclaim_says_what_could_be_freed_and_how_much(folder: Path) -> None:
    told = await printed("reclaim", "contoso")
    assert 0 == told["totals"]["items"]
    shown = await cli("reclaim", "contoso")
    assert "0 seats could be freed of 0 subjects that are worth a look." in shown.out
    assert (await cli("reclaim", "contoso", "--format", "csv")).out.startswith("subject,display_name")
