"""Owns a subject's factor over time: its profiles joined with the enabled factors, both as recorded (DESIGN §3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from licensing.factors import counted_factor
from schemas.count import FactorName


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
    def kind(self) -> str:
        """`gained`, `lost` or `moved`, seen from the licence count."""
        return "gained" if self.from_factor is None else "lost" if self.to_factor is None else "moved"


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
        counted = counted_factor(profile, mask)
        now = counted.name if counted else None
        if now != factor:
            found.append(Move(at, factor, now, profile == profile_before))
            factor = now
    return found


def since(found: Sequence[Move]) -> datetime | None:
    """Return when the subject came to the factor that it has now, None where it was never counted."""
    return found[-1].at if found else None
