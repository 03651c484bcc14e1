"""Owns how a page changes something: the same commands as the API's, and the refusals in words on the page."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui

from portal.answers.settings_changes import change_settings
from portal.problems import Problem
from portal.services import Mode, ServiceError
from portal.web.frame.visit import Visit
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import Settings

_LATEST_S, _STEP_S = 3.0, 0.1


async def save(here: Visit, name: str, mode: Mode, body: dict[str, Any], seen: int | None) -> dict[str, Any]:
    """Change settings of a tenant (or `_provider`) and return the new ones. `seen`: the revision that the page shows.

    Raises Problem 403, 404, 412, 422, and ServiceError.
    """
    may = here.principal.changes_provider if name == PROVIDER_KEY else here.principal.changes(name)
    if not may:
        raise Problem(403, f"{here.principal.name} may look at {name} and not change it: ask an administrator")
    return await change_settings(here.context, here.principal, name, mode, body, seen, here.principal.name)


async def newer(current: Callable[[], Settings], than: int) -> bool:
    """Wait a moment for settings newer than a revision: who lost a race may know it before this portal has read them.
    Returns whether they are there."""
    for _ in range(int(_LATEST_S / _STEP_S)):
        if current().revision > than:
            return True
        await asyncio.sleep(_STEP_S)
    return False


@contextmanager
def told() -> Iterator[None]:
    """Tell of what is refused, or not there now, on the page, and go on."""
    try:
        yield
    except (Problem, ServiceError) as error:
        ui.notify(str(error), type="negative", multi_line=True, close_button="Close", timeout=0)
