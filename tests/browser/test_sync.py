"""The page of sources: a sync that would remove most waits there for a person, who lets it through."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Elsewhere, OpenPage
from tests.support.embedded_stack import EmbeddedStack
from tests.support.waiting import eventually

_BEFORE, _AFTER = 40, 5


def _users(path: Path, number: int, age: timedelta) -> str:
    rows = [f"0a0a0a0a-0000-4000-8000-{n:012},user{n}@held.example,User {n},True" for n in range(number)]
    path.write_text("\n".join(["ObjectId,UserPrincipalName,DisplayName,AccountEnabled", *rows]) + "\n")
    written = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (written, written))
    return str(path)


def test_a_held_sync_waits_on_the_page_and_goes_through_when_a_person_says_so(
    open_page: OpenPage, tenant: str, elsewhere: Elsewhere, demo: EmbeddedStack, tmp_path: Path
) -> None:
    elsewhere("import", "users", _users(tmp_path / "before.csv", _BEFORE, timedelta(hours=1)), "-T", tenant)
    elsewhere("import", "users", _users(tmp_path / "after.csv", _AFTER, timedelta()), "-T", tenant)
    eventually(lambda: "sync_held" in demo.count(tenant)["hints"], 30)
    page = open_page("/sync")
    row = page.get_by_role("row").filter(has_text=tenant).first
    expect(row).to_contain_text("users-file")
    expect(row.get_by_role("cell", name=str(_BEFORE), exact=True)).to_be_visible()
    held = page.get_by_role("row").filter(has_text=tenant)
    waiting = held.count()
    row.get_by_role("button", name="Let it through").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"saw {_AFTER} of {tenant} where {_BEFORE} were expected")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    row.get_by_role("button", name="Let it through").click()
    page.get_by_role("dialog").get_by_role("button", name="Let it through").click()
    expect(held).to_have_count(waiting - 1)


def test_without_trouble_the_page_says_so(open_page: OpenPage) -> None:
    page = open_page("/sync")
    expect(page.get_by_role("heading", name="Sources", level=1)).to_be_visible()
    expect(page.get_by_text("No collector has told of a source yet")).to_be_visible()
