"""Owns the models of API tokens; what is asked for has its own in `portal.answers.token_bodies`."""

from datetime import date

from portal.access.principals import Role
from portal.api.models.base import Page, Shown
from schemas.identifiers import TenantId
from schemas.times import Instant


class ApiToken(Shown):
    """An API token, without its secret."""

    id: str
    name: str
    role: Role
    tenants: list[TenantId]
    """Empty for a provider's role, which is for all."""
    created_at: Instant
    created_by: str
    expires_at: Instant
    last_used_on: date | None
    """Day (UTC)."""


class MadeToken(ApiToken):
    """A new API token; its secret is shown this once."""

    secret: str


class ApiTokenPage(Page[ApiToken]):
    """A page of tokens, oldest first; expired ones stay in it for 90 days."""


class RevokedToken(Shown):
    """A token that is of no use any more."""

    id: str
    revoked_at: Instant
