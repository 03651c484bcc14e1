"""The demo of alerts, as `make demo-alerts` runs it."""

import subprocess
import sys


def test_the_demo_shows_each_notification_once_and_ends() -> None:
    command = [sys.executable, "-m", "tests.demo.alerts"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (0, "") == (ended.returncode, ended.stderr), ended.stdout
    for line in (
        "mail     Warning: Fabrikam (fabrikam)",
        "webhook  escalated over_grace: 24 of 20",
        "arrived once by mail",
    ):
        assert line in ended.stdout
    assert "\x1b" not in ended.stdout
