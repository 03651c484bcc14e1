"""Texts of messages: what strangers write stays a text, and a template that fails loses no message."""

from pathlib import Path

import pytest

from streams.notify.messages import Message
from streams.notify.wording import Wording
from tests.support.logs import heard
from tests.support.messages import alert

EVIL = 'Acme\r\nBcc: eve@evil.example\n\nCritical: all lost\x00\x1b[31m\u2028<b onmouseover="x()">&\x85'
LINK = "https://pool.msp.example"


def named(name: str | None, number: int = 1, **fields: object) -> Message:
    return Message(alert(number, **fields), name, "ops")


def test_a_name_makes_no_header_no_line_and_no_mark_up() -> None:
    hostile = named(EVIL, detail=EVIL, change="acknowledged", acknowledged_by=EVIL)
    harmless = named("Acme", change="acknowledged", acknowledged_by="ana")
    made, plain = Wording(None, LINK).text([hostile]), Wording(None, LINK).text([harmless])
    assert "Acme Bcc: eve@evil.example Critical: all lost [31m" in made.title
    assert not [character for character in made.title if not character.isprintable()]
    assert len(plain.body.splitlines()) == len(made.body.splitlines())
    for kept in ("<b", "\x00", "\x1b"):
        assert kept not in made.html
    assert "&lt;b onmouseover=&#34;x()&#34;&gt;&amp;" in made.html


def test_a_title_has_an_end() -> None:
    assert 200 == len(Wording(None, None).text([named("x" * 256)]).title)


@pytest.mark.parametrize(
    "broken",
    [
        "{{ nonsense }}", "{% if %}", "{{ 1 / 0 }}", "", "{{ ''.__class__.__mro__ }}", "{% include 'secret.txt' %}",
        "{{ alerts[7].id }}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["subject.txt", "message.txt", "message.html"])
def test_a_template_that_fails_is_told_of_and_loses_no_message(tmp_path: Path, broken: str, name: str) -> None:
    (tmp_path / name).write_text(broken)
    with heard("streams") as events:
        made = Wording(tmp_path, LINK).text([named("Acme")])
    assert Wording(None, LINK).text([named("Acme")]) == made
    assert ["template_failed"] == [event["event"] for event in events]


def test_a_template_of_the_operators_is_used_and_html_is_still_escaped(tmp_path: Path) -> None:
    (tmp_path / "subject.txt").write_text("[pool] {{ name(alerts[0]) }}")
    (tmp_path / "message.html").write_text("<p>{{ name(alerts[0]) }}</p>")
    made = Wording(tmp_path, LINK).text([named("<A>")])
    assert ("[pool] <A> (acme)", "<p>&lt;A&gt; (acme)</p>") == (made.title, made.html)
    assert "Buy licences." in made.body


def test_a_folder_that_is_not_there_loses_no_message(tmp_path: Path) -> None:
    assert "Warning: Acme (acme), licence pool" == Wording(tmp_path / "gone", None).text([named("Acme")]).title


def test_a_test_says_so() -> None:
    made = Wording(None, None).text([Message(alert(), "Acme", "ops", is_test=True)])
    assert "Test: Acme (acme), licence pool" == made.title
    for text in (made.body, made.html):
        assert "Test: Acme" in text
