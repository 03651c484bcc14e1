"""Owns the list of tenants: which are found, in which order, a page at a time; the API and the overview ask alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import nsmallest
from itertools import chain
from typing import Literal

from licensing.alerts.limits import is_alerting
from portal.answers.context import Context
from portal.pagination import decode_cursor, encode_cursor
from schemas.count import Count, Hint

Sort = Literal["tenant", "usage", "licensed", "available"]

SPARKLINE_DAYS = 30

_LAST = float("inf")
# Highest usage and most licences first, fewest available first; tenants without a pool last.
_KEYS: dict[Sort, Callable[[Count], float]] = {
    "tenant": lambda _: 0.0,
    "usage": lambda count: _LAST if count.usage_percent is None else -count.usage_percent,
    "licensed": lambda count: -float(count.currently_licensed),
    "available": lambda count: _LAST if count.available_licenses is None else float(count.available_licenses),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tenants are asked for; all conditions hold for each that is found."""

    search: str = ""
    """In tenant id or display name, in any case."""
    over: float | None = None
    """Usage of at least this percent."""
    over_pool: bool = False
    """More licences in use than were acquired."""
    stale: bool | None = None
    hint: Hint | None = None
    alerting: bool | None = None
    """At its warning limit or beyond: the tenant's own, else the provider's."""
    sort: Sort = "tenant"


@dataclass(frozen=True, slots=True)
class Page:
    """Counts of one page, how many are found in all, and where the next page begins."""

    counts: Sequence[Count]
    total: int
    next_cursor: str | None


def find_tenants(context: Context, wanted: Wanted, sees: Callable[[str], bool], limit: int, cursor: str | None) -> Page:
    """Return a page of the tenants that are wanted and that `sees` lets through. Raises Problem 422 for a cursor that
    this list did not give."""
    # An infinite key is not JSON: the cursor carries None for it.
    after = decode_cursor(cursor, tuple[float | None, str])
    place = None if after is None else (_LAST if after[0] is None else after[0], after[1])
    key = _KEYS[wanted.sort]
    found = [(key(count), count.tenant, count) for count in _known(context, wanted, sees)]
    rest = found if place is None else [entry for entry in found if entry[:2] > place]
    # A page of thousands: finding its smallest is faster than sorting all.
    here = nsmallest(limit + 1, rest)
    following = None
    if len(here) > limit:
        last = here[limit - 1]
        following = encode_cursor(None if last[0] == _LAST else last[0], last[1])
    return Page([entry[2] for entry in here[:limit]], len(found), following)


async def sparklines(context: Context, tenants: Sequence[str]) -> Mapping[str, list[int]]:
    """Return the highest count of each of the last days (UTC), today last, by tenant; see `portal.ports.Store`."""
    midnight = context.now().replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = midnight - timedelta(days=SPARKLINE_DAYS - 1), midnight + timedelta(days=1)
    return await context.read(lambda: context.services.store.sparklines(tenants, start, end, SPARKLINE_DAYS))


def _known(context: Context, wanted: Wanted, sees: Callable[[str], bool]) -> Iterator[Count]:
    live = context.services.live
    counts, settings = live.counts(), live.all_settings()
    text = wanted.search.casefold()
    for name in chain(settings, (name for name in counts if name not in settings)):
        own = settings.get(name)
        if not sees(name) or (own is not None and own.is_removed):
            continue
        if text and text not in name and text not in ((own and own.display_name) or "").casefold():
            continue
        count = counts.get(name) or context.count_of(name)
        if _matches(count, wanted) and (wanted.alerting is None or wanted.alerting == _alerts(context, count)):
            yield count


def _alerts(context: Context, count: Count) -> bool:
    return is_alerting(count.usage_percent, context.limits_of(count.tenant))


def _matches(count: Count, wanted: Wanted) -> bool:
    if wanted.over is not None and (count.usage_percent is None or count.usage_percent < wanted.over):
        return False
    if wanted.over_pool and not is_over_pool(count):
        return False
    if wanted.stale is not None and count.stale != wanted.stale:
        return False
    return wanted.hint is None or wanted.hint in count.hints


def is_over_pool(count: Count) -> bool:
    """Tell whether more licences are in use than were acquired; the percentage is rounded and does not tell."""
    return count.available_licenses is not None and count.available_licenses < 0
