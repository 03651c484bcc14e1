"""Owns one import: files in, events published, syncs finished, a summary out. It asks nobody and prints nothing."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

import structlog

from collectors.errors import ImportRefusedError
from collectors.files.formats import ReadOptions
from collectors.files.reader import TableFile
from collectors.files.text import TextFile, open_text
from collectors.import_run import EventsRun, TablesRun
from collectors.publisher import EventPublisher, NullPublisher
from collectors.summary import ImportSummary
from collectors.sync import FullRun, SyncHistory, SyncResult, finish
from schemas.events import MAX_AHEAD_MS
from schemas.identifiers import is_tenant
from schemas.times import format_time, to_ms

ImportKind = Literal["users", "numbers", "dial-plan", "m365", "events"]
NumberType = Literal["directRouting", "callingPlan", "operatorConnect"]
OnProgress = Callable[[int, int], None]
"""Called with the bytes read and the bytes of all files together."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a person says of an import.

    `tenant`: whose rows these are; an events file names its own, and one given here is the only one taken. `source`
    and `observed_at`: instead of the kind of the file and its modification time. `partial`: the files are not all
    there is, so no sync. `sync_anyway`: complete the sync in spite of rejected rows. `confirm_removals`: let the
    mass-removal guard pass. `by`: who imports, for the list of syncs. `floor`: when the tenant was removed, if it ever
    was: what was observed up to then is not counted, and the summary says so.
    """

    tenant: str | None = None
    source: str | None = None
    observed_at: datetime | None = None
    partial: bool = False
    dry_run: bool = False
    sync_anyway: bool = False
    confirm_removals: bool = False
    assume_number_type: NumberType | None = None
    expand_ranges: bool = False
    by: str = "import"
    floor: datetime | None = None


async def run_import(
    kind: ImportKind,
    paths: Sequence[Path],
    options: ImportOptions,
    *,
    publisher: EventPublisher,
    partitions: int,
    history: SyncHistory | None,
    now: datetime,
    on_progress: OnProgress = lambda _read, _total: None,
) -> ImportSummary:
    """Import files of one kind as one run: several files are parts of one export, and end in one sync.

    `partitions`: what the input topics have on the broker; `history`: None if earlier syncs cannot be asked for;
    `now`: aware UTC. A dry run does all but send, and judges no sync. Raises ImportRefusedError (nothing was sent)
    and PublishFailedError.
    """
    _check(kind, paths, options)
    if options.dry_run:
        publisher = NullPublisher()
    summary = ImportSummary(dry_run=options.dry_run)
    with ExitStack() as stack:
        files = [_open(path, stack) for path in paths]
        if kind == "events":
            events = EventsRun(files, options.tenant, publisher, partitions, summary, on_progress, options.floor)
            await events.publish(now)
            runs: list[FullRun] = []
        else:
            runs = await _publish_tables(kind, files, options, publisher, partitions, summary, now, on_progress)
    summary.offsets = await publisher.flush()
    for run in runs:
        result = _skipped(run, options, summary) or await finish(
            run, history=history, confirmed=options.confirm_removals, publisher=publisher, partitions=partitions,
            by=options.by, now=now,
        )  # fmt: skip
        summary.syncs.append(result)
    summary.offsets = await publisher.flush()
    _conclude(kind, options, summary)
    return summary


async def _publish_tables(
    kind: ImportKind, files: list[TextFile], options: ImportOptions, publisher: EventPublisher, partitions: int,
    summary: ImportSummary, now: datetime, on_progress: OnProgress,
) -> list[FullRun]:  # fmt: skip
    # Every head is read before the first row is sent, so that a wrong file among several stops the import as a whole.
    reading = ReadOptions(options.assume_number_type, options.expand_ranges)
    tables = [TableFile(file, kind, reading) for file in files]
    observed = [_observed_at(file, options, now) for file in files]
    tenant = options.tenant or ""
    run = TablesRun(
        tables, observed, tenant, options.source, publisher, partitions, summary, on_progress, options.floor
    )
    return await run.publish()


def _check(kind: ImportKind, paths: Sequence[Path], options: ImportOptions) -> None:
    if kind not in get_args(ImportKind):
        raise ImportRefusedError(f"there is no import of {kind!r}, only of {', '.join(get_args(ImportKind))}")
    if not paths:
        raise ImportRefusedError("no file was named: name at least one")
    twice = [path for path, count in Counter(path.resolve() for path in paths).items() if count > 1]
    if twice:
        raise ImportRefusedError(f"{twice[0]} is named twice: name each file once")
    if options.tenant is None and kind != "events":
        raise ImportRefusedError(f"a file of {kind} does not say whose it is: name the tenant (-T)")
    if options.tenant is not None and not is_tenant(options.tenant):
        raise ImportRefusedError(
            f"{options.tenant[:80]!r} is not a tenant id: 1 to 64 of a-z 0-9 . _ - that begin with a letter or digit"
        )
    if options.source is not None and not 1 <= len(options.source) <= 64:
        raise ImportRefusedError(f"a source has 1 to 64 characters, not {len(options.source)}: name a shorter one")
    if kind == "events" and (options.source is not None or options.observed_at is not None):
        raise ImportRefusedError("events carry their own source and time: leave --source and --observed-at out")


def _open(path: Path, stack: ExitStack) -> TextFile:
    file = open_text(path)
    stack.callback(file.close)
    return file


def _observed_at(file: TextFile, options: ImportOptions, now: datetime) -> datetime:
    observed_at = options.observed_at or file.modified_at
    if to_ms(observed_at) - to_ms(now) > MAX_AHEAD_MS:
        said = "--observed-at" if options.observed_at else f"the modification time of {file.path}"
        raise ImportRefusedError(
            f"{said} is {format_time(observed_at)}, more than 5 minutes ahead of now ({format_time(now)}), and every"
            " row would be refused: correct it with --observed-at"
        )
    return observed_at


def _skipped(run: FullRun, options: ImportOptions, summary: ImportSummary) -> SyncResult | None:
    """Return why a run does not even come before the guard, or None."""
    if options.dry_run:
        reason = "a dry run sends nothing"
    elif options.partial:
        reason = "--partial: the file is not all there is, so nothing was swept"
    elif summary.rejected and not options.sync_anyway:
        reason = (
            f"{summary.rejected:,} rows were rejected, and what they hold would be swept: correct them and import"
            " again, or pass --sync-anyway"
        )
    else:
        return None
    return SyncResult(run.tenant, run.facet, run.source, run.started_at, "skipped", run.seen, None, reason)


def _conclude(kind: ImportKind, options: ImportOptions, summary: ImportSummary) -> None:
    summary.conclude(options.floor)
    if kind == "events":
        summary.notes.append("an events file tells of changes, and ends in no sync of its own")
    elif summary.rejected and any(sync.status in ("completed", "confirmed") for sync in summary.syncs):
        summary.notes.append(
            f"{summary.rejected:,} rows were rejected and the sync was completed all the same (--sync-anyway)"
        )
    _log.info(
        "import_finished", kind=kind, tenant=options.tenant, dry_run=options.dry_run, read=summary.read,
        published=summary.published, rejected=summary.rejected, syncs=Counter(sync.status for sync in summary.syncs),
    )  # fmt: skip
