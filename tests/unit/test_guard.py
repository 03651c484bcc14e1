"""The mass-removal guard, as a table of LICENSE-FACTORS §5."""

import pytest

from licensing.guard import judge


@pytest.mark.parametrize(
    ("seen", "expected", "held_seen", "confirmed", "status"),
    [
        (100, None, None, False, "completed"),  # the first sync has nothing to compare with
        (0, None, None, False, "completed"),
        (100, 100, None, False, "completed"),
        (150, 100, None, False, "completed"),
        (70, 100, None, False, "completed"),  # 70 % is enough
        (69, 100, None, False, "held"),
        (45, 65, None, False, "held"),  # 69.2 %, and exactly 20 fewer
        (46, 66, None, False, "held"),
        (45, 64, None, False, "completed"),  # 19 fewer are never suspicious
        (0, 19, None, False, "completed"),
        (0, 20, None, False, "held"),
        (50, 100, 50, False, "confirmed"),
        (50, 100, 55, False, "confirmed"),  # within 10 %
        (50, 100, 56, False, "held"),
        (50, 100, 45, False, "held"),  # 5 of 45 are more than 10 %
        (0, 100, 0, False, "confirmed"),
        (50, 100, None, True, "confirmed"),
        (100, 100, None, True, "completed"),  # nothing to confirm
    ],
)
def test_a_sync_is_judged_by_what_the_last_one_saw(
    seen: int, expected: int | None, held_seen: int | None, confirmed: bool, status: str
) -> None:
    verdict = judge(answered=max(seen, 1), seen=seen, expected=expected, held_seen=held_seen, confirmed=confirmed)
    assert status == verdict.status
    assert verdict.sweeps == (status != "held")


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_source_that_answers_nothing_never_completes(confirmed: bool) -> None:
    verdict = judge(answered=0, seen=0, expected=None, held_seen=0, confirmed=confirmed)
    assert verdict.status == "empty"
    assert not verdict.sweeps


def test_a_held_sync_says_how_many_and_what_to_do() -> None:
    reason = judge(answered=10, seen=10, expected=1_000, held_seen=None, confirmed=False).reason
    assert "10 seen where the last sync saw 1,000: 990 subjects would be removed" in reason
    assert "poolwatch sync confirm" in reason
