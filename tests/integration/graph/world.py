"""A tenant in the fake Graph, the client that reads it, and what was published of it: what both make of the count."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from collectors.graph.api.client import GraphClient
from collectors.graph.api.clouds import Cloud, GraphTenant
from collectors.graph.api.errors import Call, SignInError
from collectors.graph.reading.rounds import Outlet, Round, full_round
from collectors.graph.reading.sources import Accounts, Numbers, Source, Users
from collectors.publisher import MemoryPublisher
from licensing.factors import ALL, counted_factor
from schemas.commands import SyncRun
from schemas.settings import TenantSettings
from tests.support.graph import FakeGraph, FakeTenant
from tests.support.graph.expected import expected_factors
from tests.unit.collectors.importing import PARTITIONS, MemoryHistory, events_of, profiles_of

NUMBER_KINDS = ("directRouting", "operatorConnect", "callingPlan")


class IssuedTokens:
    """Has tokens without signing in: `test_fake_graph` and `test_tokens` look at that."""

    def __init__(self, graph: FakeGraph) -> None:
        self._graph = graph
        self._held: dict[str, str] = {}
        self.refused = False

    async def token(self, tenant: GraphTenant) -> str:
        if self.refused:
            raise SignInError(Call(tenant.tenant, "sign-in"))
        if tenant.ms_tenant_id not in self._held:
            self._held[tenant.ms_tenant_id] = self._graph.sign_in.issue(tenant.ms_tenant_id)
        return self._held[tenant.ms_tenant_id]

    def reject(self, tenant: GraphTenant, claims: str | None) -> None:
        del claims
        self._held.pop(tenant.ms_tenant_id)


@dataclass
class World:
    """A tenant in the fake, a client that reads it, and all that was published so far."""

    graph: FakeGraph
    acme: FakeTenant
    client: GraphClient
    tokens: IssuedTokens
    published: MemoryPublisher = field(default_factory=lambda: MemoryPublisher(PARTITIONS))
    history: MemoryHistory = field(default_factory=MemoryHistory)

    @property
    def tenant(self) -> GraphTenant:
        return GraphTenant("acme", self.acme.ms_tenant_id, Cloud("https://login", self.graph.origin, True))

    @property
    def outlet(self) -> Outlet:
        return Outlet(self.published, PARTITIONS, self.history, lambda: datetime.now(UTC))

    async def full(self, source: Source) -> Round:
        brought = await full_round(self.client, self.tenant, source, self.outlet)
        self.note_syncs()
        return brought

    def note_syncs(self) -> None:
        """Let the history know the syncs that were told of."""
        for record in self.published.records:
            if record.topic == "commands":
                run = SyncRun.model_validate_json(record.value)
                self.history.runs = [other for other in self.history.runs if other.id != run.id] + [run]

    async def full_of_all(self) -> list[Round]:
        accounts = Accounts()
        brought = [await self.full(Users({})), await self.full(accounts)]
        return [*brought, await self.full(Numbers(accounts.kinds))]

    def counted(self) -> dict[str, str]:
        """Return who is counted, and as what, by what was published."""
        profiles = profiles_of(events_of(self.published), TenantSettings(tenant="acme"))
        factors = {subject: counted_factor(profile, ALL) for subject, profile in profiles.items()}
        return {subject: factor.name for subject, factor in factors.items() if factor is not None}

    def held(self, *template_groups: str) -> dict[str, str]:
        """Return the same from what the tenant is."""
        return expected_factors(self.acme, *template_groups)


def hire(tenant: FakeTenant, number: int, kind: str | None) -> str:
    user = tenant.add_user()
    if kind is not None:
        tenant.assign_number(user, f"+3319900{number:04d}", kind)  # type: ignore[arg-type]
    return user


def at_random(tenant: FakeTenant, chance: Random, turn: int) -> None:
    """Let something happen in a tenant."""
    present = sorted(set(tenant.users) - set(tenant.removed))
    what = chance.randrange(6)
    if what == 0 or not present:
        hire(tenant, 1_000 + turn, chance.choice((*NUMBER_KINDS, None)))
    elif what == 1:
        tenant.remove_user(chance.choice(present), hard=chance.random() < 0.5)
    elif what == 2 and "changed" in tenant.removed.values():
        tenant.restore_user(chance.choice([user for user, how in sorted(tenant.removed.items()) if how == "changed"]))
    elif what == 3 and tenant.numbers:
        tenant.unassign_number(chance.choice(sorted(tenant.numbers)))
    elif what == 4:
        tenant.set_voice(chance.choice(present), enabled=chance.random() < 0.5)
    else:
        tenant.change_user(chance.choice(present), displayName=f"Renamed {turn}")
