"""Owns the end of an open page whose visitor's session has ended, or token: it lives on, for no further request opens
it."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from fastapi import Request
from nicegui import background_tasks, ui

from portal.access.gate import still_known

_LOOK_S = 5.0
"""Between two looks whether the session was ended in another tab, or the token revoked."""
_TO_HEAR_S = 1.0
"""For the browser to hear that it is to reload; from then on nothing that it sends is listened to."""


def close_with_session(request: Request, until: datetime | None, now: Callable[[], datetime]) -> None:
    """Watch over the page that is being built: when its visitor is not recognised any more, the browser reloads it,
    which leads to the sign-in, and the server forgets it."""
    client = ui.context.client

    async def watch() -> None:
        known = True
        while known:
            left_s = _LOOK_S if until is None else max((until - now()).total_seconds(), 0.05)
            await asyncio.sleep(min(_LOOK_S, left_s))
            known = await still_known(request)
        client.run_javascript("window.location.reload()")
        await asyncio.sleep(_TO_HEAR_S)
        client.delete()

    task: asyncio.Task[None] = background_tasks.create(watch(), name="page-ends-with-session")
    client.on_delete(task.cancel)
