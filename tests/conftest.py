"""What every test can ask for: a real broker, a real ClickHouse, names of its own; and what a run says at its end.

Fixtures
    kafka             the broker of the run (tests.support.kafka_broker.KafkaBroker): `kafka.bootstrap`. Never stop it.
    disposable_kafka  a broker of its own, to stop, restart, kill and pause; a few seconds each
    prefix            a topic prefix of its own, ends in a dot; use it for group names too
    clickhouse        the ClickHouse engine of the run (tests.support.engine.ClickHouse)
    database          a database of its own on it: `database.client`, `database.name`
    summary           what is printed at the end; a test may add a note

The tier, and its marker, is the folder under tests/. Tests of unit and property have no network.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.engine import ClickHouse, Database, choose_engine, fresh_database
from tests.support.kafka_broker import KafkaBroker, choose_broker, disposable_broker, why_not_apache
from tests.support.sockets import forbid_network
from tests.support.summary import WITHOUT_SOCKETS, Counting, Summary, tier_of, tiers_with_tests

IN_CI = os.environ.get("CI") == "true"
SUMMARY = pytest.StashKey[Summary]()

hypothesis.settings.register_profile("ci", deadline=None, max_examples=200, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if IN_CI else "dev"))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SUMMARY] = Summary()
    if not _is_worker(config):
        config.pluginmanager.register(Counting(config.stash[SUMMARY], config.rootpath))


def _is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one (`-n`), which tells how they went."""
    return hasattr(config, "workerinput")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if tier := tier_of(item.path, config.rootpath):
            item.add_marker(tier)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[SUMMARY].take(getattr(node, "workeroutput", {}).get("summary"))


def _expected_tiers(config: pytest.Config) -> set[str]:
    """Whoever names files or markers has chosen; a whole run owes every tier."""
    chosen = config.option.keyword or config.option.markexpr or config.args_source is not config.ArgsSource.TESTPATHS
    return set() if chosen else tiers_with_tests(config.rootpath)


def pytest_sessionfinish(session: pytest.Session) -> None:
    summary, expected = session.config.stash[SUMMARY], _expected_tiers(session.config)
    if _is_worker(session.config):
        session.config.workeroutput["summary"] = summary.told()  # type: ignore[attr-defined]  # pytest-xdist's
    elif IN_CI and session.exitstatus == pytest.ExitCode.OK and summary.missing_tiers(expected):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash[SUMMARY].lines(_expected_tiers(config))
    if lines:
        terminalreporter.section("what was used, what did not run")
    for line in lines:
        terminalreporter.line(line, yellow=line[:4].isupper(), bold=line[:4].isupper())


@pytest.fixture(scope="session")
def summary(pytestconfig: pytest.Config) -> Summary:
    return pytestconfig.stash[SUMMARY]


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if tier_of(request.path, request.config.rootpath) in WITHOUT_SOCKETS:
        forbid_network(monkeypatch)


@pytest.fixture(scope="session")
def kafka(summary: Summary) -> Iterator[KafkaBroker]:
    broker = choose_broker()
    try:
        broker.start()
        summary.engines["kafka"] = f"{broker.name}, up in {broker.started_in_s:.1f} s"
        if reason := why_not_apache():
            summary.notes.append(f"APACHE KAFKA DID NOT RUN: {reason}; the embedded broker stood in")
        yield broker
    finally:
        broker.close()


@pytest.fixture
def disposable_kafka() -> Iterator[KafkaBroker]:
    broker = disposable_broker()
    try:
        broker.start()
        yield broker
    finally:
        broker.close()


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture(scope="session")
def clickhouse(summary: Summary) -> Iterator[ClickHouse]:
    engine = choose_engine()
    try:
        engine.start()
        summary.engines["clickhouse"] = engine.name
        yield engine
    finally:
        engine.close()


@pytest.fixture
def database(clickhouse: ClickHouse) -> Iterator[Database]:
    with fresh_database(clickhouse) as own:
        yield own


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parent.parent
