"""Owns the options of the limits of alerts and freshness, the same for a tenant and for the provider."""

from typing import Annotated

import typer

from runtime.cli.settings_arguments import Changes

WarningOption = Annotated[float | None, typer.Option("--warning", min=0, help="Warn at this usage, in percent.")]
CriticalOption = Annotated[float | None, typer.Option("--critical", min=0, help="Critical at this usage, in percent.")]
ClearOption = Annotated[
    float | None, typer.Option("--clear", min=0, help="An alert ends below this usage, in percent.")
]
WarningAvailableOption = Annotated[
    int | None, typer.Option("--warning-available", min=0, help="Warn as well when so many licences are left, or less.")
]
CriticalAvailableOption = Annotated[
    int | None, typer.Option("--critical-available", min=0, help="Critical as well when so many are left, or less.")
]
DwellOption = Annotated[int | None, typer.Option("--dwell", min=0, help="A limit must be passed so long, in seconds.")]
GracePercentOption = Annotated[
    float | None, typer.Option("--grace-percent", min=0, help="Over the pool by more than this is beyond the grace.")
]
GraceDaysOption = Annotated[
    int | None, typer.Option("--grace-days", min=0, help="Over the pool for longer than this is beyond the grace.")
]
ForecastDaysOption = Annotated[
    int | None, typer.Option("--forecast-days", min=0, help="Warn so long before the pool runs out; 0 = never.")
]
RemindAfterOption = Annotated[
    int | None, typer.Option("--remind-after", min=0, help="Tell again after so long, in seconds; 0 = never.")
]
ChannelOption = Annotated[
    list[str] | None,
    typer.Option("--channel", metavar="NAME", help="Who is told; those given replace the ones before. Default: all."),
]
StaleOption = Annotated[
    int | None, typer.Option("--stale-after", min=1, help="Stale without a confirmed source for so long, in seconds.")
]


def take_limits(changes: Changes, **given: float | list[str] | None) -> None:
    """Take what the options of a command hold, by the names of its parameters."""
    for name, value in given.items():
        changes.set(name.replace("_", "-"), value)
