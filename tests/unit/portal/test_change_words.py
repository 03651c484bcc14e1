"""Which changes a list shows, and how changes of settings read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from portal.answers.changes import Item
from portal.answers.settings_log import SettingsChange
from portal.web.changes.change_filter import ChangeFilter
from portal.web.changes.change_rows import moved_sentence
from portal.web.pieces.settings_sentences import changes_sentence, who

AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def moved(before: str | None, after: str | None, kind: str) -> Item:
    return Item((AT, "user:a", 1), {"kind": kind, "from_factor": before, "to_factor": after})


SETTINGS: dict[str, Any] = {
    "kind": "settings", "from_factor": None, "to_factor": None, "subjects": 3,
    "totals": {"gained": 0, "lost": 2, "moved": 1}, "factors": {"lifecycle": -3, "user_interface": 1},
}  # fmt: skip
ITEMS = [
    moved(None, "lifecycle", "gained"),
    moved("lifecycle", "direct_routing", "moved"),
    moved("operator_connect", None, "lost"),
    Item((AT, "", 2), SETTINGS),
]


@pytest.mark.parametrize(
    ("kind", "factor", "expected"),
    [
        ("all", "all", [0, 1, 2, 3]),
        ("", "nothing that there is", [0, 1, 2, 3]),
        ("gained", "all", [0]),
        ("settings", "all", [3]),
        ("all", "lifecycle", [0, 1, 3]),
        ("moved", "direct_routing", [1]),
        ("lost", "lifecycle", []),
    ],
)
def test_a_filter_wants_its_kind_and_what_comes_from_or_goes_to_its_factor(
    kind: str, factor: str, expected: list[int]
) -> None:
    wanted = ChangeFilter.asked(kind, factor)
    assert expected == [number for number, item in enumerate(ITEMS) if wanted.wants(item)]


def test_only_what_narrows_stands_in_the_address() -> None:
    assert {"kind": "lost"} == ChangeFilter.asked("lost", "all").query()


def test_settings_say_how_many_they_moved_and_at_which_factor() -> None:
    assert "2 lost, 1 moved: By Template -3, By User Interface +1" == moved_sentence(SETTINGS)
    assert "nobody moved" == moved_sentence(SETTINGS | {"subjects": 0})


def test_a_change_of_settings_reads_as_what_became_what() -> None:
    changes: list[dict[str, Any]] = [
        {"setting": "acquired_licenses", "from": None, "to": 1500},
        {"setting": "factors.lifecycle", "from": True, "to": None},
        {"setting": "gateways", "from": [], "to": ["a.example", "b.example"]},
    ]
    assert "Acquired Licenses: not set → 1,500; Managed Users - By Template: on → default; 1 more" == changes_sentence(
        changes, 2
    )
    assert "pia (provider's defaults)" == who(SettingsChange(AT, "provider", 1, "pia", changes))
    assert "unknown" == who(SettingsChange(AT, "tenant", 1, None, changes))
