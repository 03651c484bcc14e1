"""A portal process that is entered as the settings' group `auth` says, like `poolwatch run portal`, with two tenants
that count nothing, and without Kafka and ClickHouse: `python -m tests.support.sign_in_portal PORT`.

`/who/TENANT` is a page with a button that says who asks. The tenant `broken` fails.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from fastapi import Request
from nicegui import ui

from portal.access.tokens import TokenBook
from portal.alerts import AlertBook
from portal.services import About, Accepted, Services, utc_now
from portal.stream import CountStream
from portal.web.frame import shell
from portal.web.frame.saving import told
from portal.web.frame.visit import visit_of
from portal.web.pieces.text import Text
from runtime.logging import configure
from runtime.portal_access import access_of
from runtime.portal_process import listen, web_config
from runtime.settings import load
from schemas.count import Count
from schemas.settings import ProviderSettings, TenantSettings
from tests.support.memory_tokens import MemoryTokens
from tests.support.ports import HOST

TENANTS = ("contoso", "fabrikam")
BROKEN = "broken"


class _Live:
    ready = True
    stream = CountStream(1, "")
    newest_id, subscribe = stream.newest_id, stream.subscribe

    def count(self, tenant: str) -> Count | None:
        return None

    def counts(self) -> dict[str, Count]:
        return {}

    def settings(self, tenant: str) -> TenantSettings | None:
        if tenant == BROKEN:
            raise RuntimeError("the text of an exception")
        return TenantSettings(tenant=tenant) if tenant in TENANTS else None

    def provider(self) -> ProviderSettings:
        return ProviderSettings()


class _Intake:
    async def accept(self, body: bytes, now_ms: int, may_send: Callable[[str], bool]) -> Accepted:
        return Accepted(0, [])


@ui.page("/who/{tenant}")
def who(request: Request, tenant: str) -> None:
    """Who asks, when the page is opened and at each click."""
    here = visit_of(request, tenant)

    def say() -> None:
        with told():
            said.set_text(f"still {here.principal.name}")

    with shell.page(here, "Who"):
        said = Text("p", "nothing said").props("data-testid=said")
        ui.button("Say who", on_click=say)


async def _serve(port: int) -> None:
    nothing = cast(Any, None)
    services = Services(
        store=nothing, live=cast(Any, _Live()), sources=nothing, settings=nothing, refreshes=nothing, intake=_Intake(),
        syncs=nothing, alerts=AlertBook(), acknowledgements=nothing,
        tokens=TokenBook(MemoryTokens(), utc_now), about=About("test", False, "", "", 1),
    )  # fmt: skip
    settings = load()
    configure(settings.log)
    with listen(HOST, port) as listener:
        await uvicorn.Server(web_config(services, access_of(settings.auth))).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
