"""A real OpenID Connect provider as a process on the loopback address; accounts and client stand in server.mjs."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from runtime.embedded.child import Child
from tests.support.oidc.modules import HERE, ensure_modules, why_not_oidc
from tests.support.ports import HOST, free_port

CLIENT_ID = "poolwatch"


@dataclass(frozen=True)
class OidcProvider:
    """A provider that runs."""

    issuer: str
    client_secret: str
    child: Child


def skip_without_oidc() -> None:
    """Skip a test that needs the provider where it cannot run; in CI, where it should, fail it."""
    if reason := why_not_oidc():
        said = f"NO OPENID CONNECT PROVIDER: {reason}; Node 20 with npm brings it"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)


@contextmanager
def running_provider(folder: Path, *portals: str) -> Iterator[OidcProvider]:
    """Run a provider that sends people back to portals at these addresses; its log is in the folder."""
    port, secret = free_port(), secrets.token_hex(16)
    command = ["node", str(HERE / "server.mjs"), str(ensure_modules()), str(port), secret, *portals]
    child = Child("oidc-provider", command, folder / "oidc-provider.log")
    issuer = f"http://{HOST}:{port}"
    child.start()
    try:
        child.wait_ready(lambda: _answers(issuer), 30)
        yield OidcProvider(issuer, secret, child)
    finally:
        child.stop()


def _answers(issuer: str) -> bool:
    try:
        return httpx.get(f"{issuer}/.well-known/openid-configuration", timeout=5).is_success
    except httpx.TransportError:
        return False
