"""Owns the reading of command lines out of documents: whether a `poolwatch …` line would be understood."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import typer
import typer.main

from runtime.cli.main import app

_SPAN = re.compile(r"`([^`\n]+)`")


def problem_of_line(words: list[str]) -> str | None:
    """Return why a command line is not understood, None for one that is; `words` come after `poolwatch`. Nothing is
    run."""
    command: Any = typer.main.get_command(app)
    context: Any = None
    try:
        while hasattr(command, "commands"):
            if not words or words[0] not in command.commands:
                return None if words == ["--help"] else f"{words[:1]} is no command of {command.name}"
            context = command.make_context(command.name, list(words), parent=context)
            command, words = command.commands[words[0]], words[1:]
        command.make_context(command.name, [word for word in words if word != "--help"], parent=context)
    except Exception as error:  # noqa: BLE001  # whatever the parser of the command line says is what we want to know
        return f"{command.name}: {error.format_message() if hasattr(error, 'format_message') else error}"
    return None


def problem_of_mention(words: list[str]) -> str | None:
    """Return why a mention in a sentence names no command or an option that it has not; values may be left out."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return f"{words[0]!r} is no command of {command.name}"
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word not in options]
    return f"{command.name} has no option {', '.join(unknown)}" if unknown else None


def mentions(text: str) -> Iterator[list[str]]:
    """Yield the words after `poolwatch` of each mention in a text; `a|b` stands for two mentions."""
    for span in _SPAN.findall(text):
        words = span.replace("\\|", "|").split()
        if words[:1] == ["poolwatch"]:
            yield from map(list, product(*(word.split("|") for word in words[1:])))
