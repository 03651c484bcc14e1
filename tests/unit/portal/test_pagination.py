"""Cursor pagination."""

import pytest

from portal.pagination import decode_cursor, encode_cursor, page
from portal.problems import Problem


def test_a_cursor_comes_back_as_it_was_given() -> None:
    cursor = encode_cursor("2026-03-03T12:00:00.000Z", "user:ä", 17)
    assert ("2026-03-03T12:00:00.000Z", "user:ä", 17) == decode_cursor(cursor, tuple[str, str, int])
    assert "=" not in cursor


def test_without_a_cursor_the_list_begins() -> None:
    assert decode_cursor(None, tuple[str]) is None


@pytest.mark.parametrize("cursor", ["", "?", "WzFd", "ä", encode_cursor(1, 2), "W10"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        decode_cursor(cursor, tuple[str])
    assert caught.value.status == 422
    assert "begin again without it" in caught.value.detail


def test_the_extra_item_says_that_there_is_more_and_is_not_shown() -> None:
    full = page([1, 2, 3], 2, lambda item: f"after {item}", lambda item: item * 10)
    assert full == {"items": [10, 20], "next_cursor": "after 2"}
    assert page([1, 2], 2, str, lambda item: item) == {"items": [1, 2], "next_cursor": None}
    assert page([], 2, str, lambda item: item) == {"items": [], "next_cursor": None}
