"""Owns the mass-removal guard (LICENSE-FACTORS §5): may a sync sweep, or would it remove suspiciously many?"""

from dataclasses import dataclass
from typing import Literal

MIN_SHARE = 0.7
MIN_FEWER = 20
SAME_SHARE = 0.1

Status = Literal["completed", "confirmed", "held", "empty"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a sync, and why in words. `completed` and `confirmed` sweep; `held` and `empty` sweep nothing."""

    status: Status
    reason: str

    @property
    def sweeps(self) -> bool:
        return self.status in ("completed", "confirmed")


def judge(*, answered: int, seen: int, expected: int | None, held_seen: int | None, confirmed: bool) -> Verdict:
    """Judge a sync of (tenant, facet, source).

    `answered`: things the source told of at all; `seen`: subjects with this facet among them; `expected`: subjects
    that the last completed sync saw (None: there was none); `held_seen`: subjects that an earlier sync saw which is
    still held (None: none is); `confirmed`: a person lets it through.
    """
    if answered == 0:
        return Verdict("empty", "the source answered nothing, and that never completes a sync: check the source")
    if expected is None or not is_suspicious(seen, expected):
        return Verdict(
            "completed", f"{seen:,} seen, {'none' if expected is None else f'{expected:,}'} by the sync before"
        )
    fewer = f"{seen:,} seen where the last sync saw {expected:,}"
    if confirmed:
        return Verdict("confirmed", f"{fewer}: let through by a person")
    if held_seen is not None and is_same(seen, held_seen):
        return Verdict(
            "confirmed", f"{fewer}: let through, for the held sync before saw about the same ({held_seen:,})"
        )
    return Verdict(
        "held",
        f"{fewer}: {expected - seen:,} subjects would be removed. If that is right, let it through (`poolwatch sync"
        " confirm`, or --confirm-removals); a second sync that sees about the same goes through by itself",
    )


def is_suspicious(seen: int, expected: int) -> bool:
    """Tell whether a sync would remove suspiciously many: below 70 % of the last, and at least 20 fewer."""
    return seen < MIN_SHARE * expected and expected - seen >= MIN_FEWER


def is_same(seen: int, held_seen: int) -> bool:
    """Tell whether two syncs saw about the same: within 10 % of the earlier one."""
    return abs(seen - held_seen) <= SAME_SHARE * held_seen
