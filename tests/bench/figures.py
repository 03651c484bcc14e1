"""What the bench found, and the bars it is held to (docs/performance.md)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Literal

Bound = Literal["at least", "at most"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the report. With a peer, `bar` and `aim` are of the ratio to it; else of the figure itself.

    `runs`, `peer_runs`: every figure that was measured, of which the best counts; `note`: what it was measured on.
    """

    name: str
    value: float
    unit: str
    bound: Bound = "at least"
    bar: float | None = None
    aim: float | None = None
    peer: str = ""
    peer_value: float | None = None
    note: str = ""
    runs: Sequence[float] = field(default_factory=list)
    peer_runs: Sequence[float] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """How many times the peer's figure this is; None without a peer."""
        return None if self.peer_value is None else self.value / self.peer_value

    def meets(self, limit: float | None) -> bool | None:
        """Tell whether a bar or an aim is met; None where there is none."""
        if limit is None:
            return None
        judged = self.value if self.ratio is None else self.ratio
        return judged >= limit if self.bound == "at least" else judged <= limit


@dataclass(frozen=True, slots=True)
class Missing:
    """A measurement that gave no figure, and why."""

    name: str
    why: str


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of at least two values."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]
