"""Owns the commands `run meter|counter|sink|alerts|portal|collector`: one process of a cluster each."""

import asyncio
import logging
from typing import Annotated, Literal

import typer

from runtime.cli.failure import Failure
from runtime.logging import configure
from runtime.metrics.process import observed
from runtime.metrics.server import MetricsError
from runtime.portal_process import PortalError, serve
from runtime.settings import Settings, load

run = typer.Typer(no_args_is_help=True, help="One process of a cluster, until it is told to stop (SIGTERM, Ctrl-C).")


@run.command("meter")
def meter() -> None:
    """Run a meter: events in, seat changes and tallies out.

    Example: poolwatch run meter
    """
    _run_worker("meter")


@run.command("counter")
def counter() -> None:
    """Run a counter: tallies and commands in, counts and settings out.

    Example: poolwatch run counter
    """
    _run_worker("counter")


@run.command("sink")
def sink() -> None:
    """Run the sink: everything that is told goes into ClickHouse.

    Example: poolwatch run sink
    """
    from runtime.sink_process import SinkError, run_sink

    settings = _settings()
    try:
        with observed(settings, "sink") as (_, health):
            run_sink(settings, health)
    except (SinkError, MetricsError) as error:
        raise Failure(str(error)) from error


@run.command("alerts")
def alerts() -> None:
    """Run the alert process: watches the counts, and tells people by the channels of the settings (docs/alerts.md).

    Example: poolwatch run alerts
    """
    _run_worker("alerts")


@run.command("portal")
def portal() -> None:
    """Run the portal: REST API, stream and page.

    Example: poolwatch run portal
    """
    settings = _settings()
    try:
        with observed(settings, "portal") as (shown, health):
            asyncio.run(serve(settings, shown, health))
    except (PortalError, MetricsError) as error:
        raise Failure(str(error)) from error


@run.command("collector")
def collector(
    name: Annotated[Literal["graph"], typer.Argument(help="Its source: graph (Microsoft Graph).")],  # noqa: ARG001
) -> None:
    """Run a collector: the tenants' real state in, as events. Several share the tenants among them.

    It needs the application's settings (POOLWATCH_GRAPH_…, docs/graph.md) and a portal (POOLWATCH_URL), which knows
    how earlier syncs went.

    Example: poolwatch run collector graph
    """
    from runtime.graph_process import CollectorProcessError, run_collector

    settings = _settings()
    try:
        with observed(settings, "collector") as (_, health):
            run_collector(settings, health)
    except (CollectorProcessError, PortalError, MetricsError) as error:
        raise Failure(str(error)) from error


def _run_worker(role: Literal["meter", "counter", "alerts"]) -> None:
    from runtime.topics import TopicsError
    from runtime.worker import WorkerError, run_worker

    settings = _settings()
    try:
        with observed(settings, role) as (_, health):
            code = run_worker(settings, [role], health)
    except (WorkerError, TopicsError, MetricsError) as error:
        raise Failure(str(error)) from error
    raise typer.Exit(code)


def _settings() -> Settings:
    settings = load()
    configure(settings.log)
    logging.getLogger("aiokafka").setLevel(logging.NOTSET)  # a process logs what a command would say
    return settings
