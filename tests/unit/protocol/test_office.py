"""Commands are carried out once, whatever is read again after a crash."""

from dataclasses import dataclass
from typing import Any

from schemas.commands import ChangeSettings
from schemas.times import from_ms
from streams.protocol.counter import CounterPartition
from streams.protocol.effects import Publish
from streams.protocol.office import Office
from streams.protocol.owned_log import OwnedLog
from streams.protocol.settings_book import SettingsBook

NOW_MS = 1_795_600_000_000


@dataclass
class Read:
    """A record as it was read."""

    key: Any
    value: Any
    headers: Any
    offset: int = 0
    timestamp: int = NOW_MS


class World:
    """An office, and what it wrote; `restart` keeps the topics alone."""

    def __init__(self) -> None:
        self.settings: list[Read] = []
        self.answers: list[bytes] = []
        self.restart()

    def restart(self) -> None:
        self.book = SettingsBook()
        for record in self.settings:
            self.book.apply(record.key, record.value)
        self.office = Office(0, CounterPartition(self.book), OwnedLog(lambda _: None))
        self.office.recall(self.settings)

    def send(self, command: ChangeSettings, offset: int) -> None:
        for effect in self.office.carry_out(command, offset, NOW_MS + offset):
            assert isinstance(effect, Publish), effect
            for item in effect.items:
                if effect.topic == "tenants":
                    self.settings.append(Read(item.key, item.value, item.headers))
                else:
                    self.answers.append(item.value or b"")


def command(name: str, mode: Any = "patch", **body: Any) -> ChangeSettings:
    return ChangeSettings(id=name, tenant="acme", by="ana", sent_at=from_ms(NOW_MS), mode=mode, body=body)


def test_commands_that_are_read_again_after_a_crash_change_nothing() -> None:
    world = World()
    removed, set_again = command("one", "remove"), command("two", acquired_licenses=5)
    world.send(removed, 0)
    world.send(set_again, 1)
    before = world.book.get("acme")

    world.restart()
    world.send(removed, 0)
    world.send(set_again, 1)

    assert before == world.book.get("acme")
    assert len(world.settings) == 2


def test_the_last_command_is_answered_again_for_its_answer_may_be_lost() -> None:
    world = World()
    world.send(command("one", acquired_licenses=5), 7)
    world.restart()

    world.send(command("one", acquired_licenses=5), 7)

    assert len(world.answers) == 2
    assert b'"status":"done"' in world.answers[1]
    assert b'"revision":1' in world.answers[1]


def test_a_command_that_its_sender_repeats_is_answered_and_not_carried_out_again() -> None:
    world = World()
    world.send(command("one", acquired_licenses=5), 7)

    world.send(command("one", acquired_licenses=5), 8)

    assert len(world.settings) == 1
    assert len(world.answers) == 2
