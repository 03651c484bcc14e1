"""The short way that the meter takes for known subjects refuses and counts exactly what the long way does."""

from dataclasses import dataclass
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.events import FACTS
from schemas.intake import read_record
from schemas.topics import TopicName
from schemas.wire import WireObservation
from streams.protocol.effects import Append, Appended, Publish, Steps
from streams.protocol.meter import MeterPartition
from streams.protocol.settings_book import SettingsBook
from tests.property.events import as_json, observations, odd_events

NOW_MS = 1_795_600_000_000


@dataclass
class Read:
    """A record as it was read."""

    value: Any
    offset: int
    key: Any = b"k"
    headers: Any = ()
    timestamp: int = NOW_MS


class World:
    """One meter that owns the only partition; what it publishes is kept."""

    def __init__(self) -> None:
        self.meter = MeterPartition(0, 1, SettingsBook(), lambda: NOW_MS)
        self.published: list[tuple[TopicName, Any]] = []
        self._run(self.meter.start())

    def batch(self, values: list[bytes]) -> None:
        self._run(self.meter.batch("assignments", [Read(value, offset) for offset, value in enumerate(values)]))

    def _run(self, steps: Steps) -> None:
        result: Any = None
        while True:
            try:
                effect = steps.send(result)
            except StopIteration:
                return
            result = None
            if isinstance(effect, Append):
                result = [Appended(max(self.meter.log.next_offset, 0), len(effect.items))]
            elif isinstance(effect, Publish):
                self.published += [(effect.topic, item) for item in effect.items]

    def refused(self) -> list[tuple[bytes, str]]:
        return [
            (item.value, dict(item.headers)["reason"].decode())
            for topic, item in self.published
            if topic == "dead-letters"
        ]

    def state(self) -> dict[str, Any]:
        return {
            tenant: (dict(state.tally), sorted(state.records)) for tenant, state in self.meter.state if state.records
        }


@st.composite
def known_and_odd(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    """Draw good events, and odd ones of which many are of the same subjects, with facets that may not fit them."""
    known = draw(st.lists(observations(), min_size=1, max_size=6))
    same = st.fixed_dictionaries(
        {"type": st.sampled_from(sorted(FACTS)), "facts": st.none()},
        optional={"observed_at": st.sampled_from(["2026-11-24T10:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01"])},
    )
    others = st.builds(lambda event, change: event | change, st.sampled_from(known), same)
    return known, draw(st.lists(odd_events() | others, min_size=1, max_size=6))


@given(events=known_and_odd())
def test_events_of_known_subjects_are_refused_as_the_long_way_refuses_them(events: tuple[list[Any], list[Any]]) -> None:
    known, odd = ([as_json(event) for event in part] for part in events)
    world = World()
    world.batch(known + odd)
    begun = len(world.refused())

    world.batch(odd)

    rejections = [rejection for value in odd for rejection in read_record(value, NOW_MS).rejections]
    assert [(rejection.raw, rejection.reason) for rejection in rejections] == world.refused()[begun:]


BEFORE_1970 = {"type": "interface", "tenant": "0", "subject": "user:5d2f", "observed_at": "1969-01-01T00:00:00Z"}
SYNC_OF_1970 = {"type": "sync_completed", "tenant": "0", "facet": "interface", "started_at": "1970-01-01T00:00:00Z"}


@given(events=st.lists(observations() | odd_events(), min_size=1, max_size=8))
@example([SYNC_OF_1970, BEFORE_1970 | {"facts": {}}])
def test_a_second_telling_through_the_short_way_changes_no_tally(events: list[Any]) -> None:
    values = [as_json(event) for event in events]
    world = World()
    world.batch(values)
    once = world.state()
    told = sum(topic == "seat-changes" for topic, _ in world.published)

    world.batch(values)

    assert once == world.state()
    syncs = sum(
        not isinstance(event, WireObservation) for value in values for event in read_record(value, NOW_MS).events
    )
    assert sum(topic == "seat-changes" for topic, _ in world.published) - told <= syncs
