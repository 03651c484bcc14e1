"""Owns the commands `run meter|counter|sink|portal`: one process of a cluster each."""

import asyncio

import typer

from runtime.cli.failure import Failure
from runtime.logging import configure
from runtime.portal_process import PortalError, serve
from runtime.settings import Settings, load

run = typer.Typer(no_args_is_help=True, help="One process of a cluster, until it is told to stop (SIGTERM, Ctrl-C).")


@run.command("meter")
def meter() -> None:
    """Run a meter: events in, seat changes and tallies out.

    Example: poolwatch run meter
    """
    from runtime.worker import run_worker

    run_worker(_settings(), "meter")


@run.command("counter")
def counter() -> None:
    """Run a counter: tallies and commands in, counts and settings out.

    Example: poolwatch run counter
    """
    from runtime.worker import run_worker

    run_worker(_settings(), "counter")


@run.command("sink")
def sink() -> None:
    """Run the sink: everything that is told goes into ClickHouse.

    Example: poolwatch run sink
    """
    from runtime.sink_process import run_sink

    run_sink(_settings())


@run.command("portal")
def portal() -> None:
    """Run the portal: REST API, stream and page.

    Example: poolwatch run portal
    """
    try:
        asyncio.run(serve(_settings()))
    except PortalError as error:
        raise Failure(str(error)) from error


def _settings() -> Settings:
    settings = load()
    configure(settings.log)
    return settings
