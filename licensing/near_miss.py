"""Owns which dial-plan tags were probably mistyped: one character away from a gateway or an id that criteria look for
(LICENSE-FACTORS §4). Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from licensing.criteria import compile_criteria
from schemas.settings import TenantSettings

_SHORTEST_INSIDE = 6
"""Looked for inside a tag as well. Of something shorter nearly every tag holds all characters but one."""


def suspicious_tags(tags: Iterable[str], settings: TenantSettings) -> Mapping[str, list[str]]:
    """Return the tags that meet none of the tenant's criteria and nearly are one of its gateways or ids, with those."""
    criteria = compile_criteria(settings)
    wanted = [name for name in (*settings.gateways, settings.ms_tenant_id, settings.customer_guid) if name]
    missed = (tag for tag in tags if not criteria.dr_numbers(tag) and not (criteria.reject and criteria.reject(tag)))
    return {tag: near for tag in missed if (near := near_misses(tag, wanted))}


def near_misses(tag: str, wanted: Sequence[str]) -> list[str]:
    """Return those that the tag is, or holds, but for one character: one too many, missing, another, or two neighbours
    swapped. Case does not matter.

    One that the tag holds as it is was not missed, unless all of the tag is wanted: `x<id>` nearly is `<id>`.
    """
    folded = tag.casefold()
    return [one for one in wanted if _is_nearly(folded, one.casefold())]


def _is_nearly(tag: str, wanted: str) -> bool:
    if _is_one_edit(tag, wanted):
        return True
    if len(wanted) < _SHORTEST_INSIDE or wanted in tag:
        return False
    return any(_is_one_edit(window, wanted) for window in _windows(tag, wanted))


def _windows(tag: str, wanted: str) -> Iterator[str]:
    """Yield the parts of a tag that may be one edit away. An edit, also a swap, leaves one of three pieces whole, and
    moves it by one place at most: so nearly all tags are done with three searches."""
    length = len(wanted)
    cuts = (0, length // 3, length * 2 // 3, length)
    for begin, end in pairwise(cuts):
        found = tag.find(wanted[begin:end])
        while found >= 0:
            for start in range(max(0, found - begin - 1), found - begin + 2):
                for size in (length - 1, length, length + 1):
                    yield tag[start : start + size]
            found = tag.find(wanted[begin:end], found + 1)


def _is_one_edit(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    if abs(len(one) - len(other)) > 1:
        return False
    head = 0
    while head < shorter and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < shorter - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    left, right = one[head : len(one) - tail], other[head : len(other) - tail]
    if len(left) == len(right) == 2:
        return left == right[::-1]
    return left != right and len(left) <= 1 and len(right) <= 1
