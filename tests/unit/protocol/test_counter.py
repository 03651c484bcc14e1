"""The counter: what it publishes when, why, and what it holds back."""

from typing import Any, cast

from licensing.criteria import fingerprint
from schemas.changes import SnapshotEnd, Tally
from schemas.count import Cause, Count
from schemas.settings import ProviderSettings, TenantSettings
from schemas.times import from_ms
from streams.protocol.counter import PUBLISH_INTERVAL_MS, CounterPartition, CountRecovery
from streams.protocol.effects import Item, LogRecord
from streams.protocol.settings_book import SettingsBook
from tests.unit.protocol.bench import NOW_MS, Bench, put, settings
from tests.unit.protocol.test_tally_board import tally

DEFAULT = fingerprint(TenantSettings(tenant="acme"))


def users(gained: int) -> Cause:
    return Cause(kind="users", subjects_gained=gained)


def told(
    partition: int, seq: int, profiles: dict[str, int], under: TenantSettings | None = None, **other: Any
) -> Tally:
    criteria = DEFAULT if under is None else fingerprint(under)
    return tally(partition, 1, seq, profiles, criteria, **other)


def taken(counter: CounterPartition, now_ms: int = NOW_MS) -> Count:
    count = counter.take("acme", now_ms)
    assert count is not None
    return count


def new_counter(*revisions: TenantSettings) -> CounterPartition:
    book = SettingsBook()
    for revision in revisions:
        put(book, revision)
    return CounterPartition(book)


def test_a_tenant_is_published_at_most_every_20_ms_with_its_causes_summed() -> None:
    counter = new_counter()
    counter.apply(told(0, 1, {"1": 1}, cause=users(1)))
    assert ["acme"] == counter.due(NOW_MS)
    assert (1, users(1)) == (taken(counter).currently_licensed, counter.last("acme").cause)  # type: ignore[union-attr]
    counter.apply(told(0, 2, {"1": 3}, cause=users(2)))
    counter.apply(told(0, 3, {"1": 4}, cause=users(1)))
    assert ([], 5) == (counter.due(NOW_MS + 15), counter.wait_ms(NOW_MS + 15))
    assert ["acme"] == counter.due(NOW_MS + PUBLISH_INTERVAL_MS)
    count = taken(counter, NOW_MS + PUBLISH_INTERVAL_MS)
    assert (4, users(3), 2) == (count.currently_licensed, count.cause, count.version)
    assert ([], None) == (counter.due(NOW_MS + 99), counter.wait_ms(NOW_MS + 99))


def test_a_tally_that_is_no_news_publishes_nothing() -> None:
    counter = new_counter()
    counter.apply(told(0, 2, {"1": 1}))
    taken(counter)
    counter.apply(told(0, 2, {"1": 1}))
    counter.apply(told(0, 1, {"1": 9}))
    assert [] == counter.due(NOW_MS + 99)


def test_an_older_tally_written_after_a_newer_one_has_the_newer_written_again() -> None:
    counter = new_counter()
    newer = told(0, 2, {"1": 1})
    counter.apply(newer)
    counter.apply(told(0, 1, {"1": 9}))
    counter.apply(newer)
    (item,) = counter.take_heals()
    assert (b"acme/0", newer) == (item.key, Tally.model_validate_json(item.value or b""))
    assert [] == counter.take_heals()


def test_the_count_stands_still_while_partitions_follow_a_change_of_criteria() -> None:
    before, after = settings(1), settings(2, gateways=["g1"], acquired_licenses=9)
    counter = new_counter(before)
    counter.apply(told(0, 1, {"1": 2}, before))
    counter.apply(told(1, 1, {"1": 3}, before))
    assert 5 == taken(counter).currently_licensed
    put(counter.book, after)
    counter.settings_changed("acme")
    counter.apply(told(0, 2, {"0": 2}, after, cause=Cause(kind="rules", subjects_lost=2)))
    assert counter.take("acme", NOW_MS + 50) is None
    assert [] == counter.due(NOW_MS + 99)
    counter.apply(told(1, 2, {"1": 4}, before, cause=users(1)))
    live = taken(counter, NOW_MS + 100)
    assert (6, 1, None, users(1)) == (
        live.currently_licensed, live.settings_revision, live.acquired_licenses, live.cause,
    )  # fmt: skip
    counter.apply(told(1, 3, {"0": 4}, after, cause=Cause(kind="rules", subjects_lost=4)))
    count = taken(counter, NOW_MS + 200)
    assert (0, 2, 9) == (count.currently_licensed, count.settings_revision, count.acquired_licenses)
    assert (6, 3) == (count.cause.subjects_lost, count.version)


def test_tallies_that_come_before_their_settings_are_kept_for_them() -> None:
    before, after = settings(1), settings(2, gateways=["g1"])
    counter = new_counter(before)
    counter.apply(told(0, 1, {"1": 2}, before))
    taken(counter)
    counter.apply(tally(0, 2, 1, {"0": 2}, fingerprint(after)))
    counter.take("acme", NOW_MS + 50)
    counter.apply(SnapshotEnd(partition=0, epoch=2))
    put(counter.book, after)
    counter.settings_changed("acme")
    count = taken(counter, NOW_MS + 100)
    assert ({"0": 2}, 2) == (count.profiles, count.settings_revision)


def test_switches_and_pool_act_without_the_meter() -> None:
    first = settings(1, acquired_licenses=5)
    counter = new_counter(first)
    counter.apply(told(0, 1, {"4": 2, "8": 1}, first))
    assert (3, 2) == (taken(counter).currently_licensed, taken(counter).available_licenses)
    put(counter.book, settings(2, acquired_licenses=7, factors={"lifecycle": False}))
    counter.settings_changed("acme")
    count = taken(counter, NOW_MS + 50)
    assert (1, 6, "pool", 2) == (
        count.currently_licensed, count.available_licenses, count.cause.kind, count.settings_revision,
    )  # fmt: skip
    provider = ProviderSettings.model_validate({"revision": 1, "factors": {"user_interface": False}})
    counter.book.apply(b"_provider", provider.model_dump_json().encode())
    counter.settings_changed("_provider")
    assert (0, "rules") == (taken(counter, NOW_MS + 99).currently_licensed, counter.last("acme").cause.kind)  # type: ignore[union-attr]


def test_hints_say_what_is_missing() -> None:
    counter = new_counter()
    counter.apply(told(0, 1, {"1": 1}))
    counter.held_syncs["acme"] = {("voice", "graph"): from_ms(0)}
    assert ["no_gateways", "no_pool", "sync_held"] == taken(counter).hints
    put(counter.book, settings(1, acquired_licenses=1, criteria={"licensed_users_by_gateway": "x"}))
    counter.held_syncs.clear()
    counter.apply(told(0, 2, {"1": 1}, settings(1, criteria={"licensed_users_by_gateway": "x"})))
    assert [] == taken(counter).hints


def test_a_count_goes_stale_and_recovers() -> None:
    counter = new_counter(settings(1, stale_after_s=60))

    def confirmed(seq: int, at_ms: int) -> Tally:
        marks = {"voice": {"graph": [from_ms(at_ms).isoformat(), None]}}
        return told(0, seq, {"1": 1}, freshness=marks)

    counter.apply(confirmed(1, NOW_MS))
    assert not taken(counter).stale
    counter.find_stale(NOW_MS + 60_000)
    assert [] == counter.due(NOW_MS + 60_000)
    counter.find_stale(NOW_MS + 60_001)
    stale = taken(counter, NOW_MS + 60_001)
    assert (True, "heartbeat", 2) == (stale.stale, stale.cause.kind, stale.version)
    counter.find_stale(NOW_MS + 60_002)
    assert [] == counter.due(NOW_MS + 99_000)
    counter.apply(confirmed(2, NOW_MS + 60_500))
    assert not taken(counter, NOW_MS + 61_000).stale


def test_versions_continue_in_a_higher_epoch() -> None:
    first = new_counter()
    first.epoch = 3
    first.apply(told(0, 1, {"1": 1}))
    old = [taken(first), taken(first, NOW_MS + 50)]
    second = new_counter()
    second.epoch = 8
    for count in reversed(old):
        second.continue_from(count)
    second.apply(told(0, 2, {"1": 2}))
    assert (8, 3) == (taken(second).epoch, second.last("acme").version)  # type: ignore[union-attr]


def restarted(last: Count, *revisions: TenantSettings) -> CounterPartition:
    counter = new_counter(*revisions)
    counter.epoch = last.epoch + 1
    counter.continue_from(last)
    return counter


def test_a_restart_publishes_nothing_where_nothing_has_changed() -> None:
    first = new_counter()
    first.apply(told(0, 1, {"1": 1}))
    second = restarted(taken(first))
    second.apply(told(0, 1, {"1": 1}))
    second.settle_start()
    assert [] == second.due(NOW_MS)


def test_a_restart_publishes_what_it_missed() -> None:
    first = new_counter(settings(1))
    first.apply(told(0, 1, {"4": 1}))
    last = taken(first)
    tallies = restarted(last, settings(1))
    tallies.apply(told(0, 2, {"4": 2}))
    pool = restarted(last, settings(2, acquired_licenses=3))
    pool.apply(told(0, 1, {"4": 1}))
    provider = restarted(last, settings(1))
    provider.book.apply(b"_provider", b'{"revision":1,"factors":{"lifecycle":false}}')
    provider.apply(told(0, 1, {"4": 1}))
    for counter in (tallies, pool, provider):
        counter.settle_start()
        count = taken(counter)
        assert ("rebuild", 2) == (count.cause.kind, count.version)


def test_a_restart_in_the_middle_of_a_change_of_criteria_waits_for_all_partitions() -> None:
    before, after = settings(1), settings(2, gateways=["g1"])
    first = new_counter(before)
    first.apply(told(0, 1, {"1": 1}, before))
    second = restarted(taken(first), after)
    second.apply(told(0, 2, {"0": 1}, after))
    second.apply(told(1, 1, {"1": 1}, before))
    second.settle_start()
    assert second.take("acme", NOW_MS) is None
    second.apply(told(1, 2, {"0": 1}, after))
    assert {"0": 2} == taken(second, NOW_MS + 50).profiles


def test_a_purged_tenant_that_comes_back_goes_on_in_its_versions() -> None:
    counter = new_counter(settings(1))
    counter.apply(told(0, 1, {"1": 1}))
    taken(counter)
    counter.book.apply(b"acme", None)
    counter.settings_changed("acme")
    assert counter.last("acme") is None
    counter.apply(told(0, 2, {"1": 1}))
    assert 2 == taken(counter).version


def test_a_removed_tenant_is_empty_once_every_partition_has_followed_the_removal() -> None:
    counter = new_counter(settings(1))
    counter.apply(told(0, 1, {}))
    counter.apply(told(1, 1, {"1": 1}))
    put(counter.book, settings(2, NOW_MS, removes=True))
    assert not counter.is_empty("acme")
    counter.apply(told(1, 2, {}, settings_revision=2))
    assert not counter.is_empty("acme")
    counter.apply(told(0, 2, {}, settings_revision=2))
    assert counter.is_empty("acme")


def test_a_recovery_continues_from_the_highest_count_and_heals_keys_whose_newest_record_is_another() -> None:
    first = new_counter()
    first.epoch = 3
    first.apply(told(0, 1, {"1": 1}))
    older, newer = taken(first), taken(first, NOW_MS + 50)
    bench = Bench("license-counts")
    for count in (older, newer, older):
        bench.log().append([Item(b"acme", count.model_dump_json().encode())], NOW_MS)
    bench.log().append([Item(b"_claim/x", b""), Item(b"beta", None)], NOW_MS)
    counter = new_counter()
    recovery = CountRecovery(counter)
    recovery.apply(cast(list[LogRecord], bench.log().read(0)))
    assert newer == counter.last("acme")
    assert ({b"acme"}, 3, 5) == (recovery.strays, recovery.highest_epoch, recovery.position)
    recovery.apply(cast(list[LogRecord], [bench.log().records[1]._replace(offset=5)]))
    assert set() == recovery.strays
