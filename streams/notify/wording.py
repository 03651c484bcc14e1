"""Owns the texts of messages: templates (Jinja2, sandboxed), ours or the operator's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from licensing.alerts.words import LEVELS
from schemas.alert import Alert
from streams.notify.messages import Message

_RULES = {
    "pool": "licence pool", "forecast": "forecast of the pool", "stale": "age of the count", "sync_held": "held sync",
    "sync_failing": "failing source", "suspicious_tag": "dial-plan tags", "teams_phone": "Teams Phone licences",
}  # fmt: skip
_LONGEST_TITLE = 200
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), " ")
_TEST = "Test"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Text:
    """A message as people read it."""

    title: str
    body: str
    html: str


class Wording:
    """Makes texts of messages. `folder`: templates of the operator, each in place of ours of the same name."""

    def __init__(self, folder: Path | None, link_base: str | None) -> None:
        """`link_base`: the portal's address as people know it; None = no links."""
        self._link_base = link_base
        ours: BaseLoader = PackageLoader("streams.notify")
        loader = ours if folder is None else ChoiceLoader([FileSystemLoader(folder), ours])
        self._environments = [_environment(loader), _environment(ours)]

    def text(self, messages: Sequence[Message]) -> Text:
        """Return the text of one message or of several as one. A template of the operator's that fails is passed over:
        a message in our words is better than none."""
        try:
            return self._text(self._environments[0], messages)
        except Exception as error:  # noqa: BLE001  # whatever somebody wrote into a template
            log.warning(
                "template_failed",
                error=type(error).__name__,
                template=getattr(error, "name", None),
                line=getattr(error, "lineno", None),
                next_step="correct it in the folder alerts.templates; until then the texts are ours",
            )
            return self._text(self._environments[1], messages)

    def _text(self, environment: SandboxedEnvironment, messages: Sequence[Message]) -> Text:
        names = {message.alert.tenant: one_line(message.display_name or "") for message in messages}
        tests = {message.alert.id for message in messages if message.is_test}
        alerts = [_in_lines(message.alert) for message in messages]

        def name(alert: Alert) -> str:
            known = names[alert.tenant]
            return f"{known} ({alert.tenant})" if known else alert.tenant

        given: dict[str, Any] = {
            "alerts": alerts,
            "firing": sum(alert.state == "firing" for alert in alerts),
            "name": name,
            "words": lambda alert: _TEST if alert.id in tests else words(alert),
            "rule": lambda alert: _RULES[alert.rule],
            "time": lambda at: at.strftime("%d %B %Y, %H:%M UTC") if isinstance(at, datetime) else at,
            "link": lambda alert: f"{self._link_base}/tenants/{alert.tenant}" if self._link_base else None,
        }
        title, body, html = (
            environment.get_template(template).render(given).strip()
            for template in ("subject.txt", "message.txt", "message.html")
        )
        if not (title and body and html):
            raise ValueError("a template gave an empty text, which no service takes")
        return Text(one_line(title)[:_LONGEST_TITLE], body, html)


def one_line(text: str) -> str:
    """Return a text without line ends and control characters: names are what tenants write, and must not become
    headers or lines of their own."""
    return " ".join(text.translate(_CONTROLS).split())


def _in_lines(alert: Alert) -> Alert:
    texts = {"detail": one_line(alert.detail), "todo": one_line(alert.todo)}
    by = None if alert.acknowledged_by is None else one_line(alert.acknowledged_by)
    return alert.model_copy(update=texts | {"acknowledged_by": by})


def words(alert: Alert) -> str:
    """Return what a change is, in a word or two."""
    if alert.change == "resolved":
        return "Resolved"
    if alert.change == "acknowledged":
        return f"Acknowledged by {alert.acknowledged_by}"
    said = LEVELS[alert.level or "warning"]
    prefix = {"lowered": "Down to ", "reminded": "Still "}.get(alert.change, "")
    return f"{prefix}{said[0].lower()}{said[1:]}" if prefix else said


def _environment(loader: BaseLoader) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=loader, undefined=StrictUndefined, autoescape=lambda name: bool(name and name.endswith(".html"))
    )
