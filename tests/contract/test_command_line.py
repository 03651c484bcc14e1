"""What every command of the command line owes its user."""

import subprocess
import sys

import pytest

from runtime.cli.refresh import ANSWER_WITHIN_S, trouble
from tests.support.command_line import commands, example_of, run_cli
from tests.support.ports import free_port

ALL = [" ".join(path) for path in commands()]
CONTRACT = {
    "up", "tenant set", "tenant show", "tenant list", "tenant remove", "provider set", "provider show", "count",
    "counts", "watch", "history", "seats", "explain", "changes", "settings history", "audit", "forecast", "sync list",
    "sync confirm", "alerts list", "alerts acknowledge", "alerts mute", "alerts unmute", "alerts test",
    "refresh", "sources", "graph check", "token create", "token list", "token revoke",
    "import users", "import numbers", "import dial-plan", "import m365", "import events", "dead-letters list",
    "dead-letters replay", "migrate", "topics", "check-config", "version", "run meter", "run counter", "run sink",
    "run alerts", "run portal", "run collector",
}  # fmt: skip
PRINT_NO_DATA = {"up", "run meter", "run counter", "run sink", "run alerts", "run portal", "run collector"}
ASK_THE_PORTAL = {
    "tenant show acme", "tenant list", "tenant set acme --pool 5", "tenant remove acme --yes", "provider show",
    "provider set --warning 5", "count acme", "counts", "watch acme", "history acme", "seats acme", "changes acme",
    "explain acme user:1", "settings history acme", "audit acme", "forecast acme", "sync list acme",
    "sync confirm acme 1",
    "alerts list", "alerts acknowledge acme pool", "alerts mute acme --until 2h", "alerts unmute acme",
    "alerts test -T acme",
    "refresh acme", "refresh acme --wait", "sources acme", "token list", "token revoke 9f2c4b7a1d3e5f60",
    "token create ci --role provider_viewer",
    "graph check -T acme",
}  # fmt: skip


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(ALL) >= CONTRACT


@pytest.mark.parametrize("command", ALL)
def test_every_command_has_help_with_an_example(command: str) -> None:
    ended = run_cli(*command.split(), "--help")
    assert (0, "") == (ended.code, ended.err)
    assert "POOLWATCH_URL" in ended.out
    assert command.split() == example_of(tuple(command.split()))[: len(command.split())]
    assert ("--json" in ended.out) is (command not in PRINT_NO_DATA)


@pytest.mark.parametrize("command", sorted(ASK_THE_PORTAL))
def test_without_a_portal_the_user_is_told_how_to_start_one(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("POOLWATCH_URL", url)
    ended = run_cli(*command.split())
    assert (1, "") == (ended.code, ended.out)
    assert (
        f"poolwatch: No Poolwatch answers at {url}: start it with `poolwatch up`, or set POOLWATCH_URL\n" == ended.err
    )


@pytest.mark.parametrize(
    "arguments",
    [
        "count", "counts --sort size", "tenant set acme --pool -1", "tenant set acme --pool many", "nonsense",
        "tenant set acme --factor lifecycle", "tenant set acme --criteria dr_numbers", "tenant set acme --default sky",
        "history acme --format xml", "import users users.csv", "up --port 99999",
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_says_what_is_taken(arguments: str) -> None:
    ended = run_cli(*arguments.split())
    assert (2, "") == (ended.code, ended.out)
    assert "Usage: poolwatch" in ended.err


@pytest.mark.parametrize("name", ["a/b", "Acme", "", "_provider"])
def test_what_is_no_tenant_id_is_told_before_anything_is_asked(name: str) -> None:
    ended = run_cli("count", name)
    assert ended.code == 1
    assert "is not a tenant id" in ended.err
    assert "poolwatch tenant list" in ended.err


def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWATCH_KAFKA_PARTITIONS", "many")
    for command in ("count acme", "topics", "check-config", "run portal"):
        ended = run_cli(*command.split())
        assert (1, "") == (ended.code, ended.out), command
        assert ended.err.startswith("poolwatch: POOLWATCH_KAFKA_PARTITIONS (kafka.partitions in poolwatch.toml)"), (
            command
        )


def test_a_broker_that_is_not_there_is_told_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("POOLWATCH_KAFKA_BOOTSTRAP", address)
    for command in ("topics", "dead-letters list"):
        ended = run_cli(*command.split())
        assert (1, "") == (ended.code, ended.out), command
        assert f"no Kafka broker answers at {address}" in ended.err, command
        assert "POOLWATCH_KAFKA_BOOTSTRAP" in ended.err, command
        assert len(ended.err.splitlines()) == 1, command


def test_a_reader_that_goes_away_is_no_error() -> None:
    ended = subprocess.run(
        f"{sys.executable} -m runtime.cli.main check-config | head -1", shell=True, capture_output=True, text=True,
        timeout=30, check=True,
    )  # fmt: skip
    assert ended.stderr == ""


def test_nothing_is_coloured_in_a_pipe() -> None:
    assert "\x1b" not in run_cli("check-config").out


@pytest.mark.parametrize(
    ("states", "waited_s", "said"),
    [
        ({}, ANSWER_WITHIN_S - 1, None),
        ({}, ANSWER_WITHIN_S, "no collector has answered"),
        ({"voice": "waiting"}, ANSWER_WITHIN_S, "no collector has answered"),
        ({"voice": "waiting", "directory": "reading"}, 599, None),
        ({"voice": "waiting", "directory": "reading"}, 600, "not read within 600 s: voice, directory; it goes on"),
        ({"voice": "failing", "directory": "reading"}, 600, "voice is failing: why; not read within 600 s: directory;"),
        ({"voice": "failing", "directory": "reading"}, 1, None),
        ({"voice": "failing", "directory": "done"}, 1, "voice is failing: why"),
        ({"voice": "done"}, 700, None),
    ],
)
def test_waiting_for_a_refresh_ends_for_a_reason(states: dict[str, str], waited_s: float, said: str | None) -> None:
    facets = {facet: {"state": reached, "reason": "why"} for facet, reached in states.items()}
    done = bool(states) and not {"waiting", "reading"} & set(states.values())
    why = trouble({"tenant": "acme", "done": done, "facets": facets}, waited_s, 600)
    assert (said is None) is (why is None)
    assert (said or "") in (why or "")
