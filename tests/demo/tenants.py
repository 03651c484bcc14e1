"""Owns the customers of the demo: what each one's Microsoft tenant holds, and how many licences that makes."""

from dataclasses import dataclass
from itertools import count
from typing import Final

from tests.support.graph import FakeGraph, FakeTenant
from tests.support.graph.collecting import expected_count
from tests.support.graph.teams import NumberKind


@dataclass(frozen=True, slots=True)
class Size:
    """How many there are of what; the rest of the users have no number."""

    users: int
    direct_routing: int
    operator_connect: int
    calling_plan: int = 0
    attendants: int = 0


@dataclass(slots=True)
class Customer:
    """A tenant as Poolwatch names it, and the one of the fake that it is."""

    name: str
    fake: FakeTenant
    acquired: int
    template_groups: list[str]
    _next_line: "count[int]"

    def number(self) -> str:
        """Return a number that nobody has."""
        return f"+331{next(self._next_line):08d}"

    def hire(self, kind: NumberKind = "directRouting") -> None:
        """Let somebody begin to work, with a licence and a number."""
        user = self.fake.add_user()
        self.fake.assign_number(user, self.number(), kind)
        # Teams notifies of nothing: what can be heard of comes last.
        self.fake.set_licenses(user, "MCOEV")

    def expected(self) -> int:
        """Return how many licences Poolwatch has to arrive at. Nobody in a template group has a number here, or that
        person would be counted twice."""
        groups = self.template_groups
        members = {member for group in groups for member in self.fake.transitive_members(group)}
        return expected_count(self.fake) + len(members & self.fake.users.keys())


_SIZES: Final = {
    "contoso": Size(5_000, 2_600, 900, calling_plan=300, attendants=12),
    "fabrikam": Size(900, 340, 210, attendants=4),
    "northwind": Size(160, 120, 0, calling_plan=10, attendants=1),
    "tailspin": Size(60, 0, 45),
}


def customers(graph: FakeGraph) -> dict[str, Customer]:
    """Fill the fake; the first customer has all there is, a nested template group and a resource account as well."""
    made = {name: _customer(graph.add_tenant(), name, size) for name, size in _SIZES.items()}
    contoso = made["contoso"]
    everybody = list(contoso.fake.users)
    night = contoso.fake.add_group("TPL-Frontline-Night", everybody[-25:])
    contoso.template_groups.append(contoso.fake.add_group("TPL-Frontline", [*everybody[-65:-25], night]))
    account = contoso.fake.add_user()
    contoso.fake.set_licenses(account, "PHONESYSTEM_VIRTUALUSER")
    contoso.fake.set_voice(account, enabled=False, account_type="resourceAccount")
    contoso.fake.assign_number(account, contoso.number())
    return made


def _customer(fake: FakeTenant, name: str, size: Size) -> Customer:
    kinds: list[NumberKind] = [
        *["directRouting"] * size.direct_routing,  # type: ignore[list-item]
        *["operatorConnect"] * size.operator_connect,  # type: ignore[list-item]
        *["callingPlan"] * size.calling_plan,  # type: ignore[list-item]
    ]
    customer = Customer(name, fake, (len(kinds) + size.attendants) * 11 // 10, [], count(1))
    fake.own_sku("MCOEV", len(kinds) + 20)
    for kind in kinds:
        customer.hire(kind)
    for _ in range(size.users - len(kinds)):
        fake.add_user()
    for _ in range(size.attendants):
        attendant = fake.add_user()
        fake.set_voice(attendant, enabled=False, account_type="resourceAccount")
        fake.assign_number(attendant, customer.number(), status="voiceApplicationAssigned")
    return customer
