"""What collectors tell of their sources: the counter keeps the newest of each source, and the count carries it."""

from schemas.commands import SourceHint, SourceHints
from schemas.settings import TenantSettings
from schemas.times import from_ms
from streams.protocol.counter import CounterPartition
from streams.protocol.office import Office
from streams.protocol.owned_log import OwnedLog
from tests.unit.protocol.bench import NOW_MS, settings
from tests.unit.protocol.test_counter import new_counter, taken, told

SET: TenantSettings = settings(1, acquired_licenses=5, gateways=["g1"])


def hints(sent_ms: int, *said: SourceHint, source: str = "graph") -> SourceHints:
    return SourceHints(
        id="1", tenant="acme", by="graph", sent_at=from_ms(NOW_MS + sent_ms), source=source, hints=list(said)
    )


class World:
    """A counter of one tenant that has published, and the office that hears commands for it."""

    def __init__(self) -> None:
        self.counter: CounterPartition = new_counter(SET)
        self.office = Office(0, self.counter, OwnedLog(lambda _: None))
        self.counter.apply(told(0, 1, {"1": 2}, SET))
        self.now_ms = NOW_MS
        taken(self.counter, self.now_ms)

    def hear(self, *commands: SourceHints) -> None:
        for command in commands:
            assert [] == list(self.office.carry_out(command, 0, self.now_ms))

    def published(self) -> list[str] | None:
        """Return the hints of the count that is published now; None where none is."""
        self.now_ms += 1_000
        if not self.counter.due(self.now_ms):
            return None
        return list(taken(self.counter, self.now_ms).hints)


def test_what_a_source_tells_is_published_at_once_and_replaces_what_it_told_before() -> None:
    world = World()
    world.hear(hints(0, "source_failing", "few_teams_phone_licences"))
    assert ["few_teams_phone_licences", "source_failing"] == world.published()
    assert "refresh" == world.counter.last("acme").cause.kind  # type: ignore[union-attr]  # it was published
    world.hear(hints(1, "few_teams_phone_licences"))
    assert ["few_teams_phone_licences"] == world.published()
    world.hear(hints(2))
    assert [] == world.published()


def test_the_same_told_again_publishes_nothing() -> None:
    world = World()
    world.hear(hints(0))
    assert None is world.published()
    world.hear(hints(1, "source_failing", "few_teams_phone_licences"))
    world.published()
    world.hear(hints(2, "few_teams_phone_licences", "source_failing", "source_failing"))
    assert None is world.published()


def test_what_arrives_late_does_not_replace_what_is_newer() -> None:
    world = World()
    world.hear(hints(5, "source_failing"))
    world.published()
    world.hear(hints(4))
    assert None is world.published()
    world.counter.touch("acme", taken(world.counter, world.now_ms).cause)
    assert ["source_failing"] == world.published()


def test_a_hint_of_several_sources_stands_once_and_goes_with_the_last_of_them() -> None:
    world = World()
    world.counter.held_syncs["acme"] = {("voice", "graph"): from_ms(0)}
    world.hear(hints(0, "source_failing"), hints(0, "source_failing", source="other"))
    assert ["sync_held", "source_failing"] == world.published()
    world.hear(hints(1))
    assert ["sync_held", "source_failing"] == world.published()
    world.hear(hints(1, source="other"))
    assert ["sync_held"] == world.published()


def test_a_purged_tenant_begins_without_hints() -> None:
    world = World()
    world.hear(hints(0, "source_failing"))
    world.counter.forget("acme")
    world.counter.apply(told(0, 2, {"1": 2}, SET))
    assert [] == world.published()


def test_a_hint_whose_count_was_not_published_before_a_stop_is_published_after_the_start() -> None:
    before = World()
    last = before.counter.last("acme")
    assert last is not None
    for command, expected in ((hints(0, "source_failing"), ["source_failing"]), (hints(0), None)):
        counter = CounterPartition(before.counter.book)
        office = Office(0, counter, OwnedLog(lambda _: None))
        counter.continue_from(last)
        counter.settings_changed("acme")
        office.note(command)
        counter.apply(told(0, 1, {"1": 2}, SET))
        counter.settle_start()
        due = counter.due(NOW_MS + 9_000)
        assert expected == (list(taken(counter, NOW_MS + 9_000).hints) if due else None)
