"""Owns how a page changes something: the same commands as the API's, and the refusals in words on the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui

from portal.answers.settings_changes import change_settings
from portal.problems import Problem
from portal.services import Mode, ServiceError
from portal.web.frame.visit import Visit
from schemas.identifiers import PROVIDER_KEY


async def save(here: Visit, name: str, mode: Mode, body: dict[str, Any], seen: int | None) -> dict[str, Any]:
    """Change settings of a tenant (or `_provider`) and return the new ones. `seen`: the revision that the page shows.

    Raises Problem 403, 404, 412, 422, and ServiceError.
    """
    may = here.principal.changes_provider if name == PROVIDER_KEY else here.principal.changes(name)
    if not may:
        raise Problem(403, f"{here.principal.name} may look at {name} and not change it: ask an administrator")
    return await change_settings(here.context, here.principal, name, mode, body, seen, here.principal.name)


@contextmanager
def told() -> Iterator[None]:
    """Tell of what is refused, or not there now, on the page, and go on."""
    try:
        yield
    except (Problem, ServiceError) as error:
        ui.notify(str(error), type="negative", multi_line=True, close_button="Close", timeout=0)
