"""Owns which changes a list shows: of one kind, at one factor, or all. Pure."""

from dataclasses import dataclass

from licensing.factors import FACTORS
from portal.answers.changes import Item

ALL = "all"
KINDS = {ALL: "All kinds", "gained": "Gained", "lost": "Lost", "moved": "Moved", "settings": "Settings"}
FILTER_FACTORS = {ALL: "All factors"} | {factor.name: factor.label for factor in FACTORS}


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """What is asked for; anything that is not known is taken for all."""

    kind: str = ALL
    factor: str = ALL

    @classmethod
    def asked(cls, kind: str, factor: str) -> "ChangeFilter":
        """Return the filter that an address asks for."""
        return cls(kind if kind in KINDS else ALL, factor if factor in FILTER_FACTORS else ALL)

    def wants(self, item: Item) -> bool:
        """Tell whether an item is shown. A change of settings is one of the factors that it moved subjects at."""
        shown = item.shown
        if self.kind not in (ALL, shown["kind"]):
            return False
        if self.factor == ALL:
            return True
        factors = shown["factors"] if shown["kind"] == "settings" else (shown["from_factor"], shown["to_factor"])
        return self.factor in factors

    def query(self) -> dict[str, str]:
        """Return it as parameters of an address."""
        return {name: value for name, value in (("kind", self.kind), ("factor", self.factor)) if value != ALL}
