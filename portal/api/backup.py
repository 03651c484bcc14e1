"""Owns the endpoint that a backup reads the tables by, for the engine in process lets nobody else in."""

from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from portal.api.context import Ctx
from portal.store.snapshot import TABLES

router = APIRouter(prefix="/api/v1/backup", tags=["operations"])

Table = Literal[TABLES]  # type: ignore[valid-type]  # the names of a tuple


@router.get(
    "/{table}", summary="A whole table", operation_id="read_table", response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def read_table(context: Ctx, table: Table) -> Response:
    """The rows of a table as JSON, one a line, as `poolwatch backup` keeps them. For provider admins."""
    blocks = context.services.store.snapshot(table)
    first = await context.read(lambda: next(blocks, []))

    def lines() -> Iterator[bytes]:
        block: list[bytes] | None = first
        while block is not None:
            if block:
                yield b"\n".join(block) + b"\n"
            block = next(blocks, None)

    return StreamingResponse(lines(), media_type="text/plain")
