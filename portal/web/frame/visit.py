"""Owns what a page knows of its visitor: the services, who it is, and the counts and alerts as they change while it is
open."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast

from fastapi import HTTPException, Request
from nicegui import Client, background_tasks, ui

from portal.access.gate import principal_of
from portal.access.principals import LOCAL, Principal
from portal.answers.context import Context
from portal.problems import Problem
from portal.web.frame.session_end import close_with_session
from schemas.alert import Alert
from schemas.count import Count

Theme = Literal["auto", "dark", "light"]
THEME_COOKIE = "poolwatch_theme"


@dataclass(frozen=True, slots=True)
class Visit:
    """One opening of a page by somebody."""

    context: Context
    visitor: Principal
    """Who it was when the page was opened."""
    theme: Theme = "auto"

    @property
    def is_over(self) -> bool:
        """Whether the visitor's session has ended since."""
        return self.visitor.until is not None and self.visitor.until <= self.context.now()

    @property
    def principal(self) -> Principal:
        """Who it is. Raises Problem 401 once the session has ended."""
        if self.is_over:
            raise Problem(401, "your session has ended: reload the page to sign in again")
        return self.visitor

    def may_change(self, tenant: str) -> bool:
        return not self.is_over and self.visitor.changes(tenant)

    def require_ready(self) -> None:
        """Raise HTTPException 503 while counts are being read."""
        with _as_page():
            self.context.require_ready()


def visit(request: Request) -> Visit:
    """Return the visit that a request for a page begins. Raises HTTPException 401 for a stranger."""
    principal = principal_of(request)
    if principal is None:
        raise HTTPException(401, "sign in first")
    here = Visit(request.scope["state"]["context"], principal, theme_of(request))
    if principal is not LOCAL:
        close_with_session(request, principal.until, here.context.now)
    return here


def theme_of(request: Request) -> Theme:
    """Return the colours that the visitor has chosen."""
    chosen = request.cookies.get(THEME_COOKIE)
    return cast(Theme, chosen) if chosen in ("dark", "light") else "auto"


def visit_of(request: Request, tenant: str) -> Visit:
    """Return the visit to a page of a tenant. Raises HTTPException 401, 404, and 503 while counts are being read."""
    found = visit(request)
    with _as_page():
        found.context.require_seen(found.principal, tenant)
    return found


@contextmanager
def _as_page() -> Iterator[None]:
    """Let what the API would refuse be refused as a page."""
    try:
        yield
    except Problem as problem:
        raise HTTPException(problem.status, problem.detail) from problem


def follow(here: Visit, tenant: str | None, show: Callable[[Count], None]) -> None:
    """Call `show` in the page with the newest count, then with each newer one, as long as the page is open.

    Of all tenants (None) only with those that are newer than what is known now, for there may be thousands."""
    client = ui.context.client
    live, audience = here.context.services.live, here.principal.hears(tenant)
    # Asked now and not when the task begins: what comes between the two is news.
    known = live.newest_id(audience) if tenant is None else None

    async def run() -> None:
        async with live.subscribe(audience, known) as stream:
            async for news in stream:
                if here.is_over:
                    return
                for count in news.counts if news is not None else ():
                    with client:
                        show(count)

    _as_long_as(client, run(), "page-follows-counts")


def follow_alerts(here: Visit, tenant: str | None, show: Callable[[Sequence[Alert]], None], pace_s: float = 0) -> None:
    """Call `show` in the page with the alerts of a tenant, or of all, that change from now on, as long as the page is
    open: at most once in `pace_s`."""
    client = ui.context.client
    live, audience = here.context.services.live, here.principal.hears(tenant)
    known = live.newest_id(audience)

    async def run() -> None:
        async with live.subscribe(audience, known) as stream:
            async for news in stream:
                if here.is_over:
                    return
                if news is not None and news.alerts:
                    with client:
                        show(news.alerts)
                    await asyncio.sleep(pace_s)

    _as_long_as(client, run(), "page-follows-alerts")


def _as_long_as(client: Client, following: Coroutine[Any, Any, None], name: str) -> None:
    task: asyncio.Task[None] = background_tasks.create(following, name=name)
    client.on_delete(task.cancel)
