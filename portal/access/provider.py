"""Owns the conversation with the identity provider: OpenID Connect by its discovery document, an authorization code
with PKCE, state and nonce, an id_token that is checked. Authlib does it; whose session follows is not its business."""

import warnings
from dataclasses import dataclass
from typing import Any

import authlib.deprecate
import httpx
import structlog
from joserfc.errors import JoseError
from starlette.requests import Request

with warnings.catch_warnings():
    # Authlib 1.9 prefers a successor of httpx that it does not bring, and tells everybody who starts the process.
    warnings.filterwarnings("ignore", "The httpx module", authlib.deprecate.AuthlibDeprecationWarning)
    from authlib.integrations.starlette_client import OAuth, OAuthError

log = structlog.get_logger()

_TIMEOUT_S = 10.0


class SignInError(Exception):
    """Somebody cannot be signed in; the text says why, to the one who tries, and holds nothing of what came in."""


class ProviderAway(SignInError):  # noqa: N818 -- says what is the matter
    """The provider does not answer, or not as one does."""


@dataclass(frozen=True, slots=True)
class Client:
    """The portal as the provider knows it."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: str
    redirect_url: str
    signed_out_url: str


class Provider:
    """The provider; its discovery document and keys are read when they are needed first, keys again as they change."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._app = OAuth().register(
            "provider",
            client_id=client.client_id,
            client_secret=client.client_secret,
            server_metadata_url=f"{client.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": client.scopes, "code_challenge_method": "S256", "timeout": _TIMEOUT_S},
        )

    async def begin(self, request: Request, state: str) -> tuple[str, dict[str, Any]]:
        """Return where to send the browser, and what `finish` needs to know of it. Raises ProviderAway."""
        request.scope["session"] = {}
        await self._metadata()
        answer = await self._app.authorize_redirect(request, self._client.redirect_url, state=state)
        return answer.headers["location"], request.session

    async def finish(self, request: Request, begun: dict[str, Any]) -> dict[str, Any]:
        """Return the claims of who comes back from the provider. Raises SignInError."""
        request.scope["session"] = begun
        metadata = await self._metadata()
        expected = {"iss": metadata["issuer"], "aud": self._client.client_id}
        options = {claim: {"essential": True, "value": value} for claim, value in expected.items()}
        try:
            answer = await self._app.authorize_access_token(request, claims_options=options)
        except OAuthError as error:
            raise _refused(error.error) from error
        except JoseError as error:
            raise _refused(error.error) from error
        except (httpx.HTTPError, ValueError) as error:
            raise self._away(error) from error
        claims: dict[str, Any] | None = answer.get("userinfo")
        if claims is None:
            raise _refused("no_id_token")
        return claims

    async def farewell(self) -> str | None:
        """Return where the provider ends its own session; None = it does not say, or does not answer."""
        try:
            endpoint = (await self._metadata()).get("end_session_endpoint")
        except ProviderAway:
            return None
        known = {"client_id": self._client.client_id, "post_logout_redirect_uri": self._client.signed_out_url}
        return str(httpx.URL(endpoint).copy_merge_params(known)) if endpoint else None

    async def _metadata(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = await self._app.load_server_metadata()
        except (httpx.HTTPError, ValueError) as error:
            raise self._away(error) from error
        if str(found.get("issuer", "")).rstrip("/") != self._client.issuer:
            log.error("issuer_differs", expected=self._client.issuer, told=str(found.get("issuer"))[:200])
            raise ProviderAway("the identity provider calls itself by another address than POOLWATCH_AUTH_ISSUER")
        return found

    def _away(self, error: Exception) -> ProviderAway:
        log.error("provider_away", issuer=self._client.issuer, error=type(error).__name__)
        return ProviderAway("the identity provider cannot be reached now: try again in a minute")


def _refused(code: str) -> SignInError:
    log.warning("sign_in_refused", reason=code)
    if code == "access_denied":
        return SignInError("the identity provider did not let you in: ask those who run it")
    return SignInError("what came back from the identity provider does not belong to this attempt: sign in again")
