"""The demo of the Graph collector, as `make demo-graph` runs it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo import __main__ as demo
from tests.demo import scenes
from tests.demo.stage import Stage
from tests.support.waiting import eventually

DEADLINE_S = 240
COMMAND = [sys.executable, "-m", "tests.demo"]


def test_the_demo_shows_everything_in_time_and_ends() -> None:
    ended = subprocess.run([*COMMAND, "--once"], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert (0, "") == (ended.returncode, ended.stderr), ended.stdout
    for line in (
        "contoso    3,578 of 3,578 licences (5,013 accounts) - done",
        "fabrikam   554 -> 555 licences",
        "tailspin   45 -> 46 licences",
        "failing: Graph throttles the tenant",  # which part is the first to say so is a matter of chance
        "fabrikam   555 -> 556 licences",
        "northwind  keeps its count of 121",
        "Everything was seen in time. The portal answers at http://127.0.0.1:",
    ):
        assert line in ended.stdout
    assert "\x1b" not in ended.stdout


def test_the_demo_goes_on_until_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "out"
    env = os.environ | {"TMPDIR": str(tmp_path)}
    with out.open("wb") as file:
        process = subprocess.Popen([*COMMAND], stdout=file, stderr=subprocess.STDOUT, env=env)
    try:
        eventually(lambda: "goes on until Ctrl-C" in out.read_text(), DEADLINE_S)
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(60), out.read_text()
    finally:
        process.terminate()
        process.wait(60)
    assert [out] == list(tmp_path.iterdir())
    graph = re.findall(r"http://127.0.0.1:\d+", out.read_text())[0]
    assert not [line for line in _commands() if str(tmp_path) in line or graph in line]


def test_what_is_not_seen_in_time_is_said_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(stage: Stage, *_: object) -> None:
        stage.wait("the count moved", lambda: False, 0.2)

    monkeypatch.setattr(scenes, "counts_come_in", never)
    monkeypatch.setattr(sys, "argv", ["demo", "--once"])
    previous = signal.getsignal(signal.SIGTERM)
    try:
        assert 1 == demo.main()
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert "within 0.2 s it was not seen that the count moved\n" == capsys.readouterr().err


def _commands() -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found
