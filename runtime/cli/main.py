"""Owns the command `poolwatch`: its tree of commands, and how a failure ends."""

import logging
import os
import sys
from collections.abc import Sequence

import typer

from runtime.cli import counts, history, operate, seats
from runtime.cli.alerts import alerts
from runtime.cli.backup import backup, restore
from runtime.cli.dead_letters import dead_letters
from runtime.cli.failure import Failure
from runtime.cli.forecast import forecast
from runtime.cli.forget import forget
from runtime.cli.graph import graph
from runtime.cli.imports import imports
from runtime.cli.rebuild import rebuild
from runtime.cli.reclaim import reclaim
from runtime.cli.refresh import refresh
from runtime.cli.report import report
from runtime.cli.run import run
from runtime.cli.sources import sources
from runtime.cli.syncs import sync
from runtime.cli.tenants import provider, settings, tenant
from runtime.cli.tokens import token
from runtime.cli.what_if import what_if
from runtime.logging import configure
from runtime.settings import Log, SettingsError

_EPILOG = (
    "Settings come from POOLWATCH_… variables, .env and poolwatch.toml (`poolwatch check-config` shows them);"
    " POOLWATCH_URL names the portal, POOLWATCH_TOKEN signs in to it. Exit codes: 0 done, 1 failed, 2 wrong usage."
)

app = typer.Typer(
    name="poolwatch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Licence metering for Microsoft Teams telephony.",
    epilog=_EPILOG,
)
for name, group in (
    ("tenant", tenant),
    ("provider", provider),
    ("settings", settings),
    ("import", imports),
    ("sync", sync),
    ("alerts", alerts),
    ("graph", graph),
    ("token", token),
    ("dead-letters", dead_letters),
    ("rebuild", rebuild),
    ("run", run),
):
    for registered in group.registered_commands:
        registered.epilog = _EPILOG
    app.add_typer(group, name=name)
for name, command in (
    ("up", operate.up),
    ("count", counts.count),
    ("counts", counts.counts),
    ("watch", counts.watch),
    ("history", history.history),
    ("seats", seats.seats),
    ("explain", seats.explain),
    ("changes", seats.changes),
    ("audit", seats.audit),
    ("what-if", what_if),
    ("forecast", forecast),
    ("reclaim", reclaim),
    ("report", report),
    ("refresh", refresh),
    ("sources", sources),
    ("migrate", operate.migrate),
    ("forget", forget),
    ("backup", backup),
    ("restore", restore),
    ("topics", operate.make_topics),
    ("check-config", operate.check_config),
    ("version", operate.version),
):
    app.command(name, epilog=_EPILOG)(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process: 0 done, 1 failed, 2 wrong usage."""
    # Warnings alone, and beside the output: `run` and `up` log as the settings say.
    configure(Log(level="warning"))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it cannot reach, the command says in words
    try:
        app(args=list(arguments) if arguments is not None else None, prog_name="poolwatch")
    except (Failure, SettingsError) as failure:
        sys.stderr.write(f"poolwatch: {failure}\n")
        raise SystemExit(1) from failure
    except BrokenPipeError:
        # Whoever read the output has gone (`| head`); the interpreter must not complain about it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
