"""Owns the memory of what a list last told: a hash of the facts of each subject, so that only what differs goes out
again. It holds no facts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.events import FacetName

Told = dict[FacetName, dict[str, int | None]]
"""Hash of the facts by facet and subject. None: something went out and nobody knows whether it has arrived, so that
whatever comes next is news."""


def digest(facts: Mapping[str, Any]) -> int:
    """Return the hash of facts; good within this process."""
    return hash(msgspec.json.encode(facts, order="deterministic"))


def note(told: Told, known: Told | None, facet: FacetName, subject: str, facts: Mapping[str, Any] | None) -> bool:
    """Note what a reading tells of a subject, and return whether it differs from what was told last: earlier in this
    reading, else by the one before. A clear always does.

    What differs is doubted in `known` until the reading is through. Without anything `known` all is news, and only who
    was seen is noted.
    """
    here = told.setdefault(facet, {})
    if facts is None:
        here.pop(subject, None)
        return True
    if known is None:
        here[subject] = None
        return True
    there = known.setdefault(facet, {})
    mark = digest(facts)
    before = here.get(subject, there.get(subject))
    here[subject] = mark
    if before == mark:
        return False
    there[subject] = None
    return True


@dataclass(slots=True)
class Known:
    """What is known of a list: what it told last, and how many subjects the last full sync that went through saw."""

    told: Told = field(default_factory=dict)
    synced: dict[FacetName, int] = field(default_factory=dict)

    def gone(self, told: Told, facet: FacetName) -> list[str]:
        """Return the subjects that the list told of before and does not any more."""
        return sorted(self.told.get(facet, {}).keys() - told.get(facet, {}).keys())

    def before(self, facet: FacetName) -> int:
        """Return how many subjects a reading is to be compared with. Not with the last reading alone: a list that
        shrinks a little at each poll would empty a tenant with nobody having judged it."""
        return max(self.synced.get(facet, 0), len(self.told.get(facet, ())))

    def doubt(self, facet: FacetName) -> None:
        """Let everything that the list tells of a facet be news the next time, for another source has told of it."""
        self.told[facet] = dict.fromkeys(self.told.get(facet, ()))

    def merge(self, told: Told) -> None:
        """Take over what was told, and keep the rest."""
        for facet, subjects in told.items():
            self.told.setdefault(facet, {}).update(subjects)

    def replace(self, told: Told, facets: Collection[FacetName], *, synced: bool) -> None:
        """Take over what was told, and nothing else; `synced`: a full sync of it went through."""
        for facet in facets:
            self.told[facet] = told.get(facet, {})
            if synced:
                self.synced[facet] = len(self.told[facet])
