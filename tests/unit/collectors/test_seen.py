"""The memory of subjects is exact, keeps sources apart, and says what to do when the disk is full."""

import resource
from collections.abc import Iterator

import pytest

from collectors.errors import CollectorError
from collectors.seen import Seen


def test_each_time_before_is_counted_by_source() -> None:
    with Seen() as seen:
        assert [0, 1, 2] == [seen.times_before("users-file", "user:u1") for _ in range(3)]
        assert 0 == seen.times_before("numbers-file", "user:u1")
        assert 0 == seen.times_before("users-file", "user:u2")


@pytest.fixture
def a_full_disk() -> Iterator[None]:
    """No file of this process may grow beyond a mebibyte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("a_full_disk")
def test_a_full_disk_is_said_with_what_to_do() -> None:
    subjects = (f"user:{n:0100d}" for n in range(1_000_000))
    with Seen() as seen, pytest.raises(CollectorError, match=r"cannot be written .*: make room where"):
        all(seen.times_before("users-file", subject) == 0 for subject in subjects)
