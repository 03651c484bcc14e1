"""Reports on the real engine: figures of a month and of a noon, in every form, the same to the byte once closed."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from portal.answers.report_files import file_of
from portal.answers.report_periods import Month, parse_month
from portal.answers.reports import monthly
from portal.store.store import ClickHouseStore
from schemas.count import Count
from streams.sink.counts import CountLedger
from streams.sink.processors import license_counts
from streams.sink.rollup import roll_up
from tests.support.engine import ClickHouse
from tests.support.portal_world import World, database_pool
from tests.support.sinking import MemoryRecord
from tests.support.sinking import count as counted

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLES = ("license_counts", "license_counts_hourly", "license_counts_daily", "rollup_progress", "tenant_settings",
          "seat_changes")  # fmt: skip
DIRECT: dict[str, Any] = {"number_type": "directRouting"}
FILES = ("csv", "html", "pdf")

# What docs/reports.md works out by hand, for any month, as (hours into it, licences, pool).
EXAMPLE = ((-48, 8, 10), (30, 12, 10), (66, 9, 10), (456, 14, 10), (480, 14, 15))


@pytest.fixture(scope="module")
def month(world: World) -> Month:
    return parse_month(None, world.services.clock())


async def _example(world: World, tenant: str, month: Month) -> None:
    start, name = month.start, "Acme & Söhne"
    await world.set(tenant, start - timedelta(days=3), acquired_licenses=10, display_name=name)
    await world.set(tenant, start + timedelta(hours=480), acquired_licenses=15, display_name=name)
    _count(world, tenant, [(start + timedelta(hours=hour), licensed, pool) for hour, licensed, pool in EXAMPLE])
    world.observe(tenant, "user:before", start - timedelta(hours=1), phone_number=DIRECT)
    world.observe(tenant, "user:b", start + timedelta(hours=30), phone_number=DIRECT)
    world.observe(tenant, "user:b", start + timedelta(hours=66), phone_number=None)
    world.observe(tenant, "user:c", start + timedelta(hours=456), phone_number=DIRECT)


def _count(world: World, tenant: str, values: list[tuple[datetime, int, int]]) -> None:
    counts: list[Count] = [
        counted(tenant, number + 1, at, licensed, acquired_licenses=pool)
        for number, (at, licensed, pool) in enumerate(values)
    ]
    records = [
        MemoryRecord("license-counts", each.model_dump_json().encode(), tenant.encode(), offset=number)
        for number, each in enumerate(counts)
    ]
    ledger = CountLedger()
    for record in records:
        world.store(license_counts([record], ledger).batches)


async def _get(world: World, path: str, accept: str = "application/json", **query: Any) -> Any:
    answer = await world.http.get(f"/api/v1/{path}", params=query, headers={"Accept": accept})
    assert 200 == answer.status_code, answer.text
    return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(world: World, month: Month) -> AsyncIterator[str]:
    await _example(world, "acme", month)
    roll_up(world.pool)
    yield "acme"


async def test_a_month_is_what_is_worked_out_by_hand(world: World, acme: str, month: Month) -> None:
    hours = (month.end - month.start) / timedelta(hours=1)
    area = 8 * 30 + 12 * 36 + 9 * 390 + 14 * (hours - 456)
    found = (await _get(world, f"tenants/{acme}/reports/monthly")).json()
    assert (month.name, True, "second", False) == tuple(found[key] for key in ("month", "closed", "resolution", "demo"))
    licensed = found["currently_licensed"]
    assert (14, round(area / hours, 2), 14) == tuple(licensed[key] for key in ("peak", "average", "last"))
    assert {"hours": 60.0, "seat_hours": 168.0, "exact": True} == found["overage"]
    assert (10, 15) == (found["pool"]["at_start"], found["pool"]["at_end"])
    assert [(10, 15)] == [(change["from"], change["to"]) for change in found["pool"]["changes"]]
    assert {"gained": 2, "lost": 1} == found["seats"]
    assert [["acquired_licenses"]] == [
        [part["setting"] for part in change["changes"]] for change in found["settings_changes"]
    ]
    assert '"ana"' not in (await _get(world, f"tenants/{acme}/reports/monthly")).text


async def test_csv_html_and_pdf_say_the_same(world: World, acme: str, month: Month) -> None:
    table = (await _get(world, f"tenants/{acme}/reports/monthly", "text/csv")).text
    (row,) = csv.DictReader(io.StringIO(table))
    assert ("acme", "14", "60.0", "168.0", "15", "1", "true") == tuple(
        row[key] for key in ("tenant", "peak", "overage_hours", "overage_seat_hours", "pool", "pool_changes", "closed")
    )
    page = await _get(world, f"tenants/{acme}/reports/monthly", format="html")
    assert page.headers["content-type"].startswith("text/html")
    assert f'filename="acme-{month.name}.html"' in page.headers["content-disposition"]
    assert f"<h1>Licenses of Acme &amp; Söhne, {month.name}</h1>" in page.text
    assert "168.00" in page.text
    for fetched in ("src=", "href=", "url(", "@import", "<script"):
        assert fetched not in page.text
    document = await _get(world, f"tenants/{acme}/reports/monthly", "application/pdf", month=month.name)
    assert document.content.startswith(b"%PDF-")


async def test_a_closed_month_is_the_same_to_the_byte_also_from_a_restored_copy(
    world: World, acme: str, month: Month, clickhouse: ClickHouse
) -> None:
    first = {form: (await _get(world, f"tenants/{acme}/reports/monthly", format=form)).content
             for form in ("json", *FILES)}  # fmt: skip
    again = {form: (await _get(world, f"tenants/{acme}/reports/monthly", format=form)).content
             for form in ("json", *FILES)}  # fmt: skip
    assert first == again
    with world.pool.lease() as client:
        source = client.query("SELECT currentDatabase()").result_rows[0][0]
    with database_pool(clickhouse) as copy:
        with copy.lease() as client:
            for table in TABLES:
                client.command(f"TRUNCATE TABLE {table}")
                # In another order, in other parts: as a restored copy lies on disk.
                client.command(f"INSERT INTO {table} SELECT * FROM {source}.{table} ORDER BY rand()")
                client.command(f"OPTIMIZE TABLE {table} FINAL")
        restored = monthly(ClickHouseStore(copy, world.services.clock), [acme], month)[0]
    assert first["json"] == msgspec.json.encode(restored)
    for form in FILES:
        content, _ = file_of(restored, form)  # type: ignore[arg-type]  # one of the forms
        assert first[form] == (content.encode() if isinstance(content, str) else content), form


async def test_where_single_counts_are_gone_the_report_says_so_and_its_average_stays(
    world: World, tenant: str, month: Month
) -> None:
    await _example(world, tenant, month)
    roll_up(world.pool)
    exact = (await _get(world, f"tenants/{tenant}/reports/monthly")).json()
    with world.pool.lease() as client:
        client.command("DELETE FROM license_counts WHERE tenant = {tenant:String}", parameters={"tenant": tenant})
    found = (await _get(world, f"tenants/{tenant}/reports/monthly")).json()
    assert "hour" == found["resolution"]
    assert exact["currently_licensed"] == found["currently_licensed"]
    assert {"hours": 60.0, "seat_hours": 168.0, "exact": False} == found["overage"], "the pool was changed"
    page = (await _get(world, f"tenants/{tenant}/reports/monthly", format="html")).text
    assert "Hourly figures: the single counts are beyond their retention." in page


async def test_the_current_month_is_open_and_says_so(world: World, tenant: str) -> None:
    now = world.services.clock()
    _count(world, tenant, [(now - timedelta(days=40), 5, 10)])
    roll_up(world.pool)
    found = (await _get(world, f"tenants/{tenant}/reports/monthly", month=f"{now:%Y-%m}")).json()
    assert found["closed"] is False
    assert found["until"] < found["to"]
    assert (5, 5.0) == (found["currently_licensed"]["peak"], found["currently_licensed"]["average"])
    page = (await _get(world, f"tenants/{tenant}/reports/monthly", month=f"{now:%Y-%m}", format="html")).text
    assert "This period is not closed" in page


async def test_a_line_a_tenant_and_no_line_of_those_removed_before(world: World, acme: str, month: Month) -> None:
    gone = month.start - timedelta(days=1)
    await world.set("bygone", gone - timedelta(days=2), acquired_licenses=10)
    _count(world, "bygone", [(gone - timedelta(days=1), 8, 10)])
    await world.set("bygone", gone, acquired_licenses=10, removed_at=gone)
    roll_up(world.pool)
    table = (await _get(world, "reports/monthly", "text/csv", month=month.name)).text
    rows = {row["tenant"]: row for row in csv.DictReader(io.StringIO(table))}
    assert "14" == rows[acme]["peak"]
    assert "bygone" not in rows
    assert "bygone" in (await _get(world, "reports/monthly", "text/csv", month=f"{gone:%Y-%m}")).text
    assert list(rows) == sorted(rows)
    found = (await _get(world, "reports/monthly", month=month.name)).json()
    assert list(rows) == [item["tenant"] for item in found["items"]]
    assert 168.0 == next(item for item in found["items"] if item["tenant"] == acme)["overage_seat_hours"]
    single = (await _get(world, f"tenants/{acme}/reports/monthly", "text/csv", month=month.name)).text
    assert rows[acme] == next(iter(csv.DictReader(io.StringIO(single))))


async def test_a_noon_shows_what_was_in_force_at_the_stroke(world: World, tenant: str, month: Month) -> None:
    noon = month.start + timedelta(days=4, hours=12)
    await world.set(tenant, month.start, acquired_licenses=10, display_name="Noon")
    _count(world, tenant, [(noon - timedelta(seconds=1), 7, 10), (noon, 9, 10)])
    roll_up(world.pool)
    found = (await _get(world, "reports/daily", date=f"{noon:%Y-%m-%d}")).json()
    assert found["closed"] is True
    mine = next(item for item in found["items"] if item["tenant"] == tenant)
    assert (7, 3, 70.0, "Noon") == tuple(
        mine[key] for key in ("currently_licensed", "available_licenses", "usage_percent", "display_name")
    )
    assert {"counted": 7, "matched": 7, "enabled": True} == mine["factors"]["direct_routing"]
    table = (await _get(world, "reports/daily", "text/csv", date=f"{noon:%Y-%m-%d}")).text
    row = next(each for each in csv.DictReader(io.StringIO(table)) if each["tenant"] == tenant)
    assert ("7", "7", "true") == (row["currently_licensed"], row["direct_routing_counted"], row["closed"])


async def test_a_month_before_all_counts_has_no_figures_and_is_no_error(world: World, acme: str) -> None:
    for month in ("1970-01", "2020-02"):
        found = (await _get(world, f"tenants/{acme}/reports/monthly", month=month)).json()
        assert (None, None, None, []) == tuple(
            found[key] for key in ("resolution", "currently_licensed", "overage", "factors")
        )
        for form in FILES:
            await _get(world, f"tenants/{acme}/reports/monthly", month=month, format=form)
        assert [] == (await _get(world, "reports/monthly", month=month)).json()["items"]
    assert [] == (await _get(world, "reports/daily", date="1970-01-01")).json()["items"]


@pytest.mark.parametrize(
    ("path", "query", "status", "said"),
    [
        ("tenants/acme/reports/monthly", {"month": "2026-13"}, 422, "2026-13"),
        ("tenants/acme/reports/monthly", {"month": "October"}, 422, "a month is written 2026-10"),
        ("tenants/acme/reports/monthly", {"month": "2090-01"}, 422, "still to come"),
        ("tenants/acme/reports/monthly", {"format": "xls"}, 422, "format"),
        ("tenants/nobody/reports/monthly", {}, 404, "never heard of"),
        ("reports/daily", {"date": "2090-01-01"}, 422, "still to come"),
        ("reports/daily", {"date": "yesterday"}, 422, "a date is written 2026-10-31"),
        ("reports/monthly", {"format": "pdf"}, 422, "format"),
    ],
)
async def test_what_cannot_be_reported_is_refused_in_words(
    world: World, acme: str, path: str, query: dict[str, str], status: int, said: str
) -> None:
    answer = await world.http.get(f"/api/v1/{path}", params=query)
    assert status == answer.status_code, answer.text
    assert said in answer.json()["detail"]
