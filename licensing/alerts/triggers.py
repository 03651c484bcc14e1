"""Owns when a rule changes: levels with an enter and a leave line, each held for its dwell, armed anew where limits or
pool change. Time is passed in, in ms since 1970. Pure.

Each way into a level has a trigger of its own, so that a value that swings between two levels cannot keep both from
ever lasting long enough: above the lower one it was all the time.
"""

from collections.abc import Iterator

import msgspec

from licensing.alerts.levels import Reading, Step, highest, rank
from schemas.alert import AlertChange, AlertLevel


class Trigger(msgspec.Struct):
    """Whether a step holds, and since when it has been otherwise without a break."""

    on: bool = False
    since: int | None = None


class Open(msgspec.Struct):
    """The open alert of a rule, as it was told last."""

    level: AlertLevel
    key: str
    since: int
    told: int
    risen: int
    """When it came to its level from below, or was armed anew: who acknowledged it before has seen something else."""
    acknowledged_by: str | None = None
    unsaid: bool = False
    """What it is now came about in a silence: it is told when that ends."""
    known: bool = False
    """Somebody was told of it."""


class RuleState(msgspec.Struct):
    """What is kept of a rule and tenant."""

    key: str = ""
    rearm: int | None = None
    """Until then nothing is decided: the limits or the pool have just changed."""
    triggers: dict[str, Trigger] = {}
    open: Open | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing holds, is about to, or is open: then nothing need be kept."""
        return self.open is None and not self.triggers


def observe(state: RuleState, reading: Reading, at: int) -> None:
    """Take what a rule reads now. What follows from it at once, `turn` tells."""
    if state.key != reading.key:
        _arm(state, reading, at)
    for step in reading.steps:
        trigger = state.triggers.get(step.name) or Trigger()
        turns = step.left if trigger.on else step.entered
        trigger.since = (trigger.since if trigger.since is not None else at) if turns else None
        if trigger == Trigger():
            state.triggers.pop(step.name, None)
        else:
            state.triggers[step.name] = trigger


def _arm(state: RuleState, reading: Reading, at: int) -> None:
    """Begin anew under other limits. What was about to hold goes on; what held has to hold again; and what is open
    stays so until that is known."""
    before, state.triggers = state.triggers, {}
    for step in reading.steps:
        held = before.get(step.name)
        if held is None or not step.entered:
            continue
        if step.enduring or not held.on:
            state.triggers[step.name] = held
        else:
            state.triggers[step.name] = Trigger(since=at)
    if state.open is not None:
        state.rearm = at + max((step.enter_after_ms for step in reading.steps if not step.enduring), default=0)
    state.key = reading.key


def next_turn(state: RuleState, reading: Reading) -> int | None:
    """Return when the next thing comes about if the reading stays as it is; None for never."""
    instants = [] if state.rearm is None else [state.rearm]
    for step in reading.steps:
        trigger = state.triggers.get(step.name)
        if trigger is not None and trigger.since is not None:
            instants.append(trigger.since + _wait_ms(trigger, step))
    return min(instants, default=None)


def turn(state: RuleState, reading: Reading, to: int) -> Iterator[tuple[int, AlertChange]]:
    """Let time pass up to `to`, and yield what changes on the way, at its own instant."""
    while (instant := next_turn(state, reading)) is not None and instant <= to:
        for step in reading.steps:
            trigger = state.triggers.get(step.name)
            if trigger is None or trigger.since is None or trigger.since + _wait_ms(trigger, step) > instant:
                continue
            if trigger.on:
                del state.triggers[step.name]
            else:
                state.triggers[step.name] = Trigger(on=True)
        if state.rearm is not None and state.rearm <= instant:
            state.rearm = None
        change = _decide(state, reading, instant)
        if change is not None:
            yield instant, change


def _wait_ms(trigger: Trigger, step: Step) -> int:
    return step.leave_after_ms if trigger.on else step.enter_after_ms


def _decide(state: RuleState, reading: Reading, at: int) -> AlertChange | None:
    if state.rearm is not None:
        return None
    level = highest(step.level for step in reading.steps if (held := state.triggers.get(step.name)) and held.on)
    before = state.open
    if level is None:
        state.open = None
        return None if before is None else "resolved"
    if before is None or before.key != state.key:
        since = at if before is None else before.since
        state.open = Open(level, state.key, since, at, at, known=before is not None and before.known)
        return "raised"
    if level == before.level:
        return None
    risen = rank(level) > rank(before.level)
    before.level, before.told = level, at
    if risen:
        before.acknowledged_by, before.risen = None, at
    return "escalated" if risen else "lowered"
