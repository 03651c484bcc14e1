"""The command line in this process: what it prints and how it ends, and the list of all its commands."""

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from runtime.cli.main import app, main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def run_cli(*arguments: str) -> Ended:
    """Run `poolwatch …` in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


def commands() -> list[tuple[str, ...]]:
    """Return the names of all commands, groups left out: `("tenant", "set")`."""
    return list(_walk(typer.main.get_command(app), ()))


def example_of(path: tuple[str, ...]) -> list[str]:
    """Return the arguments of the example in a command's help."""
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    text = re.sub(r"\s+", " ", command.help or "")
    match = re.search(r"Example: poolwatch (.+?)\s*$", text)
    assert match is not None, f"the help of {' '.join(path)} has no example"
    return match[1].split(" ")


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        yield path
        return
    for name, child in command.commands.items():
        yield from _walk(child, (*path, name))
