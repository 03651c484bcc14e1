"""A portal process in which counting has not begun: `python -m tests.support.bare_portal PORT`.

Whoever sends the cookie `stranger` is one. `/broken` fails, `/broken-later` fails at a click, `/slow` is never ready.
"""

import asyncio
import sys
from typing import Any, cast

import uvicorn
from fastapi import Request
from nicegui import ui
from starlette.requests import HTTPConnection

from portal.access.principals import LOCAL, Principal
from portal.alerts import AlertBook
from portal.app import create_portal
from portal.services import About, Services
from portal.stream import CountStream
from portal.web.frame import shell
from portal.web.frame.visit import visit
from tests.support.ports import HOST

SECRET = "the text of an exception"
STRANGER = "stranger"


class _StillReading:
    ready = False

    def count(self, tenant: str) -> None:
        return None

    settings = count
    stream = CountStream(1, "")
    subscribe, newest_id = stream.subscribe, stream.newest_id


async def _recognise(asks: HTTPConnection) -> Principal | None:
    return None if STRANGER in asks.cookies else LOCAL


@ui.page("/broken")
async def broken() -> None:
    raise RuntimeError(SECRET)


@ui.page("/broken-later")
def broken_later(request: Request) -> None:
    def fail() -> None:
        raise RuntimeError(SECRET)

    with shell.page(visit(request), "Broken later"):
        ui.button("Fail", on_click=fail)


@ui.page("/typed")
def typed(at: int) -> None:
    """Takes a number."""


@ui.page("/slow", response_timeout=0.2)
async def slow() -> None:
    await asyncio.Event().wait()


def main() -> None:
    """Serve until stopped."""
    nothing = cast(Any, None)
    services = Services(
        store=nothing, live=cast(Any, _StillReading()), sources=nothing, settings=nothing, refreshes=nothing,
        intake=nothing, syncs=nothing, alerts=AlertBook(), acknowledgements=nothing,
        tokens=nothing, about=About("test", False, "", "", 1),
    )  # fmt: skip
    uvicorn.run(create_portal(services, _recognise), host=HOST, port=int(sys.argv[1]), log_level="error")


if __name__ == "__main__":
    main()
