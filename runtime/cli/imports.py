"""Owns the commands `import users|numbers|dial-plan|m365|events`: thin over `collectors.importer`."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from collectors.errors import CollectorError
from collectors.importer import ImportKind, ImportOptions, NumberType, OnProgress, run_import
from collectors.publisher import EventPublisher, KafkaPublisher, NullPublisher
from collectors.summary import ImportSummary
from portal.answers.ranges import RangeError, parse_instant
from portal.kafka.durability import BrokerKeeps, Durability
from portal.services import ServiceError, utc_now
from runtime import kafka
from runtime.broker_check import why_not
from runtime.cli.client import Api, NotThere, Refused, connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, print_json, print_line
from runtime.cli.sync_history import ApiHistory
from runtime.installation import Installation, find
from runtime.settings import load
from runtime.tracing import traced
from schemas import traces
from schemas.identifiers import is_tenant
from schemas.times import parse_time

imports = typer.Typer(no_args_is_help=True, help="Bring exports in; a full file ends in a sync that sweeps the rest.")

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Parts of one export, whole together.")]
TenantOption = Annotated[str, typer.Option("--tenant", "-T", help="Whose rows these are.")]
Source = Annotated[str | None, typer.Option(help="Name of the source, instead of the kind of the file.")]
ObservedAt = Annotated[
    str | None, typer.Option(metavar="TIME", help="When it was exported; default: the file's modification time.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and check all, send nothing.")]
Partial = Annotated[bool, typer.Option("--partial", help="Not all there is: no sync, nothing is swept.")]
SyncAnyway = Annotated[bool, typer.Option("--sync-anyway", help="Sync in spite of rejected rows.")]
ConfirmRemovals = Annotated[bool, typer.Option("--confirm-removals", help="Let a sync through that removes many.")]


@imports.command("users")
def users(
    files: Files,
    tenant: TenantOption,
    source: Source = None,
    observed_at: ObservedAt = None,
    assume_number_type: Annotated[NumberType | None, typer.Option(help="Type of numbers that are not known.")] = None,
    partial: Partial = False,
    sync_anyway: SyncAnyway = False,
    confirm_removals: ConfirmRemovals = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import `Get-CsOnlineUser | Export-Csv`.

    Example: poolwatch import users users.csv -T acme --dry-run
    """
    options = ImportOptions(
        tenant, source, _instant(observed_at), partial, dry_run, sync_anyway, confirm_removals, assume_number_type
    )
    _import("users", files, options, as_json)


@imports.command("numbers")
def numbers(
    files: Files,
    tenant: TenantOption,
    source: Source = None,
    observed_at: ObservedAt = None,
    partial: Partial = False,
    sync_anyway: SyncAnyway = False,
    confirm_removals: ConfirmRemovals = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import `Get-CsPhoneNumberAssignment | Export-Csv`.

    Example: poolwatch import numbers numbers.csv -T acme --dry-run
    """
    options = ImportOptions(tenant, source, _instant(observed_at), partial, dry_run, sync_anyway, confirm_removals)
    _import("numbers", files, options, as_json)


@imports.command("dial-plan")
def dial_plan(
    files: Files,
    tenant: TenantOption,
    source: Source = None,
    observed_at: ObservedAt = None,
    expand_ranges: Annotated[
        bool, typer.Option("--expand-ranges", help="One service number for each in a range.")
    ] = False,
    partial: Partial = False,
    sync_anyway: SyncAnyway = False,
    confirm_removals: ConfirmRemovals = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import the dial plan of an SBC.

    Example: poolwatch import dial-plan dialplan.csv -T acme --dry-run
    """
    options = ImportOptions(
        tenant, source, _instant(observed_at), partial, dry_run, sync_anyway, confirm_removals,
        expand_ranges=expand_ranges,
    )  # fmt: skip
    _import("dial-plan", files, options, as_json)


@imports.command("m365")
def m365(
    files: Files,
    tenant: TenantOption,
    source: Source = None,
    observed_at: ObservedAt = None,
    partial: Partial = False,
    sync_anyway: SyncAnyway = False,
    confirm_removals: ConfirmRemovals = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import the users export of the Microsoft 365 admin centre.

    Example: poolwatch import m365 m365-users.csv -T acme --dry-run
    """
    options = ImportOptions(tenant, source, _instant(observed_at), partial, dry_run, sync_anyway, confirm_removals)
    _import("m365", files, options, as_json)


@imports.command("events")
def events(
    files: Files,
    tenant: Annotated[str | None, typer.Option("--tenant", "-T", help="Take events of this tenant alone.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import events as JSON: one a line, or an array.

    Example: poolwatch import events events.jsonl --dry-run
    """
    _import("events", files, ImportOptions(tenant, dry_run=dry_run), as_json)


def _instant(text: str | None) -> Any:
    try:
        return parse_instant(text, utc_now()) if text else None
    except RangeError as error:
        raise Failure(f"--observed-at: {error}") from error


def _import(kind: ImportKind, files: list[Path], options: ImportOptions, as_json: bool) -> None:
    installation = find()
    try:
        with (
            traced(load().tracing, "import"),
            traces.span(f"import {kind}", attributes={"files": len(files)}),
            _progress(as_json) as on_progress,
        ):
            summary = asyncio.run(_run(kind, files, options, installation, on_progress))
    except (CollectorError, ServiceError) as error:
        raise Failure(str(error)) from error
    print_json(_plain(summary)) if as_json else _print(summary)


async def _run(
    kind: ImportKind, files: list[Path], options: ImportOptions, installation: Installation, on_progress: OnProgress
) -> ImportSummary:
    async with _publisher(options, installation) as (publisher, durability):
        with connect() as api:
            summary = await run_import(
                kind, files, replace(options, floor=await asyncio.to_thread(_floor, api, options.tenant)),
                publisher=publisher, partitions=installation.kafka.partitions, history=ApiHistory(api),
                now=utc_now(), on_progress=on_progress,
            )  # fmt: skip
        await durability.events({place: offset for place, offset in summary.offsets.items() if place[0] != "commands"})
        return summary


def _floor(api: Api, tenant: str | None) -> datetime | None:
    """Return when the tenant was removed, if the portal tells; an import without a portal goes on without."""
    if tenant is None or not is_tenant(tenant):
        return None
    try:
        removed_at = api.get(tenant_path(tenant, "/settings"))["removed_at"]
    except (NotThere, Refused):
        return None
    return None if removed_at is None else parse_time(removed_at)


@contextlib.asynccontextmanager
async def _publisher(
    options: ImportOptions, installation: Installation
) -> AsyncIterator[tuple[EventPublisher, Durability]]:
    if options.dry_run:
        yield NullPublisher(), BrokerKeeps()
        return
    producer = kafka.producer(installation.kafka, linger_ms=5)
    try:
        try:
            await producer.start()
        except KafkaError as error:
            raise Failure(str(await why_not(installation.kafka, error))) from error
        async with installation.durability() as durability:
            yield KafkaPublisher(producer, installation.kafka.topic_prefix), durability
    finally:
        await producer.stop()


@contextlib.contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=as_json or not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("importing", total=None)
        yield lambda read, total: progress.update(task, completed=read, total=total)


def _plain(summary: ImportSummary) -> dict[str, Any]:
    plain = asdict(summary)
    plain["offsets"] = {f"{topic}/{partition}": offset for (topic, partition), offset in summary.offsets.items()}
    plain["remarks"] = {f"{remark.kind}: {remark.detail}": count for remark, count in summary.remarks.items()}
    for line in [*plain["rejections"], *plain["warnings"]]:
        line["file"] = str(line["file"])
    for run in plain["syncs"]:
        run["started_at"] = run["started_at"].isoformat()
    return plain


def _print(summary: ImportSummary) -> None:
    verb = "would be published (dry run)" if summary.dry_run else "published"
    print_line(f"{summary.read:,} read, {summary.published:,} events {verb}, {summary.rejected:,} rejected")
    for facet, count in summary.by_facet.items():
        print_line(f"  {facet:<15} {count:,}")
    for note in [*summary.rejections, *summary.warnings]:
        print_line(f"{note.file}:{note.line}: {note.reason}")
    for run in summary.syncs:
        print_line(f"sync of {run.facet}: {run.status}, {run.seen:,} seen: {run.reason}")
    for text in summary.notes:
        print_line(f"note: {text}")
