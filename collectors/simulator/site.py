"""Owns the making of a simulated tenant: its size, settings, people and numbers, from a random source of its own."""

import math
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from collectors.simulator.subjects import Line, NumberType, Person
from schemas.settings import TenantSettings

NAMES = (
    "fabrikam", "northwind", "adventure-works", "tailspin", "wingtip", "litware", "proseware", "woodgrove",
    "fourth-coffee", "alpine-ski", "bellows", "lucerne", "margies-travel", "trey-research", "van-arsdel", "wide-world",
    "humongous", "blue-yonder", "city-power", "coho",
)  # fmt: skip
_FIRST = (
    "Ana",
    "Ben",
    "Chloe",
    "David",
    "Elif",
    "Femi",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaya",
    "Liam",
    "Mina",
    "Noah",
    "Olga",
)
_LAST = (
    "Adler",
    "Baum",
    "Costa",
    "Diaz",
    "Evans",
    "Fischer",
    "Garcia",
    "Haas",
    "Ito",
    "Jensen",
    "Kaur",
    "Lopez",
    "Moreau",
    "Novak",
)
_SERVICES = (("fax", "fax"), ("emergency", "emergency"), ("reception", "auto_attendant"), ("bridge", "conference"))
MEDIAN_USERS, SPREAD, LEAST_USERS, MOST_USERS = 120, 1.1, 12, 6_000
"""Tenant sizes are log-normal: most are small, a few are big."""


@dataclass(slots=True)
class Site:
    """A simulated tenant. `rng` is its own, so that tenants do not disturb one another."""

    tenant: str
    rng: Random
    gateway: str
    people: list[Person] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    numbers_given: int = 0
    settings: TenantSettings | None = None

    def tally(self) -> Counter[int]:
        """Return the number of subjects by profile, those that match nothing left out."""
        tally = Counter(subject.profile() for subject in self.subjects())
        del tally[0]
        return tally

    def subjects(self) -> Iterator[Person | Line]:
        yield from self.people
        yield from self.lines

    def next_number(self) -> str:
        self.numbers_given += 1
        return f"+1555{self.numbers_given:07d}"

    def new_person(self, start: datetime) -> Person:
        """Return somebody with what people of such a tenant have."""
        rng = self.rng
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        identity = uuid.UUID(int=rng.getrandbits(128), version=4)
        person = Person(
            str(identity), f"{first} {last}", f"{first.lower()}.{last.lower()}.{identity.hex[:4]}@{self.tenant}.example"
        )
        # Of the id, which is random, and not of the generator: all else that follows from a seed stays.
        person.is_blocked = identity.int % 50 == 0
        person.skus = ("SPE_E5",) if rng.random() < 0.6 else ("SPE_E3",)
        kind = rng.random()
        if kind < 0.50:
            self.give_number(person, "directRouting")
        elif kind < 0.72:
            self.give_number(person, "operatorConnect")
        elif kind < 0.78:
            self.give_number(person, "callingPlan")
        if rng.random() < 0.12:
            person.groups = ("template-standard",)
        if rng.random() < 0.06:
            person.by_hand_at = start - timedelta(days=identity.int % 200)
        return person

    def give_number(self, person: Person, number_type: NumberType) -> None:
        """Make somebody a Teams Phone user with a number of this type."""
        if "SPE_E5" not in person.skus and "MCOEV" not in person.skus:
            person.skus += ("MCOEV",)
        person.teams_phone = True
        person.number = person.number or self.next_number()
        person.number_type = number_type
        person.gateway = self.gateway if number_type == "directRouting" else None

    def new_line(self) -> Line:
        """Return a number of the dial plan: most lead to the gateway, the others serve something."""
        number = self.next_number()
        if self.rng.random() < 0.6:
            return Line(number, self.gateway, "site", is_routed=True)
        tag, kind = self.rng.choice(_SERVICES)
        return Line(number, tag, tag, kind if kind in ("auto_attendant", "conference") else None)


def make_site(seed: int, place: int, start: datetime) -> Site:
    """Return the tenant of this place; the same for the same seed."""
    name = NAMES[place % len(NAMES)] + (f"-{place // len(NAMES) + 1}" if place >= len(NAMES) else "")
    rng = Random(f"{seed}/{name}")  # repeatable, and nothing to guard
    site = Site(name, rng, f"sbc1.{name}.example")
    users = round(rng.lognormvariate(math.log(MEDIAN_USERS), SPREAD))
    for _ in range(min(max(users, LEAST_USERS), MOST_USERS)):
        site.people.append(site.new_person(start))
    for _ in range(max(2, len(site.people) // 15)):
        site.lines.append(site.new_line())
    counted = sum(count for profile, count in site.tally().items() if profile & 31)
    site.settings = TenantSettings(
        tenant=name,
        display_name=name.replace("-", " ").title(),
        acquired_licenses=math.ceil(counted * rng.choice((0.97, 1.03, 1.1, 1.2, 1.4)) / 5) * 5,
        gateways=[site.gateway],
        ms_tenant_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        customer_guid=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    )
    return site
