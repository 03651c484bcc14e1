"""CSV of seats and changes over the REST API: all that match, page by page, nothing that a spreadsheet computes."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from schemas.times import format_time
from tests.support.portal_world import START, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR = timedelta(hours=1)
DIRECT: dict[str, Any] = {"number": "+15550100", "number_type": "directRouting"}
EVIL = '=HYPERLINK("http://x.example","Ana")'


async def story(world: World, tenant: str) -> None:
    await world.set(tenant, START, acquired_licenses=10)
    names = {"display_name": EVIL, "user_principal_name": "@ana,example"}
    world.observe(tenant, "user:ana", START + HOUR, directory=names, phone_number=DIRECT, lifecycle={"groups": ["g"]})
    for name in ("user:ben", "user:cem"):
        world.observe(tenant, name, START + HOUR, lifecycle={"groups": ["g"]})
    world.observe(tenant, "number:+15550199", START + HOUR, service_number={"kind": "conference"})
    await world.set(tenant, START + 4 * HOUR, acquired_licenses=10, factors={"lifecycle": False})


async def rows(world: World, path: str, **params: Any) -> list[dict[str, str]]:
    answer = await world.http.get(f"/api/v1/tenants/{path}", params=params, headers={"Accept": "text/csv"})
    assert (200, "text/csv; charset=utf-8") == (answer.status_code, answer.headers["content-type"]), answer.text
    name = path.replace("/", "-")
    assert f'attachment; filename="{name}.csv"' == answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_seats_are_all_there_whatever_a_page_holds(world: World, tenant: str, monkeypatch: Any) -> None:
    await story(world, tenant)
    whole = await rows(world, f"{tenant}/seats", factor="all")
    assert ["subject", "display_name", "user_principal_name", "factor", "matched", "since"] == list(whole[0])
    assert ["number:+15550199", "user:ana", "user:ben", "user:cem"] == [row["subject"] for row in whole]
    for size in (1, 2, 4):
        monkeypatch.setattr("portal.answers.exports.PAGE", size)
        assert whole == await rows(world, f"{tenant}/seats", factor="all", limit=1)
    ana = whole[1]
    assert ("direct_routing", "direct_routing lifecycle", format_time(START + HOUR)) == (
        ana["factor"], ana["matched"], ana["since"]
    )  # fmt: skip


async def test_what_a_spreadsheet_would_compute_is_text_to_it(world: World, tenant: str) -> None:
    await story(world, tenant)
    (ana,) = await rows(world, f"{tenant}/seats", search="user:ana")
    assert (f"'{EVIL}", "'@ana,example") == (ana["display_name"], ana["user_principal_name"])


async def test_the_filters_and_the_instant_hold_for_csv(world: World, tenant: str) -> None:
    await story(world, tenant)
    assert ["user:ben", "user:cem"] == [row["subject"] for row in await rows(world, f"{tenant}/seats", factor="none")]
    then = await rows(world, f"{tenant}/seats", factor="lifecycle", at=format_time(START + 2 * HOUR))
    assert ["user:ben", "user:cem"] == [row["subject"] for row in then]
    assert [] == await rows(world, f"{tenant}/seats", factor="operator_connect")


async def test_changes_are_all_there_and_settings_say_how_many_they_moved(
    world: World, tenant: str, monkeypatch: Any
) -> None:
    await story(world, tenant)
    query = {"from": format_time(START - HOUR), "to": format_time(START + 5 * HOUR)}
    whole = await rows(world, f"{tenant}/changes", **query)
    assert [("settings", "0"), ("gained", ""), ("gained", ""), ("gained", ""), ("gained", ""), ("settings", "2")] == [
        (row["kind"], row["subjects"]) for row in whole
    ]
    assert ("2", "0", "2", "ana") == tuple(whole[-1][name] for name in ("lost", "gained", "revision", "source"))
    for size in (1, 2, 3):
        monkeypatch.setattr("portal.answers.exports.PAGE", size)
        assert whole == await rows(world, f"{tenant}/changes", **query)


async def test_a_refusal_of_csv_is_a_problem_document(world: World, tenant: str) -> None:
    for path in ("seats", "changes"):
        answer = await world.http.get(f"/api/v1/tenants/{tenant}/{path}", headers={"Accept": "text/csv"})
        assert (404, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
