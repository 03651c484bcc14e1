"""Owns the enforcement of the rules, before anything of a request is looked at: one dependency of the whole API."""

from typing import NoReturn

from fastapi import Request

from portal.access.gate import principal_of
from portal.access.principals import Principal
from portal.access.rules import rule_of, verdict
from portal.answers.context import Context
from portal.problems import Problem, route_of


async def enforce(request: Request) -> None:
    """Let a request through, or raise Problem 401, 403, 404; 503 while it is not known which tenants there are."""
    principal, tenant = principal_of(request), request.path_params.get("tenant")
    found = verdict(rule_of(request.method, route_of(request)), principal, tenant)
    if found == "unknown":
        context: Context = request.app.state.context
        context.refuse_unknown(str(tenant))
    elif found == "stranger":
        refuse_stranger(request)
    elif found == "forbidden" and principal is not None:
        refuse(principal, f"{request.method} {request.url.path}")


def refuse_stranger(request: Request) -> NoReturn:
    """Raise Problem 401, which says whether a token was sent."""
    if "authorization" in request.headers:
        raise Problem(
            401,
            "the API token is none, or was revoked, or has expired: ask an administrator for another",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    raise Problem(
        401,
        "nobody is signed in: sign in, or send an API token (`Authorization: Bearer pw_…`)",
        headers={"WWW-Authenticate": "Bearer"},
    )


def refuse(principal: Principal, what: str) -> NoReturn:
    """Raise Problem 403."""
    role = principal.role.replace("_", " ")
    raise Problem(403, f"{what} is not for a {role}: ask an administrator to do it, or for the role that it takes")
