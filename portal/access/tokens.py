"""Owns API tokens: how one is made, recognised and revoked, and how long a portal goes by what it has read of them."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import anyio
import structlog
from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from portal.access.gate import Recognise, sends_token
from portal.access.principals import Principal, Role
from portal.ports import Token, Tokens
from portal.services import ApiTokens, TokensUnreadable

log = structlog.get_logger()

PREFIX = "pw_"
"""What secrets begin with, so that people and scanners know one where it should not be."""
KNOWN_S = 5.0
"""How long a portal goes by what it has read: a token that another one revoked is of use for so long at most."""
OLDEST_S = 300.0
"""The same while ClickHouse cannot be read; then nobody is let in by token."""

_PATIENCE_S = 3.0
_AGAIN_S = 1.0
_LONG_AGO = float("-inf")


def new_token(
    name: str, role: Role, tenants: frozenset[str], expires_at: datetime, now: datetime, by: str
) -> tuple[Token, str]:
    """Return a new token, and its secret of 256 random bits, which is not in it."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        id=secrets.token_hex(8), digest=_digest_of(secret), name=name, role=role, tenants=tenants,
        created_at=now, created_by=by, expires_at=expires_at,
    )  # fmt: skip
    return token, secret


class TokenBook:
    """The tokens of an installation as one portal knows them; a request costs no question to ClickHouse."""

    def __init__(self, tokens: Tokens, clock: Callable[[], datetime], known_s: float = KNOWN_S) -> None:
        self._tokens, self._clock, self._known_s = tokens, clock, known_s
        self._by_digest: dict[str, Token] = {}
        self._read_at = self._changed_at = self._failed_at = _LONG_AGO
        self._turn = asyncio.Lock()
        self._threads = CapacityLimiter(2)

    async def recognise_token(self, asks: HTTPConnection) -> Principal | None:
        """Return whom the bearer token of a request stands for; None without one, or for one that is of no use.

        Raises TokensUnreadable.
        """
        secret = _bearer(asks)
        if not secret.startswith(PREFIX):
            return None
        token = (await self._known()).get(_digest_of(secret))
        if token is None or token.expires_at <= self._clock():
            return None
        await self._note_use(token)
        return Principal(f"token:{token.name}", token.role, token.tenants, key=f"token:{token.id}")

    async def all(self) -> list[Token]:
        """Return all tokens that nobody has revoked, oldest first, as ClickHouse has them now."""
        return await to_thread.run_sync(self._tokens.known, limiter=self._threads)

    async def add(self, token: Token) -> None:
        """Keep a new token."""
        await to_thread.run_sync(self._tokens.add, token, limiter=self._threads)
        self._changed_at = _now()

    async def revoke(self, token: Token, by: str) -> None:
        """Make a token useless: here at once, in other portals within `KNOWN_S`."""
        await to_thread.run_sync(self._tokens.revoke, token, self._clock(), by, limiter=self._threads)
        self._changed_at = _now()

    async def _known(self) -> Mapping[str, Token]:
        if not self._is_fresh():
            async with self._turn:
                if not self._is_fresh() and _now() - self._failed_at >= _AGAIN_S:
                    await self._read()
        if _now() - self._read_at >= OLDEST_S:
            raise TokensUnreadable(
                "API tokens cannot be read from ClickHouse, so nobody is let in by one: check that it runs, and that"
                " `poolwatch migrate` was run"
            )
        return self._by_digest

    def _is_fresh(self) -> bool:
        # What was being read while something changed here may be of before.
        return self._read_at > self._changed_at and _now() - self._read_at < self._known_s

    async def _read(self) -> None:
        began = _now()
        try:
            with anyio.fail_after(_PATIENCE_S):
                found = await to_thread.run_sync(self._tokens.known, limiter=self._threads, abandon_on_cancel=True)
        except Exception as error:  # noqa: BLE001 -- whatever it is: they cannot be read now
            self._failed_at = _now()
            log.warning("tokens_unreadable", error=type(error).__name__)
            return
        self._by_digest, self._read_at = {token.digest: token for token in found}, began

    async def _note_use(self, token: Token) -> None:
        today = self._clock().date()
        if token.last_used_on == today:
            return
        self._by_digest[token.digest] = replace(token, last_used_on=today)
        try:
            await to_thread.run_sync(self._tokens.used, token, today, limiter=self._threads)
        except Exception as error:  # noqa: BLE001 -- the day is for people who tidy up; no request fails for it
            log.warning("token_use_not_kept", token=token.id, error=type(error).__name__)


def by_token_or(tokens: ApiTokens, otherwise: Recognise) -> Recognise:
    """Return what takes whoever sends a bearer token for whom it stands for, a stranger where it is of no use; and
    everybody else as `otherwise` does."""

    async def recognise(asks: HTTPConnection) -> Principal | None:
        return await (tokens.recognise_token(asks) if sends_token(asks.headers) else otherwise(asks))

    return recognise


def _bearer(asks: HTTPConnection) -> str:
    scheme, _, secret = asks.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now() -> float:
    return asyncio.get_running_loop().time()
