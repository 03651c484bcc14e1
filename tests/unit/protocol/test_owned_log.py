"""The owned log: claims, epochs, and the healing of what strangers wrote."""

from typing import Any, cast

import pytest

from streams.protocol import owned_log
from streams.protocol.alert_recovery import AlertRecovery
from streams.protocol.alerts import AlertPartition
from streams.protocol.counter import CounterPartition, CountRecovery
from streams.protocol.effects import Item, LogRecord
from streams.protocol.owned_log import NewerFormatError, OwnedLog, Recovery, SupersededError
from streams.protocol.record import CLAIM_PREFIX, epoch_bytes, epoch_of
from streams.protocol.settings_book import SettingsBook
from tests.unit.protocol.bench import Bench


def value(epoch: int, text: bytes) -> bytes:
    return b"\x07" + epoch_bytes(epoch) + text


class Owner:
    """An owner whose state is what it was told to write."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.state: dict[bytes, bytes | None] = {}
        self.log = OwnedLog(self.state.get)
        recovery = Recovery(self.state.__setitem__)
        recovery.apply(cast(list[LogRecord], bench.log().read(0)))
        bench.run(self.log.claim(recovery))

    def write(self, key: bytes, text: bytes) -> None:
        self.state[key] = value(self.log.epoch, text)
        self.bench.run(self.log.append("4-keep", [Item(key, self.state[key])]))


def recovered(bench: Bench) -> dict[bytes, bytes | None]:
    state: dict[bytes, bytes | None] = {}
    Recovery(state.__setitem__).apply(cast(list[LogRecord], bench.log().read(0)))
    return {key: text if text is None else text[6:] for key, text in state.items()}


def test_the_offset_of_the_claim_is_the_epoch() -> None:
    bench = Bench()
    assert [0, 1] == [Owner(bench).log.epoch, Owner(bench).log.epoch]


def test_recovery_ignores_a_lower_epoch_after_a_higher_claim() -> None:
    bench = Bench()
    old = Owner(bench)
    old.write(b"t/a", b"old")
    Owner(bench)
    bench.log().append([Item(b"t/a", value(old.log.epoch, b"zombie"))], 0)
    assert {b"t/a": b"old"} == recovered(bench)


def test_what_was_written_between_recovery_and_claim_is_read_back() -> None:
    bench = Bench()
    old, state = Owner(bench), dict[bytes, bytes | None]()
    recovery = Recovery(state.__setitem__)
    recovery.apply(cast(list[LogRecord], bench.log().read(0)))
    old.write(b"t/a", b"late")
    bench.run(OwnedLog(state.get).claim(recovery))
    assert {b"t/a": value(old.log.epoch, b"late")} == state


def test_a_claim_writes_the_keys_of_strays_again() -> None:
    bench = Bench()
    old = Owner(bench)
    old.write(b"t/a", b"old")
    Owner(bench)
    bench.log().append([Item(b"t/a", value(0, b"zombie")), Item(b"t/b", value(0, b"zombie"))], 0)
    third = Owner(bench)
    healed = bench.log().records[-2:]
    assert [(b"t/a", value(third.log.epoch, b"old")), (b"t/b", None)] == [(each.key, each.value) for each in healed]
    bench.log().compact(0)
    assert [b"t/a"] == [key for key, text in recovered(bench).items() if text is not None]


def test_an_append_that_lands_elsewhere_heals_what_a_stranger_wrote() -> None:
    bench = Bench()
    old = Owner(bench)
    owner = Owner(bench)
    owner.write(b"t/a", b"new")
    bench.log().append([Item(b"t/a", value(old.log.epoch, b"zombie"))], 0)
    bench.steps()
    owner.write(b"t/b", b"other")
    assert ["4-keep", "4-keep-stranger", "4-heal"] == bench.steps()
    last = bench.log().records[-1]
    assert (b"t/a", owner.log.epoch) == (last.key, epoch_of(last.value or b""))
    assert bench.log().end == owner.log.next_offset


def test_a_key_in_mid_write_is_healed_with_what_is_being_written() -> None:
    bench = Bench()
    owner = Owner(bench)
    bench.log().append([Item(b"t/a", value(0, b"zombie"))], 0)
    owner.write(b"t/a", b"new")
    assert {b"t/a": b"new"} == recovered(bench)


def test_a_deletion_is_healed_by_a_deletion_with_the_owners_epoch() -> None:
    bench = Bench()
    owner = Owner(bench)
    bench.log().append([Item(b"t/a", value(0, b"zombie"))], 0)
    bench.run(owner.log.append("4-keep", [owner.log.deletion(b"t/b")]))
    last = bench.log().records[-1]
    assert (b"t/a", None, (("epoch", epoch_bytes(owner.log.epoch)),)) == (last.key, last.value, last.headers)


def test_a_zombie_that_wakes_finds_that_another_has_claimed() -> None:
    bench = Bench()
    zombie = Owner(bench)
    Owner(bench)
    with pytest.raises(SupersededError, match="offset 1 claims the log, which epoch 0 owned"):
        zombie.write(b"t/a", b"zombie")


def test_an_idle_owner_heals_when_it_looks_after_its_log() -> None:
    bench = Bench()
    old = Owner(bench)
    owner = Owner(bench)
    owner.write(b"t/a", b"new")
    bench.log().append([Item(b"t/a", value(old.log.epoch, b"zombie"))], 0)
    bench.run(owner.log.look_after(bench.log().end))
    bench.log().compact(0)
    assert {b"t/a": b"new"} == recovered(bench)
    bench.steps()
    bench.run(owner.log.look_after(bench.log().end))
    assert [] == bench.steps()


def test_an_idle_owner_finds_by_looking_that_another_has_claimed() -> None:
    bench = Bench()
    idle = Owner(bench)
    Owner(bench)
    with pytest.raises(SupersededError):
        bench.run(idle.log.look_after(bench.log().end))


def test_a_log_that_a_newer_version_has_owned_is_refused_before_it_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    Owner(bench).write(b"t/a", b"old")
    monkeypatch.setattr(owned_log, "FORMAT", 2)
    Owner(bench).write(b"t/a", b"newer")
    monkeypatch.undo()
    records = len(bench.log().read(0))
    with pytest.raises(NewerFormatError, match="writes format 2, and this version knows format 1: run the version"):
        Owner(bench)
    assert records == len(bench.log().read(0))


@pytest.mark.parametrize(
    "recovery",
    [
        CountRecovery(CounterPartition(SettingsBook())),
        AlertRecovery(AlertPartition(SettingsBook(), lambda *_: ())),
    ],
    ids=["license-counts", "alert-state"],
)
def test_among_json_records_as_well(recovery: Any) -> None:
    bench = Bench()
    bench.log().append([Item(b"_claim/x", b"\x00" + epoch_bytes(0) + b"\x02")], 0)
    with pytest.raises(NewerFormatError):
        recovery.apply(bench.log().read(0))


def test_a_claim_of_the_first_version_names_no_format() -> None:
    bench = Bench()
    bench.log().append([Item(CLAIM_PREFIX + b"x", b"\x00" + epoch_bytes(0))], 0)
    assert 1 == Owner(bench).log.epoch
