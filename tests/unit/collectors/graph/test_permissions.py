"""Which permissions a tenant takes, and what a token says was granted."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from collectors.graph.api.clouds import CLOUDS
from collectors.graph.permissions import PERMISSIONS, granted, needed
from schemas.settings import CloudName, Graph

DOCUMENT = Path(__file__).parents[4] / "docs" / "graph.md"
GROUP = "aa8c1c36-5b0e-4d2f-8a67-3c0a1d5c2f01"


def parts(cloud: CloudName, groups: list[str], *, beta: bool = False, notifications: bool = False) -> list[str]:
    graph = Graph(cloud=cloud, template_groups=groups)
    return [each.part for each in needed(graph, CLOUDS[cloud], beta=beta, notifications=notifications)]


def test_only_what_the_settings_ask_for_is_needed() -> None:
    least = ["users", "skus", "accounts", "numbers"]
    assert least == parts("global", [])
    assert least == parts("global", [], notifications=True)  # those of users take what reading users takes
    assert [*least, "groups"] == parts("global", [GROUP])
    assert [*least, "groups", "notifications"] == parts("global", [GROUP], notifications=True)
    assert [*least, "applications"] == parts("global", [], beta=True)


@pytest.mark.parametrize("cloud", ["gcc_high", "dod", "china"])
def test_other_clouds_have_no_lists_of_teams(cloud: CloudName) -> None:
    assert ["users", "skus", "groups"] == parts(cloud, [GROUP], beta=True)


def test_nothing_but_reading_is_asked_for() -> None:
    names = [name for permission in PERMISSIONS for name in (permission.least, *permission.instead)]
    assert [] == [name for name in names if not name.endswith(".Read.All")]
    assert len(PERMISSIONS) == len({permission.part for permission in PERMISSIONS})


def test_the_table_of_the_document_is_complete_and_true() -> None:
    section = DOCUMENT.read_text("utf-8").split("\n## Permissions\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "| `" in line]
    told = [
        (least.strip("`"), tuple(re.findall(r"`(.+?)`", wider)), reads, clouds)
        for least, wider, reads, _, clouds in rows
    ]
    assert [
        (each.least, each.instead, each.reads, "global" if each.of_teams else "all") for each in PERMISSIONS
    ] == told


def token(claims: Any) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{encoded}.c2ln"


def test_a_token_tells_what_was_granted() -> None:
    assert frozenset({"User.Read.All", "Group.Read.All"}) == granted(
        token({"roles": ["User.Read.All", "Group.Read.All"]})
    )
    assert frozenset() == granted(token({"aud": "https://graph.microsoft.com"}))  # consented, and to nothing
    for length in range(4):
        assert frozenset({"r" * length}) == granted(token({"roles": ["r" * length]}))  # whatever the padding


@pytest.mark.parametrize(
    "text",
    ["", "opaque", "a.b", "a.b.c.d", "a.é.c", "a.b.c", token([1]), token("x"), token({"roles": "all"}), "a.////.c"],
)
def test_what_is_no_token_to_be_read_tells_nothing(text: str) -> None:
    assert granted(text) is None
