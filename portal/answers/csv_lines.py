"""Owns the lines of every CSV that Poolwatch writes. No cell of it is a formula to a spreadsheet."""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import Depends, Header
from fastapi.responses import StreamingResponse

MEDIA_TYPE = "text/csv; charset=utf-8"

CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "headers": {"Content-Disposition": {"description": "Of CSV: a file name.", "schema": {"type": "string"}}},
    }
}
"""The part of OpenAPI that describes an answer which may be asked for as CSV."""

_FORMULA = re.compile(r"(^|[;\n])(?=[\s\u200b\ufeff]*[=+\-@＝＋－＠]|[\t\r])")
"""Where a cell begins that would be computed. Where the decimal sign is a comma, spreadsheets part cells at semicolons,
and quotes do not hold these together: a name may bring a cell of its own. Some take wide signs for plain ones."""


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV (RFC 4180). Numbers stay numbers, None is empty, true and false are as in JSON.

    What a spreadsheet would compute begins with an apostrophe: names come from directories that others fill.
    """
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def attachment(name: str) -> dict[str, str]:
    """Return the headers that let a browser save an answer under a file name, which is of a tenant id and letters."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def streamed(lines: AsyncIterator[str], name: str | None, media_type: str = MEDIA_TYPE) -> StreamingResponse:
    """Return an answer that is sent as it is read, a file if it has a name. What fails at the first page is told as any
    error is."""
    first = await anext(lines)

    async def all_lines() -> AsyncIterator[str]:
        yield first
        async for more in lines:
            yield more

    return StreamingResponse(all_lines(), media_type=media_type, headers=attachment(name) if name else None)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


def _wants_csv(accept: Annotated[str, Header(include_in_schema=False)] = "") -> bool:
    return "text/csv" in accept.lower()


WantsCsv = Annotated[bool, Depends(_wants_csv)]
"""Whether the request's Accept names text/csv. OpenAPI knows it from the media types of the answer."""
