"""Portals that ask people to sign in at a real provider, each a process of its own, and browsers, without a browser,
that do so."""

import json
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from starlette.responses import Response

from portal.access.principals import Principal
from portal.access.sessions import Cookies, Sessions
from runtime.embedded.child import Child
from tests.support.oidc.provider import CLIENT_ID, OidcProvider
from tests.support.ports import HOST, free_port

PUBLIC = "https://portal.example"
"""What browsers call the portal; a proxy that ends TLS stands before it."""
SESSION = "__Host-poolwatch-session"
KEY = "a key of thirty-two characters or more"
VIEWERS = "0c5a6a5e-viewers"


class _Proxy(httpx.AsyncHTTPTransport):
    """Ends TLS as a reverse proxy does: the portal hears plain HTTP, with the host that the browser asked for, and whom
    it comes from."""

    def __init__(self, port: int, address: str) -> None:
        super().__init__()
        self._port = port
        self._says = [(b"X-Forwarded-For", address.encode()), (b"X-Forwarded-Proto", b"https")]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        onward = httpx.Request(
            request.method,
            request.url.copy_with(scheme="http", host=HOST, port=self._port),
            headers=[*request.headers.raw, *self._says],
            stream=request.stream,
            extensions=request.extensions,
        )
        return await super().handle_async_request(onward)


@dataclass(frozen=True)
class SignInPortal:
    """A portal that listens at `port`, and is PUBLIC to browsers."""

    port: int
    log: Path

    def browser(self) -> httpx.AsyncClient:
        """Return a browser of somebody, at an address of its own; it follows no redirects by itself."""
        address = f"2001:db8::{secrets.randbits(16):x}:{secrets.randbits(16):x}"
        return httpx.AsyncClient(base_url=PUBLIC, mounts={PUBLIC: _Proxy(self.port, address)}, timeout=30)

    @asynccontextmanager
    async def signed_in(self, account: str) -> AsyncIterator[httpx.AsyncClient]:
        """Yield a browser in which somebody has signed in."""
        async with self.browser() as browser:
            answer = await sign_in(browser, account)
            assert 303 == answer.status_code, answer.text
            yield browser


@contextmanager
def running_portal(
    folder: Path, provider: OidcProvider | None, *, at: int | None = None, **settings: str
) -> Iterator[SignInPortal]:
    """Run a portal, at a port, until left. `settings`: of the group `auth`, as variables have them; without a provider
    it asks nobody to sign in."""
    port = at or free_port()
    given = settings if provider is None else _settings(provider) | settings
    env = {name: value for name, value in os.environ.items() if not name.startswith("POOLWATCH_")}
    env |= {f"POOLWATCH_AUTH_{name.upper()}": value for name, value in given.items()}
    command = [sys.executable, "-m", "tests.support.sign_in_portal", str(port)]
    child = Child("portal", command, folder / f"portal-{port}.log", env)
    child.start()
    try:
        child.wait_ready(lambda: _answers(port), 60)
        yield SignInPortal(port, child.log_path)
    finally:
        child.stop()


def _settings(provider: OidcProvider) -> dict[str, str]:
    return {
        "mode": "oidc", "issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": provider.client_secret,
        "public_url": PUBLIC, "session_key": KEY, "provider_admins": "boss@msp.example, 00u-somebody-else",
        "roles_claims": "roles,groups", "role_map": json.dumps({VIEWERS: "provider_viewer"}),
    }  # fmt: skip


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/healthz", timeout=5).is_success
    except httpx.TransportError:
        return False


def sealed_session(until: datetime, key: str = KEY, hours: int = 1) -> str:
    """Return the cookie of a session that lasts until an instant, as the portal would have given it."""
    answer, ana = Response(), Principal("ana@msp.example", "provider_admin")
    begun = until - timedelta(hours=hours)
    Sessions(Cookies(key, secure=True), hours, lambda: begun).begin(answer, "ana", ana)
    return answer.headers["set-cookie"].partition("=")[2].partition(";")[0]


def state_of(url: str) -> str:
    """Return the state that an address to or from the provider carries."""
    return parse_qs(urlsplit(url).query)["state"][0]


async def set_out(browser: httpx.AsyncClient, there: str = "/auth/login") -> str:
    """Ask for something of the portal as a stranger; return the address at the provider to which it leads."""
    while urlsplit(there).hostname != HOST:
        there = (await browser.get(there)).headers["location"]
    return there


async def name_account(browser: httpx.AsyncClient, provider_url: str, account: str) -> str:
    """Sign in at the provider as an account, if it asks; return where it leads, which is the portal's callback."""
    answer = await browser.get(provider_url)
    while urlsplit(there := _next_of(answer)).hostname == HOST:
        answer = await browser.get(there)
        if answer.status_code == 200:
            answer = await browser.post(there, data={"account": account})
    return there


def _next_of(answer: httpx.Response) -> str:
    assert answer.is_redirect, answer.text
    return str(answer.url.join(answer.headers["location"]))


async def came_back(browser: httpx.AsyncClient, account: str = "ana", there: str = "/auth/login") -> str:
    """Sign in up to the last step; return the address of the callback."""
    return await name_account(browser, await set_out(browser, there), account)


async def sign_in(browser: httpx.AsyncClient, account: str, there: str = "/auth/login") -> httpx.Response:
    """Ask for something as a stranger and sign in; return the portal's answer to who comes back."""
    return await browser.get(await came_back(browser, account, there))


def form_of(page: httpx.Response) -> tuple[str, dict[str, str]]:
    """Return where the first form of a page goes, and its hidden fields."""
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    fields = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text)
    assert action is not None, page.text
    return action[1], dict(fields)
