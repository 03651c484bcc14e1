"""A file that cannot be imported is refused before anything is sent, and the text says what to do."""

import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.errors import ImportRefusedError
from collectors.importer import ImportKind
from collectors.publisher import MemoryPublisher
from tests.unit.collectors.importing import NOW, imported, write

USERS = "ObjectId,DisplayName\nu1,Ana\n"


def refusal(kind: ImportKind, *paths: Path, **options: object) -> str:
    publisher = MemoryPublisher(8)
    with pytest.raises(ImportRefusedError) as caught:
        imported(kind, *paths, publisher=publisher, **options)  # type: ignore[arg-type]  # handed on as they are
    assert not publisher.records
    return str(caught.value)


@pytest.mark.parametrize("kind", ["users", "numbers", "dial-plan", "m365"])
def test_other_columns_are_named_beside_those_looked_for(kind: ImportKind, tmp_path: Path) -> None:
    text = refusal(kind, write(tmp_path / "other.csv", "Colour;Size\nred;3\n"))
    assert "Found: Colour, Size." in text
    assert {
        "users": "ObjectId or Identity",
        "numbers": "PstnAssignmentStatus",
        "dial-plan": "Prefix",
        "m365": "Licenses",
    }[kind] in text


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = refusal("users", tmp_path / "gone.csv")
    assert "gone.csv cannot be read (No such file or directory)" in text


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "Is a directory" in refusal("users", tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "is empty: export it again" in refusal("users", write(tmp_path / "empty.csv", ""))


def test_a_file_of_line_ends_is_refused(tmp_path: Path) -> None:
    assert "no line that names its columns" in refusal("users", write(tmp_path / "blank.csv", "\r\n\r\n"))


@pytest.mark.parametrize("kind", ["users", "events"])
def test_a_workbook_is_refused(kind: ImportKind, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "users.xlsx", "w") as workbook:
        workbook.writestr("xl/workbook.xml", "<workbook/>" * 100)
    assert "is not a text file" in refusal(kind, tmp_path / "users.xlsx")


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    assert "is not a text file" in refusal("users", write(tmp_path / "noise.csv", bytes(range(256)) * 40))


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert "twice.csv has the column ObjectId twice" in refusal(
        "users", write(tmp_path / "twice.csv", "ObjectId,Object Id,DisplayName\n1,2,3\n")
    )


def test_a_wrong_file_among_several_stops_all(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good.csv", USERS), write(tmp_path / "bad.csv", "Colour\nred\n")
    assert "bad.csv" in refusal("users", good, bad)


def test_a_file_named_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "users.csv", USERS)
    assert "is named twice" in refusal("users", path, path)


@pytest.mark.parametrize("tenant", ["a/b", "Acme", "", "_provider", "a" * 65])
def test_a_tenant_that_is_none_is_refused(tenant: str, tmp_path: Path) -> None:
    assert "is not a tenant id" in refusal("users", write(tmp_path / "users.csv", USERS), tenant=tenant)


def test_a_table_needs_a_tenant(tmp_path: Path) -> None:
    assert "name the tenant (-T)" in refusal("users", write(tmp_path / "users.csv", USERS), tenant=None)


def test_a_file_from_the_future_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "users.csv", USERS, at=NOW + timedelta(minutes=6))
    text = refusal("users", path)
    assert "2026-11-24T12:06:00.000Z, more than 5 minutes ahead of now" in text
    assert "--observed-at" in text


def test_a_source_of_65_characters_is_refused(tmp_path: Path) -> None:
    assert "1 to 64 characters, not 65" in refusal("users", write(tmp_path / "users.csv", USERS), source="s" * 65)


def test_events_carry_their_own_source(tmp_path: Path) -> None:
    assert "leave --source" in refusal("events", write(tmp_path / "e.jsonl", "{}\n"), source="mine")
