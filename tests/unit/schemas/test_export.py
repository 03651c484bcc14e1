"""The JSON Schemas in docs/schemas are those of the models."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas import export
from schemas.topics import TOPICS

DIRECTORY = Path(__file__).parents[3] / "docs" / "schemas"
# The business of who writes them alone: the meter's is no JSON.
WITHOUT_SCHEMA = {"meter-state-changelog", "alert-state"}


def test_every_topic_that_others_may_read_has_a_schema() -> None:
    assert set(TOPICS) - WITHOUT_SCHEMA == set(export.VALUES)


@pytest.mark.parametrize("name", sorted(export.documents()))
def test_the_written_schema_is_current(name: str) -> None:
    path = DIRECTORY / name
    written = path.read_text(encoding="utf-8") if path.exists() else "(missing)"
    assert export.documents()[name] == written, f"docs/schemas/{name} is not what the models say: run make schemas"


def test_no_schema_is_left_of_a_topic_that_is_gone() -> None:
    assert set(export.documents()) == {path.name for path in DIRECTORY.iterdir()}


@pytest.mark.parametrize("topic", sorted(export.VALUES))
def test_a_schema_is_itself_valid(topic: str) -> None:
    Draft202012Validator.check_schema(export.schema_of(topic))  # type: ignore[arg-type]


def test_the_command_writes_every_file_into_a_directory_that_it_makes(tmp_path: Path) -> None:
    assert 0 == export.main([str(tmp_path / "new" / "schemas")])
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new" / "schemas").iterdir()}
    assert export.documents() == written


def test_the_command_without_a_directory_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == export.main([])
    assert "python -m schemas.export DIRECTORY" in capsys.readouterr().err
