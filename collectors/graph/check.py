"""Owns the check whether Microsoft Graph can be read of a tenant: the sign-in, what was granted, and whether the
service answers."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, Literal

from collectors.graph.api.client import GraphClient
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.api.errors import ForbiddenError, GraphError, SignInError, SignInUnavailableError
from collectors.graph.api.tokens import Tokens
from collectors.graph.permissions import Permission, granted, needed
from collectors.graph.reading.lifecycle import of_each_group
from collectors.graph.reading.sources import ACCOUNTS, NUMBERS, RESOURCE_ACCOUNTS
from schemas.settings import Graph
from schemas.sources import Part

ANSWER_S: Final = 30.0
"""How long one endpoint may take: a person waits, so there is less patience than a collector has."""

State = Literal["granted", "missing", "refused", "failing", "unknown"]
"""`missing`: not granted; `refused`: granted, and Graph does not answer all the same; `failing`: something else is
wrong; `unknown`: nobody could be asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a permission, and in words what that means."""

    permission: Permission
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """How the check of a tenant ended. `sign_in`: why it failed and what to do; None = signed in."""

    tenant: GraphTenant
    sign_in: str | None
    findings: tuple[Finding, ...]

    @property
    def is_fine(self) -> bool:
        """Whether everything that is asked for can be read."""
        return all(finding.state == "granted" for finding in self.findings)

    def missing(self) -> list[str]:
        """Return the names of the permissions that were not granted."""
        return [finding.permission.least for finding in self.findings if finding.state == "missing"]


async def check(
    client: GraphClient,
    tokens: Tokens,
    tenant: GraphTenant,
    graph: Graph,
    *,
    beta: bool = False,
    notifications: bool = False,
    answer_s: float = ANSWER_S,
) -> Report:
    """Sign in to a tenant and ask each endpoint for next to nothing. What fails is in the report."""
    wanted = needed(graph, tenant.cloud, beta=beta, notifications=notifications)
    try:
        roles = granted(await tokens.token(tenant))
    except (SignInError, SignInUnavailableError) as error:
        unknown = tuple(Finding(permission, "unknown", "the sign-in failed") for permission in wanted)
        return Report(tenant, error.words, unknown)
    findings = await asyncio.gather(
        *(_finding(permission, roles, _ask(client, tenant, graph, permission.part), answer_s) for permission in wanted)
    )
    return Report(tenant, None, tuple(findings))


async def _finding(
    permission: Permission, roles: frozenset[str] | None, asking: Awaitable[bool], answer_s: float
) -> Finding:
    names = (permission.least, *permission.instead)
    held = next((name for name in names if roles is not None and name in roles), None)
    try:
        async with asyncio.timeout(answer_s):
            asked = await asking
    except TimeoutError:
        return Finding(permission, "failing", f"Graph did not answer within {answer_s:g} s: try again")
    except ForbiddenError as error:
        if held is None:
            return Finding(permission, "missing", f"without it {permission.lost}")
        why = "consent is minutes old, a licence is missing in the tenant, or its cloud is another"
        return Finding(permission, "refused", f"granted, and refused all the same ({error.answer}): {why}")
    except GraphError as error:
        return Finding(permission, "failing", error.words)
    if roles is None and not asked:
        return Finding(permission, "unknown", "the token does not tell what was granted")
    if held is None and not asked:
        return Finding(permission, "missing", f"without it {permission.lost}")
    # More than the least is no mistake, and there are wider permissions than those we know of.
    by = "" if held == permission.least else f"by {held}" if held else "Graph answers by another permission"
    return Finding(permission, "granted", by)


async def _ask(client: GraphClient, tenant: GraphTenant, graph: Graph, part: Part) -> bool:
    """Ask for next to nothing of a part, and return whether there was anything to ask. Raises GraphError."""
    match part:
        case "users":
            await client.get(tenant, "/users/delta?$select=id&$deltatoken=latest")
        case "skus":
            await client.get(tenant, "/subscribedSkus?$select=skuId")
        case "accounts":
            await client.get(tenant, f"{ACCOUNTS}?$select=id&$top=1")
        case "numbers":
            await client.get(tenant, f"{NUMBERS}?$select=telephoneNumber&$top=1")
        case "groups":
            await of_each_group(client, tenant, graph.template_groups, "/transitiveMembers?$select=id&$top=1")
        case "applications":
            await client.get(tenant, f"{tenant.cloud.graph}{RESOURCE_ACCOUNTS}?$top=1")
        case "notifications":
            return False  # subscribing is the only question, and leaves something behind
    return True
