"""The documents say what is so: the commands, links, files, settings and steps that they name exist, none left out."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.effective import effective
from runtime.settings import Settings, variable
from tests.unit.documented_commands import mentions, problem_of_line, problem_of_mention

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|toml|yml|md|json|sql|csv))`")
COMMAND = re.compile(r"([A-Z_]+=\S* )*(poolwatch|docker compose run) ")
STEP = re.compile(r"\d(?:-[a-z]+)+")
SETTING = re.compile(r"^\| `(POOLWATCH_\w+)` \| `([\w.]+)` \| (.+?) \|", re.MULTILINE)

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(document: Path) -> str:
    return FENCE.sub("", document.read_text("utf-8"))


def command_lines(document: Path) -> Iterator[list[str]]:
    for _, language, block in FENCE.findall(document.read_text("utf-8")):
        lines = block.splitlines() if language in ("sh", "text") else []
        for line in lines:
            text = line.strip().removeprefix("$ ")
            words = shlex.split(text, comments=True) if COMMAND.match(text) else []
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words = words[1:]
            if words[:1] == ["poolwatch"]:
                yield words[1:]
            elif words[:5] == ["docker", "compose", "run", "--rm", "cli"]:
                yield words[5:]


def slugs(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@documents
def test_every_command_line_is_understood(document: Path) -> None:
    problems = {" ".join(words): problem_of_line(words) for words in command_lines(document)}
    assert {} == {line: problem for line, problem in problems.items() if problem}


@documents
def test_every_mention_of_a_command_names_one_that_exists(document: Path) -> None:
    problems = {" ".join(words): problem_of_mention(words) for words in mentions(prose(document))}
    assert {} == {mention: problem for mention, problem in problems.items() if problem}


def test_the_readme_shows_every_command() -> None:
    import typer.main

    from runtime.cli.main import app

    shown = {words[0] for words in mentions(prose(ROOT / "README.md").replace("` · `", "` `poolwatch ")) if words}
    assert set(typer.main.get_command(app).commands) == shown  # type: ignore[attr-defined]  # it is a group


@documents
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    lost = []
    for link in LINK.findall(prose(document)):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in slugs(target)):
            lost.append(link)
    assert [] == lost


@documents
def test_every_file_that_is_named_exists(document: Path) -> None:
    assert [] == [name for name in FILE.findall(prose(document)) if not (ROOT / name).exists()]


@documents
def test_every_test_that_is_named_exists(document: Path) -> None:
    files = [file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py")]
    tests = {name for text in files for name in re.findall(r"def (test_\w+)", text)}
    assert [] == [name for name in re.findall(r"`(test_\w+)`", prose(document)) if name not in tests]


def test_the_table_of_settings_is_complete_and_its_defaults_are_true() -> None:
    table = SETTING.findall((ROOT / "docs/configuration.md").read_text("utf-8"))
    rows = [(name, default.strip("`")) for name, _, default in table]
    assert [(row.name, row.value) for row in effective(Settings.model_construct())] == rows
    assert [name for name, _, _ in table] == [variable(tuple(place.split("."))) for _, place, _ in table]


def steps_in_the_code() -> tuple[set[str], set[str]]:
    """Return the names of steps, and the endings that come behind one (`-stranger`) or behind its number (`-heal`)."""
    names, endings = set(), set()
    for file in (ROOT / "streams").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and STEP.fullmatch(node.value):
                names.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[-1], ast.Constant):
                endings.add(str(node.values[-1].value))
    return names, endings & {"-stranger", "-heal"}


def test_the_delivery_contract_names_every_step_of_the_code_and_no_other() -> None:
    names, endings = steps_in_the_code()
    text = (ROOT / "docs/delivery.md").read_text("utf-8")
    named = set(re.findall(rf"`({STEP.pattern})`", text))
    composed = {name + ending for name in names for ending in endings} | {
        name[0] + ending for name in names for ending in endings
    }
    assert {"-stranger", "-heal"} == endings
    assert set() == names - named, "steps that docs/delivery.md does not name"
    assert set() == named - names - composed, "steps that no code takes"
    assert set() == {f"`…{ending}`" for ending in endings} - set(re.findall(r"`…-\w+`", text))


def test_examples_of_fault_points_name_steps_of_the_code() -> None:
    names, _ = steps_in_the_code()
    examples = re.findall(r"POOLWATCH_FAULT_AT=([\w-]+):", (ROOT / "docs/testing.md").read_text("utf-8"))
    assert examples
    assert set() == set(examples) - names


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/adr"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert sorted(path.name for path in folder.glob("[0-9]*.md")) == listed
    for name in listed:
        text = (folder / name).read_text("utf-8")
        assert text.startswith(f"# {name[:4]} "), name
        parts = [f"**{part}" for part in ("Context.", "Choice.", "Cost.", "Wrong if**")]
        assert [] == [part for part in parts if part not in text], name
