"""Quiet hours: over midnight, over both changes of the clock, by level, and always with an end."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.settings import SettingsError, load
from streams.notify.channels import Quiet, told_from

PARIS = ZoneInfo("Europe/Paris")
NIGHT = Quiet(time(22), time(7), PARIS, "critical")
HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-11-24T21:59:59.999+01:00", "2026-11-24T21:59:59.999+01:00"),
        ("2026-11-24T22:00:00+01:00", "2026-11-25T07:00:00+01:00"),
        ("2026-11-25T00:00:00+01:00", "2026-11-25T07:00:00+01:00"),
        ("2026-11-25T06:59:59.999+01:00", "2026-11-25T07:00:00+01:00"),
        ("2026-11-25T07:00:00+01:00", "2026-11-25T07:00:00+01:00"),
        ("2026-03-28T23:30:00+01:00", "2026-03-29T07:00:00+02:00"),  # a night of 8 hours
        ("2026-03-29T03:00:00+02:00", "2026-03-29T07:00:00+02:00"),
        ("2026-10-24T22:30:00+02:00", "2026-10-25T07:00:00+01:00"),  # and one of 10
        ("2026-10-25T02:30:00+02:00", "2026-10-25T07:00:00+01:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T07:00:00+01:00"),
    ],
)
def test_a_night_ends_in_the_morning_also_when_the_clock_changes(at: str, told: str) -> None:
    assert ms(told) == told_from(NIGHT, "warning", ms(at))
    assert ms(told) == told_from(NIGHT, None, ms(at))
    assert ms(at) == told_from(NIGHT, "critical", ms(at)) == told_from(NIGHT, "over", ms(at))


def test_a_time_that_the_clock_leaps_over_ends_as_late_as_it_would_have() -> None:
    quiet = Quiet(time(1), time(2, 30), PARIS)
    assert ms("2026-03-29T03:30:00+02:00") == told_from(quiet, None, ms("2026-03-29T01:10:00+01:00"))


@given(
    begin=st.times(), end=st.times(), at=st.integers(0, 4_000_000_000_000),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]),
)  # fmt: skip
def test_every_quiet_time_ends_within_a_day_and_an_hour(begin: time, end: time, at: int, zone: str) -> None:
    if begin == end:
        return
    quiet = Quiet(begin.replace(fold=0), end.replace(fold=0), ZoneInfo(zone))
    told = told_from(quiet, None, at)
    assert at <= told <= at + 25 * HOUR_MS
    assert told == told_from(quiet, None, told)


def test_a_quiet_time_without_an_end_is_refused() -> None:
    with pytest.raises(SettingsError, match="never be loud"):
        load(alerts={"channels": {"ops": {"quiet": {"begin": "22:00", "end": "22:00"}}}})
