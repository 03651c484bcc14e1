"""Owns what a browser keeps between setting out for the provider and coming back: a signed cookie for each attempt, so
that several tabs can sign in at once."""

import secrets
import time
from typing import Any

from itsdangerous import BadData
from starlette.requests import Request
from starlette.responses import Response

from portal.access.sessions import Cookies

ATTEMPT_S = 900
_NAME = "poolwatch-sign-in-"
_MOST = 8
"""Attempts that were left on the way: browsers and servers take only so much of cookies."""


def new_state() -> str:
    """Return a state for an attempt: what the provider brings back, and nobody can guess."""
    return secrets.token_hex(24)


class Attempts:
    """Keeps attempts and takes them up again, each once."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies, self._serializer = cookies, cookies.serializer("poolwatch.sign-in")

    def keep(self, request: Request, response: Response, state: str, what: dict[str, Any]) -> None:
        """Let the browser keep an attempt."""
        self._forget_many(request, response)
        sealed = self._serializer.dumps(what | {"until": int(time.time()) + ATTEMPT_S, "state": state})
        self._cookies.give(response, _name_of(state), sealed, ATTEMPT_S)

    def take(self, request: Request, state: str) -> dict[str, Any] | None:
        """Return the attempt of a state that the browser of a request has begun; None = it has not, or too long ago."""
        try:
            kept: dict[str, Any] = self._serializer.loads(request.cookies.get(self._cookies.name(_name_of(state)), ""))
        except BadData:
            return None
        return kept if kept["state"] == state and time.time() < kept["until"] else None

    def forget(self, response: Response, state: str) -> None:
        """Let the browser forget an attempt."""
        self._cookies.take_back(response, _name_of(state))

    def _forget_many(self, request: Request, response: Response) -> None:
        begun = [name for name in request.cookies if name.startswith(self._cookies.name(_NAME))]
        for name in begun if len(begun) >= _MOST else []:
            response.delete_cookie(name, path="/", secure=self._cookies.secure, httponly=True, samesite="lax")


def _name_of(state: str) -> str:
    return _NAME + (state[:16] if state.isalnum() and state.isascii() else "unknown")
