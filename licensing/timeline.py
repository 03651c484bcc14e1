"""Owns a subject's factor over time: its profiles joined with the enabled factors, both as recorded (DESIGN §3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Literal

from licensing.factors import counted_name
from schemas.count import FactorName

Kind = Literal["gained", "lost", "moved"]


def kind_of(before: FactorName | None, after: FactorName | None) -> Kind:
    """Return what a change from one factor to another is, seen from the licence count (None = not counted)."""
    return "gained" if before is None else "lost" if after is None else "moved"


@dataclass(frozen=True, slots=True)
class Move:
    """A subject's change from one factor to another (None = not counted).

    `by_settings`: switches moved it, not its facts.
    """

    at: datetime
    from_factor: FactorName | None
    to_factor: FactorName | None
    by_settings: bool

    @property
    def kind(self) -> Kind:
        """Seen from the licence count."""
        return kind_of(self.from_factor, self.to_factor)


def moves(
    profiles: Sequence[tuple[datetime, int]], masks: Sequence[tuple[datetime, int]], default_mask: int
) -> list[Move]:
    """Return the moves of one subject, oldest first.

    `profiles`: its profiles, each from its instant on; `masks`: the enabled factors likewise; `default_mask` held
    before the first of them. Of several at one instant the last in the sequence counts.
    """
    events = sorted(
        [(at, 0, mask) for at, mask in masks] + [(at, 1, profile) for at, profile in profiles], key=itemgetter(0, 1)
    )
    mask, profile = default_mask, 0
    factor: FactorName | None = None
    found: list[Move] = []
    for at, group in groupby(events, key=itemgetter(0)):
        profile_before = profile
        for _, is_profile, value in group:
            if is_profile:
                profile = value
            else:
                mask = value
        now = counted_name(profile, mask)
        if now != factor:
            found.append(Move(at, factor, now, profile == profile_before))
            factor = now
    return found


def since(found: Sequence[Move]) -> datetime | None:
    """Return when the subject came to the factor that it has now, None where it was never counted."""
    return found[-1].at if found else None
