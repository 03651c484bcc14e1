"""Keeps tests that must not use the network from using it."""

import socket
from typing import Any

import pytest


class NetworkForbiddenError(RuntimeError):
    """A test of a tier without sockets opened one."""


def forbid_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make connecting and binding raise; Unix sockets and socket pairs stay, event loops are made of them."""
    for method in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method), method))


def _guarded(original: Any, method: str) -> Any:
    def guard(self: socket.socket, *arguments: Any) -> Any:
        if self.family != socket.AF_UNIX:
            raise NetworkForbiddenError(
                f"socket.{method}{arguments[-1:]}: this tier has no network; what needs it is an integration test"
            )
        return original(self, *arguments)

    return guard
