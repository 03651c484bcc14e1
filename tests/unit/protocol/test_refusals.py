"""Refusals: dead letters with the original bytes, and misrouted events on their way to their partition."""

import hashlib
import json

from schemas.changes import DeadLetter
from schemas.identifiers import partition_of, subject_key
from schemas.intake import read_record
from schemas.wire import WireObservation
from streams.protocol.effects import Item, Publish
from streams.protocol.refusals import HOP_HEADER, MAX_VALUE_BYTES, Refusals
from tests.unit.protocol.bench import NOW_MS, records, voice


def new_refusals(partition: int = 0, partitions: int = 2) -> Refusals:
    return Refusals("assignments", partition, partitions, NOW_MS)


def only(refusals: Refusals) -> tuple[Publish, Item]:
    (effect,) = refusals.take()
    (item,) = effect.items
    return effect, item


def letter(item: Item) -> DeadLetter:
    return DeadLetter.model_validate({name: value.decode() for name, value in item.headers})


def test_a_dead_letter_holds_the_original_bytes_and_says_why_and_from_where() -> None:
    refusals = new_refusals(1)
    (record,) = records(b"{", offset=7)
    refusals.refuse(record, 3, "not_json", "not JSON", b"{")
    effect, item = only(refusals)
    assert ("dead-letters", 1, b"k", b"{") == (effect.topic, effect.partition, item.key, item.value)
    dead = letter(item)
    assert ("not_json", "not JSON", "assignments", "1", "7", "3") == (
        dead.reason, dead.detail, dead.topic, dead.partition, dead.offset, dead.index,
    )  # fmt: skip
    assert (str(len(b"{")), hashlib.sha256(b"{").hexdigest()) == (dead.length, dead.sha256)
    assert [] == refusals.take()


def test_a_large_value_is_cut_at_512_kib_with_the_hash_of_the_whole() -> None:
    raw = b"x" * (MAX_VALUE_BYTES + 1)
    refusals = new_refusals()
    refusals.refuse(records(raw)[0], 0, "too_large", "too large", raw)
    _, item = only(refusals)
    assert 512 * 1024 == len(item.value or b"")
    assert (str(len(raw)), hashlib.sha256(raw).hexdigest()) == (letter(item).length, letter(item).sha256)


def test_of_an_array_only_the_event_itself_is_kept() -> None:
    events = [voice("user:a", "g1"), voice("user:b", "g2")]
    (record,) = records(json.dumps(events).encode())
    assert events[1] == json.loads(new_refusals().original(record, 1))
    (single,) = records(events[0])
    assert events[0] == json.loads(new_refusals().original(single, 0))


HOME = partition_of(subject_key("acme", "user:a"), 2)


def observed(value: bytes) -> WireObservation:
    (event,) = read_record(value, NOW_MS).events
    assert isinstance(event, WireObservation)
    return event


def test_a_misrouted_event_is_forwarded_once_with_its_own_bytes_and_time() -> None:
    value = json.dumps(voice("user:a", "g1") | {"unknown": "kept"}).encode()
    refusals = new_refusals(1 - HOME)
    assert refusals.misrouted(observed(value), records(value)[0], 0)
    effect, item = only(refusals)
    assert ("assignments", HOME) == (effect.topic, effect.partition)
    assert Item(b"acme/user:a", value, ((HOP_HEADER, b"1"),), NOW_MS) == item


def test_a_second_hop_is_a_dead_letter() -> None:
    value = json.dumps(voice("user:a", "g1")).encode()
    refusals = new_refusals(1 - HOME)
    assert refusals.misrouted(observed(value), records(value, hop=True)[0], 0)
    effect, item = only(refusals)
    assert ("dead-letters", "misrouted") == (effect.topic, letter(item).reason)


def test_an_event_in_its_partition_is_not_misrouted() -> None:
    value = json.dumps(voice("user:a", "g1")).encode()
    refusals = new_refusals(HOME)
    assert not refusals.misrouted(observed(value), records(value)[0], 0)
    assert [] == refusals.take()
