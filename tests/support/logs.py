"""Owns the hearing of what modules log, whichever test set logging up before in the same process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog


@contextmanager
def heard(package: str) -> Iterator[list[Any]]:
    """Yield the list that gets every event the modules of a package log. They get new loggers: one that was used before
    keeps what it wrote to then. And structlog's own settings: a process that was set to warnings drops the rest."""
    before = structlog.get_config()
    with pytest.MonkeyPatch.context() as patch:
        structlog.reset_defaults()
        for name, module in list(sys.modules.items()):
            if name.startswith(f"{package}.") and hasattr(module, "log"):
                patch.setattr(module, "log", structlog.get_logger())
        try:
            with structlog.testing.capture_logs() as events:
                yield events
        finally:
            structlog.configure(**before)
