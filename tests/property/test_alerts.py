"""Whatever a pool's usage does, alerts are what a plain model says, second by second: it looks at all of the past each
time, and keeps no state."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licensing.alerts.levels import rank
from schemas.alert import Alert
from schemas.times import to_ms
from tests.support.alerts import START_MS, Watched

END_S = 90
POOL = 100
LEVELS = ("warning", "critical", "over", "over_grace")


@dataclass(frozen=True)
class Limits:
    """Limits of one tenant; the band below each level is `margin` wide."""

    warning: int
    critical: int
    margin: int
    dwell: int
    grace: int

    def settings(self) -> dict[str, Any]:
        return {
            "warning_percent": self.warning,
            "critical_percent": self.critical,
            "clear_percent": self.warning - self.margin,
            "dwell_s": self.dwell,
            "grace_percent": self.grace,
            "remind_after_s": 0,
        }

    def enters(self, level: str, used: int) -> bool:
        return (
            used
            >= {"warning": self.warning, "critical": self.critical, "over": 101, "over_grace": 101 + self.grace}[level]
        )

    def leaves(self, level: str, used: int) -> bool:
        if level in ("over", "over_grace"):
            return not self.enters(level, used)
        return used < {"warning": self.warning, "critical": self.critical}[level] - self.margin


limits = st.builds(
    Limits,
    warning=st.integers(60, 80),
    critical=st.integers(80, 100),
    margin=st.integers(0, 10),
    dwell=st.integers(0, 8),
    grace=st.integers(0, 15),
)
usages = st.lists(
    st.tuples(st.integers(1, 9), st.one_of(st.integers(50, 130), st.sampled_from([79, 80, 99, 100, 101, 115, 116]))),
    min_size=1,
    max_size=20,
)
"""Seconds until the next count, and what it says."""


def by_second(steps: list[tuple[int, int]]) -> dict[int, int]:
    """Return what was in use in each second, from the first count on."""
    at = 0
    counts: dict[int, int] = {}
    for wait, used in steps:
        at += wait
        counts[at] = used
    held: dict[int, int] = {}
    for second in range(min(counts), END_S + max(counts)):
        held[second] = counts.get(second, held.get(second - 1, 0))
    return held


def expected(held: dict[int, int], own: Limits) -> list[tuple[int, str | None]]:
    """Return each second at which another level is told."""
    told: list[tuple[int, str | None]] = []
    holds = dict.fromkeys(LEVELS, False)
    first = min(held)
    for now in held:
        for level in LEVELS:
            window = range(now - own.dwell, now + 1)
            if window[0] < first:
                continue
            test = own.leaves if holds[level] else own.enters
            if all(test(level, held[second]) for second in window):
                holds[level] = not holds[level]
        level_now = next((level for level in reversed(LEVELS) if holds[level]), None)
        if level_now != (told[-1][1] if told else None):
            told.append((now, level_now))
    return told


def play(steps: list[tuple[int, int]], own: Limits, looks: set[int]) -> Watched:
    """Let a tenant live through it; `looks` are seconds at which the process looks at the clock."""
    held = by_second(steps)
    counts, at = {}, 0
    for wait, used in steps:
        at += wait
        counts[at] = used
    world = Watched(**own.settings())
    for second in held:
        if second in counts:
            world.count(second, counts[second], POOL)
        if second in looks:
            world.wait(second)
    world.wait(max(held))
    return world


@given(steps=usages, own=limits, looks=st.sets(st.integers(0, 200), max_size=30))
def test_alerts_are_those_of_a_plain_model(steps: list[tuple[int, int]], own: Limits, looks: set[int]) -> None:
    world = play(steps, own, looks)
    assert expected(by_second(steps), own) == [(at, level) for at, _, _, level in world.changes()]
    opened = None
    for told in world.told:
        change = "raised" if opened is None else "resolved" if told.level is None else None
        change = change or ("escalated" if rank(told.level) > rank(opened) else "lowered")
        assert change == told.change
        opened = told.level
    assert len({told.id for told in world.told}) == len(world.told)


@given(steps=usages, own=limits)
def test_it_is_never_silent_above_critical(steps: list[tuple[int, int]], own: Limits) -> None:
    world, held = play(steps, own, set()), by_second(steps)
    for now in held:
        window = range(now - own.dwell, now + 1)
        if all(second in held and held[second] >= own.critical for second in window):
            assert world.level_at(now) >= rank("critical")


@given(
    own=limits,
    inside=st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), min_size=1, max_size=20),
    begin=st.sampled_from(["above", "below"]),
)
def test_inside_the_band_nothing_flaps(own: Limits, inside: list[tuple[int, float]], begin: str) -> None:
    low = own.warning - own.margin
    steps = [(1, own.warning if begin == "above" else 0), (own.dwell + 1, low)]
    steps += [(wait, low + int(share * max(own.margin - 1, 0))) for wait, share in inside]
    if own.margin:
        assert len(play(steps, own, set()).told) == (1 if begin == "above" else 0)


@given(steps=usages, own=limits, looks=st.sets(st.integers(0, 200), max_size=30), data=st.data())
def test_killed_at_any_moment_it_tells_the_same_with_the_same_ids(
    steps: list[tuple[int, int]], own: Limits, looks: set[int], data: st.DataObject
) -> None:
    undisturbed = play(steps, own, looks)
    counts, at = [], 0
    for wait, used in steps:
        at += wait
        counts.append((at, used))
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
    world.wait(max(by_second(steps)))
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
    own = Limits(warning=80, critical=90, margin=5, dwell=3, grace=0)
    steps = [(1, 85), (9, 70)]
    assert [(4, "warning"), (13, None)] == expected(by_second(steps), own)
    assert START_MS + 4_000 == to_ms(play(steps, own, set()).told[0].at)
