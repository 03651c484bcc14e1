"""Owns the endpoint of server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from prometheus_client import Gauge

from portal.access.gate import still_known
from portal.access.tokens import KNOWN_S
from portal.api.context import Ctx, Who
from portal.services import Audience, LiveCounts
from schemas.identifiers import TenantId

router = APIRouter(prefix="/api/v1", tags=["counts"])

_BEGIN = b": counts as they change\nretry: 2000\n\n"
_STILL_HERE = b": still here\n\n"


@router.get(
    "/stream", summary="Counts as they change", operation_id="stream_counts", response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def stream(
    request: Request,
    context: Ctx,
    principal: Who,
    tenant: Annotated[TenantId | None, Query(description="of one tenant alone")] = None,
    last_event_id: Annotated[str | None, Header(max_length=20_000)] = None,
) -> StreamingResponse:
    """Server-sent events. `count`: first the newest of each tenant that changed since Last-Event-ID, then changes.
    `alert`: likewise the newest change of each alert, also of those that are over. `refresh`: how far each
    refresh is that goes on, as `GET /refreshes/{id}` gives it, whenever that changes."""
    if tenant is not None:
        context.require_seen(principal, tenant)
    context.require_ready()
    events = _events(context.services.live, principal.hears(tenant), last_event_id)
    streams = request.app.state.metrics.streams
    return StreamingResponse(
        _counted(_while_known(request, events), streams),
        media_type="text/event-stream",
        # A proxy that buffers would hold events back.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _counted(events: AsyncGenerator[bytes], streams: Gauge) -> AsyncIterator[bytes]:
    with streams.track_inprogress():
        async with contextlib.aclosing(events):
            async for event in events:
                yield event


async def _while_known(request: Request, events: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield events until whoever asked for them is not let in any more."""
    loop = asyncio.get_running_loop()
    known_at = loop.time()
    async with contextlib.aclosing(events):
        async for event in events:
            if loop.time() - known_at >= KNOWN_S:
                if not await still_known(request):
                    return
                known_at = loop.time()
            yield event


async def _events(live: LiveCounts, audience: Audience, last_id: str | None) -> AsyncGenerator[bytes]:
    async with live.subscribe(audience, last_id) as subscription:
        yield _BEGIN
        async for news in subscription:
            yield _STILL_HERE if news is None else news.text
