"""Runs the product's collector against a fake Graph, as a process: what differs is where the clouds are, and that the
fake's login is http: `python -m tests.support.graph.collector_main GRAPH_ORIGIN SETTINGS_JSON`."""

import json
import sys
from dataclasses import replace

from collectors.graph.api.clouds import CLOUDS
from runtime.graph_process import CollectorProcessError, run_collector
from runtime.logging import configure
from runtime.metrics.health import Health
from runtime.portal_process import PortalError
from runtime.settings import load
from tests.support.graph.msal_http import MsalHttp


def main() -> int:
    """Collect until SIGTERM; return the exit code."""
    origin = sys.argv[1]
    settings = load(**json.loads(sys.argv[2]))
    configure(settings.log)
    clouds = {name: replace(cloud, graph=origin) for name, cloud in CLOUDS.items()}
    with MsalHttp(origin) as login:
        try:
            run_collector(settings, Health(), clouds=clouds, login_http=login, session_timeout_s=4.0)
        except (CollectorProcessError, PortalError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
