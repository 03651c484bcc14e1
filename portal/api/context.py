"""Owns what endpoints are given: the context of the services, who asks, and the tenant of the path."""

from typing import Annotated

from fastapi import Depends, Header, Path, Request

from portal.access.gate import principal_of
from portal.access.principals import LOCAL, Principal
from portal.answers.context import Context
from schemas.identifiers import TenantId


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


def _who(request: Request) -> Principal:
    principal = principal_of(request)
    assert principal is not None, "portal.access.rules lets strangers in here"
    return principal


Who = Annotated[Principal, Depends(_who)]


def _by(principal: Who, sender: Annotated[str | None, Header(alias="From", max_length=128)] = None) -> str:
    # What somebody says of himself counts only where nobody is asked who he is.
    return sender or "api" if principal is LOCAL else principal.name


Ctx = Annotated[Context, Depends(_context)]
By = Annotated[str, Depends(_by)]
"""What is recorded beside a change: who asks, and in local mode what the standard header From says."""
Tenant = Annotated[TenantId, Path(description="tenant id: 1 to 64 of a-z 0-9 . _ -")]
