"""Averages and overage from stretches are those of a naive sum over every second, however the period is cut."""

from hypothesis import given
from hypothesis import strategies as st

from licensing.reports.usage import Level, Stretch, joined, lasting, moment, over_period

SECONDS = 120

levels = st.builds(
    Level,
    licensed=st.integers(0, 9),
    pool=st.one_of(st.none(), st.integers(0, 9)),
    user_licenses=st.just(0),
    dr_phone_licenses=st.just(0),
    enabled=st.just(31),
    counted=st.lists(st.integers(0, 9), min_size=5, max_size=5),
    matched=st.just([0] * 5),
)
rows = st.dictionaries(st.integers(0, SECONDS - 1), levels, max_size=12).map(lambda found: sorted(found.items()))


def _folded(found: list[tuple[int, Level]], cuts: list[int]) -> Stretch | None:
    """Join rows within groups, then the groups; `cuts` are the places between rows at which groups end."""
    whole: Stretch | None = None
    group: Stretch | None = None
    for place, (second, level) in enumerate(found):
        here = moment(second, level)
        group = here if group is None else joined(group, here)
        if place in cuts or place == len(found) - 1:
            whole = group if whole is None else joined(whole, group)
            group = None
    return whole


@given(rows, st.one_of(st.none(), levels), st.lists(st.integers(0, 12)))
def test_sums_are_those_of_every_second(found: list[tuple[int, Level]], carried: Level | None, cuts: list[int]) -> None:
    whole = over_period(carried, _folded(found, cuts), 0, SECONDS)
    known = dict(found)
    level, every = carried, []
    for second in range(SECONDS):
        level = known.get(second, level)
        if level is not None:
            every.append((second, level))
    if whole is None:
        assert [] == every
        return
    assert every[0][0] == whole.first
    assert SECONDS == whole.end
    assert sum(level.licensed for _, level in every) == whole.area
    assert sum(1 for _, level in every if level.pool is not None and level.licensed > level.pool) == whole.over_s
    over = [level.licensed - level.pool for _, level in every if level.pool is not None and level.licensed > level.pool]
    assert sum(over) == whole.over_area
    assert [sum(level.counted[place] for _, level in every) for place in range(5)] == list(whole.counted_areas)
    highest = max(level.licensed for _, level in every)
    assert (highest, next(second for second, level in every if level.licensed == highest)) == (
        whole.peak, whole.peak_at,
    )  # fmt: skip
    assert any(level.pool is not None for _, level in every) == whole.has_pool
    assert every[-1][1] == whole.last


@given(levels, st.integers(0, 50), st.integers(0, 50))
def test_lasting_in_two_steps_is_lasting_in_one(level: Level, first: int, more: int) -> None:
    begun = moment(0, level)
    assert lasting(begun, first + more) == lasting(lasting(begun, first), first + more)
