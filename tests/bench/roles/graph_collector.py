"""The product's Graph collector in a process of the bench: what differs is where the clouds are."""

import json
import sys
from dataclasses import replace
from typing import Any

from collectors.graph.api.clouds import CLOUDS
from runtime.graph_process import run_collector
from runtime.logging import configure
from runtime.metrics.health import Health
from runtime.settings import Log, load
from tests.bench.events import PARTITIONS
from tests.support.graph import CLIENT_ID, CLIENT_SECRET, MsalHttp

_NEVER_S = 86_400


def run(arguments: dict[str, Any]) -> None:
    """Collect until SIGTERM: one full sync of each tenant, and no poll after it."""
    settings = load(
        url=arguments["portal"],
        kafka={
            "bootstrap": arguments["bootstrap"], "topic_prefix": arguments["prefix"], "partitions": PARTITIONS,
        },
        graph={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "poll_s": _NEVER_S, "full_s": _NEVER_S},
    )  # fmt: skip
    clouds = {name: replace(cloud, graph=arguments["graph"]) for name, cloud in CLOUDS.items()}
    with MsalHttp(arguments["graph"]) as login:
        run_collector(settings, Health(), clouds=clouds, login_http=login)


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    run(json.loads(sys.argv[1]))
