"""Owns how a page arrives: whole where its first reads are quick, and without what is slow, which follows."""

import asyncio
from collections.abc import Awaitable

from nicegui import background_tasks, ui

_PATIENCE_S = 1.0


async def soon(load: Awaitable[None]) -> None:
    """Wait a moment for what a page shows first. What takes longer goes on, and is shown when it is there."""
    task: asyncio.Task[None] = background_tasks.create(load, name="page-arrives", context=ui.context.client)
    await asyncio.wait({task}, timeout=_PATIENCE_S)
