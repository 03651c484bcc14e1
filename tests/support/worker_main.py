"""The process that tests start, kill and freeze: meter, counter, alerts or several, with options of the test's
choice."""

import itertools
import json
import sys
from functools import partial
from typing import Any

import structlog

from licensing import criteria
from runtime.logging import configure
from runtime.settings import Log, load
from runtime.worker import app_of
from streams.kafka import KafkaOptions
from streams.pipeline import Pipelines
from streams.protocol import owned_log
from streams.run import run_apps


def main() -> int:
    """Run the roles of the first argument (JSON; see `tests.support.worker`) until SIGTERM."""
    arguments = json.loads(sys.argv[1])
    configure(Log(format="json"))
    if arguments["loses"]:
        _lose(arguments["loses"])
    if arguments["newer"]:
        criteria.RULES_VERSION += 1
        owned_log.FORMAT += 1
    options = KafkaOptions(**arguments["options"])
    log = structlog.get_logger()
    settings = load(**arguments["settings"])
    return run_apps(
        [app_of(role, settings, options, partial(log.info, "worker_ready", role=role)) for role in arguments["roles"]]
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
