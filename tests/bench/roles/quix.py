"""Quix Streams with one state write an event, in a process of the bench."""

import json
import sys
from typing import Any

from quixstreams import Application

from tests.bench.roles.peers import COMMIT_S, input_topics, kept


def keep(value: bytes, state: Any) -> None:
    """Keep what the event says, under its key."""
    state.set("state", kept(value))


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
    for name in input_topics(arguments):
        topic = app.topic(name, key_deserializer="bytes", value_deserializer="bytes")
        app.dataframe(topic).update(keep, stateful=True)
    app.run()


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
