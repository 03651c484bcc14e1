"""Owns the world of the state machine: topics in memory, committed offsets, who owns a partition, who is frozen."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from schemas.changes import Tally
from schemas.topics import TopicName
from streams.protocol.effects import Append, Appended, Done, Effect, Item, Pause, Publish, ReadBack, Steps
from streams.protocol.owned_log import OwnedLog, SupersededError
from streams.protocol.settings_book import SettingsBook
from tests.property.protocol.log import MemoryLog, Stored

PARTITIONS = 2
START_MS = 1_760_000_000_000


class World:
    """What outlives every process."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.committed: dict[tuple[TopicName, int], int] = {}
        self.owners: dict[tuple[str, int], Process] = {}
        """By kind of process and partition: the one that the group has assigned it to."""
        self.zombies: list[Process] = []
        self.tallied: list[tuple[Tally, list[bytes]]] = []
        """Tallies on their way, each with the records that it counts."""
        self._logs: dict[tuple[TopicName, int], MemoryLog] = defaultdict(MemoryLog)

    def log(self, topic: TopicName, partition: int) -> MemoryLog:
        """Return a partition of a topic."""
        return self._logs[topic, partition]

    def everything(self, topic: TopicName) -> Iterator[tuple[int, Stored]]:
        """Yield all records of a topic with their partitions."""
        for partition in range(PARTITIONS):
            for record in self.log(topic, partition).records:
                yield partition, record

    def owner(self, kind: str, partition: int, new: "Callable[[World, int], Process]") -> "Process":
        """Return the owner of a partition; where there is none the group assigns it to a new process."""
        owner = self.owners.get((kind, partition))
        if owner is None:
            owner = self.owners[kind, partition] = new(self, partition)
        return owner

    def run(self, process: "Process", effects: int, choices: Iterator[int]) -> None:
        """Let a process carry out so many effects; one that finds itself superseded ends."""
        try:
            for _ in range(effects):
                self.now_ms += 1
                if not process.advance(next(choices)):
                    return
        except SupersededError:
            self.lose(process)

    def lose(self, process: "Process") -> None:
        """End a process with all that it has in memory."""
        if self.owns(process):
            del self.owners[process.kind, process.partition]
        if process in self.zombies:
            self.zombies.remove(process)

    def owns(self, process: "Process") -> bool:
        """Tell whether the group has this process as the owner of its partition."""
        return self.owners.get((process.kind, process.partition)) is process

    def freeze(self, process: "Process") -> None:
        """Stop a process where it is; the group gives its partition away."""
        self.lose(process)
        self.zombies.append(process)


class Write:
    """A write on its way: it reaches the broker in batches, one at a time."""

    def __init__(self, topic: TopicName, log: MemoryLog, items: list[Item]) -> None:
        self.topic = topic
        self._log = log
        self._items = items
        self._acknowledged: list[Appended] = []

    def send(self, now_ms: int, choice: int) -> list[Appended] | None:
        """Send a batch; return the acknowledgements when all is written. Of some batches the acknowledgement is lost:
        they are sent again, and stand in the log twice."""
        size = len(self._items) if choice % 4 else 1
        batch, self._items = self._items[:size], self._items[size:]
        if choice % 7 == 0:
            self._log.append(batch, now_ms)
        self._acknowledged.append(self._log.append(batch, now_ms))
        return None if self._items else self._acknowledged


class Process:
    """A process with one partition: carries out the effects of its jobs one by one, the first job being `start`."""

    kind = ""
    owned: TopicName

    def __init__(self, world: World, partition: int) -> None:
        self.world = world
        self.partition = partition
        self.book = SettingsBook()
        self.started = False
        self.writing: Write | None = None
        self._settings_read = [0] * PARTITIONS
        self._result: Any = None
        self._job: Steps | None = self._start()

    @property
    def busy(self) -> bool:
        """Tell whether a job is in hand."""
        return self._job is not None

    def is_writing(self, topic: TopicName) -> bool:
        """Tell whether a write to a topic is on its way."""
        return self.writing is not None and self.writing.topic == topic

    def read_settings(self) -> list[str]:
        """Take what is new in the topic `tenants`; return the tenants concerned."""
        changed = []
        for partition in range(PARTITIONS):
            log = self.world.log("tenants", partition)
            for record in log.read(self._settings_read[partition]):
                assert record.key is not None
                name = self.book.apply(record.key, record.value)
                if name is not None:
                    changed.append(name)
            self._settings_read[partition] = log.end
        return changed

    def advance(self, choice: int) -> bool:
        """Carry out one effect, or take up a job; return whether there was anything to do."""
        if self.writing is not None:
            self._result = self.writing.send(self.world.now_ms, choice)
            self.writing = self.writing if self._result is None else None
            return True
        if self._job is None:
            self._job = self.next_job(choice)
            return self._job is not None
        result, self._result = self._result, None
        try:
            effect = self._job.send(result)
        except StopIteration:
            self._job, self.started = None, True
            return True
        self.take_up(effect)
        return True

    def take_up(self, effect: Effect) -> None:
        """Begin to carry out an effect."""
        match effect:
            case Append(items=items):
                self.writing = Write(self.owned, self.world.log(self.owned, self.partition), list(items))
            case Publish(topic=topic, partition=partition, items=items):
                self.writing = Write(topic, self.world.log(topic, partition), list(items))
            case ReadBack(start=start, end=end):
                self._result = self.world.log(self.owned, self.partition).read(start, end)
            case Done(offsets=offsets):
                if self.world.owns(self):  # the group refuses the commit of anyone else
                    self.world.committed.update({(topic, self.partition): offset for topic, offset in offsets.items()})
            case Pause():
                self._pause()

    def follow_settings(self) -> None:
        """Take new settings, at any moment, as the reader beside the pipelines does."""
        raise NotImplementedError

    def look_after_log(self) -> None:
        """Take up, while nothing else is in hand, a look at what strangers have written to the owned log."""
        assert self._job is None
        self._job = self.log.look_after(self.world.log(self.owned, self.partition).end)

    @property
    def log(self) -> OwnedLog:
        """The owned log."""
        raise NotImplementedError

    def _pause(self) -> None:
        """Let others go first, where the job is one that waits."""

    def _start(self) -> Steps:
        raise NotImplementedError

    def next_job(self, choice: int) -> Steps | None:
        """Return a job that there is to do, None for none."""
        raise NotImplementedError
