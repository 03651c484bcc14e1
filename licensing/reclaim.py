"""Owns which counted subjects may be wasting a seat, for which reason, and whether acting on it frees one. Pure.

A subject may be found for several reasons; it frees one seat at most.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from licensing.factors import ALL, BY_NAME, SERVICE_NUMBER, USER_INTERFACE, counted_factor, counted_name
from schemas.count import FactorName
from schemas.events import FacetName

Reason = Literal[
    "disabled_account", "not_in_directory", "old_hand_change", "no_teams_phone", "near_miss_tag", "two_reasons"
]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""In the order in which those of one subject are listed."""

FACETS_OF: Mapping[Reason, Sequence[FacetName]] = {
    "disabled_account": ("directory",),
    "not_in_directory": ("directory",),
    "old_hand_change": ("interface",),
    "no_teams_phone": ("subscription",),
    "near_miss_tag": ("dial_plan", "service_number"),
    "two_reasons": ("phone_number", "voice", "lifecycle", "interface"),
}
"""The facets that a reason rests on."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What of a counted subject tells of waste; None = not known."""

    subject: str
    profile: int
    in_directory: bool = False
    """Whether the directory was ever observed to know it."""
    account_enabled: bool | None = None
    teams_phone: bool | None = None
    changed_at: datetime | None = None
    """When it was last changed by hand; when that was observed, where the time of the change is not told."""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Judging:
    """What the subjects of a tenant are judged by: enabled factors, since when a change by hand is no longer old, and
    the tags that nearly are what the criteria look for (`licensing.near_miss`)."""

    enabled: int
    hand_changes_before: datetime
    near_tags: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reclaimable:
    """A counted subject that may be wasting a seat. `saving`: seats freed by acting on this reason, 1 or 0."""

    subject: str
    reason: Reason
    factor: FactorName
    also: FactorName | None
    """Where it would be counted if its factor were switched off; None = nowhere."""
    saving: Literal[0, 1]


def reclaimable(counted: Sequence[Signals], judging: Judging) -> Iterator[Reclaimable]:
    """Yield what may be reclaimed of the counted subjects of a tenant, in their order, by reason within one."""
    # Where no directory is read at all, that it does not know somebody says nothing.
    has_directory = any(signals.in_directory for signals in counted)
    for signals in counted:
        factor = counted_factor(signals.profile, judging.enabled)
        if factor is None:
            continue
        also = counted_name(signals.profile, judging.enabled & ~factor.bit)
        for reason in _reasons(signals, judging, has_directory):
            # Several factors are no waste by themselves: they only mean that switching one off does not help.
            yield Reclaimable(signals.subject, reason, factor.name, also, 0 if reason == "two_reasons" else 1)


def _reasons(signals: Signals, judging: Judging, has_directory: bool) -> Iterator[Reason]:
    matched = signals.profile & ALL
    is_user = not matched & SERVICE_NUMBER
    if signals.account_enabled is False:
        yield "disabled_account"
    if is_user and has_directory and not signals.in_directory:
        yield "not_in_directory"
    if (
        matched == USER_INTERFACE
        and signals.changed_at is not None
        and signals.changed_at < judging.hand_changes_before
    ):
        yield "old_hand_change"
    if is_user and signals.teams_phone is False:
        yield "no_teams_phone"
    if not is_user and signals.tag in judging.near_tags:
        yield "near_miss_tag"
    enabled = matched & judging.enabled
    if enabled & (enabled - 1):
        yield "two_reasons"


def seats_saved(found: Iterable[Reclaimable]) -> int:
    """Return how many seats acting on all of it would free: each subject once."""
    return len({each.subject for each in found if each.saving})


def why(found: Reclaimable, near: Sequence[str] = ()) -> str:
    """Return why a subject is on the list and what frees its seat, or why nothing does. `near`: what its tag misses."""
    here = BY_NAME[found.factor].label
    also = f" It also matches {BY_NAME[found.also].label}: both have to end." if found.also else ""
    if found.reason == "disabled_account":
        return f"The account is disabled and still counted at {here}. Take away what it is counted by.{also}"
    if found.reason == "not_in_directory":
        return (
            f"The directory does not know this user, who is still counted at {here}: the account was probably"
            f" deleted. Check it, and take away what it is counted by.{also}"
        )
    if found.reason == "old_hand_change":
        return "An old change by hand is all it is counted by. Take the change back, if nobody needs it any more."
    if found.reason == "no_teams_phone":
        return (
            f"The user has no Teams Phone licence, so cannot make calls, and is still counted at {here}. Assign the"
            f" licence, or take away what it is counted by.{also}"
        )
    if found.reason == "near_miss_tag":
        return (
            f"The dial-plan tag is one character away from {' and '.join(near)}. Written so, the number would be a"
            " Direct Routing number and no service number. Correct the tag."
        )
    fallback = BY_NAME[found.also].label if found.also else "nowhere"
    return (
        f"Counted at {here}, and without that at {fallback}: switching off one factor does not free the seat, only"
        " taking away both does."
    )
