"""Owns what operators and their tools ask: health, readiness, metrics."""

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from portal.access.gate import principal_of
from portal.answers.context import Context
from portal.api.context import Ctx
from portal.api.models.operations import Health, Readiness
from schemas.identifiers import PROVIDER_KEY

log = structlog.get_logger()

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Whether the process runs", operation_id="get_health", response_model=Health)
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz", summary="Whether it can answer", operation_id="get_readiness", response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not yet, or not any more."}},
)  # fmt: skip
async def readyz(context: Ctx, request: Request) -> JSONResponse:
    """Whether counts are read and history can be read. The provider's people are told where the broker is as well."""
    about = context.services.about
    parts = {"counts": context.services.live.ready, "history": await _history_answers(context)}
    ready = all(parts.values())
    principal = principal_of(request)
    details = {
        "version": about.version,
        "embedded": about.embedded,
        "kafka_bootstrap": about.kafka_bootstrap,
        "topic_prefix": about.topic_prefix,
        "partitions": about.partitions,
    }
    body = {"ready": ready, "parts": parts} | (details if principal is not None and principal.is_provider else {})
    return JSONResponse(body, 200 if ready else 503)


async def _history_answers(context: Context) -> bool:
    try:
        await context.read(lambda: context.services.store.settings_history(PROVIDER_KEY))
    except Exception as error:  # noqa: BLE001 -- whatever it is: it cannot be read now, which is the answer
        log.warning("history_unreadable", error=type(error).__name__)
        return False
    return True


@router.get(
    "/metrics", summary="Figures for Prometheus", operation_id="get_metrics", response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def metrics(context: Ctx, request: Request) -> Response:
    """The portal's own figures; in the embedded stack those of all its processes."""
    text = await context.services.figures.text(request.app.state.metrics.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
