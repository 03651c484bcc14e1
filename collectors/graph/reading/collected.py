"""Owns what a collector remembers of a tenant between two errands."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from collectors.graph.api.clouds import GraphTenant
from collectors.graph.mapping.plans import Sku, teams_phone_seats
from collectors.graph.notify.subscriptions import Kept
from collectors.graph.reading.lifecycle import Groups
from collectors.graph.reading.parts import FACETS, PartStates
from collectors.graph.reading.sources import Accounts, Applications, Kinds, Users
from collectors.graph.reading.told import Known
from schemas.commands import SourceHint
from schemas.events import FacetName
from schemas.sources import Part


@dataclass(slots=True)
class Collected:
    """A tenant and what is known of it. Nothing of it is a fact: those are hashed or gone."""

    tenant: GraphTenant
    parts: PartStates
    template_groups: tuple[str, ...] = ()
    users: Users = field(default_factory=lambda: Users({}))
    accounts: Accounts = field(default_factory=Accounts)
    applications: Applications = field(default_factory=dict)
    groups: Groups = field(init=False)
    known: dict[Part, Known] = field(default_factory=dict)
    """What each list without a delta told last; a part that is not in it needs a full reading."""
    read_whole: set[Part] = field(default_factory=set)
    """Parts that this process has read to their end: only then what it remembers of them is complete."""
    unjudged: set[Part] = field(default_factory=set)
    """Parts whose last full sync nobody could judge: it is to be repeated as soon as the history answers."""
    retired: set[Part] = field(default_factory=set)
    """Parts that settings ask for no more, and whose facts are swept."""
    disturbed: set[FacetName] = field(default_factory=set)
    """Facets that another source has told of."""
    skus: list[Sku] = field(default_factory=list)
    synced: bool = False
    """Whether a full errand has been run: before that, one for changes reads no lists."""
    hints: list[SourceHint] | None = None
    kept: Kept | None = None
    removals: int = 0
    """How often a subscription was said to be removed, also while they are looked after."""
    to_reauthorize: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.groups = Groups(self.template_groups)

    @property
    def kinds(self) -> Kinds:
        """What the holders of numbers are, by their account or their licence."""
        return {**dict.fromkeys(self.users.resource_accounts, "resource_account"), **self.accounts.kinds}

    def current_hints(self) -> list[SourceHint]:
        """Return what a count should say of the tenant's sources."""
        seats, _ = teams_phone_seats(self.skus)
        hints: list[SourceHint] = ["source_failing"] if self.parts.is_failing() else []
        if self.skus and seats < len(self.accounts.enabled):
            hints.append("few_teams_phone_licences")
        return hints

    def settle(self, facets: Iterable[FacetName]) -> set[Part]:
        """Let what another source has told of be news again, and return the parts with a delta, which tell it only when
        they are read whole."""
        disturbed = {part for part, told in FACETS.items() if set(told) & set(facets)}
        for part in disturbed & self.known.keys():
            for facet in FACETS[part]:
                self.known[part].doubt(facet)
        return disturbed & {"users"}
