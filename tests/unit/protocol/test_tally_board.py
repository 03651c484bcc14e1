"""The merge of tallies: which one of a partition counts, when a total is whole, and how fresh it is."""

from datetime import datetime
from typing import Any

from schemas.changes import SnapshotEnd, Tally
from schemas.count import Cause
from schemas.times import from_ms
from streams.protocol.tally_board import TallyBoard, merged_cause


def tally(partition: int, epoch: int, seq: int, profiles: dict[str, int], criteria: str = "A", **other: Any) -> Tally:
    fields = {
        "tenant": "acme", "partition": partition, "partitions": 2, "epoch": epoch, "seq": seq, "settings_revision": 0,
        "criteria": criteria, "profiles": profiles, "freshness": {}, "as_of": None, "cause": Cause(kind="users"),
    }  # fmt: skip
    return Tally.model_validate(fields | other)


def end(partition: int, epoch: int) -> SnapshotEnd:
    return SnapshotEnd(partition=partition, epoch=epoch)


def total(board: TallyBoard, criteria: str = "A") -> dict[int, int] | None:
    found = board.total("acme", criteria)
    return None if found is None else found.profiles


def test_of_a_partition_the_highest_epoch_and_sequence_wins_whatever_comes_last() -> None:
    board = TallyBoard()
    taken = [board.apply(tally(0, *age, {"1": n})) for n, age in enumerate([(5, 2), (5, 1), (4, 9), (5, 2), (6, 1)])]
    assert [True, False, False, False, True] == taken
    assert {1: 4} == total(board)


def test_partitions_are_summed_by_profile() -> None:
    board = TallyBoard()
    board.apply(tally(0, 1, 1, {"1": 2, "0": 1}, as_of=from_ms(5)))
    board.apply(tally(1, 9, 1, {"1": 3}, as_of=from_ms(7)))
    found = board.total("acme", "A")
    assert found is not None
    assert ({1: 5, 0: 1}, from_ms(7)) == (found.profiles, found.as_of)


def test_a_change_of_criteria_is_not_seen_before_all_partitions_have_followed() -> None:
    board = TallyBoard()
    board.apply(tally(0, 1, 1, {"1": 2}))
    board.apply(tally(1, 1, 1, {"1": 3}))
    board.apply(tally(0, 1, 2, {"0": 2}, "B"))
    assert ({1: 5}, None) == (total(board), total(board, "B"))
    board.apply(tally(1, 1, 2, {"0": 3}, "B"))
    assert {0: 5} == total(board, "B")


def test_a_tally_under_criteria_not_read_yet_outlives_the_settling_of_the_old() -> None:
    board = TallyBoard()
    board.apply(tally(0, 1, 1, {"1": 2}))
    board.apply(tally(0, 2, 1, {"0": 2}, "B"))
    board.settle("acme", "A")
    assert [] == board.end_snapshot(end(0, 2))
    assert {0: 2} == total(board, "B")


def test_settling_forgets_what_is_older() -> None:
    board = TallyBoard()
    board.apply(tally(0, 1, 1, {"1": 2}))
    board.apply(tally(0, 1, 2, {"0": 2}, "B"))
    board.settle("acme", "B")
    assert (None, {0: 2}) == (total(board), total(board, "B"))


def test_the_end_of_a_snapshot_drops_tenants_that_vanished_from_their_partition() -> None:
    board = TallyBoard()
    board.apply(tally(0, 1, 1, {"1": 2}))
    board.apply(tally(1, 1, 1, {"1": 3}))
    assert ["acme"] == board.end_snapshot(end(1, 4))
    assert {1: 2} == total(board)
    assert not board.apply(tally(1, 3, 9, {"1": 3}))
    assert {1: 2} == total(board)
    assert board.apply(tally(1, 4, 1, {"1": 1}))
    assert {1: 3} == total(board)


def test_a_total_of_nothing_is_whole_and_empty() -> None:
    assert {} == total(TallyBoard())


def test_the_oldest_revision_that_was_followed_is_known() -> None:
    board = TallyBoard()
    assert board.revision("acme") is None
    board.apply(tally(0, 1, 1, {}, settings_revision=4))
    board.apply(tally(1, 1, 1, {}, settings_revision=3))
    assert 3 == board.revision("acme")


Marks = dict[str, tuple[int | None, int | None]]


def freshness(*partitions: Marks) -> datetime | None:
    board = TallyBoard()
    for partition, marks in enumerate(partitions):
        instants = {
            source: [None if ms is None else from_ms(ms).isoformat() for ms in mark] for source, mark in marks.items()
        }
        board.apply(tally(partition, 1, 1, {}, freshness={"voice": instants}))
    found = board.total("acme", "A")
    assert found is not None
    return found.freshness["voice"]


def test_a_facet_is_as_fresh_as_its_least_confirmed_partition() -> None:
    assert from_ms(5_000) == freshness({"graph": (9_000, 10_000)}, {"graph": (5_000, 10_000)})


def test_a_facet_is_as_fresh_as_its_least_confirmed_source() -> None:
    assert from_ms(5_000) == freshness({"graph": (9_000, None), "file": (5_000, None)})


def test_freshness_is_not_known_while_a_first_sync_is_on_its_way() -> None:
    assert freshness({"graph": (9_000, 10_000)}, {"graph": (None, 10_000)}) is None


def test_where_nothing_was_ever_confirmed_the_newest_event_counts() -> None:
    assert from_ms(8_000) == freshness({"graph": (None, 8_000)}, {"graph": (None, 7_000)})


def test_causes_are_summed_and_rules_outweigh_users() -> None:
    users = Cause(kind="users", subjects_gained=2, subjects_lost=1, example="user:a")
    rules = Cause(kind="rules", subjects_gained=1)
    both = Cause(kind="rules", subjects_gained=3, subjects_lost=1, example="user:a")
    assert [both, both] == [merged_cause(users, rules), merged_cause(rules, users)]
    assert "users" == merged_cause(Cause(kind="heartbeat"), users).kind
    assert "users" == merged_cause(users, Cause(kind="heartbeat")).kind
