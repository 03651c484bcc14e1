"""What is measured, what is written of it, and what operators are told by it agree."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.metrics.counting import USAGES, usage_of
from tests.support.metrics import described

ROW = re.compile(r"^\| `(poolwatch_\w+)` \| (\w+) \| ([\w, ]*) \| (.+?) \| (.+?) \|$", re.MULTILINE)
STACK_ONLY = ("poolwatch_process_up", "gauge", "process")


@pytest.fixture
def alerts(repository: Path) -> list[dict[str, Any]]:
    loaded = yaml.safe_load((repository / "deploy/prometheus/rules/alerts.yml").read_text("utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def test_every_metric_is_in_the_tables_and_nothing_else(repository: Path) -> None:
    rows = ROW.findall((repository / "docs/metrics.md").read_text("utf-8"))
    written = sorted((name, kind, labels) for name, kind, labels, _, _ in rows)
    measured = sorted([*((each.name, each.kind, ", ".join(each.labels)) for each in described()), STACK_ONLY])
    assert measured == written


def test_no_label_could_name_a_tenant_or_a_person() -> None:
    labels = {label for each in described() for label in each.labels}
    assert set() == labels & {"tenant", "subject", "user", "principal", "name"}


def test_every_metric_of_an_alert_is_measured(alerts: list[dict[str, Any]]) -> None:
    known = {each.name for each in described()} | {STACK_ONLY[0]}
    asked = {name for rule in alerts for name in re.findall(r"\bpoolwatch_\w+", rule["expr"])}
    assert asked
    assert set() == {name.removesuffix("_bucket") for name in asked} - known


def test_every_alert_has_its_section_in_the_runbook_and_every_section_its_alert(
    repository: Path, alerts: list[dict[str, Any]]
) -> None:
    sections = re.findall(r"^### (\w+)$", (repository / "docs/runbook.md").read_text("utf-8"), re.MULTILINE)
    assert [rule["alert"] for rule in alerts] == sections
    anchors = [f"docs/runbook.md#{section.lower()}" for section in sections]
    assert anchors == [rule["annotations"]["runbook"] for rule in alerts]


def test_every_alert_is_tested_for_firing_and_for_silence(repository: Path, alerts: list[dict[str, Any]]) -> None:
    tests = yaml.safe_load((repository / "deploy/prometheus/tests/alerts.yml").read_text("utf-8"))["tests"]
    names = {rule["alert"] for rule in alerts}
    assert {f"{name} {kind}" for name in names for kind in ("fires", "is silent")} == {test["name"] for test in tests}
    for test in tests:
        assert test["name"].endswith("fires") is bool(test["alert_rule_test"][0]["exp_alerts"]), test["name"]


@pytest.mark.parametrize(
    ("percent", "usage"),
    [(None, "no_pool"), (0.0, "below_50"), (50.0, "50_to_75"), (75.0, "75_to_90"), (90.0, "90_to_100"),
     (100.0, "90_to_100"), (100.1, "over_100")],
)  # fmt: skip
def test_a_pool_full_to_the_last_seat_is_not_over(percent: float | None, usage: str) -> None:
    assert usage == usage_of(percent)
    assert usage in USAGES
