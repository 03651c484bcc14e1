"""Owns the controls of single settings: what each shows of the settings, and what is read of it as their JSON."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nicegui import ui
from nicegui.elements.mixins.validation_element import ValidationElement

from portal.web.pieces.setting_words import SETTINGS
from portal.web.settings.setting_draft import value_at
from schemas.settings import Settings

_INPUT = "outlined stack-label"


class Field(Protocol):
    """A setting on a page; `path` is its place: `factors.lifecycle`."""

    @property
    def path(self) -> str: ...

    def on_change(self, heard: Callable[[], Any]) -> None:
        """Call `heard` whenever the control holds something else."""

    def show(self, value: Any) -> None:
        """Show a value, as JSON has it."""

    def read(self) -> Any:
        """Return what the control holds, as JSON has it."""

    def complain(self, errors: Mapping[str, str]) -> None:
        """Show what is wrong, by place; nothing where nothing is wrong here."""

    def freeze(self) -> None:
        """Let it be read and not changed."""


@dataclass(frozen=True, slots=True)
class OneField:
    """A setting that one control holds."""

    path: str
    control: ValidationElement[Any]
    to_control: Callable[[Any], Any]
    to_json: Callable[[Any], Any]

    def on_change(self, heard: Callable[[], Any]) -> None:
        self.control.on_value_change(heard)

    def show(self, value: Any) -> None:
        self.control.value = self.to_control(value)

    def read(self) -> Any:
        return self.to_json(self.control.value)

    def complain(self, errors: Mapping[str, str]) -> None:
        self.control.error = complaint(errors, self.path)

    def freeze(self) -> None:
        self.control.props("readonly")


class GraphField:
    """Whether and how Microsoft Graph is read: None, or the cloud and the template groups."""

    path = "graph"

    def __init__(self) -> None:
        self.cloud = choice_field("graph.cloud", {None: "Is not read", "global": "Worldwide and GCC",
                                  "gcc_high": "GCC High", "dod": "DoD", "china": "China (21Vianet)"})  # fmt: skip
        self.groups = lines_field("graph.template_groups", "Object ids, one a line; nested groups count")

    def on_change(self, heard: Callable[[], Any]) -> None:
        self.cloud.on_change(heard)
        self.groups.on_change(heard)

    def show(self, value: Any) -> None:
        self.cloud.show(value["cloud"] if value else None)
        self.groups.show(value["template_groups"] if value else [])

    def read(self) -> Any:
        cloud = self.cloud.read()
        return cloud and {"cloud": cloud, "template_groups": self.groups.read()}

    def complain(self, errors: Mapping[str, str]) -> None:
        self.cloud.complain(errors)
        self.groups.complain(errors)

    def freeze(self) -> None:
        self.cloud.freeze()
        self.groups.freeze()


def changes_of(fields: Iterable[Field], seen: Settings) -> dict[str, Any]:
    """Return by place what controls hold that settings do not."""
    known = seen.model_dump(mode="json")
    held = {field.path: field.read() for field in fields}
    return {path: value for path, value in held.items() if value != value_at(known, path)}


def show_all(fields: Iterable[Field], settings: Settings) -> None:
    """Let controls hold what settings do."""
    known = settings.model_dump(mode="json")
    for field in fields:
        field.show(value_at(known, field.path))


def complaint(errors: Mapping[str, str], path: str) -> str | None:
    """Return what is wrong at a place or below it, None for nothing."""
    found = [said for at, said in errors.items() if at == path or at.startswith(f"{path}.")]
    return "; ".join(found) or None


def text_field(path: str, hint: str = "") -> OneField:
    """Take a text; an empty one is none."""
    control = ui.input(SETTINGS[path]).props(_INPUT)
    return OneField(path, _hinted(control, hint), lambda value: value or "", lambda text: (text or "").strip() or None)


def number_field(path: str, hint: str = "") -> OneField:
    """Take a number; an empty field is none."""
    return OneField(path, _hinted(ui.number(SETTINGS[path]).props(_INPUT), hint), lambda value: value, _number)


def lines_field(path: str, hint: str = "", *, or_none: bool = False) -> OneField:
    """Take a list, an entry a line. `or_none`: the setting has a default, which an empty field stands for."""
    control = ui.textarea(SETTINGS[path]).props(f"{_INPUT} autogrow")
    return OneField(
        path, _hinted(control, hint), lambda lines: "\n".join(lines or []),
        lambda text: (text or "").split() or (None if or_none else []),
    )  # fmt: skip


def choice_field(path: str, options: Mapping[Any, str], hint: str = "") -> OneField:
    """Take one of some values."""
    control = ui.select(dict(options), label=SETTINGS[path]).props(f"{_INPUT} options-dense")
    return OneField(path, _hinted(control, hint), lambda value: value, lambda value: value)


def switch_field(path: str, default: bool) -> OneField:
    """Take on, off, or the default."""
    return choice_field(path, {None: f"Default: {'on' if default else 'off'}", True: "On", False: "Off"})


def _hinted(control: ValidationElement[Any], hint: str) -> ValidationElement[Any]:
    if hint:
        control.props["hint"] = hint
    # The form judges all controls together; one that judged itself afterwards would take its complaint back.
    return control.classes("setting").without_auto_validation()


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and float(value).is_integer() else value
