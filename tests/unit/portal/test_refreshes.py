"""How far a refresh is follows from the states of sources and the freshness of the count."""

from datetime import timedelta
from typing import Any

import pytest

from portal.refreshes import KEPT, Progress, RefreshBook, progress
from portal.sources import SourceBook
from schemas.commands import Refresh
from schemas.sources import SourceState
from tests.support.sinking import instant

STARTED = instant(10)
BEFORE, AFTER = STARTED - timedelta(milliseconds=1), STARTED


def asked(name: str = "r1") -> Refresh:
    return Refresh(id=name, tenant="acme", by="ana", sent_at=STARTED)


def state(part: Any, facets: list[Any], reached: Any, refresh: str | None = "r1", **other: Any) -> SourceState:
    return SourceState(
        tenant="acme", source="graph", part=part, facets=facets, state=reached, since=STARTED, at=STARTED,
        refresh=refresh, **other,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "fresh_at", "reached", "read", "reason", "done"),
    [
        (state("accounts", ["voice"], "ok", "r0", read=9), BEFORE, "waiting", 0, "", False),
        (state("accounts", ["voice"], "failing", None, reason="no consent"), None, "waiting", 0, "", False),
        (state("accounts", ["voice"], "reading", read=5), BEFORE, "reading", 5, "", False),
        (state("accounts", ["voice"], "ok", read=9), BEFORE, "reading", 9, "", False),
        (state("accounts", ["voice"], "ok", read=9), None, "reading", 9, "", False),
        (state("accounts", ["voice"], "ok", read=9), AFTER, "done", 9, "", True),
        (state("accounts", ["voice"], "ok", "r0", read=9), AFTER, "done", 0, "", True),
        (state("accounts", ["voice"], "held", reason="too many"), BEFORE, "held", 0, "too many", True),
        (state("accounts", ["voice"], "failing", reason="no consent"), BEFORE, "failing", 0, "no consent", True),
    ],
)
def test_a_facet_is_as_far_as_its_source_and_done_once_the_count_is_fresh(
    source: SourceState, fresh_at: Any, reached: str, read: int, reason: str, done: bool
) -> None:
    now = progress(asked(), [source], {"voice": fresh_at})
    voice = now.facets["voice"]
    assert ("accounts", reached, read, reason, fresh_at) == (
        voice.part, voice.state, voice.read, voice.reason, voice.fresh_at,
    )  # fmt: skip
    assert done is now.done


def test_a_refresh_is_done_once_no_facet_waits_or_is_read() -> None:
    users = state("users", ["directory", "subscription"], "reading")
    skus, held = state("skus", [], "reading"), state("accounts", ["voice"], "held", reason="too many")
    now = progress(asked(), [held, skus, users], {"directory": AFTER})
    assert {"voice": "held", "directory": "done", "subscription": "reading"} == {
        facet: told.state for facet, told in now.facets.items()
    }
    assert not now.done
    assert progress(asked(), [held, skus, users], {"directory": AFTER, "subscription": AFTER}).done


def test_a_refresh_that_no_collector_has_heard_of_is_not_done() -> None:
    for states in ([], [state("skus", [], "ok")]):
        now = progress(asked(), states, {"voice": AFTER})
        assert ({}, False, STARTED) == (now.facets, now.done, now.started_at)


class Facets:
    """The state of the one facet of any tenant, and what was told of refreshes."""

    def __init__(self) -> None:
        self.states: list[SourceState] = [state("accounts", ["voice"], "reading", read=1)]
        self.fresh_at = BEFORE
        self.told: list[tuple[str, int, bool]] = []
        self.book = RefreshBook(lambda refresh: progress(refresh, self.states, {"voice": self.fresh_at}), self._tell)

    def _tell(self, now: Progress) -> None:
        self.told.append((now.id, now.facets["voice"].read, now.done))


def test_the_last_refreshes_are_kept_and_looked_after() -> None:
    facets = Facets()
    for number in range(KEPT + 1):
        facets.book.keep(asked(str(number)))
        facets.book.keep(asked(str(number)))
    assert None is facets.book.get("0")
    assert [asked("1"), asked(str(KEPT))] == [facets.book.get("1"), facets.book.get(str(KEPT))]
    facets.told.clear()
    facets.fresh_at = AFTER
    facets.book.look("acme")
    assert [(str(number), 0, True) for number in range(1, KEPT + 1)] == facets.told


def test_how_far_a_refresh_is_is_told_when_it_is_news_until_it_is_done() -> None:
    facets = Facets()
    facets.book.keep(asked())
    facets.book.look("acme")
    facets.book.look("another")
    assert [("r1", 1, False)] == facets.told
    facets.states = [state("accounts", ["voice"], "reading", read=5)]
    facets.book.look("acme")
    facets.book.keep(asked())
    facets.fresh_at = AFTER
    facets.book.look("acme")
    facets.states = [state("accounts", ["voice"], "ok", read=9)]
    facets.book.look("acme")
    assert [("r1", 1, False), ("r1", 5, False), ("r1", 5, True)] == facets.told


def test_of_a_part_the_last_state_stays_without_its_cursor() -> None:
    book = SourceBook()
    late, first = state("users", ["directory"], "ok", cursor="https://graph/delta"), state("users", [], "reading")
    other = state("accounts", ["voice"], "ok")
    for key, value in (("users", first), ("accounts", other), ("users", late)):
        book.take(f"acme/graph/{key}", value.model_dump_json().encode())
    assert [other, late.model_copy(update={"cursor": None})] == list(book.of("acme"))
    assert [] == list(book.of("acm"))
    book.take("acme/graph/users", None)
    assert [other] == list(book.of("acme"))
    book.take("acme/graph/accounts", None)
    book.take("other/graph/accounts", None)
    assert [] == list(book.of("acme"))
