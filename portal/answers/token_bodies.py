"""Owns what a wish for an API token must be: a name, a role with its tenants, and a time at which it ends."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self

import pydantic
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from portal.access.principals import Role
from portal.access.tokens import new_token
from portal.ports import Token
from portal.problems import Problem, refusal_of
from schemas.identifiers import TenantId
from schemas.times import Instant

DEFAULT_DAYS = 90
MAX_DAYS = 1_095
_MOST_TENANTS = 1_000

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class NewToken(BaseModel):
    """An API token as it is asked for."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Name
    """For people; `token:` and this name are recorded beside what is changed by it."""
    role: Role
    tenants: list[TenantId] = Field(default=[], max_length=_MOST_TENANTS)
    """Of a tenant's role at least one; of a provider's role none."""
    expires_in_days: int | None = Field(default=None, ge=1, le=MAX_DAYS)
    """90 unless this or `expires_at` says otherwise."""
    expires_at: Instant | None = None
    """At most 1,095 days ahead."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.role.startswith("provider_") and self.tenants:
            raise ValueError(f"a {self.role} is for all tenants: leave tenants out, or choose a tenant's role")
        if self.role.startswith("tenant_") and not self.tenants:
            raise ValueError(f"a {self.role} is for some tenants: name at least one")
        if self.expires_in_days is not None and self.expires_at is not None:
            raise ValueError("expires_in_days or expires_at, not both")
        return self


def token_of(body: Any, now: datetime, by: str) -> tuple[Token, str]:
    """Return the token that a body asks for, and its secret. Raises Problem 422 with a sentence a mistake."""
    try:
        asked = NewToken.model_validate(body)
    except pydantic.ValidationError as error:
        raise refusal_of(error) from error
    expires_at = asked.expires_at or now + timedelta(days=asked.expires_in_days or DEFAULT_DAYS)
    if not now < expires_at <= now + timedelta(days=MAX_DAYS):
        raise Problem(422, f"expires_at: a token ends within {MAX_DAYS:,} days, and not in the past")
    return new_token(asked.name, asked.role, frozenset(asked.tenants), expires_at, now, by)
