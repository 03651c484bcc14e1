"""A meter, or a meter's counter, in a process of the bench: input topics of one prefix, its own of another."""

import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import structlog

from runtime.logging import configure
from runtime.settings import Log
from schemas.topics import TopicName, full_name
from streams.batch_transport import BatchApp
from streams.counter import new_counter_app
from streams.kafka import KafkaOptions
from streams.meter import new_meter_app
from streams.run import run_apps
from tests.bench.events import PARTITIONS

_SHARED: tuple[TopicName, ...] = ("user-changes", "assignments", "tenants")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BenchOptions(KafkaOptions):
    """Options with the input topics under another prefix: several runs read the same records."""

    source: str = ""

    def topic(self, name: TopicName) -> str:
        return full_name(self.source if name in _SHARED else self.prefix, name)


def options_of(arguments: dict[str, Any]) -> BenchOptions:
    """Return the options of a child's arguments."""
    return BenchOptions(
        bootstrap=arguments["bootstrap"], prefix=arguments["prefix"], source=arguments["source"],
        partitions=PARTITIONS, group=arguments["prefix"].rstrip("."), idempotent=arguments["idempotent"],
    )  # fmt: skip


def run(arguments: dict[str, Any]) -> int:
    """Run the app that `arguments` name, and log when partitions are assigned and when all of them serve."""
    new_app = new_counter_app if arguments.get("counter") else new_meter_app
    return run_apps([lambda: _watched(new_app(options_of(arguments), lambda: tell("bench_ready")))])


def _watched(app: BatchApp) -> BatchApp:
    assigned: Any = app._on_partitions_assigned

    async def told(partitions: Any, *rest: Any) -> Any:
        tell("bench_assigned")
        return await assigned(partitions, *rest)

    app._on_partitions_assigned = told  # type: ignore[assignment,method-assign]
    return app


def tell(event: str) -> None:
    """Log an instant by the clock that all processes of a machine share."""
    log.info(event, monotonic=time.monotonic())


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    sys.exit(run(json.loads(sys.argv[1])))
