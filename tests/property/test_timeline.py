"""A subject's moves say, at every instant, what its profile and the switches of that instant say."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from licensing.factors import counted_factor
from licensing.timeline import moves, since

START = datetime(2026, 3, 1, tzinfo=UTC)
INSTANTS = [START + timedelta(hours=hour) for hour in range(8)]
PROFILES = st.lists(st.tuples(st.sampled_from(INSTANTS[1:-1]), st.integers(0, 255)), max_size=8)
MASKS = st.lists(st.tuples(st.sampled_from(INSTANTS[1:-1]), st.integers(0, 31)), max_size=5)
Changes = list[tuple[datetime, int]]


def held_at(at: datetime, changes: Changes, default: int) -> int:
    """The last of the newest: changes of one instant are in the order in which they were recorded."""
    held, since_when = default, START - timedelta(days=1)
    for when, value in changes:
        if since_when <= when <= at:
            held, since_when = value, when
    return held


def factor_at(at: datetime, profiles: Changes, masks: Changes, default_mask: int) -> str | None:
    factor = counted_factor(held_at(at, profiles, 0), held_at(at, masks, default_mask))
    return factor.name if factor else None


@given(PROFILES, MASKS, st.integers(0, 31))
def test_the_moves_up_to_an_instant_end_at_the_factor_that_counts_then(
    profiles: Changes, masks: Changes, default_mask: int
) -> None:
    found = moves(profiles, masks, default_mask)
    for at in INSTANTS:
        until = [move.to_factor for move in found if move.at <= at]
        assert (until[-1] if until else None) == factor_at(at, profiles, masks, default_mask)


@given(PROFILES, MASKS, st.integers(0, 31))
def test_the_moves_are_a_chain_without_a_gap_and_without_a_move_to_where_one_is(
    profiles: Changes, masks: Changes, default_mask: int
) -> None:
    found = moves(profiles, masks, default_mask)
    assert [move.from_factor for move in found] == [None, *(move.to_factor for move in found)][: len(found)]
    assert all(move.from_factor != move.to_factor for move in found)
    assert [move.at for move in found] == sorted({move.at for move in found})


@given(PROFILES, MASKS, st.integers(0, 31))
def test_a_move_is_by_settings_exactly_where_the_profile_stayed(
    profiles: Changes, masks: Changes, default_mask: int
) -> None:
    for move in moves(profiles, masks, default_mask):
        before = held_at(move.at - timedelta(minutes=1), profiles, 0)
        assert move.by_settings == (before == held_at(move.at, profiles, 0))


@given(PROFILES, MASKS, st.integers(0, 31))
def test_since_is_the_instant_from_which_on_the_factor_has_been_the_same(
    profiles: Changes, masks: Changes, default_mask: int
) -> None:
    begun = since(moves(profiles, masks, default_mask))
    now = factor_at(INSTANTS[-1], profiles, masks, default_mask)
    if begun is None:
        assert {factor_at(at, profiles, masks, default_mask) for at in INSTANTS} == {None}
    else:
        assert {factor_at(at, profiles, masks, default_mask) for at in INSTANTS if at >= begun} == {now}
        assert factor_at(begun - timedelta(minutes=1), profiles, masks, default_mask) != now


@given(PROFILES, MASKS, st.integers(0, 31))
def test_gained_and_lost_moves_add_up_to_whether_the_subject_counts_now(
    profiles: Changes, masks: Changes, default_mask: int
) -> None:
    kinds = [move.kind for move in moves(profiles, masks, default_mask)]
    counts_now = factor_at(INSTANTS[-1], profiles, masks, default_mask) is not None
    assert kinds.count("gained") - kinds.count("lost") == counts_now
    assert set(kinds) <= {"gained", "lost", "moved"}
