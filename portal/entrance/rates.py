"""Owns how fast somebody may ask: requests counted in memory, each portal for itself."""

import time
from dataclasses import dataclass, field
from math import ceil

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.access.gate import principal_of, sends_token
from portal.entrance.refusals import refuse

BURST_S = 10
"""The limit is one of so many seconds: a page that opens asks for thirty things at once."""
SIGN_INS_PER_MINUTE = 120
"""From one address; a company may stand behind one, and a sign-in is two requests."""
FAILED_TOKENS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Rates:
    """What has been asked lately, by whom. `requests_per_s`: of one principal, or of one address of strangers."""

    requests_per_s: int
    sign_ins_per_minute: int = SIGN_INS_PER_MINUTE
    failed_tokens_per_minute: int = FAILED_TOKENS_PER_MINUTE
    _limiter: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))

    def wait_s(self, asks: HTTPConnection) -> int | None:
        """Count a request; return after how many seconds it may be sent again, None if it may be answered."""
        limit, *whose = self._limit_of(asks)
        if self._limiter.hit(limit, *whose):
            return None
        return max(1, ceil(self._limiter.get_window_stats(limit, *whose).reset_time - time.time()))

    def _limit_of(self, asks: HTTPConnection) -> tuple[RateLimitItem, str, str]:
        address = asks.client.host if asks.client else ""
        principal = principal_of(asks)
        if asks.scope["path"].startswith("/auth/"):
            return RateLimitItemPerMinute(self.sign_ins_per_minute), "sign-in", address
        if principal is None and sends_token(asks.headers):
            return RateLimitItemPerMinute(self.failed_tokens_per_minute), "failed-token", address
        limit = RateLimitItemPerSecond(self.requests_per_s * BURST_S, BURST_S)
        return (limit, "stranger", address) if principal is None else (limit, "principal", principal.key)


class Limited:
    """ASGI middleware behind the gate: refuses whoever asks too fast. None = nobody is refused."""

    def __init__(self, app: ASGIApp, rates: Rates | None) -> None:
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._rates is None or scope["type"] == "lifespan" or scope["path"] == "/healthz":
            await self._app(scope, receive, send)
            return
        wait_s = self._rates.wait_s(HTTPConnection(scope))
        if wait_s is None:
            await self._app(scope, receive, send)
            return
        detail = f"too many requests from you: send it again in {wait_s} s, and fewer at a time"
        await refuse(scope, receive, send, 429, detail, {"Retry-After": str(wait_s)})
