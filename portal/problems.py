"""Owns how the API says no: RFC 9457 problem details for every error, also for paths and methods that do not exist."""

from collections.abc import Iterable
from typing import Any

import pydantic
import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Sign in first",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    421: "Not this host",
    422: "Not acceptable",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available",
}


class Problem(Exception):  # noqa: N818 -- the name of the thing in RFC 9457
    """An answer that says no: `detail` says what happened, to what, what to do next; `extra` are further members."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.extra = status, detail, headers, extra


def problem_response(
    request: Request, status: int, detail: str, headers: dict[str, str] | None = None, **extra: Any
) -> JSONResponse:
    """Return the problem document of an error."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        **extra,
    }
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: Starlette) -> None:
    """Let the app answer every error with a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return problem_response(request, error.status, error.detail, error.headers, **error.extra)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 404:
        detail = f"nothing is at {path}: /api/openapi.json lists what there is"
        if path.startswith(("/api/v1/tenants/", "/api/v3/customer/")):
            detail += "; a tenant id is 1 to 64 of a-z 0-9 . _ - and has no slash"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        detail = f"{path} does not take {request.method}: use {allowed}"
    else:
        detail = str(error.detail)
    return problem_response(request, error.status_code, detail, dict(error.headers or {}))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    told = refusal({"at": place(item["loc"]), "message": message(item)} for item in error.errors())
    return problem_response(request, told.status, told.detail, **told.extra)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", method=request.method, route=route_of(request), exc_info=error)
    return problem_response(
        request, 500, "Poolwatch failed at this request; its log has the reason under request_failed"
    )


def refusal_of(error: pydantic.ValidationError) -> Problem:
    """Return the refusal (422) of a body that a model does not take: a sentence a mistake, each with its place."""
    return refusal(
        {"at": ".".join(map(str, item["loc"])) or "body", "message": message(item)}
        for item in error.errors(include_url=False, include_input=False)
    )


def refusal(errors: Iterable[dict[str, str]]) -> Problem:
    """Return the refusal (422) of mistakes, each `at` a place with a `message`."""
    told = list(errors)
    return Problem(422, "; ".join(f"{item['at']}: {item['message']}" for item in told), errors=told)


def place(loc: tuple[Any, ...]) -> str:
    """Return where a validation error is, without FastAPI's own first word: `factors.lifecycle`, `limit`."""
    return ".".join(str(part) for part in loc[1:]) or "body"


def message(item: Any) -> str:
    """Return pydantic's sentence without its own prefix."""
    return str(item["msg"]).removeprefix("Value error, ")


def route_of(request: Request) -> str:
    """Return the route's template, which names no tenant and no subject."""
    route = request.scope.get("route")
    return str(getattr(route, "path", "unmatched"))
