"""Owns asking a tenant's directory, with the settings there are, whether Graph can be read, and where an administrator
of the tenant consents to it."""

import contextlib
from collections.abc import Mapping
from typing import Any

import httpx

from collectors.graph.api.client import GraphClient
from collectors.graph.api.clouds import CLOUDS, Cloud, GraphTenant
from collectors.graph.api.limits import Limits
from collectors.graph.api.tokens import MsalTokens, admin_consent_address
from collectors.graph.check import ANSWER_S, Report, check
from runtime.graph_access import credential, graph_tenant
from runtime.settings import Graph
from schemas.settings import CloudName, TenantSettings
from schemas.settings import Graph as TenantGraph


async def run_check(
    graph: Graph, tenant: TenantSettings, *, clouds: Mapping[CloudName, Cloud] = CLOUDS, login_http: Any = None
) -> Report:
    """Sign in to the tenant and ask. `login_http` is msal's seam. Raises GraphSetupError before anything is asked."""
    access = graph_tenant(tenant, clouds)
    wanted = tenant.graph or TenantGraph()  # `graph_tenant` has refused a tenant without
    async with contextlib.AsyncExitStack() as stack:
        tokens = MsalTokens(graph.client_id or "", credential(graph), http_client=login_http)
        stack.callback(tokens.close)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=ANSWER_S))
        client = GraphClient(http, tokens, Limits())
        notifications = graph.notification_url is not None
        return await check(client, tokens, access, wanted, beta=graph.beta, notifications=notifications)


def consent_address(graph: Graph, tenant: GraphTenant) -> str:
    """Return the page on which an administrator of the tenant consents; without the place to lead back to, if the
    settings name none."""
    back = graph.consent_redirect_url
    address = admin_consent_address(tenant, graph.client_id or "", back or "", tenant.tenant)
    return address if back else str(httpx.URL(address).copy_remove_param("redirect_uri"))
