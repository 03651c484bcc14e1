"""The process that tests start, kill and freeze: meter, counter or both, with options of the test's choice."""

import json
import sys
from functools import partial

import structlog

from runtime.logging import configure
from runtime.settings import Log
from streams.counter import new_counter_app
from streams.kafka import KafkaOptions
from streams.meter import new_meter_app
from streams.run import run_apps

APPS = {"meter": new_meter_app, "counter": new_counter_app}


def main() -> int:
    """Run the roles of the first argument (JSON; see `tests.support.worker`) until SIGTERM."""
    arguments = json.loads(sys.argv[1])
    configure(Log(format="json"))
    options = KafkaOptions(**arguments["options"])
    log = structlog.get_logger()
    roles = arguments["roles"]
    return run_apps(
        [partial(APPS[role], options, on_ready=partial(log.info, "worker_ready", role=role)) for role in roles]
    )


if __name__ == "__main__":
    sys.exit(main())
