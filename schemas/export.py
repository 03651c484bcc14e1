"""Owns the JSON Schema of what each topic carries: `python -m schemas.export docs/schemas` writes one file a topic."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from schemas.alert import Alert, Delivery
from schemas.changes import DeadLetter, SeatChange, SnapshotEnd, SyncRecord, Tally
from schemas.commands import Command
from schemas.count import Count
from schemas.events import (
    MAX_ARRAY_EVENTS,
    DialPlan,
    Directory,
    FacetConfirmed,
    Interface,
    Lifecycle,
    PhoneNumber,
    ServiceNumber,
    Subscription,
    SyncCompleted,
    Voice,
)
from schemas.settings import ProviderSettings, TenantSettings
from schemas.sources import SourceState
from schemas.topics import TOPICS, TopicName

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_UserChange = Annotated[Directory | Interface | SyncCompleted | FacetConfirmed, Field(discriminator="type")]
_Assignment = Annotated[
    Subscription | Voice | PhoneNumber | Lifecycle | DialPlan | ServiceNumber | SyncCompleted | FacetConfirmed,
    Field(discriminator="type"),
]
_Mode = Literal["validation", "serialization"]

# What others write is described as it is taken in, what only we write as it comes out: there every key is present.
VALUES: dict[TopicName, tuple[Any, _Mode]] = {
    "user-changes": (_UserChange | Annotated[list[_UserChange], Field(max_length=MAX_ARRAY_EVENTS)], "validation"),
    "assignments": (_Assignment | Annotated[list[_Assignment], Field(max_length=MAX_ARRAY_EVENTS)], "validation"),
    "tenants": (TenantSettings | ProviderSettings | None, "validation"),
    "commands": (Annotated[Command, Field(discriminator="type")], "validation"),
    "seat-changes": (Annotated[SeatChange | SyncRecord, Field(discriminator="type")], "serialization"),
    "tallies": (Annotated[Tally | SnapshotEnd, Field(discriminator="type")], "serialization"),
    "license-counts": (Count, "serialization"),
    "sources": (SourceState, "serialization"),
    "alerts": (Annotated[Alert | Delivery, Field(discriminator="type")], "serialization"),
    "dead-letters": (DeadLetter, "serialization"),
}
"""Model of each topic's value; of `dead-letters`, whose value is what was refused, the model of the headers."""


def schema_of(topic: TopicName) -> dict[str, Any]:
    """Return the JSON Schema of a topic's value."""
    model, mode = VALUES[topic]
    title = f"Headers of {topic}" if topic == "dead-letters" else f"Value of {topic}"
    return {
        "$schema": DIALECT,
        **TypeAdapter(model).json_schema(mode=mode),
        "title": title,
        "description": TOPICS[topic].carries,
    }


def documents() -> dict[str, str]:
    """Return the text of every file by its name, sorted, so that the same models give the same bytes."""
    return {
        f"{topic}.json": json.dumps(schema_of(topic), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        for topic in VALUES
    }


def write(directory: Path) -> None:
    """Write every file into the directory, which is made where it is missing."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (directory / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the files into the directory that is named; 2 for wrong usage."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m schemas.export DIRECTORY, such as docs/schemas\n")
        return 2
    write(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
