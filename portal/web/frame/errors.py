"""Owns what a visitor sees where a page cannot be shown: what happened and what to do next, in the frame of the other
pages. NiceGUI's own error pages would show the text of exceptions."""

import importlib

import structlog
from fastapi import Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from nicegui import Client, app, ui
from starlette.exceptions import HTTPException

from portal.problems import message, place, route_of
from portal.web.frame import shell
from portal.web.pieces.text import Text

log = structlog.get_logger()

_WORDS = {
    401: ("Sign in first", "Poolwatch does not know who you are. Sign in, then open this page again."),
    403: ("Not allowed", "Ask an administrator of Poolwatch for the role that this takes."),
    404: ("Nothing is here", "Check the address, or find the tenant in the overview."),
    422: ("The address cannot be understood", "Correct the address, or begin at the overview."),
    503: ("Not yet", "This page tries again every few seconds by itself."),
}
_FAILED = (
    "This page failed",
    "Load it again. If it fails again, tell those who run Poolwatch: its log has the reason under page_failed.",
)
_ASSETS = "/_nicegui"
_AGAIN_S = 3


def install() -> None:
    """Let the pages' application answer every refusal and failure with these pages."""
    app.add_exception_handler(404, _refused)  # NiceGUI has one for this status, which would come before the next
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    # For a page that is not ready within its response timeout NiceGUI asks nobody.
    importlib.import_module("nicegui.page").error_content = _too_slow  # type: ignore[attr-defined]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(_ASSETS):
        return await http_exception_handler(request, error)
    title, advice = _WORDS.get(error.status_code, ("This cannot be done", "Begin at the overview."))
    # Starlette's own detail is the name of the status.
    detail = f"There is no page at {request.url.path}." if error.detail == "Not Found" else _sentence(error.detail)
    return _page(request, error.status_code, title, detail, advice)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{place(item['loc'])}: {message(item)}" for item in error.errors())
    return _page(request, 422, _WORDS[422][0], _sentence(wrong), _WORDS[422][1])


async def _failed(request: Request, error: Exception) -> Response:
    log.error("page_failed", route=route_of(request), exc_info=error)
    return _page(request, 500, _FAILED[0], "Nothing was changed by it.", _FAILED[1])


def _page(request: Request, status: int, title: str, detail: str, advice: str) -> Response:
    with Client(ui.page(""), request=request) as client:
        if status == 503:
            ui.add_head_html(f'<meta http-equiv="refresh" content="{_AGAIN_S}">')
        with shell.error_page(request, title):
            _content(detail, advice)
    return client.build_response(request, status)


def _content(detail: str, advice: str) -> None:
    Text("p", detail)
    Text("p", advice).classes("faint")
    ui.link("Overview of all tenants", "/")


def _too_slow(status: int, _: object) -> None:
    log.error("page_too_slow", status=status)
    Text("h1", _FAILED[0])
    _content("It took too long to make.", "Load it again: the machine, or ClickHouse, may be busy.")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")
