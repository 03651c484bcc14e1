"""Owns what other rules would do to a count: which values other criteria judge otherwise, whom that moves, and the
tally that would be. Pure; a property test holds it together with `licensing.recount`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from licensing.count import Tally
from licensing.criteria import CompiledCriteria
from licensing.factors import DIRECT_ROUTING, SERVICE_NUMBER, counted_name
from licensing.rules import FactsByFacet, profile_from_facts
from licensing.timeline import Kind, kind_of
from schemas.count import FactorName

Tried = Literal["voice", "dial_plan"]
"""A facet of which criteria try a value: the gateway of a user, the tag of a number."""

TRIED_FACT: dict[Tried, str] = {"voice": "gateway", "dial_plan": "tag"}
DECIDED = DIRECT_ROUTING | SERVICE_NUMBER
"""Bits of a profile that criteria decide; all others stay whatever the criteria are."""
DECIDING_FACTS = {
    "directory": ("deleted",),
    "voice": ("enterprise_voice", "gateway"),
    "phone_number": ("number_type",),
    "dial_plan": ("tag",),
    "service_number": ("held_by_user",),
}
"""Facts by facet that those bits depend on: other facts need not be read."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A subject whose profile or factors would be others: where it is counted now, and where it would be."""

    subject: str
    from_factor: FactorName | None
    to_factor: FactorName | None
    by_criteria: bool
    """Whether criteria or gateways would move it, and not the enabled factors alone."""

    @property
    def kind(self) -> Kind:
        """Seen from the licence count."""
        return kind_of(self.from_factor, self.to_factor)


def judges_alike(facet: Tried, value: str, one: CompiledCriteria, other: CompiledCriteria) -> bool:
    """Tell whether two sets of criteria come to the same about a gateway or a tag."""
    return _decided_by(facet, value, one) == _decided_by(facet, value, other)


def _decided_by(facet: Tried, value: str, criteria: CompiledCriteria) -> int:
    # Asked of somebody about whom nothing but this value decides, so that the rules stay in one place.
    facts: FactsByFacet = {facet: {TRIED_FACT[facet]: value}, "phone_number": {"number_type": "directRouting"}}
    return profile_from_facts("user:x" if facet == "voice" else "number:0", facts, criteria) & DECIDED


def rejudged(profile: int, decided: int) -> int:
    """Return a profile with other decided bits (`decided_bits`)."""
    return profile & ~DECIDED | decided


def decided_bits(subject: str, facts: FactsByFacet, criteria: CompiledCriteria) -> int:
    """Return the bits that the criteria decide of a subject; of its facts only `DECIDING_FACTS` are looked at."""
    return profile_from_facts(subject, facts, criteria) & DECIDED


@dataclass(frozen=True, slots=True)
class Difference:
    """From the enabled factors `before` to `after` (masks), with new profiles of those whom other criteria judge
    otherwise: `changed` by subject, as (old, new)."""

    before: int
    after: int
    changed: Mapping[str, tuple[int, int]]

    def tally(self, now: Tally) -> dict[int, int]:
        """Return the tally that would be."""
        then = Counter(self._unchanged(now))
        then.update(new for _, new in self.changed.values())
        return dict(then)

    def totals(self, now: Tally) -> dict[Kind, int]:
        """Return how many subjects would be gained, lost and moved."""
        found: dict[Kind, int] = {"gained": 0, "lost": 0, "moved": 0}
        pairs = Counter(self.changed.values())
        pairs.update({(profile, profile): number for profile, number in self._unchanged(now).items()})
        for (old, new), number in pairs.items():
            before, after = _factor(old, self.before), _factor(new, self.after)
            if before != after:
                found[kind_of(before, after)] += number
        return found

    def shifts(self, profiles: Iterable[tuple[str, int]]) -> Iterator[Shift]:
        """Yield the subjects that would be counted elsewhere, in the order given; `profiles` are those of now."""
        for subject, profile in profiles:
            pair = self.changed.get(subject, (profile, profile))
            before, after = _factor(pair[0], self.before), _factor(pair[1], self.after)
            if before != after:
                yield Shift(subject, before, after, pair[0] != pair[1])

    def _unchanged(self, now: Tally) -> dict[int, int]:
        # A count and the store that are a moment apart may disagree about a few: none is counted below nothing.
        left = Counter(now)
        left.subtract(old for old, _ in self.changed.values())
        return {profile: number for profile, number in left.items() if number > 0}


_factor = cache(counted_name)
