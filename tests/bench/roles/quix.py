"""Quix Streams with one state write an event and a record a change, in a process of the bench."""

import json
import sys
from typing import Any

from quixstreams import Application

from tests.bench.roles.peers import COMMIT_S, change_of, changes_topic, input_topics, kept


def keep(value: bytes, state: Any) -> dict[str, Any] | None:
    """Keep what the event says, under its key and facet; return what changed."""
    facet, now = kept(value)
    change = change_of(facet, state.get(facet), now)
    state.set(facet, now)
    return change


def run(arguments: dict[str, Any]) -> None:
    """Run until SIGTERM."""
    app = Application(
        broker_address=arguments["bootstrap"],
        consumer_group=arguments["group"],
        auto_offset_reset="earliest",
        commit_interval=COMMIT_S,
        producer_extra_config={"acks": "all", "compression.type": "lz4"},
        state_dir=f"{arguments['folder']}/{arguments['group']}",
    )
    changes = app.topic(changes_topic(arguments), key_serializer="bytes", value_serializer="json")
    for name in input_topics(arguments):
        topic = app.topic(name, key_deserializer="bytes", value_deserializer="bytes")
        app.dataframe(topic).apply(keep, stateful=True).filter(lambda change: change is not None).to_topic(changes)
    app.run()


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
