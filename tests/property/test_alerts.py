"""Whatever a pool's usage does, alerts are what a plain model says that looks at all of the past each time."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from licensing.alerts.levels import rank
from schemas.alert import Alert
from tests.support.alert_model import POOL, Limits, expected
from tests.support.alerts import Watched

END_S = 90
"""Longer than any dwell."""


limits = st.builds(
    Limits,
    warning=st.integers(60, 80),
    critical=st.integers(80, 100),
    margin=st.integers(0, 10),
    dwell_s=st.integers(0, 8),
    grace=st.integers(0, 15),
)
usages = st.lists(
    st.tuples(st.integers(1, 9), st.one_of(st.integers(50, 130), st.sampled_from([79, 80, 99, 100, 101, 115, 116]))),
    min_size=1,
    max_size=20,
)
"""Seconds until the next count, and what it says."""


def counts_of(steps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the second of each count, and what it says."""
    seconds = itertools.accumulate(wait for wait, _ in steps)
    return [(second, used) for second, (_, used) in zip(seconds, steps, strict=True)]


def told_by_model(steps: list[tuple[int, int]], own: Limits) -> list[tuple[float, str | None]]:
    """Return the seconds at which the model tells another level."""
    counts = [(second * 1_000, used) for second, used in counts_of(steps)]
    return [(at / 1_000, level) for at, level in expected(counts, own, counts[-1][0] + END_S * 1_000)]


def play(steps: list[tuple[int, int]], own: Limits, looks: set[int]) -> Watched:
    """Let a tenant live through it; `looks` are seconds at which the process looks at the clock."""
    counts = dict(counts_of(steps))
    world = Watched(**own.settings())
    for second in sorted({*counts, *looks}):
        if second in counts:
            world.count(second, counts[second], POOL)
        if second in looks and second < max(counts):
            world.wait(second)
    world.wait(max(counts) + END_S)
    return world


@given(steps=usages, own=limits, looks=st.sets(st.integers(0, 200), max_size=30))
def test_alerts_are_those_of_a_plain_model(steps: list[tuple[int, int]], own: Limits, looks: set[int]) -> None:
    world = play(steps, own, looks)
    assert told_by_model(steps, own) == [(at, level) for at, _, _, level in world.changes()]
    opened = None
    for told in world.told:
        change = "raised" if opened is None else "resolved" if told.level is None else None
        change = change or ("escalated" if rank(told.level) > rank(opened) else "lowered")
        assert change == told.change
        opened = told.level
    assert len({told.id for told in world.told}) == len(world.told)


@given(steps=usages, own=limits)
def test_it_is_never_silent_above_critical(steps: list[tuple[int, int]], own: Limits) -> None:
    world, counts = play(steps, own, set()), counts_of(steps)
    for now in range(counts[0][0] + own.dwell_s, counts[-1][0] + END_S):
        begin = now - own.dwell_s
        held = [used for second, used in counts if begin < second <= now]
        held.append([used for second, used in counts if second <= begin][-1])
        if min(held) >= own.critical:
            assert world.level_at(now) >= rank("critical")


@given(
    own=limits,
    inside=st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), min_size=1, max_size=20),
    begin=st.sampled_from(["above", "below"]),
)
def test_inside_the_band_nothing_flaps(own: Limits, inside: list[tuple[int, float]], begin: str) -> None:
    low = own.warning - own.margin
    steps = [(1, own.warning if begin == "above" else 0), (own.dwell_s + 1, low)]
    steps += [(wait, low + int(share * max(own.margin - 1, 0))) for wait, share in inside]
    if own.margin:
        assert len(play(steps, own, set()).told) == (1 if begin == "above" else 0)


@given(steps=usages, own=limits, looks=st.sets(st.integers(0, 200), max_size=30), data=st.data())
def test_killed_at_any_moment_it_tells_the_same_with_the_same_ids(
    steps: list[tuple[int, int]], own: Limits, looks: set[int], data: st.DataObject
) -> None:
    undisturbed = play(steps, own, looks)
    counts = counts_of(steps)
    world = Watched(**own.settings())
    kept = None
    place = 0
    deaths = data.draw(st.integers(0, 6))
    told: dict[str, Alert] = {}
    while True:
        dies_at = data.draw(st.integers(place, len(counts))) if deaths else len(counts)
        for number in range(place, dies_at):
            world.count(*counts[number], POOL)
            if data.draw(st.booleans()) and "acme" in world.alerts.take_changed():
                kept = world.written()
                told |= {alert.id: alert for alert in world.told}
        if not deaths:
            break
        # What was not written is gone. What was read again is what came since some moment before the last writing.
        deaths -= 1
        world = reborn(own, kept)
        place = data.draw(st.integers(0, min(dies_at, committed(counts, kept))))
        for number in range(place):
            world.recall(*counts[number], POOL)
    world.wait(counts[-1][0] + END_S)
    told |= {alert.id: alert for alert in world.told}
    assert {alert.id: alert for alert in undisturbed.told} == told


def reborn(own: Limits, kept: bytes | None) -> Watched:
    """Return a process that was just started, with what was written last."""
    return Watched(kept=kept, **own.settings())


def committed(counts: list[tuple[int, int]], kept: bytes | None) -> int:
    """Return how many counts may have been committed: those that what was written has seen."""
    state = None if kept is None else Watched(kept=kept).alerts.state("acme")
    return 0 if state is None else sum(second * 1_000 + 1 <= state.count[1] for second, _ in counts)


def test_the_model_itself_knows_a_raise_and_an_end() -> None:
    own = Limits(warning=80, critical=90, margin=5, dwell_s=3, grace=0)
    assert [(4, "warning"), (13, None)] == told_by_model([(1, 85), (9, 70)], own)
