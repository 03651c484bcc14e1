"""Owns the hearing of what modules log, whichever test set logging up before in the same process."""

import sys

import pytest
import structlog


def hear(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Give the modules of a package new loggers: one that was used before keeps what it wrote to then, and
    `structlog.testing.capture_logs` would not hear it."""
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{package}.") and hasattr(module, "log"):
            monkeypatch.setattr(module, "log", structlog.get_logger())
