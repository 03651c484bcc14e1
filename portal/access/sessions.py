"""Owns the session of somebody who has signed in: a signed cookie that holds who it is and until when, and nothing of
the provider's. There is no store of sessions, so every portal with the same key recognises it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, get_args

from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from portal.access.gate import sends_token
from portal.access.principals import Principal, Role
from schemas.times import from_ms, to_ms


class SessionTooLarge(Exception):  # noqa: N818 -- says what is the matter
    """A browser would drop the cookie without a word, and its user be asked to sign in without end."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """How cookies are given out. `secure`: to https alone, and by no neighbouring host (`__Host-`)."""

    key: str
    secure: bool

    def name(self, own: str) -> str:
        return f"__Host-{own}" if self.secure else own

    def serializer(self, salt: str) -> URLSafeSerializer:
        return URLSafeSerializer(self.key, salt=salt, signer_kwargs={"digest_method": hashlib.sha256})

    def give(self, response: Response, own: str, value: str, max_age_s: int) -> None:
        response.set_cookie(
            self.name(own), value, max_age_s, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def take_back(self, response: Response, own: str) -> None:
        response.delete_cookie(self.name(own), path="/", secure=self.secure, httponly=True, samesite="lax")


@dataclass(frozen=True, slots=True)
class Sessions:
    """Begins, recognises and ends sessions. One that was ended is forgotten by this portal alone: another one takes a
    copy of its cookie until `hours` have passed."""

    cookies: Cookies
    hours: int
    clock: Callable[[], datetime]
    _ended: dict[bytes, int] = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        """The name of the cookie."""
        return self.cookies.name(_NAME)

    def begin(self, response: Response, subject: str, principal: Principal) -> None:
        """Give the browser a new session. Raises SessionTooLarge."""
        until = self.clock() + timedelta(hours=self.hours)
        known = {
            "sub": subject, "name": principal.name, "role": principal.role, "tenants": sorted(principal.tenants),
            "until": to_ms(until),
        }  # fmt: skip
        sealed = self._serializer().dumps(known)
        if len(sealed) > _LONGEST:
            raise SessionTooLarge(len(sealed))
        self.cookies.give(response, _NAME, sealed, self.hours * 3_600)

    async def recognise(self, asks: HTTPConnection) -> Principal | None:
        """Return whose session a request has; None without one, or with one that has ended or that is not ours."""
        sealed = asks.cookies.get(self.cookie, "")
        # A token that is sent along is meant to count: where it does not, the session must not step in.
        if sends_token(asks.headers) or _digest(sealed) in self._ended:
            return None
        known = self._opened(sealed)
        if known is None or known["role"] not in get_args(Role):
            return None
        until = from_ms(known["until"])
        if until <= self.clock():
            return None
        return Principal(known["name"], known["role"], frozenset(known["tenants"]), until, f"user:{known['sub']}")

    def end(self, asks: HTTPConnection, response: Response) -> None:
        """End the session that a request has, in its browser and in every open page."""
        self.forget(asks)
        self.cookies.take_back(response, _NAME)

    def forget(self, asks: HTTPConnection) -> None:
        """End the session that a request has, whose place in its browser another one takes."""
        now_ms = to_ms(self.clock())
        for digest in [digest for digest, until_ms in self._ended.items() if until_ms <= now_ms]:
            del self._ended[digest]
        sealed = asks.cookies.get(self.cookie, "")
        if (known := self._opened(sealed)) is not None:
            self._ended[_digest(sealed)] = known["until"]

    def _opened(self, sealed: str) -> dict[str, Any] | None:
        try:
            known: dict[str, Any] = self._serializer().loads(sealed)
        except BadData:
            return None
        return known

    def _serializer(self) -> URLSafeSerializer:
        return self.cookies.serializer("poolwatch.session")


_NAME = "poolwatch-session"
_LONGEST = 3_800
"""Browsers keep 4,096 bytes of a cookie with its name and what else it says."""


def _digest(sealed: str) -> bytes:
    # Of what is signed: the last character of a signature has several spellings.
    return hashlib.sha256(sealed.rpartition(".")[0].encode()).digest()
