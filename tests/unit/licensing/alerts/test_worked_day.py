"""The day that docs/alerts.md works through is what the rules make of its counts."""

import re
from pathlib import Path

from tests.support.alerts import Watched

_ROW = re.compile(r"^\| (\d\d):(\d\d):(\d\d) \| (\d*) *\| (\d*) *\| (.*?) *\|$")
_CHANGES = ("raised", "escalated", "lowered", "resolved")


def test_the_worked_day_of_the_documentation_is_true(repository: Path) -> None:
    text = (repository / "docs" / "alerts.md").read_text("utf-8")
    rows = [match.groups() for line in text.splitlines() if (match := _ROW.match(line))]
    watched, expected = Watched(warning_percent=90.0, critical_percent=100.0, dwell_s=60, grace_percent=5.0), []
    for hours, minutes, seconds, used, pool, told in rows:
        at = ((int(hours) - 10) * 60 + int(minutes)) * 60 + int(seconds)
        watched.wait(at)
        if used:
            watched.count(at, int(used), int(pool))
        change, _, rest = told.partition(":")
        if change in _CHANGES:
            expected.append((float(at), "pool", change, rest.split()[0] if rest else None))
    watched.wait(7_200)
    assert len(expected) >= len(_CHANGES)
    assert expected == watched.changes()
