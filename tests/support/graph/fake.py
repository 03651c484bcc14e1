"""Owns the fake Microsoft Graph as a whole: its tenants, what it was asked, and the way of a request through it."""

import asyncio
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.graph.answers import Answer, RefusedError, failure
from tests.support.graph.calls import Call
from tests.support.graph.directory import Change, FakeTenant
from tests.support.graph.faults import Damage, Faults
from tests.support.graph.notifications import Notifier
from tests.support.graph.routes import plain, route
from tests.support.graph.sign_in import SignIn
from tests.support.graph.subscriptions import Subscriptions

_LOGIN = re.compile(r"/([^/]+)/(oauth2/v2\.0/token|v2\.0/\.well-known/openid-configuration)")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came, without its token and its body. `tenant` is the one the token is for."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    tenant: str | None
    in_batch: bool


class FakeGraph:
    """A Graph in memory with the tenants that a test adds. It listens at `origin`; `url` is that with the version."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.url = f"{origin}/v1.0"
        self.tenants: dict[str, FakeTenant] = {}
        self.sign_in = SignIn(self.tenants, origin)
        self.faults = Faults()
        self.notifier = Notifier()
        self.subscriptions = Subscriptions(self.notifier)
        self.requests: list[Request] = []
        self.number_links = True
        """Whether numberAssignments sends a link to the next page: the documentation does not say."""

    def add_tenant(self, ms_tenant_id: str | None = None) -> FakeTenant:
        """Add an empty tenant; its id is invented, the same in every run, unless given."""
        tenant = FakeTenant(ms_tenant_id or str(uuid.uuid5(uuid.NAMESPACE_DNS, f"tenant-{len(self.tenants)}")))

        def tell(change: Change) -> None:
            if not self.faults.drop_notifications:
                self.subscriptions.tell(tenant.ms_tenant_id, change)

        tenant.on_change = tell
        self.tenants[tenant.ms_tenant_id] = tenant
        return tenant

    def requests_to(self, path: str, tenant: str | None = None) -> list[Request]:
        """Return what was asked of paths that begin so, of one tenant or of all."""
        return [
            request for request in list(self.requests)
            if request.path.startswith(path) and tenant in (None, request.tenant)
        ]  # fmt: skip

    async def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Any,
        *,
        in_batch: bool = False,
    ) -> tuple[Answer, Damage | None]:
        """Answer a request, or go wrong as planned; `headers` have lower-case names, `body` is JSON or a form."""
        path = plain(path)
        tenant = self._tenant_of(path, headers)
        shown = {name: value for name, value in headers.items() if name != "authorization"}
        self.requests.append(Request(method, path, dict(query), shown, tenant, in_batch))
        fault = self.faults.take(path, tenant)
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
        if fault is not None and fault.answer is not None:
            answer = fault.answer
        else:
            answer = await self._true_answer(method, path, query, headers, body)
        if isinstance(answer.body, dict) and "@odata.nextLink" in answer.body:
            self.faults.page_given(path)
        return answer, fault.damage if fault else None

    async def _true_answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Answer:
        if login := _LOGIN.fullmatch(path):
            if login[2].endswith("token"):
                return self.sign_in.token(login[1], body)
            return self.sign_in.discovery(login[1])
        try:
            if not path.startswith(("/v1.0/", "/beta/")):
                raise RefusedError(failure(400, "BadRequest", "Invalid version."))
            issued = self.sign_in.check(headers)
            tenant = self.tenants[issued.ms_tenant_id]
            # What beta has beyond v1.0 keeps its version in its route.
            below = path.removeprefix("/v1.0")
            return await route(Call(self, tenant, method, below, query, headers, issued.roles, body))
        except RefusedError as refused:
            return refused.answer

    def _tenant_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        if login := _LOGIN.fullmatch(path):
            return login[1]
        issued = self.sign_in.known(headers)
        return issued.ms_tenant_id if issued else None
