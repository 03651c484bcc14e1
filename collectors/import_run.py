"""Owns the passing of rows and events from files to the publisher, and the counting on the way."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from collectors.feed import Feed
from collectors.files.events import read_events
from collectors.files.reader import TableFile
from collectors.files.rows import Observation, Rejected, Row
from collectors.files.text import TextFile
from collectors.outgoing import from_file, observation
from collectors.partitioner import Outgoing
from collectors.publisher import EventPublisher
from collectors.seen import Seen
from collectors.summary import ImportSummary
from collectors.sync import FullRun
from schemas.events import FacetName
from schemas.times import EPOCH, format_ms, format_time, to_ms

ASSUMED_SOURCE = "assumed"
_ASSUMED_AT = format_time(EPOCH)
"""Anything that is known beats what is assumed."""

_PROGRESS_EVERY = 1_000


class _Run:
    """What both kinds of runs share: the way out, and progress over all files."""

    def __init__(
        self, files: Sequence[TextFile], publisher: EventPublisher, partitions: int, summary: ImportSummary,
        on_progress: Callable[[int, int], None], floor: datetime | None,
    ) -> None:  # fmt: skip
        self._floor_ms = None if floor is None else to_ms(floor)
        self._feed = Feed(publisher, partitions)
        self._summary = summary
        self._on_progress = on_progress
        self._total_bytes = sum(file.total_bytes for file in files)
        self._bytes_before = 0
        self._steps = 0

    async def _send(self, event: Outgoing, counted_as: str) -> None:
        self._summary.publish(counted_as)
        await self._feed.send(event)

    def _look_at_floor(self, at_ms: int, *, assumed: bool = False) -> None:
        if self._floor_ms is not None and at_ms <= self._floor_ms:
            self._summary.ignore(assumed=assumed)

    def _step(self, file: TextFile) -> None:
        self._steps += 1
        if self._steps % _PROGRESS_EVERY == 0:
            self._on_progress(self._bytes_before + file.position(), self._total_bytes)

    def _file_done(self, file: TextFile) -> None:
        self._bytes_before += file.total_bytes
        self._on_progress(self._bytes_before, self._total_bytes)


class EventsRun(_Run):
    """Publishes the events of files, each for the tenant that it names."""

    def __init__(
        self, files: Sequence[TextFile], tenant: str | None, publisher: EventPublisher, partitions: int,
        summary: ImportSummary, on_progress: Callable[[int, int], None], floor: datetime | None = None,
    ) -> None:  # fmt: skip
        super().__init__(files, publisher, partitions, summary, on_progress, floor)
        self._files = files
        self._tenant = tenant

    async def publish(self, now: datetime) -> None:
        """Read the files and send what is good. Raises PublishFailedError."""
        for file in self._files:
            for item in read_events(file, self._tenant, to_ms(now)):
                self._summary.read += 1
                self._step(file)
                if isinstance(item, Rejected):
                    self._summary.reject(file.path, item)
                else:
                    self._summary.unknown_facts += item.unknown_facts
                    if item.subject:
                        self._look_at_floor(to_ms(item.observed_at))
                    await self._send(from_file(item), item.facet if item.subject else "sync")
            self._file_done(file)
        await self._feed.drain()


class TablesRun(_Run):
    """Publishes the rows of tables of one tenant, and tells of the full runs that they were."""

    def __init__(
        self, tables: Sequence[TableFile], observed: Sequence[datetime], tenant: str, source: str | None,
        publisher: EventPublisher, partitions: int, summary: ImportSummary, on_progress: Callable[[int, int], None],
        floor: datetime | None = None,
    ) -> None:  # fmt: skip
        super().__init__([table.file for table in tables], publisher, partitions, summary, on_progress, floor)
        self._tables = list(zip(tables, observed, strict=True))
        self._tenant = tenant
        self._source = source
        self._answered: Counter[str] = Counter()
        self._seen: Counter[tuple[FacetName, str]] = Counter()

    async def publish(self) -> list[FullRun]:
        """Read the tables and send their rows. Raises PublishFailedError."""
        with Seen() as seen:
            for table, observed_at in self._tables:
                await self._publish_table(table, observed_at, seen)
        await self._feed.drain()
        return list(self._full_runs())

    async def _publish_table(self, table: TableFile, observed_at: datetime, seen: Seen) -> None:
        source = self._source_of(table)
        observed_ms = to_ms(observed_at)
        for item in table.rows():
            self._summary.read += 1
            self._step(table.file)
            if isinstance(item, Rejected):
                self._summary.reject(table.file.path, item)
                continue
            self._answered[source] += 1
            for remark in item.remarks:
                self._summary.remark(remark)
            for observed, times_before in self._numbered(item, table, source, seen):
                at_ms = observed_ms + times_before
                self._look_at_floor(to_ms(EPOCH) if observed.assumed else at_ms, assumed=observed.assumed)
                await self._send(self._event(observed, at_ms, source), observed.facet)
        self._file_done(table.file)

    def _numbered(self, row: Row, table: TableFile, source: str, seen: Seen) -> Iterator[tuple[Observation, int]]:
        """Give out a row's observations, each with the number of earlier rows on the same subject."""
        before: dict[str, int] = {}
        for observed in row.observations:
            subject = observed.subject
            if subject not in before:
                before[subject] = seen.times_before(source, subject)
                if before[subject]:
                    self._summary.repeat(table.file.path, row.line, subject)
            if not before[subject]:
                self._seen[observed.facet, source] += 1
            yield observed, before[subject]

    def _event(self, observed: Observation, observed_ms: int, source: str) -> Outgoing:
        # Of rows with one subject the last must win, and all have the time of the file: each repetition is a
        # millisecond later.
        if observed.assumed:
            at, source = _ASSUMED_AT, ASSUMED_SOURCE
        else:
            at = format_ms(observed_ms)
        return observation(self._tenant, observed.facet, observed.subject, at, source, observed.facts)

    def _source_of(self, table: TableFile) -> str:
        return self._source or table.format.source

    def _full_runs(self) -> Iterator[FullRun]:
        """Give out one run for each facet and source. It began with the oldest of its files: a later start would
        sweep the rows of the older ones."""
        started: dict[tuple[FacetName, str], datetime] = {}
        for table, observed_at in self._tables:
            for facet in sorted(table.facets):
                key = (facet, self._source_of(table))
                started[key] = min(observed_at, started.get(key, observed_at))
        for (facet, source), started_at in started.items():
            yield FullRun(self._tenant, facet, source, started_at, self._answered[source], self._seen[facet, source])
