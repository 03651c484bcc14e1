"""What a survey tells again, and what it keeps to itself."""

from datetime import UTC, datetime, timedelta

import pytest

from runtime.survey import Told

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "value", "hours", "expected"),
    [
        (30.0, 30.0, 1, False),
        (30.0, 29.5, 1, False),
        (30.0, 29.0, 1, True),
        (30.0, 31.0, 1, True),
        (30.0, None, 1, True),
        (None, 30.0, 1, True),
        (None, None, 23, False),
        (None, None, 24, True),
        (30.0, 30.0, 24, True),
    ],
)
def test_a_finding_is_told_again_when_it_changes_by_one_or_a_day_has_passed(
    before: float | None, value: float | None, hours: int, expected: bool
) -> None:
    assert expected is Told(before, AT).is_old_beside(value, AT + timedelta(hours=hours))
