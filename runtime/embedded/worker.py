"""Owns the process of the embedded stack that counts: meter, counter and alerts on the embedded broker, in one loop."""

import dataclasses
import sys
import time
from functools import partial
from pathlib import Path

from runtime.embedded.marks import COUNTING_MARK, REBUILT_MARK, run_folder
from runtime.embedded.own_settings import SESSION_TIMEOUT_S, own_settings
from runtime.logging import configure
from runtime.metrics.merged import figures_for_portal
from runtime.tracing import traced
from runtime.worker import app_of, options_of
from streams.run import run_apps

_LOOK_S = 0.02


def main() -> int:
    """Run meter, counter and alerts until SIGTERM: `python -m runtime.embedded.worker BOOTSTRAP DATA PORT`."""
    bootstrap, data, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    folder = run_folder(data)
    waiting = {"meter", "counter"}

    def ready(name: str) -> None:
        waiting.discard(name)
        if not waiting:
            (folder / COUNTING_MARK).touch()

    while not (folder / REBUILT_MARK).exists():
        time.sleep(_LOOK_S)
    settings = own_settings(bootstrap, data, port)
    configure(settings.log)
    options = dataclasses.replace(
        options_of(settings.kafka), idempotent=False, exact_ends=False, session_timeout_s=SESSION_TIMEOUT_S
    )
    apps = [
        app_of("meter", settings, options, partial(ready, "meter")),
        app_of("counter", settings, options, partial(ready, "counter")),
        app_of("alerts", settings, options),  # counts do not wait for it
    ]
    with (
        traced(settings.tracing, "worker"),
        figures_for_portal(folder, "worker", "meter", "counter", "alerts") as health,
    ):
        return run_apps(apps, health.watch)


if __name__ == "__main__":
    sys.exit(main())
