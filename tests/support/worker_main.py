"""The process that tests start, kill and freeze: meter, counter or both, with options of the test's choice."""

import itertools
import json
import sys
from functools import partial
from typing import Any

import structlog

from runtime.logging import configure
from runtime.settings import Log
from streams.counter import new_counter_app
from streams.kafka import KafkaOptions
from streams.meter import new_meter_app
from streams.pipeline import Pipelines
from streams.run import run_apps

APPS = {"meter": new_meter_app, "counter": new_counter_app}


def main() -> int:
    """Run the roles of the first argument (JSON; see `tests.support.worker`) until SIGTERM."""
    arguments = json.loads(sys.argv[1])
    configure(Log(format="json"))
    if arguments["loses"]:
        _lose(arguments["loses"])
    options = KafkaOptions(**arguments["options"])
    log = structlog.get_logger()
    roles = arguments["roles"]
    return run_apps(
        [partial(APPS[role], options, on_ready=partial(log.info, "worker_ready", role=role)) for role in roles]
    )


def _lose(every: int) -> None:
    """Let every n-th fetched batch vanish on its way to the pipelines, as Faust does when it clears its queues."""
    route, batches = Pipelines.route, itertools.count(1)

    def losing(self: Pipelines, *batch: Any) -> None:
        if next(batches) % every:
            route(self, *batch)

    Pipelines.route = losing  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    sys.exit(main())
