"""Owns the endpoints of API tokens: what there is, a new one, and the end of one."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from portal.access.principals import Principal
from portal.answers.context import Context
from portal.answers.token_bodies import token_of
from portal.api.bodies import JsonBody, documented
from portal.api.context import By, Ctx, Who
from portal.api.enforcement import refuse
from portal.api.errors import errors
from portal.api.models.tokens import ApiTokenPage, MadeToken, RevokedToken
from portal.pagination import Cursor, Limit, decode_cursor, encode_cursor, page
from portal.ports import Token
from portal.problems import Problem
from schemas.times import format_time, to_ms

log = structlog.get_logger()

router = APIRouter(prefix="/api/v1/tokens", tags=["access"])

_SECRET = {"Cache-Control": "no-store"}
_MOST_OF_A_TENANT = 100
"""Tokens that a tenant's admin may see when it makes one more. Every portal reads all tokens every few seconds, and
each has a rate limit of its own."""


@router.get("", summary="API tokens", operation_id="list_tokens", response_model=ApiTokenPage)
async def list_tokens(context: Ctx, principal: Who, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """The tokens that whoever asks could have made: a tenant's admin sees those of its tenants. No secrets."""
    after = decode_cursor(cursor, tuple[int, str])
    known = await _covered(context, principal)
    rest = [token for token in known if after is None or _place(token) > after]
    return JSONResponse(page(rest[: limit + 1], limit, lambda token: encode_cursor(*_place(token)), shown))


@router.post(
    "", status_code=201, summary="Make an API token", operation_id="make_token", response_model=MadeToken,
    openapi_extra=documented({"$ref": "#/components/schemas/NewToken"}), responses=errors(409),
)  # fmt: skip
async def make(context: Ctx, principal: Who, body: JsonBody, by: By) -> Response:
    """A token may do no more than who makes it. Its secret is in this answer and nowhere else."""
    token, secret = token_of(body, context.now(), by)
    if not principal.covers(token.role, token.tenants):
        refuse(principal, f"a token of the role {token.role} for {', '.join(sorted(token.tenants)) or 'all tenants'}")
    if not principal.changes_provider:
        _refuse_another(await _covered(context, principal))
    await context.services.tokens.add(token)
    log.info("token_made", token=token.id, role=token.role)
    return JSONResponse(shown(token) | {"secret": secret}, 201, headers=_SECRET)


@router.delete("/{token_id}", summary="Revoke an API token", operation_id="revoke_token", response_model=RevokedToken)
async def revoke(context: Ctx, principal: Who, token_id: str, by: By) -> Response:
    """Make a token useless: in this portal at once, in others within seconds."""
    known = await context.services.tokens.all()
    token = next((each for each in known if each.id == token_id), None)
    if token is None or not principal.covers(token.role, token.tenants):
        raise Problem(
            404, f"there is no token {token_id[:80]}, or not any more: GET /api/v1/tokens lists those there are"
        )
    await context.services.tokens.revoke(token, by)
    log.info("token_revoked", token=token.id)
    return JSONResponse({"id": token.id, "revoked_at": format_time(context.now())})


async def _covered(context: Context, principal: Principal) -> list[Token]:
    return [token for token in await context.services.tokens.all() if principal.covers(token.role, token.tenants)]


def _refuse_another(known: Sequence[Token]) -> None:
    if len(known) >= _MOST_OF_A_TENANT:
        raise Problem(
            409,
            f"there are {len(known):,} tokens of your tenants already: revoke those that are not used any more, expired"
            " ones as well, or ask a provider admin for another",
        )


def shown(token: Token) -> dict[str, Any]:
    """Return a token as the API shows it."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "tenants": sorted(token.tenants),
        "created_at": format_time(token.created_at),
        "created_by": token.created_by,
        "expires_at": format_time(token.expires_at),
        "last_used_on": token.last_used_on and token.last_used_on.isoformat(),
    }


def _place(token: Token) -> tuple[int, str]:
    return to_ms(token.created_at), token.id
