"""Owns the endpoints of reports: what a tenant used in a month, the same of all in a line each, and the daily one."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response

from portal.answers.csv_lines import attachment, csv_lines, streamed
from portal.answers.report_files import Form, file_of
from portal.answers.report_lines import (
    DAILY,
    MONTHLY,
    daily_csv,
    headed,
    json_head,
    json_items,
    monthly_csv,
    monthly_line,
)
from portal.answers.report_periods import parse_month, parse_stroke
from portal.answers.reports import daily, monthly, monthly_of_all
from portal.api.context import Ctx, Tenant, Who
from portal.api.models.reports import DailyReport, MonthlyLines, MonthlyReport
from portal.problems import Problem
from schemas.times import format_time

router = APIRouter(prefix="/api/v1", tags=["reports"])

_TEXT = {"schema": {"type": "string"}}
_NAMED = {"Content-Disposition": {"description": "Of a file: its name.", "schema": {"type": "string"}}}
_AS_TABLE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": _TEXT}, "headers": _NAMED}}
_AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": _TEXT, "text/html": _TEXT, "application/pdf": _TEXT}, "headers": _NAMED}
}
_ACCEPTED: dict[str, Form] = {"text/csv": "csv", "text/html": "html", "application/pdf": "pdf"}

MonthName = Annotated[
    str | None, Query(alias="month", max_length=16, description="2026-10; default: the last that has ended")
]


def _asked_form(
    form: Annotated[
        Form | None, Query(alias="format", description="goes before Accept: json, csv, html or pdf")
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Form:
    kinds = (kind.partition(";")[0].strip() for kind in accept.lower().split(","))
    accepted = [_ACCEPTED[kind] for kind in kinds if kind in _ACCEPTED]
    return form or (accepted[0] if accepted else "json")


def _asked_table(
    form: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="goes before Accept: json or csv")
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> bool:
    return form == "csv" or (form is None and "text/csv" in accept.lower())


AsTable = Annotated[bool, Depends(_asked_table)]


@router.get(
    "/tenants/{tenant}/reports/monthly", summary="What a tenant used in a month", operation_id="get_monthly_report",
    responses=_AS_FILE, response_model=MonthlyReport,
)  # fmt: skip
async def monthly_report(
    context: Ctx, tenant: Tenant, form: Annotated[Form, Depends(_asked_form)], name: MonthName = None
) -> Response:
    """Peak, average, pool and what went beyond it, by factor, as JSON, CSV (one line), HTML or PDF.

    Of a closed month the answer is the same to the byte, whenever it is asked for.
    """
    month = parse_month(name, context.now())
    found = await context.read(lambda: monthly(context.services.store, [tenant], month))
    if not found or (found[0]["resolution"] is None and context.services.live.settings(tenant) is None):
        context.require(tenant)
        raise Problem(404, f"the tenant {tenant} was removed before {month.name}: take an earlier month")
    if form == "json":
        return Response(msgspec.json.encode(found[0]), media_type="application/json")
    content, media_type = await context.read(lambda: file_of(found[0], form))
    return Response(content, media_type=media_type, headers=attachment(f"{tenant}-{month.name}.{form}"))


@router.get(
    "/reports/monthly", summary="What all tenants used in a month", operation_id="list_monthly_reports",
    responses=_AS_TABLE, response_model=MonthlyLines,
)  # fmt: skip
async def monthly_reports(context: Ctx, principal: Who, as_csv: AsTable, name: MonthName = None) -> Response:
    """A line a tenant, for billing systems: every tenant that whoever asks sees and that had a count by then.

    Sent as it is read, also of thousands.
    """
    month = parse_month(name, context.now())
    portions = monthly_of_all(context, principal, month)
    if as_csv:
        return await streamed(headed(csv_lines([MONTHLY]), _monthly_csv(portions)), f"licenses-{month.name}.csv")
    head = {
        "month": month.name,
        "from": format_time(month.start),
        "to": format_time(month.end),
        "until": format_time(month.until),
    }
    return await streamed(headed(json_head(head), json_items(_lines(portions))), None, "application/json")


@router.get(
    "/reports/daily", summary="What was in force at noon", operation_id="get_daily_report", responses=_AS_TABLE,
    response_model=DailyReport,
)  # fmt: skip
async def daily_report(
    context: Ctx,
    principal: Who,
    as_csv: AsTable,
    day: Annotated[
        str | None, Query(alias="date", max_length=16, description="2026-10-31; default: the last noon that was")
    ] = None,
) -> Response:
    """The figures of every tenant that whoever asks sees, as they were in force at 12:00 UTC.

    Sent as it is read, also of thousands.
    """
    stroke = parse_stroke(day, context.now())
    is_closed = stroke <= await context.read(context.services.store.closed_at)
    portions = daily(context, principal, stroke)
    if as_csv:
        lines = _daily_csv(portions, format_time(stroke), is_closed)
        return await streamed(headed(csv_lines([DAILY]), lines), f"licenses-{stroke:%Y-%m-%d}.csv")
    head = {"date": f"{stroke:%Y-%m-%d}", "at": format_time(stroke), "closed": is_closed}
    return await streamed(headed(json_head(head), json_items(portions)), None, "application/json")


async def _monthly_csv(portions: AsyncIterator[list[dict[str, Any]]]) -> AsyncIterator[str]:
    async for reports in portions:
        yield monthly_csv(reports)


async def _daily_csv(portions: AsyncIterator[list[dict[str, Any]]], at: str, is_closed: bool) -> AsyncIterator[str]:
    async for items in portions:
        yield daily_csv(items, at, is_closed)


async def _lines(portions: AsyncIterator[list[dict[str, Any]]]) -> AsyncIterator[list[dict[str, Any]]]:
    async for reports in portions:
        yield [monthly_line(report) for report in reports]
