"""A plain Faust agent with one table write an event and a record a change, in a process of the bench."""

import json
import sys
from typing import Any

import faust

from runtime.logging import configure
from runtime.settings import Log
from tests.bench.events import PARTITIONS
from tests.bench.roles.meter import tell
from tests.bench.roles.peers import COMMIT_S, change_of, changes_topic, input_topics, kept


def new_app(arguments: dict[str, Any]) -> Any:
    """Return the app; its group is the argument `group`, its changelog `<group>-state-changelog`.

    Values are JSON, as Faust writes them by itself, or `of_bytes`: what a changelog of the meter holds.
    """
    app: Any = faust.App(
        arguments["group"],
        broker=f"kafka://{arguments['bootstrap']}",
        store="memory://",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=COMMIT_S,
        producer_acks=-1,
        producer_compression_type="lz4",
        web_enabled=False,
    )
    changes = app.topic(*input_topics(arguments), key_serializer="raw", value_serializer="raw")
    told_changes = app.topic(changes_topic(arguments), key_serializer="raw", value_serializer="json")
    kind = {"default": bytes, "value_type": bytes} if arguments.get("of_bytes") else {"default": dict}
    state = app.Table("state", partitions=PARTITIONS, key_type=bytes, **kind)

    @state.on_recover  # type: ignore[untyped-decorator]
    async def recovered() -> None:
        tell("bench_ready")

    assigned: Any = app._on_partitions_assigned

    async def told(partitions: Any, *rest: Any) -> Any:
        tell("bench_assigned")
        return await assigned(partitions, *rest)

    app._on_partitions_assigned = told

    @app.agent(changes)  # type: ignore[untyped-decorator]
    async def keep(stream: Any) -> None:
        async for event in stream.events():
            facet, now = kept(event.value)
            key = event.key + facet.encode()
            change = change_of(facet, state.get(key), now)
            state[key] = now
            if change is not None:
                # Faust commits an event once the agent has done with it, whether or not the broker has its records: a
                # change must be there before, as the meter and Quix Streams see to.
                await (await told_changes.send(key=event.key, value=change))

    return app


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    own = new_app(json.loads(sys.argv[1]))
    worker = faust.Worker(own, loglevel="WARN", redirect_stdouts=False, quiet=True, logging_config=None)
    worker.execute_from_commandline()
