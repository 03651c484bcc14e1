"""Owns what the counter does with commands: settings changes written and answered once, held syncs and hints of sources
noted, purges finished."""

from collections.abc import Iterable

from schemas.commands import Answer, ChangeSettings, Command, SourceHints, SyncRun
from schemas.count import Cause
from streams.protocol.counter import CounterPartition
from streams.protocol.effects import Item, LogRecord, Publish, Steps
from streams.protocol.owned_log import OwnedLog
from streams.protocol.settings_commands import decide

COMMAND_HEADER = "command"
"""Header of a record of `tenants`: offset and id of the command it came from, so that what is read again after a crash
is not carried out again."""
PURGE_HEADER = "purge"


class Office:
    """Carries out the commands of the tenants of one partition."""

    def __init__(self, partition: int, counter: CounterPartition, log: OwnedLog) -> None:
        """`log`: the owned partition of license-counts."""
        self._partition = partition
        self._counter = counter
        self._log = log
        self._carried_out: dict[str, tuple[int, str]] = {}
        """By tenant: offset and id of the command that its settings came from."""
        self.purging: set[str] = set()

    def recall(self, records: Iterable[LogRecord]) -> None:
        """Take what stands in `tenants`, oldest first: the last command of each tenant, and purges not yet finished."""
        for record in records:
            tenant = record.key.decode()
            headers = dict(record.headers)
            offset, _, name = headers.get(COMMAND_HEADER, b"").decode().partition(" ")
            if name:
                self._carried_out[tenant] = (int(offset), name)
            self.purging.discard(tenant)
            if record.value is not None and PURGE_HEADER in headers:
                self.purging.add(tenant)

    def carry_out(self, command: Command, offset: int, now_ms: int) -> Steps:
        """Carry out the command that stands at an offset of `commands`."""
        if isinstance(command, ChangeSettings):
            yield from self._change(command, offset, now_ms)
        else:
            self.note(command)

    def note(self, command: Command) -> None:
        """Remember what a count carries of the sources of its tenant; after a start these are read again, and others
        are not."""
        if isinstance(command, SyncRun):
            self.note_sync(command)
        elif isinstance(command, SourceHints):
            self.note_hints(command)

    def note_sync(self, run: SyncRun) -> None:
        """Remember whether the last sync of a source is held: the count carries the hint `sync_held`."""
        held = self._counter.held_syncs.setdefault(run.tenant, {})
        before = dict(held)
        place = (run.facet, run.source)
        if run.status == "held":
            held[place] = max(run.started_at, held.get(place, run.started_at))
        elif place in held and run.started_at >= held[place]:
            del held[place]
        if held != before:
            self._counter.touch(run.tenant, Cause(kind="refresh"))

    def note_hints(self, told: SourceHints) -> None:
        """Remember what a source's collector tells of it, in place of what it told before."""
        sources = self._counter.source_hints.setdefault(told.tenant, {})
        before = sources.get(told.source)
        # A collector that has lost the tenant to another one may tell late what that one has replaced.
        if before is not None and told.sent_at < before.sent_at:
            return
        sources[told.source] = told
        if set(told.hints) != set(before.hints if before is not None else ()):
            self._counter.touch(told.tenant, Cause(kind="refresh"))

    def heal(self, names: Iterable[str]) -> Steps:
        """Write the highest revision of these settings again, after a late writer has put a lower one behind it."""
        for name in sorted(names):
            value = self._counter.book.written(name)
            if value is not None:
                offset, command = self._carried_out.get(name, (-1, ""))
                headers: tuple[tuple[str, bytes], ...] = (
                    ((COMMAND_HEADER, f"{offset} {command}".encode()),) if command else ()
                )
                headers += ((PURGE_HEADER, b"1"),) if name in self.purging else ()
                item = Item(name.encode(), value, headers)
                yield Publish("8-heal", "tenants", self._partition, [item])
            self._counter.book.outdone.discard(name)

    def _change(self, command: ChangeSettings, offset: int, now_ms: int) -> Steps:
        current = self._counter.book.get(command.tenant)
        key = command.tenant.encode()
        last = self._carried_out.get(command.tenant, (-1, ""))
        if offset < last[0]:
            return  # read again after a crash: it was answered before the later one was carried out
        if last[1] == command.id and current is not None:
            body = current.model_dump(mode="json")
            answer = Answer(
                id=command.id, tenant=command.tenant, status="done", revision=current.revision, settings=body
            )
        else:
            settings, answer = decide(current, command, now_ms)
            if settings is not None:
                # 8 write the revision first, then let it act, then answer: whoever is told "done" finds it done
                headers: tuple[tuple[str, bytes], ...] = ((COMMAND_HEADER, f"{offset} {command.id}".encode()),)
                if command.mode == "purge":
                    headers += ((PURGE_HEADER, b"1"),)
                    self.purging.add(command.tenant)
                value = settings.model_dump_json().encode()
                yield Publish("8-settings", "tenants", self._partition, [Item(key, value, headers)])
                self._carried_out[command.tenant] = (offset, command.id)
                if self._counter.book.apply(key, value) is not None:
                    self._counter.settings_changed(command.tenant)
        yield Publish("8-answer", "commands", self._partition, [Item(key, answer.model_dump_json().encode())])

    def finish_purges(self) -> Steps:
        """Delete settings and count of purged tenants whose subjects every partition has dropped."""
        for tenant in sorted(self.purging):
            if self._counter.is_empty(tenant):
                nothing = [Item(tenant.encode(), None)]
                yield from self._log.append("9-purge-count", nothing)
                yield Publish("9-purge", "tenants", self._partition, nothing)
                self.purging.discard(tenant)
                self._counter.book.apply(tenant.encode(), None)
                self._counter.forget(tenant)
