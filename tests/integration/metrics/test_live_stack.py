"""A live embedded stack under observation: a real Prometheus scrapes it and is asked every question of every rule and
dashboard; a receiver takes its traces."""

import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from schemas.times import format_ms
from streams.clock import now_ms
from tests.support.embedded_stack import EmbeddedStack, running_stack
from tests.support.metrics import described
from tests.support.otlp import Receiver, receiving_traces
from tests.support.prometheus import HOW_TO_GET_IT, Prometheus, find_program, running_prometheus
from tests.support.waiting import eventually

DEPLOY = Path(__file__).parents[3] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
RULES = DEPLOY / "prometheus/rules"
WAIT_S = 40.0
NOT_HERE = {
    "poolwatch_alerts_open": "no alert is open",
    "poolwatch_notifications_total": "there is no channel",
    "poolwatch_notifications_waiting": "there is no channel",
    "poolwatch_sink_retries_total": "ClickHouse has taken everything",
    "poolwatch_graph_parts": "no tenant is read from Graph",
}
SPANS = {
    "POST /api/v1/events", "meter batch", "meter 3-tell", "meter 4-keep", "meter 5-tallies", "counter batch",
    "counter 7-publish",
}  # fmt: skip


def program(name: str) -> Path:
    found = find_program(name)
    if found is None:
        pytest.skip(f"WITHOUT {name.upper()}: {HOW_TO_GET_IT}")
    return found


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving_traces() as own:
        yield own


@pytest.fixture(scope="module")
def stack(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POOLWATCH_TRACING_ENDPOINT", receiver.endpoint)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        # A collector without tenants: it asks nobody for anything, and has its figures.
        patch.setenv("POOLWATCH_GRAPH_CLIENT_ID", "00000000-0000-0000-0000-000000000000")
        patch.setenv("POOLWATCH_GRAPH_CLIENT_SECRET", "unused")
        with running_stack(tmp_path_factory.mktemp("metrics") / "data") as own:
            yield own


@pytest.fixture(scope="module")
def prometheus(stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES / "*.yml")],
        "scrape_configs": [
            {
                "job_name": "poolwatch",
                "honor_labels": True,
                "static_configs": [{"targets": [stack.url.removeprefix("http://")]}],
            }
        ],
    }
    folder = tmp_path_factory.mktemp("prometheus")
    with running_prometheus(program("prometheus"), yaml.safe_dump(configuration), folder) as own:
        eventually(lambda: own.ask('up{job="poolwatch"} == 1'), WAIT_S)
        # Rates of series that were there before: seen from now on.
        told(stack)
        eventually(lambda: own.ask("poolwatch:event_to_count_seconds:p50 >= 0"), WAIT_S)
        yield own


def told(stack: EmbeddedStack) -> None:
    """Have something happen everywhere: an event that is counted and one that is not, a question, a new pool."""
    patched = httpx.patch(f"{stack.url}/api/v1/tenants/acme/settings", json={"acquired_licenses": 10}, timeout=30)
    assert 200 == patched.status_code, patched.text
    event = {"type": "voice", "tenant": "acme", "subject": "user:a1", "observed_at": format_ms(now_ms())}
    assert 202 == stack.post_events(event | {"facts": {"enterprise_voice": True}}, event).status_code
    eventually(lambda: stack.count("acme")["profiles"], WAIT_S)


def queries(dashboard: Path) -> Iterator[tuple[str, str, bool]]:
    """Yield title and query of each panel, and whether it may give nothing: its description says when."""
    for panel in json.loads(dashboard.read_text("utf-8"))["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "1m")
            yield panel["title"], expression, "Empty" in panel.get("description", "")


def all_answered(left: list[str]) -> bool:
    assert [] == left
    return True


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_question_of_a_dashboard_is_answered(prometheus: Prometheus, dashboard: Path) -> None:
    def unanswered() -> list[str]:
        given = [(title, expression, prometheus.ask(expression)) for title, expression, _ in queries(dashboard)]
        empty = {expression for _, expression, may_be_empty in queries(dashboard) if may_be_empty}
        return [f"{title}: {expression}" for title, expression, got in given if not got and expression not in empty]

    assert list(queries(dashboard))
    eventually(lambda: all_answered(unanswered()), WAIT_S)


def test_every_rule_is_evaluated_and_no_alert_speaks_of_a_stack_that_is_well(prometheus: Prometheus) -> None:
    written = [rule for path in RULES.glob("*.yml") for rule in _rules(path)]
    evaluated = eventually(lambda: [r for r in prometheus.rules() if r["health"] == "ok"], WAIT_S)
    assert sorted(rule.get("alert") or rule["record"] for rule in written) == sorted(r["name"] for r in evaluated)
    # One event was refused on purpose.
    assert set() == {r["name"] for r in evaluated if r.get("state") == "firing"} - {"PoolwatchDeadLetters"}


def test_every_metric_is_told_by_the_stack(prometheus: Prometheus) -> None:
    def missing() -> set[str]:
        told = {series["metric"]["__name__"] for series in prometheus.ask('{__name__=~"poolwatch_.+"}')}
        return {each.name for each in described()} - {re.sub("_(bucket|sum|count)$", "", name) for name in told}

    eventually(lambda: all_answered(sorted(missing() - set(NOT_HERE))), WAIT_S)


def test_every_process_of_the_stack_is_seen_at_its_portal(prometheus: Prometheus) -> None:
    up = {series["metric"]["process"]: series["value"][1] for series in prometheus.ask("poolwatch_process_up")}
    assert {"core": "1", "worker": "1", "collector": "1"} == up
    of_memory = prometheus.ask("process_resident_memory_bytes")
    assert {"core", "worker", "collector"} == {series["metric"]["process"] for series in of_memory}


def test_every_rule_and_its_tests_are_right_for_promtool() -> None:
    for arguments in (
        ["check", "config", "prometheus/prometheus.yml"],
        ["check", "rules", *(f"prometheus/rules/{path.name}" for path in RULES.glob("*.yml"))],
        ["test", "rules", *(f"prometheus/tests/{path.name}" for path in (DEPLOY / "prometheus/tests").glob("*.yml"))],
    ):
        ended = subprocess.run(
            [program("promtool"), *arguments], cwd=DEPLOY, capture_output=True, text=True, check=False, timeout=60
        )
        assert 0 == ended.returncode, ended.stdout + ended.stderr


def test_an_event_by_http_is_followed_to_its_count(stack: EmbeddedStack, receiver: Receiver) -> None:
    trace, sender = uuid.uuid4().hex, "00f067aa0ba902b7"
    answer = stack.post_events(dial_plan("111"), headers={"traceparent": f"00-{trace}-{sender}-01"})
    assert 202 == answer.status_code, answer.text
    # Each process sends its own, whenever it comes to it.
    eventually(lambda: SPANS <= {span.name for span in receiver.of(trace)}, WAIT_S)
    by_name = {span.name: span for span in receiver.of(trace)}
    posted, batch, told = by_name["POST /api/v1/events"], by_name["meter batch"], by_name["meter 5-tallies"]
    assert ("poolwatch-core", sender) == (posted.service, posted.parent)
    assert ("poolwatch-worker", posted.id) == (batch.service, batch.parent)
    assert batch.id == by_name["meter 4-keep"].parent
    assert told.id == by_name["counter batch"].parent
    assert {"topic", "partition", "records"} == set(batch.attributes)


def test_an_import_is_followed_to_its_count(stack: EmbeddedStack, receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(dial_plan("222")))
    stack.done("import", "events", str(file))
    (begun,) = eventually(lambda: [span for span in receiver.spans if span.name == "import events"], WAIT_S)
    assert ("poolwatch-import", "") == (begun.service, begun.parent)
    eventually(lambda: "counter 7-publish" in {span.name for span in receiver.of(begun.trace)}, WAIT_S)


def dial_plan(number: str) -> dict[str, Any]:
    facts = {"number": f"+4930{number}", "tag": "sbc", "name": "Berlin"}
    return {
        "type": "dial_plan", "tenant": "traced", "subject": f"number:+4930{number}",
        "observed_at": format_ms(now_ms()), "facts": facts,
    }  # fmt: skip


def _rules(path: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load(path.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]
