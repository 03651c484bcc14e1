"""The support of the tests keeps its own promises."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.support.chromium import ChromiumError, find_chromium
from tests.support.sockets import NetworkForbiddenError
from tests.support.summary import Summary, tier_of
from tests.support.waiting import NotInTimeError, eventually, eventually_async


def test_unit_tests_cannot_connect() -> None:
    with socket.socket() as client, pytest.raises(NetworkForbiddenError, match="integration test"):
        client.connect(("127.0.0.1", 9))


async def test_unit_tests_can_have_an_event_loop() -> None:
    await asyncio.sleep(0)


def test_eventually_returns_what_came_true() -> None:
    answers = iter([0, None, "there"])

    assert eventually(lambda: next(answers)) == "there"


def test_eventually_says_what_it_saw_last() -> None:
    def never() -> bool:
        raise ConnectionError("nobody home")

    with pytest.raises(NotInTimeError, match=r"not true within 0 s: never .*nobody home"):
        eventually(never, deadline_s=0)


def test_eventually_lets_a_fault_of_the_test_through() -> None:
    def wrong() -> bool:
        raise TypeError

    with pytest.raises(TypeError):
        eventually(wrong)


async def test_a_check_that_hangs_ends_at_the_deadline() -> None:
    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    with pytest.raises(NotInTimeError, match="TimeoutError"):
        await eventually_async(hangs, deadline_s=0.05)


@pytest.mark.parametrize(
    ("path", "tier"),
    [
        ("tests/unit/test_a.py", "unit"),
        ("tests/fault/deep/test_b.py", "fault"),
        ("tests/test_c.py", None),
        ("elsewhere/unit/test_d.py", None),
    ],
)
def test_the_folder_is_the_tier(path: str, tier: str | None) -> None:
    assert tier_of(Path("/repo") / path, Path("/repo")) == tier


def test_a_tier_of_which_all_was_skipped_is_named_with_its_reason() -> None:
    summary = Summary()
    summary.ran["unit"] = 3
    summary.skipped["fault"]["no Java"] = 2

    assert summary.missing_tiers({"unit", "fault", "contract"}) == {
        "contract": "no test selected",
        "fault": "no Java (2)",
    }
    assert "TIER FAULT DID NOT RUN: no Java (2)" in summary.lines({"unit", "fault"})


def test_a_chromium_that_is_named_and_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWATCH_TEST_CHROMIUM", "/nowhere/chromium")

    with pytest.raises(ChromiumError, match="POOLWATCH_TEST_CHROMIUM names /nowhere/chromium"):
        find_chromium()


def test_without_the_variable_the_path_is_searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("POOLWATCH_TEST_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() is None

    program = tmp_path / "google-chrome"
    program.touch(mode=0o755)
    assert program == find_chromium()
