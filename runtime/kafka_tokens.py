"""Owns the tokens that Kafka clients sign in with by OAUTHBEARER: from a token endpoint by client credentials, kept
while they are good, or from a file that somebody else keeps fresh."""

import asyncio
import ssl
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import OAuthAuthenticator
from aiokafka.errors import SaslAuthenticationFailed

from runtime.broker_errors import TokenError
from runtime.settings import SettingsError, variable

_TIMEOUT_S = 10.0
_RENEW_AFTER = 0.8
"""Of a token's life, as Kafka's own clients do; for the rest of it an endpoint that is away does no harm."""


_step = OAuthAuthenticator.step


async def _heard(self: Any, payload: bytes | None) -> Any:
    """Fail where the broker refuses the token.

    aiokafka takes every answer for a yes (RFC 7628 §3.2.2: a no is JSON, a yes is empty), and the client would be
    without brokers from then on, and not say why.
    """
    if payload:
        raise SaslAuthenticationFailed("the broker refuses the token")
    return await _step(self, payload)


OAuthAuthenticator.step = _heard


class FetchedTokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is untyped
    """Tokens of one client. Shared by clients on several event loops: Faust's consumer has a thread of its own."""

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: Callable[[], str],
        scope: str | None,
        context: ssl.SSLContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._client_id, self._secret, self._scope = url, client_id, secret, scope
        self._context = context
        self._clock = clock
        self._turn = threading.Lock()
        self._token = ""
        self._renew_at = self._ends_at = clock()

    async def token(self) -> str:
        """Return a token that is good for now. Raises TokenError."""
        return await asyncio.to_thread(self._current)

    def _current(self) -> str:
        with self._turn:
            if self._clock() >= self._renew_at:
                try:
                    self._renew()
                except TokenError:
                    if self._clock() >= self._ends_at:
                        raise
            return self._token

    def _renew(self) -> None:
        asked_at = self._clock()
        fetched = self._fetch()
        lives_s = float(fetched.get("expires_in") or 0)  # one that does not say is asked for at each connection
        self._token = str(fetched["access_token"])
        self._renew_at, self._ends_at = asked_at + _RENEW_AFTER * lives_s, asked_at + lives_s

    def _fetch(self) -> dict[str, Any]:
        import authlib.deprecate
        import httpx

        with warnings.catch_warnings():
            # Authlib 1.9 prefers a successor of httpx that it does not bring.
            warnings.filterwarnings("ignore", "The httpx module", authlib.deprecate.AuthlibDeprecationWarning)
            from authlib.integrations.base_client import OAuthError
            from authlib.integrations.httpx_client import OAuth2Client

        url, names = self._url, _variables("oauth_client_id", "oauth_client_secret", "oauth_scope")
        try:
            with OAuth2Client(
                self._client_id, self._secret(), scope=self._scope, verify=self._context, timeout=_TIMEOUT_S
            ) as client:
                fetched: dict[str, Any] = client.fetch_token(url, grant_type="client_credentials")
        except OAuthError as error:
            # The endpoint's own text may name people and directories; the code is of a short list of the standard's.
            raise TokenError(f"the token endpoint {url} refuses ({error.error}): check {names}") from None
        except SettingsError as error:
            raise TokenError(str(error)) from error
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise TokenError(
                f"the token endpoint {url} gives no token ({_reason(error)}): check that it runs, and"
                f" {variable(('kafka', 'oauth_token_url'))}"
            ) from error
        if not fetched.get("access_token"):
            raise TokenError(f"the token endpoint {url} answers without a token: check {names}")
        return fetched


class FileTokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is untyped
    """A token in a file, read again at each connection."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    async def token(self) -> str:
        """Return the token. Raises TokenError."""
        try:
            return await asyncio.to_thread(self._read)
        except SettingsError as error:
            raise TokenError(str(error)) from error


def _variables(*names: str) -> str:
    return ", ".join(variable(("kafka", name)) for name in names)


def _reason(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200] or type(error).__name__
