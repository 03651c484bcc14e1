"""Owns what is under /auth: setting out for the provider, coming back as somebody, and signing out."""

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portal import problems
from portal.access.attempts import Attempts, new_state
from portal.access.claims import RoleRules, is_unchecked_admin, name_of, principal_of_claims
from portal.access.notices import SIGN_OUT, link, notice
from portal.access.principals import Principal
from portal.access.provider import Provider, ProviderAway, SignInError
from portal.access.return_path import own_path
from portal.access.sessions import Sessions, SessionTooLarge
from portal.access.threshold import LOGIN

log = structlog.get_logger()

_AGAIN = link("Sign in", LOGIN)


def create_sign_in(provider: Provider, sessions: Sessions, rules: RoleRules) -> Starlette:
    """Return the application that serves /auth."""
    desk = _Desk(provider, sessions, rules)
    app = Starlette(
        routes=[
            Route(LOGIN, desk.login, methods=["GET"]),
            Route("/auth/callback", desk.callback, methods=["GET"]),
            Route("/auth/logout", desk.logout, methods=["POST"]),
            Route("/auth/signed-out", desk.signed_out, methods=["GET"]),
        ],
        exception_handlers={SignInError: _failed},
    )
    problems.install(app)
    return app


class _Desk:
    def __init__(self, provider: Provider, sessions: Sessions, rules: RoleRules) -> None:
        self._provider, self._sessions, self._rules = provider, sessions, rules
        self._attempts = Attempts(sessions.cookies)

    async def login(self, request: Request) -> Response:
        state = new_state()
        there, begun = await self._provider.begin(request, state)
        response = RedirectResponse(there, 303)
        back = own_path(request.query_params.get("next"))
        self._attempts.keep(request, response, state, {"next": back, "begun": begun})
        return response

    async def callback(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        attempt = self._attempts.take(request, state)
        if attempt is None:
            raise SignInError(
                "this is not the end of a sign-in that this browser began, or it began too long ago, or has ended"
                " already: sign in again"
            )
        claims = await self._provider.finish(request, attempt["begun"])
        principal = principal_of_claims(claims, self._rules)
        response: Response
        if principal is None:
            log.info("signed_in_without_role")
            if is_unchecked_admin(claims, self._rules):
                log.warning("admin_address_unchecked", to_do="see POOLWATCH_AUTH_TRUST_EMAIL in docs/sign-in.md")
            response = _without_role(name_of(claims, self._rules))
            self._sessions.end(request, response)
        else:
            response = RedirectResponse(attempt["next"], 303)
            self._begin(request, response, str(claims["sub"]), principal)
        self._attempts.forget(response, state)
        return response

    def _begin(self, request: Request, response: Response, subject: str, principal: Principal) -> None:
        try:
            self._sessions.begin(response, subject, principal)
        except SessionTooLarge as error:
            raise SignInError(
                f"your role names {len(principal.tenants):,} tenants, more than a session holds: ask for fewer, or for"
                " a role of the provider"
            ) from error
        # What was allowed before holds no longer, in pages that are open in this browser and for whoever has a copy.
        self._sessions.forget(request)
        log.info("signed_in", role=principal.role)

    async def logout(self, request: Request) -> Response:
        farewell = await self._provider.farewell()
        # A browser holds a form to the sites that its page names (form-action), redirects included, so the way to the
        # provider leads over a page of ours.
        headers = {"Refresh": f"0; url={farewell}"} if farewell else None
        onward = link("Sign out of the identity provider", farewell) if farewell else ""
        response = notice(
            200, "Signed out", "You are signed out of Poolwatch.", actions=onward + _AGAIN, headers=headers
        )
        self._sessions.end(request, response)
        return response

    async def signed_out(self, _: Request) -> Response:
        return notice(200, "Signed out", "You are signed out.", actions=_AGAIN)


def _without_role(name: str) -> Response:
    return notice(
        403,
        "No access yet",
        f"You are signed in as {name}, and nobody has given you a role in Poolwatch.",
        "Ask the administrator of your organisation for one, then sign in again.",
        actions=SIGN_OUT + _AGAIN,
    )


async def _failed(_: Request, error: Exception) -> Response:
    status = 503 if isinstance(error, ProviderAway) else 400
    text = str(error)
    return notice(status, "Not signed in", f"{text[:1].upper()}{text[1:]}.", actions=_AGAIN)
