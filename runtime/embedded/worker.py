"""Owns the process of the embedded stack that counts: meter and counter on the embedded broker, in one loop."""

import dataclasses
import sys
import time
from functools import partial
from pathlib import Path

from runtime.embedded.marks import COUNTING_MARK, REBUILT_MARK, run_folder
from runtime.embedded.own_settings import SESSION_TIMEOUT_S, own_settings
from runtime.logging import configure
from runtime.worker import options_of
from streams.counter import new_counter_app
from streams.meter import new_meter_app
from streams.run import run_apps

_LOOK_S = 0.02


def main() -> int:
    """Run meter and counter until SIGTERM: `python -m runtime.embedded.worker BOOTSTRAP DATA PORT`."""
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
    return run_apps(
        [
            partial(new_meter_app, options, on_ready=partial(ready, "meter")),
            partial(new_counter_app, options, on_ready=partial(ready, "counter")),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
