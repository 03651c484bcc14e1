"""Owns the process of the embedded stack that collects from Microsoft Graph."""

import sys
from pathlib import Path

from runtime.embedded.marks import run_folder
from runtime.embedded.own_settings import SESSION_TIMEOUT_S, own_settings
from runtime.graph_process import CollectorProcessError, run_collector
from runtime.logging import configure
from runtime.metrics.merged import figures_for_portal
from runtime.portal_process import PortalError
from runtime.tracing import traced


def main() -> int:
    """Collect until SIGTERM: `python -m runtime.embedded.collector BOOTSTRAP DATA PORT`; return the exit code."""
    settings = own_settings(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    configure(settings.log)
    try:
        folder = run_folder(Path(sys.argv[2]))
        with traced(settings.tracing, "collector"), figures_for_portal(folder, "collector", "collector") as health:
            run_collector(settings, health, session_timeout_s=SESSION_TIMEOUT_S)
    except (CollectorProcessError, PortalError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
